//! Map files: spreadsheets, saved as CSV, in which a health officer says which key is which UID.

use std::collections::{BTreeMap, BTreeSet};

use super::file_error::FileError;
use super::section::hint;
use super::source_key::SourceKey;
use super::toml_value::one_of;
use crate::domain::{Absent, Combine, ElementPolicies, Uid, Word};

/// What a map file says.
#[derive(Debug, Default)]
pub(crate) struct MapFile {
    pub(crate) uids: BTreeMap<SourceKey, Uid>,
    /// No key maps to them any more.
    pub(crate) retired: BTreeSet<Uid>,
    /// Only data elements that have their own stand here.
    pub(crate) policies: BTreeMap<Uid, ElementPolicies>,
}

/// Whether a map file's columns `combine` and `absent` are policies, or somebody's notes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyColumns {
    Read,
    Ignored,
}

/// The UID that a cell names beside a key, with the line and column it stands at.
pub(crate) type FindUid<'f> =
    dyn FnMut(&SourceKey, &str, (usize, usize)) -> Result<Uid, String> + 'f;

/// Reads a map file with a column for each of `columns`, and `uid`.
///
/// A byte order mark, CRLF, `;` or tab as separator, trailing blanks and blank lines are accepted as spreadsheets
/// write them. Fails on a repeated key, a bad UID, a missing column, two policies for one data element, and a UID that is
/// retired and in use.
pub(crate) fn parse(
    file: &str,
    text: &str,
    columns: &[String],
    policy_columns: PolicyColumns,
    uid: &mut FindUid<'_>,
) -> Result<MapFile, FileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\0') {
        return Err(FileError::whole(
            file,
            "not a CSV file: it holds NUL characters",
        ));
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(text))
        .has_headers(true)
        .flexible(true)
        .from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| broken(file, &error))?;
    let header = MapFileColumns::find(file, headers, columns, policy_columns)?;
    let mut map = MapFile::default();
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| broken(file, &error))?
    {
        let line = record.position().map_or(0, |start| line_of(text, start));
        if record.iter().any(|cell| !cell.trim().is_empty()) {
            let line = MapFileLine {
                file,
                line,
                record: &record,
            };
            line.read(&header, &mut map, uid)?;
        }
    }
    if let Some(uid) = map.uids.values().find(|uid| map.retired.contains(uid)) {
        let message =
            format!("{uid} is retired in one line and in use in another; keep one of the two");
        return Err(FileError::whole(file, message));
    }
    Ok(map)
}

/// Where the columns stand, from 0.
struct MapFileColumns {
    keys: Vec<usize>,
    uid: usize,
    combine: Option<usize>,
    absent: Option<usize>,
    retired: Option<usize>,
}

impl MapFileColumns {
    fn find(
        file: &str,
        headers: &csv::StringRecord,
        columns: &[String],
        policy_columns: PolicyColumns,
    ) -> Result<MapFileColumns, FileError> {
        let names: Vec<&str> = headers.iter().map(str::trim).collect();
        let find = |name: &str| -> Result<Option<usize>, FileError> {
            let mut places = names.iter().enumerate().filter(|(_, each)| **each == name);
            let first = places.next().map(|(place, _)| place);
            match places.next() {
                Some((second, _)) => Err(FileError {
                    file: file.to_owned(),
                    place: Some((1, second + 1)),
                    message: format!("column `{name}` stands twice"),
                }),
                None => Ok(first),
            }
        };
        let require = |name: &str| -> Result<usize, FileError> {
            find(name)?.ok_or_else(|| FileError {
                file: file.to_owned(),
                place: Some((1, 1)),
                message: format!(
                    "column `{name}` is missing{}",
                    hint(name, names.iter().copied())
                ),
            })
        };
        let policy = |name| match policy_columns {
            PolicyColumns::Read => find(name),
            PolicyColumns::Ignored => Ok(None),
        };
        Ok(MapFileColumns {
            keys: columns
                .iter()
                .map(|column| require(column))
                .collect::<Result<_, _>>()?,
            uid: require("uid")?,
            combine: policy("combine")?,
            absent: policy("absent")?,
            retired: find("retired")?,
        })
    }
}

