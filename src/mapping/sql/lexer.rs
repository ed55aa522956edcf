//! The lexer: copies a statement character by character and replaces each `:'name'` outside of strings, names and comments.

use super::{Replaced, SqlError};
use crate::mapping::nearest;

/// What the lexer made of a file.
pub(super) struct Lexed {
    pub(super) text: String,
    pub(super) parameters: Vec<String>,
    pub(super) replaced: Vec<Replaced>,
}

pub(super) fn read(text: &str, known: &[&str]) -> Result<Lexed, SqlError> {
    let mut lexer = Lexer {
        rest: text,
        place: Position { line: 1, column: 1 },
        characters: 0,
        known,
        statement: Statement::Awaited,
        lexed: Lexed {
            text: String::with_capacity(text.len()),
            parameters: Vec::new(),
            replaced: Vec::new(),
        },
    };
    while lexer.token()? {}
    match lexer.statement {
        Statement::Awaited => Err(lexer
            .place
            .error("the file holds no statement; write one SELECT")),
        Statement::Begun | Statement::Ended => Ok(lexer.lexed),
    }
}

#[derive(Clone, Copy)]
struct Position {
    line: usize,
    column: usize,
}

impl Position {
    fn error(self, message: impl Into<String>) -> SqlError {
        SqlError {
            line: self.line,
            column: self.column,
            message: message.into(),
        }
    }
}

/// Whether the one statement of the file is still to come, being read, or over.
#[derive(PartialEq)]
enum Statement {
    Awaited,
    Begun,
    Ended,
}

struct Lexer<'a> {
    rest: &'a str,
    place: Position,
    characters: usize,
    known: &'a [&'a str],
    statement: Statement,
    lexed: Lexed,
}

