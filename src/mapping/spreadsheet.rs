//! A spreadsheet that was saved as CSV, read as the program that saved it meant it, or refused with the place.

use super::file_error::FileError;

/// A sheet as text, split into its records.
#[derive(Debug)]
pub(super) struct Spreadsheet<'t> {
    file: &'t str,
    header_line: usize,
    pub(super) header: Vec<String>,
    pub(super) records: Vec<SheetLine<'t>>,
}

/// A line of a sheet; a cell in quotes may run over several lines of the file.
#[derive(Debug)]
pub(super) struct SheetLine<'t> {
    file: &'t str,
    line: usize,
    cells: Vec<String>,
}

/// What separates cells where no line `sep=` says it.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

impl<'t> Spreadsheet<'t> {
    /// Splits a text. The separator is the one with which the header `has_all` columns that are looked for; where none does
    /// or several do, the one that the header has most of.
    pub(super) fn parse(
        file: &'t str,
        text: &str,
        has_all: impl Fn(&[String]) -> bool,
    ) -> Result<Spreadsheet<'t>, FileError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.contains('\0') {
            let message = "not a CSV file: it holds NUL characters";
            return Err(FileError::whole(file, message));
        }
        let (separator, text, first_line) = match separator_line(text) {
            Some((separator, rest)) => (separator, rest, 2),
            None => (likeliest(text, has_all), text, 1),
        };
        let mut sheet = Splitter::new(file, text, separator, first_line).all()?;
        let header = match sheet.is_empty() {
            true => Vec::new(),
            false => sheet.remove(0).cells,
        };
        let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        for record in &sheet {
            record.ensure_within(&header)?;
        }
        sheet.retain(|record| record.cells.iter().any(|cell| !cell.trim().is_empty()));
        Ok(Spreadsheet {
            file,
            header_line: first_line,
            header,
            records: sheet,
        })
    }

    /// An error about a column of the header, counted from 0.
    pub(super) fn error_in_header(&self, column: usize, message: String) -> FileError {
        FileError {
            file: self.file.to_owned(),
            place: Some((self.header_line, column + 1)),
            message,
        }
    }
}

impl SheetLine<'_> {
    /// A cell as a person sees it: without the blanks behind it, and `="007"` as 007. One that is not there is empty.
    pub(super) fn cell(&self, column: usize) -> Result<String, FileError> {
        let cell = self.cells.get(column).map_or("", |cell| cell.trim_end());
        let Some(formula) = cell.strip_prefix('=') else {
            return Ok(cell.to_owned());
        };
        let text = formula
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        let whole = text.filter(|text| !text.replace("\"\"", "").contains('"'));
        match whole {
            Some(text) => Ok(text.replace("\"\"", "\"").trim_end().to_owned()),
            None => Err(self.error(
                column,
                "this is a formula, and only the spreadsheet program knows what it shows; save its value".to_owned(),
            )),
        }
    }

    /// The line, and which of its cells, both from 1.
    pub(super) fn place(&self, column: usize) -> (usize, usize) {
        (self.line, column + 1)
    }

    pub(super) fn error(&self, column: usize, message: String) -> FileError {
        FileError {
            file: self.file.to_owned(),
            place: Some(self.place(column)),
            message,
        }
    }

    /// What stands under no name is a part of a cell that a separator cut in two.
    fn ensure_within(&self, header: &[String]) -> Result<(), FileError> {
        let named = |column: usize| header.get(column).is_some_and(|name| !name.is_empty());
        let mut cells = self.cells.iter().enumerate();
        match cells.find(|(column, cell)| !named(*column) && !cell.trim().is_empty()) {
            None => Ok(()),
            Some((column, _)) => Err(self.error(
                column,
                "this cell stands under no column of the header; is there a separator in a cell that is not in quotes?"
                    .to_owned(),
            )),
        }
    }
}

