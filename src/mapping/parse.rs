//! Reads a mapping file and the files it names.

use std::collections::BTreeMap;

use super::code::PIN;
use super::file_error::Unreadable;
use super::parse_guards::guards;
use super::section::hint;
use super::{
    Codes, Entry, FileError, Mapping, ObjectInFile, ParameterValues, Section, Sql, Values,
    WideColumn,
};
use crate::domain::{
    Absent, Combine, Complete, Dimension, ElementPolicies, Fingerprint, Foreign, ObjectKind,
    OrgUnitScope, Period, PeriodType, Policies, Uid,
};

/// The text of a file named in the mapping, by its path as written there.
pub(crate) type ReadFile<'f> = dyn FnMut(&str) -> Result<String, Unreadable> + 'f;

/// Reads a mapping. `name` is the file's stem, `file` how messages call it; `read_file` reads the files it names,
/// `codes` tells what a code stands for.
pub(crate) fn parse(
    name: &str,
    file: &str,
    text: &str,
    read_file: &mut ReadFile<'_>,
    codes: Codes<'_>,
) -> Result<Mapping, FileError> {
    let top = Section::parse(file, text)?;
    let mut digests = BTreeMap::new();
    digests.insert(format!("{name}.toml"), digest(text));
    let reader = MappingReader {
        file,
        read_file,
        codes,
        by_pin: false,
        named: Vec::new(),
        digests,
        parameters: ParameterValues::new(),
        elements: BTreeMap::new(),
    };
    reader.mapping(name, top)
}

pub(super) struct MappingReader<'f, 'r> {
    file: &'f str,
    read_file: &'r mut ReadFile<'r>,
    pub(super) codes: Codes<'f>,
    /// The mapping would be another with another pin.
    pub(super) by_pin: bool,
    pub(super) named: Vec<ObjectInFile>,
    digests: BTreeMap<String, String>,
    parameters: ParameterValues,
    /// Policies of single data elements, from the map file or `[values]`.
    pub(super) elements: BTreeMap<Uid, ElementPolicies>,
}

impl MappingReader<'_, '_> {
    fn mapping(mut self, name: &str, mut top: Section<'_>) -> Result<Mapping, FileError> {
        let data_set = self.uid(ObjectKind::DataSet, &top.require("data-set")?)?;
        let (period_type, period_column) = period(&mut top)?;
        if let Some(parameters) = top.take("parameters") {
            self.parameters = parameters_of(parameters.section()?)?;
        }
        let queries = self.queries(&mut top, period_column.as_deref())?;
        let look_back = match top.take("look-back") {
            Some(entry) => entry.count(0..=10_000)?,
            None => 0,
        };
        let start = top
            .take("start")
            .map(|entry| start(&entry, period_type))
            .transpose()?;
        let values = self.values(&mut top)?;
        let combine = top
            .take("combine")
            .map_or(Ok(Combine::Refuse), |entry| entry.word())?;
        let absent = top.require("absent")?;
        let foreign = top
            .take("foreign")
            .map_or(Ok(Foreign::Hold), |entry| entry.word())?;
        let complete = top
            .take("complete")
            .map_or(Ok(Complete::Never), |entry| entry.parse())?;
        let dimensions = self.dimensions(&mut top, &values, data_set)?;
        let guards = guards(top.take("guards"))?;
        if let (Codes::Pinned(Some(pin)), true) = (self.codes, self.by_pin) {
            self.digests.insert(PIN.to_owned(), pin.digest.clone());
        }
        let mapping = Mapping {
            name: name.to_owned(),
            file: self.file.to_owned(),
            data_set,
            queries,
            parameters: self.parameters,
            period_type,
            period_column,
            look_back,
            start,
            values,
            dimensions,
            policies: Policies {
                combine,
                absent: absent.word()?,
                foreign,
                complete,
                data_elements: self.elements,
            },
            guards,
            named: self.named,
            digests: self.digests,
        };
        ensure_columns_differ(&top, &mapping)?;
        ensure_scope_allows(&absent, &mapping)?;
        top.finish()?;
        Ok(mapping)
    }

