//! The import engine of 2.38 – 2.42: each value for itself, good ones stored whatever becomes of the others.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::Dialect;
use super::access::Right;
use super::books::{Books, Registration};
use super::id_schemes::{Named, Names};
use super::import_options::{ImportOptions, Strategy};
use super::old_checks::{Checks, Entry, Failure, conflict};
use super::payload::{Given, Payload, lenient};
use super::period::Period;
use super::properties::View;
use super::rows::{Key, Stored};
use super::summary::Summary;
use super::value_types::{is_zero, normalised};

/// Imports a body as 2.42.5.2 does.
pub(crate) fn import(
    view: &View,
    books: &mut Books,
    options: &ImportOptions,
    body: &[u8],
) -> Summary {
    let Some(payload) = lenient(body) else {
        return failed("Post-condition was null");
    };
    let names = Names::new(view.metadata, &options.query, &payload.schemes);
    let mut summary = Summary::default();
    let header = Header::of(view, &names, options, &payload, &mut summary);
    if !summary.conflicts.is_empty() {
        summary.failed = true;
        summary.description = Some("Import process was aborted".to_owned());
        return summary;
    }
    let Some(completion) = Completion::parse(payload.complete_date.as_deref()) else {
        return failed("the complete date is neither true nor false nor a day");
    };
    summary.data_set_complete = Some(complete(view, books, &header, &completion));
    let strategy = payload.strategy.as_deref().and_then(Strategy::parse);
    let mut import = Import {
        view,
        books,
        strategy: strategy.unwrap_or(options.strategy),
        dry_run: payload.dry_run.unwrap_or(options.dry_run),
        buffered: Vec::new(),
        buffered_keys: HashSet::new(),
        interned: HashMap::new(),
        summary,
    };
    let mut checks = Checks::new(view, options, header.data_set.clone(), import.strategy);
    for (index, given) in payload.values.iter().enumerate() {
        if let Err(Failure(why)) = import.value(&mut checks, &names, &header, index, given) {
            // Rows written one by one stay; those waiting to be inserted together are lost.
            return failed(&why);
        }
    }
    import.finish()
}

fn failed(why: &str) -> Summary {
    Summary {
        failed: true,
        description: Some(format!("The import process failed: {why}")),
        ..Summary::default()
    }
}

/// The set-wide fields, which go before those of the values.
struct Header {
    data_set: Option<String>,
    period: Option<String>,
    unit: Option<String>,
    attribute_combo: Option<String>,
}

impl Header {
    /// Looks the fields up; what cannot be found or used is a conflict that ends the import.
    fn of(
        view: &View,
        names: &Names,
        options: &ImportOptions,
        payload: &Payload,
        summary: &mut Summary,
    ) -> Header {
        let given = |field: &Option<String>| field.clone().filter(|text| !text.trim().is_empty());
        let named = given(&payload.data_set).or_else(|| given(&options.data_set));
        let sets = &view.model().data_sets;
        let id = named
            .as_deref()
            .and_then(|name| names.id_of(Named::DataSet, name));
        let set = id.and_then(|id| sets.get(id));
        let set = set.filter(|set| set.sharing.allows(view.account, Right::Read));
        let header = Header {
            data_set: set.map(|set| set.id.clone()),
            // One that cannot be read is as good as none.
            period: given(&payload.period)
                .filter(|text| Period::parse(text.trim(), view.dialect).is_some()),
            unit: given(&payload.unit),
            attribute_combo: given(&payload.attribute_combo),
        };
        let writable = set.map(|set| set.sharing.allows(view.account, Right::DataWrite));
        header.refuse(view, names, named.as_deref(), writable, summary);
        header
    }

