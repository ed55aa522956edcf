//! Takes the rows of a mapping's queries, one after the other, to the values that should be in DHIS2.

use std::collections::{BTreeMap, HashMap};

use super::combine::combine;
use super::fault::MapFault;
use super::ledger::{Ledger, LostRow};
use super::repeated::SeenRows;
use super::resolve::{Resolver, Resolvers};
use super::resolved::Resolved;
use super::row::{self, RowKeys, RowValue, place, uid};
use super::rules::RuleColumns;
use super::trace::{NotedRow, Trace};
use crate::domain::{
    Asked, Combine, Desired, DesiredCell, Dimension, Incomplete, Key, KeyMask, Period, RowOutcome,
    RowPlace, Space, Traced, Unplaced,
};
use crate::mapping::{Columns, Mapping, RowColumns, UidsFrom, Values};

/// Checks the columns of a dimension's rules; returns the most characters to read of each.
pub(crate) fn check_rules(
    mapping: &Mapping,
    dimension: Dimension,
    columns: &Columns,
) -> Result<Vec<u32>, MapFault> {
    rule_columns(mapping, dimension, columns).map(|_| columns.key_lengths())
}

/// Checks the columns of a query's result.
pub(crate) fn check_rows(
    mapping: &Mapping,
    query: &str,
    columns: &Columns,
) -> Result<RowColumns, MapFault> {
    mapping
        .check_columns(columns)
        .map_err(|fault| MapFault::Columns {
            result: query.to_owned(),
            fault,
        })
}

/// Takes the results of a mapping's queries, rules first, row by row. It has many fields
/// because everything that is found so far waits in it for the last row.
pub(crate) struct Mapper<'m> {
    mapping: &'m Mapping,
    /// The periods of the run, ordered.
    periods: Vec<Period>,
    resolvers: Resolvers<'m>,
    reading: Reading,
    space: Space,
    cells: Vec<DesiredCell>,
    incomplete: BTreeMap<Key, Incomplete>,
    /// The cells of empty and of invalid rows, one for each row.
    without_value: Vec<Key>,
    unplaced: HashMap<RowPlace, u64>,
    seen: SeenRows,
    ledger: Ledger,
    /// What somebody asks about, if anybody does.
    trace: Option<Trace<'m>>,
}

/// The result that rows belong to.
enum Reading {
    Nothing,
    Rules {
        dimension: Dimension,
        columns: RuleColumns,
    },
    Rows {
        query: String,
        /// The periods its rows may be of; one where the query ran for that period.
        allowed: Vec<Period>,
        columns: RowColumns,
    },
}

