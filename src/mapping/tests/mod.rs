//! Facts about mapping files and the files they name, told through one small mapping and what is changed in it.

mod dimensions;
mod keys;
mod map_files;
mod overlaps;
mod pinned;
mod result_columns;
mod wide;

use super::{Codes, FileError, Mapping, Unreadable, parse};
use crate::domain::Uid;

/// Every test begins with this one, which is as short as a mapping can be.
const BASE: &str = r#"data-set = "fTTHFe1SktZ"
queries = ["doses.sql"]
period = { type = "Monthly", column = "period" }
value = "value"
absent = "zero"

[data-element]
column = "indicator"
map = { BCG = "ElementAaa0", "OPV 1" = "ElementAaa1" }

[org-unit]
column = "municipality"
rules = "rules.sql"
"#;

/// The mapping with one part of its text changed.
fn edited(from: &str, to: &str) -> String {
    assert_eq!(BASE.matches(from).count(), 1, "{from}");
    BASE.replace(from, to)
}

/// Reads a mapping. Of the files it names the given ones exist, and every SQL file.
fn read(text: &str, files: &[(&str, &str)]) -> Result<Mapping, FileError> {
    read_by(text, files, Codes::Pinned(None))
}

fn read_by(text: &str, files: &[(&str, &str)], codes: Codes<'_>) -> Result<Mapping, FileError> {
    let mut read_file = |path: &str| {
        let found = files.iter().find(|(name, _)| *name == path);
        match found {
            Some((_, text)) => Ok((*text).to_owned()),
            None if path.ends_with(".sql") => Ok("SELECT 1".to_owned()),
            None => Err(Unreadable {
                place: None,
                problem: "cannot be read".to_owned(),
            }),
        }
    };
    parse("doses", "doses.toml", text, &mut read_file, codes)
}

#[track_caller]
fn accepted(text: &str, files: &[(&str, &str)]) -> Mapping {
    read(text, files).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The mapping with a part changed is refused at a line and column of the mapping file (0, 0 where the whole file is
/// meant), in these words.
#[track_caller]
fn refused(from: &str, to: &str, place: (usize, usize), words: &str) {
    let text = edited(from, to);
    let error = read(&text, &[]).expect_err(&text);
    assert_eq!(error.file, "doses.toml", "{error}");
    assert_eq!(error.place.unwrap_or((0, 0)), place, "{error}\n{text}");
    assert!(error.message.contains(words), "{error}");
}

fn uid(text: &str) -> Uid {
    text.parse().unwrap()
}
