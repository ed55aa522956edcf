//! Reads the tables of a mapping file that say how a dimension becomes a UID.

use std::collections::BTreeMap;

use regex::Regex;

use super::code::PIN;
use super::map_file::{self, MapFile, PolicyColumns};
use super::options::MOST_COLUMNS;
use super::parse::MappingReader;
use super::{
    Codes, DimensionMapping, Entry, FileError, ObjectInFile, Options, Section, SourceKey, UidsFrom,
    Values,
};
use crate::domain::{DEFAULT_COMBO, Dimension, ObjectKind, Uid};

impl MappingReader<'_, '_> {
    pub(super) fn dimensions(
        &mut self,
        top: &mut Section<'_>,
        values: &Values,
        data_set: Uid,
    ) -> Result<BTreeMap<Dimension, DimensionMapping>, FileError> {
        let mut dimensions = BTreeMap::new();
        for name in Dimension::ALL {
            let dimension = match (name, top.take(name.table())) {
                (Dimension::DataElement, Some(entry)) if matches!(values, Values::Wide(_)) => {
                    return Err(entry.error("has no place beside `[values]`".to_owned()));
                }
                (Dimension::DataElement, None) if matches!(values, Values::Wide(_)) => continue,
                (_, Some(entry)) => self.dimension(name, entry.section()?, data_set)?,
                (Dimension::CategoryOptionCombo | Dimension::AttributeOptionCombo, None) => {
                    DimensionMapping::new(UidsFrom::Constant(DEFAULT_COMBO))
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
        data_set: Uid,
    ) -> Result<DimensionMapping, FileError> {
        let columns = columns(&mut section)?;
        let mut dimension = self.uids_from(name, &mut section, &columns, data_set)?;
        dimension.show_keys = section
            .take("show-keys")
            .map(|entry| pattern(&entry))
            .transpose()?;
        dimension.scope_org_units = match section_key(name, &mut section, "scope-org-units") {
            Some(entry) if !matches!(dimension.uids_from, UidsFrom::Rules(_)) => {
                return Err(entry.error("narrows units that come from `rules` only".to_owned()));
            }
            Some(entry) => self.roots(entry)?,
            None => Vec::new(),
        };
        section.finish()?;
        dimension.columns = columns;
        Ok(dimension)
    }

    fn uids_from(
        &mut self,
        name: Dimension,
        section: &mut Section<'_>,
        columns: &[String],
        data_set: Uid,
    ) -> Result<DimensionMapping, FileError> {
        let ways = ways(name);
        let given: Vec<(&str, Entry<'_>)> = ways
            .iter()
            .filter_map(|way| Some((*way, section.take(way)?)))
            .collect();
        let mut given = given.into_iter();
        let (way, entry) = match (given.next(), given.next()) {
            (Some(first), None) => first,
            (Some(_), Some((way, entry))) => {
                return Err(entry.error(format!(
                    "has another answer beside it: choose one of {}, not also `{way}`",
                    ways.join(", ")
                )));
            }
            (None, _) if columns.len() == 1 => {
                return Ok(DimensionMapping::new(UidsFrom::Column));
            }
            (None, _) => {
                let known: Vec<&str> = ways.iter().copied().chain(["column"]).collect();
                return Err(section.missing(
                    &known,
                    format!(
                        "says nowhere where the UID comes from: one of {}, or a `column` that holds UIDs",
                        ways.join(", ")
                    ),
                ));
            }
        };
        if columns.is_empty() && way != "uid" {
            return Err(section.missing(
                &["column", "columns"],
                "`column` (or `columns`) is missing".to_owned(),
            ));
        }
        let uids_from = match way {
            "uid" => UidsFrom::Constant(self.uid(ObjectKind::Of(name), &entry)?),
            "map" if columns.len() > 1 => {
                return Err(
                    entry.error("takes one column; write a `map-file` for several".to_owned())
                );
            }
            "map" => self.map(name, entry)?,
            "options" => self.options(name, &entry, columns, data_set)?,
            "map-file" => return self.map_file(name, &entry, columns),
            _ => UidsFrom::Rules(self.sql(&entry, &["as_of"])?),
        };
        Ok(DimensionMapping::new(uids_from))
    }

    fn map(&mut self, name: Dimension, entry: Entry<'_>) -> Result<UidsFrom, FileError> {
        let empty = entry.error("has no key".to_owned());
        let mut map = BTreeMap::new();
        for (key, entry) in entry.section()?.take_all() {
            let uid = self.uid(ObjectKind::Of(name), &entry)?;
            let key = SourceKey::new([key.as_str()]);
            if let Some(named) = self.named.last_mut() {
                named.key = Some(key.clone());
            }
            map.insert(key, uid);
        }
        if map.is_empty() {
            Err(empty)
        } else {
            Ok(UidsFrom::Map(map))
        }
    }

    fn roots(&mut self, entry: Entry<'_>) -> Result<Vec<Uid>, FileError> {
        let known = self.named.len();
        let items = entry.list()?;
        let roots = items
            .iter()
            .map(|item| self.uid(ObjectKind::Of(Dimension::OrgUnit), item))
            .collect::<Result<_, _>>()?;
        for root in self.named.iter_mut().skip(known) {
            root.is_root = true;
        }
        Ok(roots)
    }

    /// The combos that options can name, which only a pin tells.
    fn options(
        &mut self,
        name: Dimension,
        entry: &Entry<'_>,
        columns: &[String],
        data_set: Uid,
    ) -> Result<UidsFrom, FileError> {
        if entry.value().as_bool() != Some(true) {
            return Err(entry.error("must be true, or not be there".to_owned()));
        }
        if columns.len() > MOST_COLUMNS {
            return Err(entry.error(format!("takes at most {MOST_COLUMNS} columns")));
        }
        let file = match self.codes {
            Codes::Asked(_) => return Ok(UidsFrom::Options(Options::default())),
            Codes::Pinned(Some(file)) => file,
            Codes::Pinned(None) => {
                return Err(entry.error(format!(
                    "needs the pin {PIN}, which is not there; run `pg2dhis2 pin`"
                )));
            }
        };
        self.by_pin = true;
        let (combos, of_elements) = match name {
            Dimension::AttributeOptionCombo => {
                (file.pin.combos_of_data_set(data_set), BTreeMap::new())
            }
            _ => {
                let each = file.pin.combos_of_each_element(data_set);
                (each.values().flatten().copied().collect(), each)
            }
        };
        if combos.is_empty() {
            return Err(entry.error(format!(
                "finds no {name} of the mapping's data set in {}; run `pg2dhis2 pin`",
                file.shown
            )));
        }
        let options = Options::of(&file.pin, &combos, of_elements, columns.len());
        Ok(UidsFrom::Options(options))
    }

    fn map_file(
        &mut self,
        name: Dimension,
        entry: &Entry<'_>,
        columns: &[String],
    ) -> Result<DimensionMapping, FileError> {
        let text = self.read(entry)?;
        let policy_columns = match name {
            Dimension::DataElement => PolicyColumns::Read,
            _ => PolicyColumns::Ignored,
        };
        let (codes, kind) = (self.codes, ObjectKind::Of(name));
        let mut by_code = false;
        let mut named = Vec::new();
        let file = entry.string()?;
        let mut uid = |key: &SourceKey, text: &str, place: (usize, usize)| {
            let (uid, coded) = codes.uid(kind, text)?;
            by_code |= coded;
            named.push(ObjectInFile {
                kind,
                uid,
                file: file.to_owned(),
                place,
                is_root: false,
                key: Some(key.clone()),
            });
            Ok(uid)
        };
        let MapFile {
            uids,
            excluded,
            retired,
            policies,
        } = map_file::parse(entry.string()?, &text, columns, policy_columns, &mut uid)?;
        if uids.is_empty() && excluded.is_empty() && retired.is_empty() {
            return Err(entry.error("names a file without a single key".to_owned()));
        }
        self.by_pin |= by_code;
        // What is retired may have left the data set since.
        named.retain(|named| !retired.contains(&named.uid));
        self.named.append(&mut named);
        self.elements.extend(policies);
        Ok(DimensionMapping {
            excluded,
            retired,
            ..DimensionMapping::new(UidsFrom::Map(uids))
        })
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

/// The keys that say where a dimension's UID comes from. Only combos are made of options.
fn ways(name: Dimension) -> Vec<&'static str> {
    let mut ways = vec!["uid", "map", "map-file", "rules"];
    if matches!(
        name,
        Dimension::CategoryOptionCombo | Dimension::AttributeOptionCombo
    ) {
        ways.push("options");
    }
    ways
}

fn pattern(entry: &Entry<'_>) -> Result<Regex, FileError> {
    let text = entry.string()?;
    // Anchored: a pattern that fits a part of a name must not show the rest of it. Read alone first, so that a
    // stray bracket cannot close ours.
    Regex::new(text)
        .and_then(|_| Regex::new(&format!("^(?:{text})$")))
        .map_err(|_| entry.error("is not a regular expression".to_owned()))
}