    fn queries(
        &mut self,
        top: &mut Section<'_>,
        period_column: Option<&str>,
    ) -> Result<Vec<Sql>, FileError> {
        let entry = top.require("queries")?;
        let empty = entry.error("must name at least one SQL file".to_owned());
        let mut known = vec!["period_start", "period_end", "as_of"];
        // Where the rows do not tell their period, the queries run once for each.
        if period_column.is_none() {
            known.push("period");
        }
        let queries = entry
            .list()?
            .iter()
            .map(|item| self.sql(item, &known))
            .collect::<Result<Vec<Sql>, FileError>>()?;
        if queries.is_empty() {
            Err(empty)
        } else {
            Ok(queries)
        }
    }

    pub(super) fn sql(&mut self, entry: &Entry<'_>, known: &[&str]) -> Result<Sql, FileError> {
        let file = entry.string()?.to_owned();
        let text = self.read(entry)?;
        let mut known = known.to_vec();
        known.extend(self.parameters.keys().map(String::as_str));
        let name = file.rsplit('/').next().unwrap_or(&file);
        Sql::parse(name, &text, &known).map_err(|error| FileError {
            file,
            place: Some((error.line, error.column)),
            message: error.message,
        })
    }

    /// The UID that an entry holds, or that of the object whose code it holds.
    pub(super) fn uid(&mut self, kind: ObjectKind, entry: &Entry<'_>) -> Result<Uid, FileError> {
        let found = self.codes.uid(kind, entry.string()?);
        let (uid, by_code) = found.map_err(|message| entry.at(message))?;
        self.by_pin |= by_code;
        self.named.push(ObjectInFile {
            kind,
            uid,
            file: self.file.to_owned(),
            place: entry.place(),
            is_root: false,
            key: None,
        });
        Ok(uid)
    }

    /// The text of the file that an entry names, with its digest kept.
    pub(super) fn read(&mut self, entry: &Entry<'_>) -> Result<String, FileError> {
        let path = entry.string()?;
        let text = (self.read_file)(path).map_err(|error| match error.place {
            Some(_) => error.of(path),
            None => entry.error(format!("names {path}, which {}", error.problem)),
        })?;
        self.digests.insert(path.to_owned(), digest(&text));
        Ok(text)
    }

    fn values(&mut self, top: &mut Section<'_>) -> Result<Values, FileError> {
        match (top.take("value"), top.take("values")) {
            (Some(entry), None) => Ok(Values::Long {
                column: entry.string()?.to_owned(),
            }),
            (None, Some(entry)) => self.wide(entry),
            (Some(entry), Some(_)) => Err(entry.error(
                "and `[values]` exclude each other: one value column, or one for each data element"
                    .to_owned(),
            )),
            (None, None) => Err(top.missing(
                &["value", "values"],
                "`value` is missing: the column that holds the value (or a table `[values]`)"
                    .to_owned(),
            )),
        }
    }

    fn wide(&mut self, entry: Entry<'_>) -> Result<Values, FileError> {
        let empty = entry.error("names no column".to_owned());
        let mut columns = Vec::new();
        for (column, entry) in entry.section()?.take_all() {
            let clash = entry
                .error("has another policy than an earlier column of its data element".to_owned());
            let mut section = entry.section()?;
            let kind = ObjectKind::Of(Dimension::DataElement);
            let data_element = self.uid(kind, &section.require("data-element")?)?;
            let kind = ObjectKind::Of(Dimension::CategoryOptionCombo);
            let category_option_combo = section
                .take("category-option-combo")
                .map(|entry| self.uid(kind, &entry))
                .transpose()?;
            let policies = ElementPolicies {
                combine: section
                    .take("combine")
                    .map(|entry| entry.word())
                    .transpose()?,
                absent: section
                    .take("absent")
                    .map(|entry| entry.word())
                    .transpose()?,
            };
            section.finish()?;
            let known = self.elements.entry(data_element).or_default();
            if let Err(policy) = known.agree_with(policies) {
                return Err(FileError {
                    message: format!("{}: `{policy}`", clash.message),
                    ..clash
                });
            }
            columns.push(WideColumn {
                column,
                data_element,
                category_option_combo,
            });
        }
        self.elements
            .retain(|_, policies| *policies != ElementPolicies::default());
        if columns.is_empty() {
            Err(empty)
        } else {
            Ok(Values::Wide(columns))
        }
    }
}