    /// E7600, E7601, E7603 and E7604.
    fn refuse(
        &self,
        view: &View,
        names: &Names,
        named: Option<&str>,
        writable: Option<bool>,
        summary: &mut Summary,
    ) {
        let set = ("dataSet", named);
        let mut refuse = |code, property, text, objects: &[(&'static str, Option<&str>)]| {
            summary.add_conflict(conflict(code, Some(property), text, objects));
        };
        if let Some(name) = named {
            if writable.is_none() {
                let text = format!("Data set not found or not accessible: `{name}`");
                refuse("E7600", "dataSet", text, &[set]);
            } else if writable == Some(false) {
                let text = format!("User does not have write access for DataSet: `{name}`");
                refuse("E7601", "dataSet", text, &[set]);
            }
        }
        if let Some(name) = self.unit.as_deref() {
            let id = names.id_of(Named::Unit, name);
            if id.is_none_or(|id| !view.model().units.contains_key(id)) {
                let text = format!("Org unit not found or not accessible: `{name}`");
                let objects = [("organisationUnit", Some(name)), set];
                refuse("E7603", "orgUnit", text, &objects);
            }
        }
        if let Some(name) = self.attribute_combo.as_deref() {
            let id = names.id_of(Named::AttributeCombo, name);
            if id.is_none_or(|id| !is_usable_combo(view, id)) {
                let text = format!("Attribute option combo not found or not accessible: `{name}`");
                let objects = [("categoryOptionCombo", Some(name)), set];
                refuse("E7604", "attributeOptionCombo", text, &objects);
            }
        }
    }
}

/// Whether an option combo exists and the account may write data to all its options.
pub(crate) fn is_usable_combo(view: &View, id: &str) -> bool {
    let combo = view.model().combos.get(id);
    combo.is_some_and(|combo| {
        let mut options = combo.options.iter();
        options.all(|option| option.sharing.allows(view.account, Right::DataWrite))
    })
}

/// What `completeDate` asks for.
enum Completion {
    Never,
    Today,
    On(Date),
}

impl Completion {
    /// `None` for other text, which fails the whole import.
    fn parse(text: Option<&str>) -> Option<Completion> {
        Some(match text.map_or("false", str::trim) {
            "false" | "" => Completion::Never,
            "true" => Completion::Today,
            day if day.len() == 10 => Completion::On(day.parse().ok()?),
            _ => return None,
        })
    }
}

/// Registers completeness before any value is looked at, even in a dry run, and always for the default
/// attribute option combo; the text is what `dataSetComplete` shows.
fn complete(view: &View, books: &mut Books, header: &Header, completion: &Completion) -> String {
    let date = match completion {
        Completion::Today => Some(view.now.date()),
        Completion::On(date) => Some(*date),
        Completion::Never => None,
    };
    let period = header.period.as_deref();
    let period = period.and_then(|text| Period::parse(text, view.dialect));
    let (Some(date), Some(set), Some(period), Some(unit)) =
        (date, &header.data_set, period, &header.unit)
    else {
        return "false".to_owned();
    };
    let default = view.model().default_combo.clone();
    let registration = Registration {
        date: date.at(0, 0, 0, 0),
        stored_by: view.account.username.clone(),
        completed: true,
    };
    let key = (set.clone(), period, unit.clone(), default);
    books.registrations.insert(key, registration);
    date.to_string()
}

struct Import<'a> {
    view: &'a View<'a>,
    books: &'a mut Books,
    strategy: Strategy,
    dry_run: bool,
    /// New rows, inserted together at the end.
    buffered: Vec<(Key, Stored)>,
    buffered_keys: HashSet<Key>,
    interned: HashMap<String, Arc<str>>,
    summary: Summary,
}