impl<'m> Mapper<'m> {
    /// `periods` are those of the run, ordered, all of the mapping's period type.
    pub(crate) fn new(mapping: &'m Mapping, periods: Vec<Period>) -> Mapper<'m> {
        let resolvers = mapping
            .dimensions
            .iter()
            .map(|(name, dimension)| (*name, Resolver::new(dimension)))
            .collect();
        Mapper {
            mapping,
            periods,
            resolvers,
            reading: Reading::Nothing,
            space: Space::new(mapping.period_type),
            cells: Vec::new(),
            incomplete: BTreeMap::new(),
            without_value: Vec::new(),
            unplaced: HashMap::new(),
            seen: SeenRows::default(),
            ledger: Ledger::default(),
            trace: None,
        }
    }

    /// From now on keeps the rows that may have to do with this.
    pub(crate) fn trace(&mut self, asked: Asked) {
        self.trace = Some(Trace::new(self.mapping, asked));
    }

    /// What was kept.
    pub(crate) fn traced(&mut self, mask: &KeyMask) -> Traced {
        let trace = self.trace.take();
        trace.map(|trace| trace.traced(mask)).unwrap_or_default()
    }

    /// The result of a dimension's rules query begins. Returns the most characters to read of each column.
    pub(crate) fn begin_rules(
        &mut self,
        dimension: Dimension,
        columns: &Columns,
    ) -> Result<Vec<u32>, MapFault> {
        self.finish_rules()?;
        self.reading = Reading::Rules {
            dimension,
            columns: rule_columns(self.mapping, dimension, columns)?,
        };
        Ok(columns.key_lengths())
    }

    /// The result of a query begins, whose rows may be of the `allowed` periods.
    pub(crate) fn begin_rows(
        &mut self,
        query: &str,
        allowed: &[Period],
        columns: &Columns,
    ) -> Result<Vec<u32>, MapFault> {
        self.finish_rules()?;
        let columns = check_rows(self.mapping, query, columns)?;
        self.ledger.query(query);
        let lengths = columns.lengths.clone();
        self.reading = Reading::Rows {
            query: query.to_owned(),
            allowed: allowed.to_vec(),
            columns,
        };
        Ok(lengths)
    }

    /// The next row of the result that has begun.
    pub(crate) fn row(&mut self, row: &[Option<&str>]) -> Result<(), MapFault> {
        // Taken out and put back, so that a row can change everything else.
        let reading = std::mem::replace(&mut self.reading, Reading::Nothing);
        let outcome = match &reading {
            Reading::Nothing => Ok(()),
            Reading::Rules { dimension, columns } => {
                if let Some(Resolver::Rules(book)) = self.resolvers.get_mut(dimension) {
                    book.add(columns, row);
                }
                Ok(())
            }
            Reading::Rows {
                query,
                allowed,
                columns,
            } => self.data_row(query, allowed, columns, row),
        };
        self.reading = reading;
        outcome
    }

    /// All results have been read: combines rows that meet in a cell.
    pub(crate) fn finish(mut self, mask: &KeyMask) -> Result<Desired, MapFault> {
        self.finish_rules()?;
        self.seen.ensure_none_twice()?;
        let renumbered = self.space.sort();
        for cell in &mut self.cells {
            cell.key = renumbered.key(cell.key);
        }
        for key in &mut self.without_value {
            *key = renumbered.key(*key);
        }
        let incomplete = self
            .incomplete
            .into_iter()
            .map(|(key, why)| (renumbered.key(key), why))
            .collect();
        let combined = combine(
            self.cells,
            self.without_value,
            &self.space,
            &self.mapping.policies,
        )?;
        let mut unplaced: Vec<Unplaced> = self
            .unplaced
            .into_iter()
            .map(|(place, rows)| Unplaced { place, rows })
            .collect();
        unplaced.sort_unstable_by_key(|unplaced| unplaced.place);
        let rows = self
            .ledger
            .close(&self.periods, combined.sums, |dimension, key| {
                let pattern = self.mapping.dimensions.get(&dimension);
                mask.show(
                    key,
                    pattern.and_then(|dimension| dimension.show_keys.as_ref()),
                )
            });
        let mut desired = Desired {
            mapping: self.mapping.name.clone(),
            data_set: self.mapping.data_set,
            period_type: self.mapping.period_type,
            periods: self.periods,
            space: self.space,
            cells: combined.cells,
            incomplete,
            unplaced,
            scope: self.mapping.scope(),
            policies: self.mapping.policies.clone(),
            guards: self.mapping.guards.clone(),
            rows,
        };
        // A cell whose sum does not fit has no value that would be right.
        for key in combined.overflowed {
            desired.incomplete.entry(key).or_insert(Incomplete::Invalid);
        }
        Ok(desired)
    }

    /// The rules that were being read are complete: they must not contradict each other.
    fn finish_rules(&mut self) -> Result<(), MapFault> {
        let Reading::Rules { dimension, .. } = self.reading else {
            return Ok(());
        };
        self.reading = Reading::Nothing;
        let result = rules_file(self.mapping, dimension);
        match self.resolvers.get_mut(&dimension) {
            Some(Resolver::Rules(book)) => book
                .close(&self.periods)
                .map_err(|fault| MapFault::Rules { result, fault }),
            _ => Ok(()),
        }
    }

    /// The answers for one value column of a row: a wide one has its own data element, and may have its own combo; a combo
    /// that is told by its options is one of the row's own data element.
    fn answers_of_column(
        &self,
        answers: &BTreeMap<Dimension, Resolved>,
        index: usize,
        keys: &RowKeys<'_>,
    ) -> BTreeMap<Dimension, Resolved> {
        let combo = Dimension::CategoryOptionCombo;
        let mut answers = answers.clone();
        if let Values::Wide(wide) = &self.mapping.values
            && let Some(wide) = wide.get(index)
        {
            answers.insert(Dimension::DataElement, Resolved::Uid(wide.data_element));
            if let Some(uid) = wide.category_option_combo {
                answers.insert(combo, Resolved::Uid(uid));
                return answers;
            }
        }
        let places = keys.columns.dimensions.get(&combo).map(Vec::as_slice);
        let element = uid(&answers, Dimension::DataElement);
        let resolver = self.resolvers.get(&combo);
        let own = resolver
            .and_then(|resolver| resolver.own_combo(element, places.unwrap_or_default(), keys.row));
        answers.extend(own.map(|own| (combo, own)));
        answers
    }

    fn data_row(
        &mut self,
        query: &str,
        allowed: &[Period],
        columns: &RowColumns,
        row: &[Option<&str>],
    ) -> Result<(), MapFault> {
        let period = row::period(query, allowed, columns, row)?;
        self.ledger.row(query);
        let mapping = self.mapping;
        let answers: BTreeMap<Dimension, Resolved> = self
            .resolvers
            .iter_mut()
            .map(|(name, resolver)| {
                let places = columns
                    .dimensions
                    .get(name)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                (*name, resolver.answer(period, places, row))
            })
            .collect();
        let keys = RowKeys { columns, row };
        let fingerprint = keys.fingerprint();
        for (index, column) in columns.values.iter().enumerate() {
            let answers = self.answers_of_column(&answers, index, &keys);
            self.seen.add(period, fingerprint.of_value(index));
            let text = row.get(column.place).copied().flatten();
            let element = uid(&answers, Dimension::DataElement);
            let combine = element.map(|element| mapping.policies.combine(element));
            let value = RowValue::read(text, *column, combine);
            let outcome = self.account(period, &answers, &keys, value);
            if let Some(trace) = &mut self.trace {
                let noted = NotedRow {
                    query,
                    period,
                    answers: &answers,
                    keys: &keys,
                    value: text,
                    outcome,
                };
                trace.note(&noted, &self.resolvers);
            }
        }
        Ok(())
    }

    fn account(
        &mut self,
        period: Period,
        answers: &BTreeMap<Dimension, Resolved>,
        keys: &RowKeys<'_>,
        value: RowValue,
    ) -> RowOutcome {
        let element = uid(answers, Dimension::DataElement);
        let adds =
            element.is_none_or(|element| self.mapping.policies.combine(element) == Combine::Sum);
        let number = if adds { value.number() } else { None };
        let without = |wanted: Resolved| {
            Dimension::ALL
                .into_iter()
                .find(|dimension| answers.get(dimension) == Some(&wanted))
        };
        let excluded = without(Resolved::Excluded);
        if let Some(dimension) = excluded.or_else(|| without(Resolved::Unknown)) {
            let outcome = match excluded {
                Some(_) => RowOutcome::Excluded,
                None => RowOutcome::Unmapped,
            };
            let row = LostRow {
                outcome,
                dimension,
                key: keys.of(dimension),
                period,
            };
            self.ledger.lost(row, element, number);
            if outcome == RowOutcome::Unmapped {
                *self.unplaced.entry(place(period, answers)).or_default() += 1;
            }
            return outcome;
        }
        let place = place(period, answers);
        // Every dimension has an answer here, so there is a cell.
        let Some(cell) = place.cell() else {
            return RowOutcome::Unmapped;
        };
        let key = self.space.intern(&cell);
        let (outcome, why) = match value {
            RowValue::Usable { text, .. } => {
                self.cells.push(DesiredCell { key, value: text });
                self.ledger.mapped(period, element, number);
                return RowOutcome::Mapped;
            }
            RowValue::Null => (RowOutcome::Empty, Incomplete::Empty),
            RowValue::Invalid => (RowOutcome::Invalid, Incomplete::Invalid),
        };
        self.ledger.count(outcome, period);
        *self.unplaced.entry(place).or_default() += 1;
        self.without_value.push(key);
        let known = self.incomplete.entry(key).or_insert(why);
        *known = (*known).min(why);
        outcome
    }
}

fn rule_columns(
    mapping: &Mapping,
    dimension: Dimension,
    columns: &Columns,
) -> Result<RuleColumns, MapFault> {
    let keys = match mapping.dimensions.get(&dimension) {
        Some(dimension) => dimension.columns.as_slice(),
        None => &[],
    };
    RuleColumns::find(keys, columns).map_err(|fault| MapFault::Columns {
        result: rules_file(mapping, dimension),
        fault,
    })
}

fn rules_file(mapping: &Mapping, dimension: Dimension) -> String {
    match mapping
        .dimensions
        .get(&dimension)
        .map(|each| &each.uids_from)
    {
        Some(UidsFrom::Rules(sql)) => sql.file.clone(),
        _ => dimension.to_string(),
    }
}