fn period(top: &mut Section<'_>) -> Result<(PeriodType, Option<String>), FileError> {
    let mut section = top.require("period")?.section()?;
    let entry = section.require("type")?;
    let text = entry.string()?;
    let period_type = text.parse().map_err(|_| {
        let hint = hint(text, PeriodType::all().iter().map(|each| each.name()));
        entry.at(format!("unknown period type `{text}`{hint}"))
    })?;
    let column = section
        .take("column")
        .map(|entry| entry.string().map(str::to_owned))
        .transpose()?;
    section.finish()?;
    Ok((period_type, column))
}

fn start(entry: &Entry<'_>, period_type: PeriodType) -> Result<Period, FileError> {
    let start: Period = entry.parse()?;
    if start.period_type() == period_type {
        Ok(start)
    } else {
        Err(entry.error(format!("must be a {period_type} period")))
    }
}

fn parameters_of(mut section: Section<'_>) -> Result<ParameterValues, FileError> {
    const OURS: [&str; 4] = ["period_start", "period_end", "period", "as_of"];
    let mut parameters = ParameterValues::new();
    for (name, entry) in section.take_all() {
        if OURS.contains(&name.as_str()) {
            return Err(entry.error("is a parameter that every run sets itself".to_owned()));
        }
        parameters.insert(name, parameter(&entry)?);
    }
    Ok(parameters)
}

/// What psql would be given: the text, or the number, the truth or the date as it is written.
fn parameter(entry: &Entry<'_>) -> Result<String, FileError> {
    let value = entry.value();
    if let Some(text) = value.as_str() {
        return match text.contains('\0') {
            true => Err(entry.error("holds a zero byte, which PostgreSQL cannot".to_owned())),
            false => Ok(text.to_owned()),
        };
    }
    if let Some(truth) = value.as_bool() {
        return Ok(truth.to_string());
    }
    if value.is_integer() {
        return Ok(entry.integer()?.to_string());
    }
    let moment = value.as_datetime();
    let moment = moment.filter(|moment| moment.date.is_some());
    moment.map(ToString::to_string).ok_or_else(|| {
        entry.error("must be text, a whole number, true or false, a date or a date-time".to_owned())
    })
}

/// A column that holds the value or the period cannot be part of a key too.
fn ensure_columns_differ(top: &Section<'_>, mapping: &Mapping) -> Result<(), FileError> {
    let mut taken = mapping.values.columns();
    taken.extend(mapping.period_column.as_deref());
    let keys = mapping
        .dimensions
        .values()
        .flat_map(|dimension| &dimension.columns);
    for column in keys.map(String::as_str) {
        if taken.contains(&column) {
            return Err(top.error(format!(
                "column `{column}` is named as a dimension and as the value or the period"
            )));
        }
    }
    match mapping.period_column.as_deref() {
        Some(period) if mapping.values.columns().contains(&period) => Err(top.error(format!(
            "column `{period}` is named as the value and as the period"
        ))),
        _ => Ok(()),
    }
}

/// Only cells that can be listed can be found missing.
fn ensure_scope_allows(absent: &Entry<'_>, mapping: &Mapping) -> Result<(), FileError> {
    let policies = &mapping.policies;
    let withdraws = policies.absent != Absent::Leave
        || policies
            .data_elements
            .values()
            .any(|own| own.absent.is_some_and(|absent| absent != Absent::Leave));
    let scope = mapping.scope();
    let listed = scope.triples.is_some() && scope.org_units != OrgUnitScope::Seen;
    if !scope.retired.is_empty() && !listed {
        return Err(FileError::whole(
            &mapping.file,
            "has a line that is `retired`, whose values cannot be withdrawn: a dimension takes its UIDs from a column, or from rules \
             of anything but units",
        ));
    }
    if withdraws && !listed {
        return Err(absent.error(
            "must be \"leave\" (for every data element) where a dimension takes its UIDs from a column, or from rules of anything but units"
                .to_owned(),
        ));
    }
    Ok(())
}

pub(crate) fn digest(text: &str) -> String {
    Fingerprint::of(text)
}
