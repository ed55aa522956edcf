//! A SQL file: finds the parameters that psql writes `:'name'`, and nothing else, by PostgreSQL's own lexical rules
//! (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html>), and puts their values in their places as psql does.

mod lexer;
mod plain_strings;
mod sql_error;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;

pub(crate) use plain_strings::PlainStrings;
pub(crate) use sql_error::SqlError;

/// The values of parameters by their names, as psql would be given them.
pub(crate) type ParameterValues = BTreeMap<String, String>;

/// One statement, ready to be given its parameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sql {
    /// The name that people know, such as `doses_administered.sql`.
    pub(crate) file: String,
    /// The names of its parameters, each once.
    pub(crate) parameters: Vec<String>,
    written: String,
}

/// A statement with its parameters in their places, as the server gets it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement<'s> {
    pub(crate) sql: &'s Sql,
    /// The final `;` is a blank here.
    pub(crate) text: String,
    /// Where each parameter stands in the file and in `text`, in bytes.
    replaced: Vec<(Range<usize>, Range<usize>)>,
    /// Where the statement begins in the file.
    begins: usize,
}

impl Sql {
    /// Reads one statement; `known` are the names that a parameter may have. How the database reads its strings is not known yet, so
    /// that a file is refused only if it can be read in neither way.
    pub(crate) fn parse(file: &str, text: &str, known: &[&str]) -> Result<Sql, SqlError> {
        // psql skips a byte order mark too, and PostgreSQL would take it for a name.
        let written = text.strip_prefix('\u{feff}').unwrap_or(text);
        let found = lexer::find(written, known, PlainStrings::Standard).or_else(|error| {
            lexer::find(written, known, PlainStrings::Backslashes).map_err(|_| error)
        })?;
        let mut parameters: Vec<String> = Vec::new();
        for (_, name) in found.parameters {
            if !parameters.contains(&name) {
                parameters.push(name);
            }
        }
        Ok(Sql {
            file: file.to_owned(),
            parameters,
            written: written.to_owned(),
        })
    }

    /// The statement with each parameter as a literal, for a database that reads its strings in this way.
    pub(crate) fn with(
        &self,
        values: &ParameterValues,
        plain_strings: PlainStrings,
    ) -> Result<Statement<'_>, SqlError> {
        let known: Vec<&str> = values.keys().map(String::as_str).collect();
        let found = lexer::find(&self.written, &known, plain_strings)?;
        let mut text = String::with_capacity(self.written.len());
        let mut replaced = Vec::new();
        let mut copied = 0;
        for (place, name) in found.parameters {
            text.push_str(self.written.get(copied..place.start).unwrap_or_default());
            let begins = text.len();
            text.push_str(&literal(values.get(&name).map_or("", String::as_str)));
            copied = place.end;
            replaced.push((place, begins..text.len()));
        }
        text.push_str(self.written.get(copied..).unwrap_or_default());
        let mut statement = Statement {
            sql: self,
            text,
            replaced,
            begins: found.begins,
        };
        statement.blank_out(&found.semicolons);
        Ok(statement)
    }
}

impl Statement<'_> {
    /// Line and column in the file of the character of `text` that `before` others precede.
    pub(crate) fn place(&self, before: usize) -> (usize, usize) {
        lexer::place(&self.sql.written, self.in_file(before))
    }

    /// Whether nothing but comments stands in the file before the character of `text` that `before` others precede.
    pub(crate) fn begins_at(&self, before: usize) -> bool {
        self.in_file(before) == self.begins
    }

    fn in_file(&self, before: usize) -> usize {
        let mut characters = self.text.char_indices();
        let at = characters
            .nth(before)
            .map_or(self.text.len(), |(index, _)| index);
        // What the parameters before it are longer in the text than in the file.
        let mut begins = (0, 0);
        for (written, now) in &self.replaced {
            if at < now.start {
                break;
            }
            if at < now.end {
                return written.start;
            }
            begins = (written.end, now.end);
        }
        begins.0 + (at - begins.1)
    }

    /// A blank keeps every position behind it as it was.
    fn blank_out(&mut self, semicolons: &[usize]) {
        for semicolon in semicolons {
            let mut begins = (0, 0);
            for (written, now) in &self.replaced {
                if written.end <= *semicolon {
                    begins = (written.end, now.end);
                }
            }
            let at = begins.1 + (semicolon - begins.0);
            self.text.replace_range(at..at + 1, " ");
        }
    }
}

/// A value as libpq's `PQescapeLiteral` writes it, which is how psql fills in `:'name'`. The blank in front of the `E` keeps it apart
/// from a name.
fn literal(value: &str) -> String {
    let quoted = value.replace('\'', "''");
    if value.contains('\\') {
        format!(" E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}
