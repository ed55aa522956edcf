//! Map files: spreadsheets, saved as CSV, in which a health officer says which key is which UID.

use std::collections::{BTreeMap, BTreeSet};

use super::file_error::FileError;
use super::look_alike::LookAlike;
use super::section::hint;
use super::source_key::SourceKey;
use super::spreadsheet::{SheetLine, Spreadsheet};
use super::toml_value::one_of;
use crate::domain::{Absent, Combine, ElementPolicies, Uid, Word};

/// What a map file says.
#[derive(Debug, Default)]
pub(crate) struct MapFile {
    pub(crate) uids: BTreeMap<SourceKey, Uid>,
    /// Rows of these keys are meant to be left out.
    pub(crate) excluded: BTreeSet<SourceKey>,
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
/// Fails on a repeated key, a bad UID, a missing column, a column that is almost one of ours, two policies for one data
/// element, and a UID that is retired and in use.
pub(crate) fn parse(
    file: &str,
    text: &str,
    columns: &[String],
    policy_columns: PolicyColumns,
    uid: &mut FindUid<'_>,
) -> Result<MapFile, FileError> {
    let has_all = |header: &[String]| {
        let mut needed = columns.iter().map(String::as_str).chain(["uid"]);
        needed.all(|name| header.iter().any(|each| each == name))
    };
    let sheet = Spreadsheet::parse(file, text, has_all)?;
    let columns = MapFileColumns::find(&sheet, columns, policy_columns)?;
    let mut map = MapFile::default();
    let mut lines = BTreeMap::new();
    for record in &sheet.records {
        let line = MapFileLine {
            record,
            columns: &columns,
        };
        line.read(&mut map, &mut lines, uid)?;
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
    exclude: Option<usize>,
}

impl MapFileColumns {
    fn find(
        sheet: &Spreadsheet<'_>,
        columns: &[String],
        policy_columns: PolicyColumns,
    ) -> Result<MapFileColumns, FileError> {
        let policies: &[&str] = match policy_columns {
            PolicyColumns::Read => &["combine", "absent"],
            PolicyColumns::Ignored => &[],
        };
        let keys = columns.iter().map(String::as_str);
        let ours: Vec<&str> = keys
            .chain(["uid", "retired", "exclude"])
            .chain(policies.iter().copied())
            .collect();
        let find = |name: &str| -> Result<Option<usize>, FileError> {
            let header = sheet.header.iter().enumerate();
            let mut places = header.filter(|(_, each)| *each == name);
            let first = places.next().map(|(place, _)| place);
            match places.next() {
                Some((second, _)) => {
                    Err(sheet.error_in_header(second, format!("column `{name}` stands twice")))
                }
                None => Ok(first),
            }
        };
        let require = |name: &str| -> Result<usize, FileError> {
            let names = sheet.header.iter().map(String::as_str);
            find(name)?.ok_or_else(|| {
                let message = missing(name, names);
                sheet.error_in_header(0, message)
            })
        };
        let policy = |name| match policy_columns {
            PolicyColumns::Read => find(name),
            PolicyColumns::Ignored => Ok(None),
        };
        let found = MapFileColumns {
            keys: columns
                .iter()
                .map(|column| require(column))
                .collect::<Result<_, _>>()?,
            uid: require("uid")?,
            combine: policy("combine")?,
            absent: policy("absent")?,
            retired: find("retired")?,
            exclude: find("exclude")?,
        };
        ensure_none_resembles(sheet, &ours)?;
        Ok(found)
    }
}

/// The message that a column is missing, with the one that was meant, if any.
fn missing<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut alike = names
        .clone()
        .filter_map(|each| Some((each, LookAlike::between(each, name)?)));
    match alike.find(|(_, look_alike)| *look_alike != LookAlike::OneLetter) {
        Some((each, look_alike)) => format!(
            "column `{name}` is missing; `{}` differs from it in {}",
            each.escape_debug(),
            look_alike.words()
        ),
        None => format!("column `{name}` is missing{}", hint(name, names)),
    }
}

/// A column that people take for one of ours is not somebody's note.
fn ensure_none_resembles(sheet: &Spreadsheet<'_>, ours: &[&str]) -> Result<(), FileError> {
    for (column, name) in sheet.header.iter().enumerate() {
        if ours.contains(&name.as_str()) {
            continue;
        }
        let near = ours
            .iter()
            .find_map(|our| Some((our, LookAlike::between(name, our)?)));
        if let Some((our, difference)) = near {
            let message = format!(
                "column `{}` differs from `{our}` in {}; call it `{our}`, or give a column of notes another name",
                name.escape_debug(),
                difference.words()
            );
            return Err(sheet.error_in_header(column, message));
        }
    }
    Ok(())
}

struct MapFileLine<'a> {
    record: &'a SheetLine<'a>,
    columns: &'a MapFileColumns,
}