impl Import<'_> {
    fn value(
        &mut self,
        checks: &mut Checks,
        names: &Names,
        header: &Header,
        index: usize,
        given: &Given,
    ) -> Result<(), Failure> {
        let mut meant = given.clone();
        for (field, set_wide) in [
            (&mut meant.period, &header.period),
            (&mut meant.unit, &header.unit),
            (&mut meant.attribute_combo, &header.attribute_combo),
        ] {
            if set_wide.is_some() {
                field.clone_from(set_wide);
            }
        }
        match checks.run(
            &self.books.approvals,
            &self.books.lock_exceptions,
            names,
            index,
            (&meant, given),
        )? {
            Ok(entry) => {
                let key = Key {
                    element: self.intern(entry.element),
                    unit: self.intern(entry.unit),
                    combo: self.intern(entry.combo),
                    attribute_combo: self.intern(entry.attribute_combo),
                    period: entry.period.clone(),
                };
                self.save(index, key, &entry, given);
            }
            Err(conflicts) => {
                self.summary.ignored += 1;
                self.summary.rejected.insert(index);
                for conflict in conflicts {
                    self.summary.add_conflict(conflict);
                }
            }
        }
        Ok(())
    }

    fn intern(&mut self, id: &str) -> Arc<str> {
        if let Some(held) = self.interned.get(id) {
            return Arc::clone(held);
        }
        let held: Arc<str> = id.into();
        self.interned.insert(id.to_owned(), Arc::clone(&held));
        held
    }

    fn save(&mut self, index: usize, key: Key, entry: &Entry, given: &Given) {
        let kept = |text: &Option<String>| {
            let trimmed = text.as_deref().map(str::trim);
            trimmed.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let kind = &entry.described.value_type;
        let value = kept(&given.value).map(|value| normalised(&value, kind, Dialect::V2_42));
        let signed = given.stored_by.as_deref();
        let signed = signed.filter(|name| !name.trim().is_empty());
        let row = Stored {
            comment: kept(&given.comment),
            follow_up: Some(given.follow_up == Some(true)),
            stored_by: signed.unwrap_or(&self.view.account.username).to_owned(),
            created: self.view.now,
            last_updated: self.view.now,
            deleted: given.deleted == Some(true),
            value,
        };
        let zero = row.value.as_deref().is_some_and(is_zero) && !entry.keeps_zeros();
        let held = self.books.rows.get(&key);
        match held.map(|held| held.deleted) {
            Some(false) if self.strategy.updates() => self.update(key, row, zero),
            Some(false) if self.strategy == Strategy::Delete => self.delete(key, row),
            None if zero && self.strategy.creates() => {}
            Some(false) if zero && self.strategy == Strategy::Create => {}
            Some(true) if self.strategy.creates() => {
                self.summary.imported += 1;
                self.write(key, row);
            }
            None if self.strategy.creates() => self.create(key, row),
            _ => {
                self.summary.ignored += 1;
                self.summary.rejected.insert(index);
            }
        }
    }

    fn update(&mut self, key: Key, mut row: Stored, zero: bool) {
        let held = self.books.rows.get(&key);
        let same = held.is_some_and(|held| {
            (&held.value, &held.comment, held.follow_up)
                == (&row.value, &row.comment, row.follow_up)
        });
        let nothing = row.value.is_none() && row.comment.is_none();
        if row.deleted || zero || nothing {
            row.deleted = true;
            self.summary.deleted += 1;
            self.write(key, row);
        } else if same {
            self.summary.ignored += 1;
        } else {
            self.summary.updated += 1;
            self.write(key, row);
        }
    }

    fn delete(&mut self, key: Key, mut row: Stored) {
        row.deleted = true;
        self.summary.deleted += 1;
        self.write(key, row);
    }

    fn create(&mut self, key: Key, row: Stored) {
        if row.value.is_none() && row.comment.is_none() && !row.deleted {
            self.summary.ignored += 1;
            return;
        }
        // The table is searched, the buffer is not: of two new values for one key the second is dropped unseen.
        if self.dry_run {
            self.summary.imported += 1;
        } else if self.buffered_keys.insert(key.clone()) {
            self.summary.imported += 1;
            self.buffered.push((key, row));
        }
    }

    fn write(&mut self, key: Key, row: Stored) {
        if !self.dry_run {
            self.books.rows.put(key, row);
        }
    }

    fn finish(mut self) -> Summary {
        for (key, row) in self.buffered.drain(..) {
            self.books.rows.put(key, row);
        }
        self.summary.description = Some("Import process completed successfully".to_owned());
        self.summary
    }
}
