//! The lexer: finds each `:'name'` of a file outside of strings, names and comments.

use std::ops::Range;

use super::plain_strings::PlainStrings;
use super::sql_error::SqlError;
use crate::mapping::nearest;

/// What the lexer found in a file; places are counted in bytes.
#[derive(Debug, Default)]
pub(super) struct FoundParameters {
    /// Each `:'name'` with its name, in order.
    pub(super) parameters: Vec<(Range<usize>, String)>,
    /// The `;` before and behind the statement.
    pub(super) semicolons: Vec<usize>,
    /// Where the statement begins.
    pub(super) begins: usize,
}

/// Reads a whole file; `known` are the names that a parameter may have.
pub(super) fn find(
    text: &str,
    known: &[&str],
    plain_strings: PlainStrings,
) -> Result<FoundParameters, SqlError> {
    let mut lexer = Lexer {
        text,
        rest: text,
        known,
        plain_strings,
        part: StatementPart::Awaited,
        found: FoundParameters::default(),
    };
    while lexer.token()? {}
    match lexer.part {
        StatementPart::Awaited => {
            Err(lexer.error_here("the file holds no statement; write one SELECT"))
        }
        StatementPart::Begun | StatementPart::Ended => Ok(lexer.found),
    }
}

/// Whether the one statement of the file is still to come, being read, or over.
#[derive(PartialEq)]
enum StatementPart {
    Awaited,
    Begun,
    Ended,
}

struct Lexer<'a> {
    text: &'a str,
    rest: &'a str,
    known: &'a [&'a str],
    plain_strings: PlainStrings,
    part: StatementPart,
    found: FoundParameters,
}