impl Lexer<'_> {
    /// Reads one token; false at the end of the file.
    fn token(&mut self) -> Result<bool, SqlError> {
        let Some(first) = self.peek() else {
            return Ok(false);
        };
        if is_blank(first) {
            self.copy()?;
        } else if self.rest.starts_with("--") {
            self.copy_while(|character| character != '\n' && character != '\r')?;
        } else if self.rest.starts_with("/*") {
            self.block_comment()?;
        } else if first == ';' {
            self.end_of_statement();
        } else {
            self.begin_statement()?;
            self.part_of_statement(first)?;
        }
        Ok(true)
    }

    fn begin_statement(&mut self) -> Result<(), SqlError> {
        if self.statement == Statement::Ended {
            return Err(self
                .place
                .error("a second statement begins here; a file holds one SELECT"));
        }
        self.statement = Statement::Begun;
        Ok(())
    }

    fn end_of_statement(&mut self) {
        self.skip();
        // A blank keeps every position behind it as it was.
        self.write(' ');
        if self.statement == Statement::Begun {
            self.statement = Statement::Ended;
        }
    }

    fn part_of_statement(&mut self, first: char) -> Result<(), SqlError> {
        match first {
            '\'' => self.quoted('\'', Escapes::Doubling, "string"),
            '"' => self.quoted('"', Escapes::Doubling, "quoted name"),
            '$' => self.dollar(),
            ':' => self.colon(),
            '\\' => Err(self.place.error(
                "psql's own commands (\\set, \\i, \\g …) cannot be used here; only SQL can",
            )),
            _ if is_name_start(first) => self.word(),
            _ => self.copy(),
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
        let backslashes = word.eq_ignore_ascii_case("e") && behind.starts_with('\'');
        self.copy_while(is_name_part)?;
        if backslashes {
            self.quoted('\'', Escapes::Backslash, "string")?;
        }
        Ok(())
    }

    /// A string or a quoted name up to its closing quote. `U&'…'`, `B'…'` and `X'…'` end where a plain string ends.
    fn quoted(&mut self, quote: char, escapes: Escapes, what: &str) -> Result<(), SqlError> {
        let opened = self.place;
        self.copy()?;
        loop {
            match self.peek() {
                None => {
                    return Err(opened.error(format!("the {what} that begins here is not closed")));
                }
                Some('\\') if escapes == Escapes::Backslash => {
                    self.copy()?;
                    if self.peek().is_some() {
                        self.copy()?;
                    }
                }
                Some(character) if character == quote => {
                    self.copy()?;
                    if self.peek() == Some(quote) {
                        self.copy()?;
                    } else if escapes == Escapes::Backslash && continues(self.rest) {
                        self.copy_to_continuation()?;
                    } else {
                        return Ok(());
                    }
                }
                Some(_) => self.copy()?,
            }
        }
    }

    fn copy_to_continuation(&mut self) -> Result<(), SqlError> {
        while self.peek() != Some('\'') {
            if self.rest.starts_with("--") {
                self.copy_while(|character| character != '\n' && character != '\r')?;
            } else {
                self.copy()?;
            }
        }
        self.copy()
    }

    fn dollar(&mut self) -> Result<(), SqlError> {
        let opened = self.place;
        let body = self.rest.strip_prefix('$').unwrap_or(self.rest);
        if body.starts_with(|character: char| character.is_ascii_digit()) {
            return Err(opened.error("$1, $2 … cannot be used; write a parameter as :'name'"));
        }
        let tag_length = body
            .find(|character| !is_name_part(character) || character == '$')
            .unwrap_or(body.len());
        let Some((tag, behind)) = body.split_at_checked(tag_length) else {
            return self.copy();
        };
        if !behind.starts_with('$') {
            return self.copy();
        }
        let delimiter = format!("${tag}$");
        let content = behind.strip_prefix('$').unwrap_or(behind);
        let Some(length) = content.find(&delimiter) else {
            return Err(opened.error(format!(
                "the string that begins here with {delimiter} is not closed"
            )));
        };
        let left = content.len() - length - delimiter.len();
        while self.rest.len() > left {
            self.copy()?;
        }
        Ok(())
    }

    fn colon(&mut self) -> Result<(), SqlError> {
        let behind = self.rest.strip_prefix(':').unwrap_or(self.rest);
        match behind.chars().next() {
            // A cast `::type`, or `name := value` of a named argument.
            Some(':' | '=') => {
                self.copy()?;
                self.copy()
            }
            Some('\'') => self.parameter(),
            Some('"') => Err(self
                .place
                .error("write a parameter as :'name'; :\"name\" would become part of the SQL")),
            Some(character) if is_name_start(character) => {
                let name: String = behind
                    .chars()
                    .take_while(|character| is_name_part(*character))
                    .collect();
                Err(self.place.error(format!(
                    "write the parameter as :'{name}' (in an array slice, put a blank after the colon)"
                )))
            }
            _ => self.copy(),
        }
    }

    fn parameter(&mut self) -> Result<(), SqlError> {
        let opened = self.place;
        let behind = self.rest.strip_prefix(":'").unwrap_or(self.rest);
        let name: String = behind
            .chars()
            .take_while(|character| is_name_part(*character) && *character != '$')
            .collect();
        let closed = behind
            .strip_prefix(name.as_str())
            .is_some_and(|rest| rest.starts_with('\''));
        if name.is_empty() || !closed {
            return Err(opened.error(
                "a parameter is written :'name', with letters, digits and _ between the quotes",
            ));
        }
        if !self.known.contains(&name.as_str()) {
            return Err(opened.error(unknown(&name, self.known)));
        }
        let names = &self.lexed.parameters;
        let number = match names.iter().position(|known| *known == name) {
            Some(index) => index + 1,
            None => {
                self.lexed.parameters.push(name.clone());
                self.lexed.parameters.len()
            }
        };
        let placeholder = format!("${number}");
        if self.lexed.text.ends_with(is_name_part) {
            return Err(opened.error(format!("put a blank in front of :'{name}'")));
        }
        let written = name.chars().count() + ":''".len();
        self.lexed.replaced.push(Replaced {
            at: self.characters,
            written,
            placeholder: placeholder.len(),
        });
        for _ in 0..written {
            self.skip();
        }
        placeholder
            .chars()
            .for_each(|character| self.write(character));
        // `:'n'5` must not become `$15`, nor `date:'n'` the name `date$1`: where psql writes a string, quotes part the words.
        if self.peek().is_some_and(is_name_part) {
            return Err(self.place.error(format!("put a blank behind :'{name}'")));
        }
        Ok(())
    }

    fn block_comment(&mut self) -> Result<(), SqlError> {
        let opened = self.place;
        let mut depth = 0;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.copy()?;
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.copy()?;
            } else if self.rest.is_empty() {
                return Err(opened.error("the comment that begins here is not closed"));
            }
            self.copy()?;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn copy(&mut self) -> Result<(), SqlError> {
        match self.peek() {
            Some('\0') => Err(self
                .place
                .error("the file holds a zero byte; save it as UTF-8 text")),
            Some(character) => {
                self.skip();
                self.write(character);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn copy_while(&mut self, keep: impl Fn(char) -> bool) -> Result<(), SqlError> {
        while self.peek().is_some_and(&keep) {
            self.copy()?;
        }
        Ok(())
    }

    fn write(&mut self, character: char) {
        self.lexed.text.push(character);
        self.characters += 1;
    }

    fn skip(&mut self) {
        let mut characters = self.rest.chars();
        match characters.next() {
            Some('\n') => {
                self.place = Position {
                    line: self.place.line + 1,
                    column: 1,
                }
            }
            Some(_) => self.place.column += 1,
            None => {}
        }
        self.rest = characters.as_str();
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Escapes {
    Doubling,
    Backslash,
}

/// Whether a string that has just been closed goes on: a line break and another quote follow, with only blanks and comments between.
/// The rest of an `E'…'` is then read with backslashes too.
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
