//! Keeps the rows that somebody asks about while a mapper reads, with what answered for each of their dimensions.

use std::collections::BTreeMap;

use super::resolve::{Resolver, Resolvers};
use super::resolved::Resolved;
use super::row::{RowKeys, place};
use crate::domain::{
    AnsweredBy, Asked, Dimension, KeyMask, ObjectKind, Period, RowOutcome, Text, Traced,
    TracedAnswer, TracedRow, TracedRule, Uid,
};
use crate::mapping::{Mapping, SourceKey, UidsFrom};

/// Rows of each kind that are kept; a query need not aggregate as it should.
const KEPT: usize = 1_000;

/// What is kept so far.
pub(super) struct Trace<'m> {
    mapping: &'m Mapping,
    asked: Asked,
    placed: Vec<RawRow>,
    not_placed: Vec<RawRow>,
    elsewhere: Vec<RawRow>,
    more: u64,
}

/// A row whose keys are not yet fit to be seen.
struct RawRow {
    row: TracedRow,
    keys: BTreeMap<Dimension, Vec<Option<String>>>,
}

/// A row that has its outcome.
pub(super) struct NotedRow<'r> {
    pub(super) query: &'r str,
    pub(super) period: Period,
    pub(super) answers: &'r BTreeMap<Dimension, Resolved>,
    pub(super) keys: &'r RowKeys<'r>,
    pub(super) value: Option<&'r str>,
    pub(super) outcome: RowOutcome,
}

impl<'m> Trace<'m> {
    pub(super) fn new(mapping: &'m Mapping, asked: Asked) -> Trace<'m> {
        Trace {
            mapping,
            asked,
            placed: Vec::new(),
            not_placed: Vec::new(),
            elsewhere: Vec::new(),
            more: 0,
        }
    }

    /// What was kept. Keys that the mapping knows are shown; others are free text, and as the mask has them.
    pub(super) fn traced(self, mask: &KeyMask) -> Traced {
        let mapping = self.mapping;
        let shown = |rows: Vec<RawRow>| rows.into_iter().map(|row| row.shown(mapping, mask));
        Traced {
            placed: shown(self.placed).collect(),
            not_placed: shown(self.not_placed).collect(),
            elsewhere: shown(self.elsewhere).collect(),
            more: self.more,
        }
    }

    /// Keeps a row if it is asked for.
    pub(super) fn note(&mut self, noted: &NotedRow<'_>, resolvers: &Resolvers<'_>) {
        let place = place(noted.period, noted.answers);
        if !self.asked.may_have_elsewhere(&place) {
            return;
        }
        let answers = self.answers_of(noted, resolvers);
        let is_moved = answers.iter().any(|answer| answer.instead_of.is_some());
        let is_placed = !matches!(noted.outcome, RowOutcome::Excluded | RowOutcome::Unmapped);
        let keys = Dimension::ALL.map(|dimension| (dimension, noted.keys.of(dimension)));
        let row = RawRow {
            row: TracedRow {
                query: noted.query.to_owned(),
                outcome: noted.outcome,
                value: noted.value.map(Text::from),
                place,
                answers,
            },
            keys: BTreeMap::from(keys),
        };
        let rows = match self.asked.may_have(&row.row.place) {
            true if is_placed => &mut self.placed,
            true => &mut self.not_placed,
            false if is_moved => &mut self.elsewhere,
            false => return,
        };
        match rows.len() < KEPT {
            true => rows.push(row),
            false => self.more += 1,
        }
    }

    fn answers_of(&self, noted: &NotedRow<'_>, resolvers: &Resolvers<'_>) -> Vec<TracedAnswer> {
        let each = noted.answers.iter().map(|(dimension, answer)| {
            let key = noted.keys.of(*dimension);
            let whole: Option<Vec<&str>> = key.iter().map(Option::as_deref).collect();
            let key = whole.map(SourceKey::new);
            let uid = match answer {
                Resolved::Uid(uid) => Some(*uid),
                Resolved::Unknown | Resolved::Excluded => None,
            };
            TracedAnswer {
                dimension: *dimension,
                key: None,
                uid,
                by: self.answered_by(
                    resolvers.get(dimension),
                    *dimension,
                    key.as_ref(),
                    uid,
                    noted.period,
                ),
                instead_of: key
                    .filter(|_| *dimension == Dimension::OrgUnit)
                    .and_then(|key| self.instead_of(resolvers, &key, noted.period)),
            }
        });
        each.collect()
    }

    fn answered_by(
        &self,
        resolver: Option<&Resolver<'_>>,
        dimension: Dimension,
        key: Option<&SourceKey>,
        uid: Option<Uid>,
        period: Period,
    ) -> AnsweredBy {
        let answers = self.mapping.dimensions.get(&dimension);
        let line = |key: Option<&SourceKey>| {
            let line = self.mapping.line(ObjectKind::Of(dimension), key, uid);
            line.map(|(file, line)| AnsweredBy::Line {
                file: file.to_owned(),
                line,
            })
        };
        match (answers.map(|each| &each.uids_from), resolver) {
            (Some(UidsFrom::Rules(sql)), Some(Resolver::Rules(book))) => {
                match key.and_then(|key| book.counting(key, period)) {
                    Some(rule) => AnsweredBy::Rule(rule.traced(&sql.file)),
                    None => AnsweredBy::NoRule {
                        file: sql.file.clone(),
                    },
                }
            }
            (Some(UidsFrom::Map(_)), _) => {
                // A value column may name its own combo.
                let alone = || line(None);
                line(key).or_else(alone).unwrap_or(AnsweredBy::NoLine)
            }
            (Some(UidsFrom::Options(_)), _) => AnsweredBy::Options,
            (Some(UidsFrom::Column), _) => AnsweredBy::Column,
            // A constant, or a value column that names its data element.
            (Some(UidsFrom::Constant(_)) | None, _) => line(None).unwrap_or(AnsweredBy::Default),
            (Some(UidsFrom::Rules(_)), _) => AnsweredBy::NoLine,
        }
    }

    fn instead_of(
        &self,
        resolvers: &Resolvers<'_>,
        key: &SourceKey,
        period: Period,
    ) -> Option<TracedRule> {
        let Some(Resolver::Rules(book)) = resolvers.get(&Dimension::OrgUnit) else {
            return None;
        };
        let dimension = self.mapping.dimensions.get(&Dimension::OrgUnit)?;
        let UidsFrom::Rules(sql) = &dimension.uids_from else {
            return None;
        };
        Some(
            book.other(key, period, self.asked.org_unit)?
                .traced(&sql.file),
        )
    }
}

impl RawRow {
    fn shown(self, mapping: &Mapping, mask: &KeyMask) -> TracedRow {
        let mut row = self.row;
        for answer in &mut row.answers {
            let Some(key) = self.keys.get(&answer.dimension) else {
                continue;
            };
            let Some(dimension) = mapping.dimensions.get(&answer.dimension) else {
                continue;
            };
            // A constant looks at no key, so that anything may stand there.
            if key.is_empty() || matches!(dimension.uids_from, UidsFrom::Constant(_)) {
                continue;
            }
            let mut shown = mask.show(key, dimension.show_keys.as_ref());
            if answer.uid.is_some() {
                shown.masked.clone_from(&shown.plain);
            }
            answer.key = Some(shown);
        }
        row
    }
}