/// The separator that Excel's first line `sep=;` names, if it is there, and the text behind that line.
fn separator_line(text: &str) -> Option<(char, &str)> {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let line = line.trim_end_matches('\r').trim_matches('"');
    let begins = line
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("sep="));
    let mut separator = line.chars().skip(4);
    match (begins, separator.next(), separator.next()) {
        (true, Some(separator), None) if separator != '"' => Some((separator, rest)),
        _ => None,
    }
}

fn likeliest(text: &str, has_all: impl Fn(&[String]) -> bool) -> char {
    let header = |separator: char| {
        let first = Splitter::new("", text, separator, 1).record();
        let cells = first
            .ok()
            .flatten()
            .map_or(Vec::new(), |record| record.cells);
        let cells = cells.iter().map(|name| name.trim().to_owned());
        cells.collect::<Vec<String>>()
    };
    let rank = |separator: &char| {
        let cells = header(*separator);
        // Where two are equal it is the comma.
        (has_all(&cells), cells.len(), *separator == ',')
    };
    SEPARATORS.into_iter().max_by_key(rank).unwrap_or(',')
}

/// Goes through a text, record by record.
struct Splitter<'t, 'c> {
    file: &'t str,
    rest: std::iter::Peekable<std::str::Chars<'c>>,
    separator: char,
    line: usize,
}

impl<'t, 'c> Splitter<'t, 'c> {
    fn new(file: &'t str, text: &'c str, separator: char, line: usize) -> Splitter<'t, 'c> {
        Splitter {
            file,
            rest: text.chars().peekable(),
            separator,
            line,
        }
    }

    fn all(mut self) -> Result<Vec<SheetLine<'t>>, FileError> {
        let mut records = Vec::new();
        while let Some(record) = self.record()? {
            records.push(record);
        }
        Ok(records)
    }

    /// The next record; None at the end.
    fn record(&mut self) -> Result<Option<SheetLine<'t>>, FileError> {
        if self.rest.peek().is_none() {
            return Ok(None);
        }
        let mut record = SheetLine {
            file: self.file,
            line: self.line,
            cells: Vec::new(),
        };
        loop {
            let cell = self.cell(&record)?;
            record.cells.push(cell);
            match self.rest.next() {
                Some(character) if character == self.separator => {}
                end => {
                    // CR LF is one end of a line, and CR alone another.
                    if end == Some('\r') {
                        self.rest.next_if_eq(&'\n');
                    }
                    self.line += 1;
                    return Ok(Some(record));
                }
            }
        }
    }

    /// The next cell, up to its separator or the end of the line.
    fn cell(&mut self, record: &SheetLine<'t>) -> Result<String, FileError> {
        let mut cell = String::new();
        let separator = self.separator;
        let inside = move |next: &char| *next != separator && *next != '\n' && *next != '\r';
        let wrong = |message: &str| {
            let column = record.cells.len();
            Err(record.error(column, message.to_owned()))
        };
        while let Some(character) = self.rest.next_if(inside) {
            if character != '"' || !cell.trim().is_empty() {
                cell.push(character);
                continue;
            }
            if !cell.is_empty() {
                return wrong("a blank stands before the quote of this cell; remove it");
            }
            if !self.quoted(&mut cell) {
                return wrong("the quote that this cell begins with is never closed");
            }
            let is_closed = self.rest.peek().is_none_or(|next| !inside(next));
            return match is_closed {
                true => Ok(cell),
                false => wrong(
                    "something stands behind the closing quote of this cell; a quote within a cell is written twice",
                ),
            };
        }
        Ok(cell)
    }

    /// Reads on to the closing quote, which must be there; the opening one has been read.
    fn quoted(&mut self, cell: &mut String) -> bool {
        while let Some(character) = self.rest.next() {
            match character {
                '"' if self.rest.next_if_eq(&'"').is_none() => return true,
                '\n' => self.line += 1,
                _ => {}
            }
            cell.push(character);
        }
        false
    }
}