struct MapFileLine<'a> {
    file: &'a str,
    line: u64,
    record: &'a csv::StringRecord,
}

impl MapFileLine<'_> {
    fn read(
        &self,
        header: &MapFileColumns,
        map: &mut MapFile,
        uid: &mut FindUid<'_>,
    ) -> Result<(), FileError> {
        let key = SourceKey::new(header.keys.iter().map(|&column| self.cell(column)));
        let uid = uid(&key, self.cell(header.uid), self.place(header.uid))
            .map_err(|error| self.error(header.uid, error))?;
        let policies = ElementPolicies {
            combine: self.policy::<Combine>(header.combine, "combine")?,
            absent: self.policy::<Absent>(header.absent, "absent")?,
        };
        self.set_policies(header, map, uid, policies)?;
        if self.is_retired(header)? {
            map.retired.insert(uid);
            return Ok(());
        }
        match map.uids.insert(key, uid) {
            None => Ok(()),
            Some(_) => {
                let column = header.keys.first().copied().unwrap_or(0);
                Err(self.error(column, "this key stands in an earlier line too".to_owned()))
            }
        }
    }

    fn is_retired(&self, header: &MapFileColumns) -> Result<bool, FileError> {
        match header.retired.map(|column| (column, self.cell(column))) {
            None | Some((_, "" | "no")) => Ok(false),
            Some((_, "yes")) => Ok(true),
            Some((column, _)) => {
                Err(self.error(column, "`retired` must be yes, no or empty".to_owned()))
            }
        }
    }

    /// An empty policy says nothing; two different ones for one data element contradict each other.
    fn set_policies(
        &self,
        header: &MapFileColumns,
        map: &mut MapFile,
        uid: Uid,
        policies: ElementPolicies,
    ) -> Result<(), FileError> {
        if policies == ElementPolicies::default() {
            return Ok(());
        }
        let set = map.policies.entry(uid).or_default();
        set.agree_with(policies).map_err(|name| {
            let column = match name {
                "combine" => header.combine,
                _ => header.absent,
            };
            let message = format!("`{name}` differs from an earlier line of data element {uid}");
            self.error(column.unwrap_or(0), message)
        })
    }

    fn policy<W: Word>(&self, column: Option<usize>, name: &str) -> Result<Option<W>, FileError> {
        let Some(column) = column else {
            return Ok(None);
        };
        let text = self.cell(column);
        if text.is_empty() {
            return Ok(None);
        }
        match W::WORDS.iter().find(|(word, _)| *word == text) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => Err(self.error(column, format!("`{name}` {}", one_of::<W>()))),
        }
    }

    /// A cell without the trailing blanks that spreadsheets leave; a missing one is empty.
    fn cell(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or("").trim_end()
    }

    fn error(&self, column: usize, message: String) -> FileError {
        FileError {
            file: self.file.to_owned(),
            place: Some(self.place(column)),
            message,
        }
    }

    /// The line, and which of its cells, both from 1.
    fn place(&self, column: usize) -> (usize, usize) {
        (usize::try_from(self.line).unwrap_or(0), column + 1)
    }
}

/// The line a record stands in. To the reader it begins with the empty lines in front of it.
fn line_of(text: &str, start: &csv::Position) -> u64 {
    let before = usize::try_from(start.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().iter().skip(before);
    let empty = rest.take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let lines: u64 = empty.map(|byte| u64::from(*byte == b'\n')).sum();
    start.line() + lines
}

/// The separator of the header line: the one of comma, semicolon and tab that it has most of.
fn separator(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or("");
    [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|separator| {
            let count = header.bytes().filter(|byte| byte == separator).count();
            // Where two are equal it is the comma.
            (count, *separator == b',')
        })
        .unwrap_or(b',')
}

fn broken(file: &str, error: &csv::Error) -> FileError {
    let place = error.position().map(|position| {
        let line = usize::try_from(position.line()).unwrap_or(0);
        (line, 1)
    });
    let message = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "not UTF-8; save the sheet as CSV UTF-8".to_owned(),
        _ => "not readable as CSV".to_owned(),
    };
    FileError {
        file: file.to_owned(),
        place,
        message,
    }
}
