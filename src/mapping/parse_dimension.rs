//! Reads the tables of a mapping file that say how a dimension becomes a UID.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::map_file::{self, MapFile, PolicyColumns};
use super::parse::Reader;
use super::{Answers, DimensionMapping, Entry, FileError, Section, SourceKey, Values};
use crate::domain::{DEFAULT_COMBO, Dimension, Uid};

impl Reader<'_, '_> {
    pub(super) fn dimensions(
        &mut self,
        top: &mut Section<'_>,
        values: &Values,
    ) -> Result<BTreeMap<Dimension, DimensionMapping>, FileError> {
        let mut dimensions = BTreeMap::new();
        for name in Dimension::ALL {
            let dimension = match (name, top.take(name.table())) {
                (Dimension::DataElement, Some(entry)) if matches!(values, Values::Wide(_)) => {
                    return Err(entry.error("has no place beside `[values]`".to_owned()));
                }
                (Dimension::DataElement, None) if matches!(values, Values::Wide(_)) => continue,
                (_, Some(entry)) => self.dimension(name, entry.section()?)?,
                (Dimension::CategoryOptionCombo | Dimension::AttributeOptionCombo, None) => {
                    DimensionMapping::constant(DEFAULT_COMBO)
                }
                (_, None) => {
                    let message = format!("table `[{}]` is missing", name.table());
                    return Err(top.missing(&[name.table()], message));
                }
            };
            dimensions.insert(name, dimension);
        }
        Ok(dimensions)
    }

    fn dimension(
        &mut self,
        name: Dimension,
        mut section: Section<'_>,
    ) -> Result<DimensionMapping, FileError> {
        let columns = columns(&mut section)?;
        let (answers, retired) = self.answers(name, &mut section, &columns)?;
        let show_keys = section
            .take("show-keys")
            .map(|entry| pattern(&entry))
            .transpose()?;
        let scope_org_units = match section_key(name, &mut section, "scope-org-units") {
            Some(entry) if !matches!(answers, Answers::Rules(_)) => {
                return Err(entry.error("narrows units that come from `rules` only".to_owned()));
            }
            Some(entry) => entry
                .list()?
                .iter()
                .map(Entry::parse)
                .collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        section.finish()?;
        Ok(DimensionMapping {
            columns,
            answers,
            retired,
            show_keys,
            scope_org_units,
        })
    }

    fn answers(
        &mut self,
        name: Dimension,
        section: &mut Section<'_>,
        columns: &[String],
    ) -> Result<(Answers, BTreeSet<Uid>), FileError> {
        let given: Vec<(&str, Entry<'_>)> = ["uid", "map", "map-file", "rules"]
            .into_iter()
            .filter_map(|way| Some((way, section.take(way)?)))
            .collect();
        let mut given = given.into_iter();
        let (way, entry) = match (given.next(), given.next()) {
            (Some(first), None) => first,
            (Some(_), Some((way, entry))) => {
                return Err(entry.error(format!(
                    "has another answer beside it: choose one of uid, map, map-file, rules, not also `{way}`"
                )));
            }
            (None, _) if columns.len() == 1 => return Ok((Answers::Column, BTreeSet::new())),
            (None, _) => {
                return Err(section.missing(
                    &["uid", "map", "map-file", "rules", "column"],
                    "says nowhere where the UID comes from: one of uid, map, map-file, rules, or a `column` that holds UIDs"
                        .to_owned(),
                ));
            }
        };
        if columns.is_empty() && way != "uid" {
            return Err(section.missing(
                &["column", "columns"],
                "`column` (or `columns`) is missing".to_owned(),
            ));
        }
        let answers = match way {
            "uid" => Answers::Constant(entry.parse()?),
            "map" if columns.len() > 1 => {
                return Err(
                    entry.error("takes one column; write a `map-file` for several".to_owned())
                );
            }
            "map" => map(entry)?,
            "map-file" => return self.map_file(name, &entry, columns),
            _ => Answers::Rules(self.sql(&entry, &["as_of"])?),
        };
        Ok((answers, BTreeSet::new()))
    }

    fn map_file(
        &mut self,
        name: Dimension,
        entry: &Entry<'_>,
        columns: &[String],
    ) -> Result<(Answers, BTreeSet<Uid>), FileError> {
        let text = self.read(entry)?;
        let policy_columns = match name {
            Dimension::DataElement => PolicyColumns::Read,
            _ => PolicyColumns::Ignored,
        };
        let MapFile {
            uids,
            retired,
            policies,
        } = map_file::parse(entry.string()?, &text, columns, policy_columns)?;
        if uids.is_empty() && retired.is_empty() {
            return Err(entry.error("names a file without a single key".to_owned()));
        }
        self.elements.extend(policies);
        Ok((Answers::Map(uids), retired))
    }
}

fn columns(section: &mut Section<'_>) -> Result<Vec<String>, FileError> {
    match (section.take("column"), section.take("columns")) {
        (Some(entry), None) => Ok(vec![entry.string()?.to_owned()]),
        (None, Some(entry)) => {
            let repeated = entry.error("names a column twice".to_owned());
            let columns = entry.strings()?;
            let twice = columns
                .iter()
                .enumerate()
                .any(|(index, column)| columns.iter().take(index).any(|earlier| earlier == column));
            if twice { Err(repeated) } else { Ok(columns) }
        }
        (Some(entry), Some(_)) => Err(entry.error("and `columns` exclude each other".to_owned())),
        (None, None) => Ok(Vec::new()),
    }
}

/// A key that only the organisation unit's table has.
fn section_key<'t>(
    name: Dimension,
    section: &mut Section<'t>,
    key: &'static str,
) -> Option<Entry<'t>> {
    match name {
        Dimension::OrgUnit => section.take(key),
        _ => None,
    }
}

fn map(entry: Entry<'_>) -> Result<Answers, FileError> {
    let empty = entry.error("has no key".to_owned());
    let map = entry
        .section()?
        .take_all()
        .into_iter()
        .map(|(key, entry)| Ok((SourceKey::new([key.as_str()]), entry.parse()?)))
        .collect::<Result<BTreeMap<SourceKey, Uid>, FileError>>()?;
    if map.is_empty() {
        Err(empty)
    } else {
        Ok(Answers::Map(map))
    }
}

fn pattern(entry: &Entry<'_>) -> Result<Regex, FileError> {
    let text = entry.string()?;
    // Anchored: a pattern that fits a part of a name must not show the rest of it. Read alone first, so that a
    // stray bracket cannot close ours.
    Regex::new(text)
        .and_then(|_| Regex::new(&format!("^(?:{text})$")))
        .map_err(|_| entry.error("is not a regular expression".to_owned()))
}