impl Lexer<'_> {
    /// Reads one token; false at the end of the file.
    fn token(&mut self) -> Result<bool, SqlError> {
        let Some(first) = self.peek() else {
            return Ok(false);
        };
        if is_blank(first) {
            self.take()?;
        } else if self.rest.starts_with("--") {
            self.line_comment()?;
        } else if self.rest.starts_with("/*") {
            self.block_comment()?;
        } else if first == ';' {
            self.end_of_statement()?;
        } else {
            self.begin_statement()?;
            self.part_of_statement(first)?;
        }
        Ok(true)
    }

    fn begin_statement(&mut self) -> Result<(), SqlError> {
        match self.part {
            StatementPart::Awaited => self.found.begins = self.at(),
            StatementPart::Begun => {}
            StatementPart::Ended => {
                return Err(
                    self.error_here("a second statement begins here; a file holds one SELECT")
                );
            }
        }
        self.part = StatementPart::Begun;
        Ok(())
    }

    fn end_of_statement(&mut self) -> Result<(), SqlError> {
        self.found.semicolons.push(self.at());
        if self.part == StatementPart::Begun {
            self.part = StatementPart::Ended;
        }
        self.take()
    }

    fn part_of_statement(&mut self, first: char) -> Result<(), SqlError> {
        match first {
            '\'' => self.quoted('\'', self.plain_strings, "string"),
            '"' => self.quoted('"', PlainStrings::Standard, "quoted name"),
            '$' => self.dollar(),
            ':' => self.colon(),
            '\\' => Err(self.error_here(
                "psql's own commands (\\set, \\i, \\g …) cannot be used here; only SQL can",
            )),
            _ if is_name_start(first) => self.word(),
            _ => self.take(),
        }
    }

    /// A keyword, a name, or the letter in front of a string that says how to read it.
    fn word(&mut self) -> Result<(), SqlError> {
        let length = self
            .rest
            .find(|character| !is_name_part(character))
            .unwrap_or(self.rest.len());
        let (word, behind) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        let reading = match word.to_ascii_lowercase().as_str() {
            "e" if behind.starts_with('\'') => Some(PlainStrings::Backslashes),
            "b" | "x" if behind.starts_with('\'') => Some(PlainStrings::Standard),
            "u" if behind.starts_with("&'") => Some(PlainStrings::Standard),
            _ => None,
        };
        self.take_while(|character| {
            is_name_part(character) || character == '&' && reading.is_some()
        })?;
        match reading {
            Some(reading) => self.quoted('\'', reading, "string"),
            None => Ok(()),
        }
    }

    /// A string or a quoted name up to its closing quote.
    fn quoted(&mut self, quote: char, reading: PlainStrings, what: &str) -> Result<(), SqlError> {
        let opened = self.at();
        self.take()?;
        loop {
            match self.peek() {
                None => {
                    let why = format!("the {what} that begins here is not closed");
                    return Err(self.error_at(opened, why));
                }
                Some('\\') if reading == PlainStrings::Backslashes => {
                    self.take()?;
                    self.take()?;
                }
                Some(character) if character == quote => {
                    self.take()?;
                    if self.peek() == Some(quote) {
                        self.take()?;
                    } else if quote == '\'' && continues(self.rest) {
                        self.take_to_continuation()?;
                    } else {
                        return Ok(());
                    }
                }
                Some(_) => self.take()?,
            }
        }
    }

    fn take_to_continuation(&mut self) -> Result<(), SqlError> {
        while self.peek() != Some('\'') {
            if self.rest.starts_with("--") {
                self.line_comment()?;
            } else {
                self.take()?;
            }
        }
        self.take()
    }

    fn dollar(&mut self) -> Result<(), SqlError> {
        let opened = self.at();
        let body = self.rest.strip_prefix('$').unwrap_or(self.rest);
        if body.starts_with(|character: char| character.is_ascii_digit()) {
            return Err(self.error_here("$1, $2 … cannot be used; write a parameter as :'name'"));
        }
        let tag_length = body
            .find(|character| !is_name_part(character) || character == '$')
            .unwrap_or(body.len());
        let Some((tag, behind)) = body.split_at_checked(tag_length) else {
            return self.take();
        };
        if !behind.starts_with('$') {
            return self.take();
        }
        let delimiter = format!("${tag}$");
        let content = behind.strip_prefix('$').unwrap_or(behind);
        let Some(length) = content.find(&delimiter) else {
            let why = format!("the string that begins here with {delimiter} is not closed");
            return Err(self.error_at(opened, why));
        };
        let left = content.len() - length - delimiter.len();
        while self.rest.len() > left {
            self.take()?;
        }
        Ok(())
    }

    fn colon(&mut self) -> Result<(), SqlError> {
        let behind = self.rest.strip_prefix(':').unwrap_or(self.rest);
        match behind.chars().next() {
            // A cast `::type`, or `name := value` of a named argument.
            Some(':' | '=') => {
                self.take()?;
                self.take()
            }
            Some('\'') => self.parameter(),
            Some('"') => Err(self.error_here(
                "write a parameter as :'name'; :\"name\" would become part of the SQL",
            )),
            Some(character) if is_name_start(character) => {
                let name: String = behind
                    .chars()
                    .take_while(|character| is_name_part(*character))
                    .collect();
                Err(self.error_here(format!(
                    "write the parameter as :'{name}' (in an array slice, put a blank after the colon)"
                )))
            }
            _ => self.take(),
        }
    }

    fn parameter(&mut self) -> Result<(), SqlError> {
        let behind = self.rest.strip_prefix(":'").unwrap_or(self.rest);
        let name: String = behind
            .chars()
            .take_while(|character| is_name_part(*character) && *character != '$')
            .collect();
        let rest = behind
            .strip_prefix(name.as_str())
            .and_then(|rest| rest.strip_prefix('\''));
        let Some(rest) = rest.filter(|_| !name.is_empty()) else {
            return Err(self.error_here(
                "a parameter is written :'name', with letters, digits and _ between the quotes",
            ));
        };
        if !self.known.contains(&name.as_str()) {
            return Err(self.error_here(unknown(&name, self.known)));
        }
        let begins = self.at();
        self.rest = rest;
        self.found.parameters.push((begins..self.at(), name));
        Ok(())
    }

    fn line_comment(&mut self) -> Result<(), SqlError> {
        self.take_while(|character| character != '\n' && character != '\r')
    }

    fn block_comment(&mut self) -> Result<(), SqlError> {
        let opened = self.at();
        let mut depth = 0;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.take()?;
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take()?;
            } else if self.rest.is_empty() {
                return Err(self.error_at(opened, "the comment that begins here is not closed"));
            }
            self.take()?;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Goes on by one character, if there is one.
    fn take(&mut self) -> Result<(), SqlError> {
        if self.rest.starts_with('\0') {
            return Err(self.error_here("the file holds a zero byte; save it as UTF-8 text"));
        }
        let mut characters = self.rest.chars();
        characters.next();
        self.rest = characters.as_str();
        Ok(())
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> Result<(), SqlError> {
        while self.peek().is_some_and(&keep) {
            self.take()?;
        }
        Ok(())
    }

    fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn error_here(&self, message: impl Into<String>) -> SqlError {
        self.error_at(self.at(), message)
    }

    fn error_at(&self, at: usize, message: impl Into<String>) -> SqlError {
        let (line, column) = place(self.text, at);
        SqlError {
            line,
            column,
            message: message.into(),
        }
    }
}

/// Line and column of the character that begins at a byte; both count from 1.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or(before);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// Whether a string that has just been closed goes on: a line break and another quote follow, with only blanks and comments between.
/// The rest is then read as its beginning was.
fn continues(mut rest: &str) -> bool {
    let mut line_break = false;
    loop {
        let Some(first) = rest.chars().next() else {
            return false;
        };
        if is_blank(first) {
            line_break |= matches!(first, '\n' | '\r');
            rest = rest.trim_start_matches(first);
        } else if rest.starts_with("--") {
            rest = rest.trim_start_matches(|character| character != '\n' && character != '\r');
        } else {
            return line_break && first == '\'';
        }
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    let all: Vec<String> = known.iter().map(|known| format!(":'{known}'")).collect();
    let all = match all.as_slice() {
        [] => "none can be used here".to_owned(),
        names => format!("known here: {}", names.join(", ")),
    };
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("unknown parameter :'{name}'; did you mean :'{meant}'? ({all})"),
        None => format!("unknown parameter :'{name}' ({all})"),
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

/// PostgreSQL takes every character beyond ASCII for a letter.
fn is_name_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_' || !character.is_ascii()
}

fn is_name_part(character: char) -> bool {
    is_name_start(character) || character.is_ascii_digit() || character == '$'
}