impl MapFileLine<'_> {
    /// `lines`: the line in which each key stands.
    fn read(
        &self,
        map: &mut MapFile,
        lines: &mut BTreeMap<SourceKey, usize>,
        uid: &mut FindUid<'_>,
    ) -> Result<(), FileError> {
        let (record, columns) = (self.record, self.columns);
        let keys = columns.keys.iter().map(|column| record.cell(*column));
        let key = SourceKey::new(keys.collect::<Result<Vec<String>, _>>()?);
        let first = columns.keys.first().copied().unwrap_or(0);
        let is_retired = self.says_yes(columns.retired, "retired")?;
        if self.says_yes(columns.exclude, "exclude")? {
            self.ensure_first(first, &key, lines)?;
            map.excluded.insert(key);
            return Ok(());
        }
        let text = record.cell(columns.uid)?;
        let uid = uid(&key, &text, record.place(columns.uid))
            .map_err(|error| record.error(columns.uid, error))?;
        let policies = ElementPolicies {
            combine: self.policy::<Combine>(columns.combine, "combine")?,
            absent: self.policy::<Absent>(columns.absent, "absent")?,
        };
        self.set_policies(map, uid, policies)?;
        if is_retired {
            map.retired.insert(uid);
            return Ok(());
        }
        self.ensure_first(first, &key, lines)?;
        map.uids.insert(key, uid);
        Ok(())
    }

    fn ensure_first(
        &self,
        column: usize,
        key: &SourceKey,
        lines: &mut BTreeMap<SourceKey, usize>,
    ) -> Result<(), FileError> {
        let (line, _) = self.record.place(column);
        match lines.insert(key.clone(), line) {
            None => Ok(()),
            Some(earlier) => {
                let message = format!("this key stands in line {earlier} too; keep one of the two");
                Err(self.record.error(column, message))
            }
        }
    }

    fn says_yes(&self, column: Option<usize>, name: &str) -> Result<bool, FileError> {
        let Some(column) = column else {
            return Ok(false);
        };
        match self.record.cell(column)?.as_str() {
            "" | "no" => Ok(false),
            "yes" => Ok(true),
            _ => {
                let message = format!("`{name}` must be yes, no or empty");
                Err(self.record.error(column, message))
            }
        }
    }

    /// An empty policy says nothing; two different ones for one data element contradict each other.
    fn set_policies(
        &self,
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
                "combine" => self.columns.combine,
                _ => self.columns.absent,
            };
            let message = format!("`{name}` differs from an earlier line of data element {uid}");
            self.record.error(column.unwrap_or(0), message)
        })
    }

    fn policy<W: Word>(&self, column: Option<usize>, name: &str) -> Result<Option<W>, FileError> {
        let Some(column) = column else {
            return Ok(None);
        };
        let text = self.record.cell(column)?;
        if text.is_empty() {
            return Ok(None);
        }
        match W::WORDS.iter().find(|(word, _)| *word == text) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let message = format!("`{name}` {}", one_of::<W>());
                Err(self.record.error(column, message))
            }
        }
    }
}
