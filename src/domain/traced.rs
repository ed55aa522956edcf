//! Rows of the source as `explain` tells them: where each went, and what in the mapping sent it there.

use super::{Cell, Dimension, RowOutcome, RowPlace, ShownKey, Text, Uid};

/// What of a mapping's rows somebody asks about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) data_element: Uid,
    pub(crate) org_unit: Uid,
    /// None: any.
    pub(crate) category_option_combo: Option<Uid>,
}

impl Asked {
    /// Whether a row that is known so far may belong to it.
    pub(crate) fn may_have(&self, place: &RowPlace) -> bool {
        let agrees = |known: Option<Uid>, asked: Uid| known.is_none_or(|known| known == asked);
        self.may_have_elsewhere(place) && agrees(place.org_unit, self.org_unit)
    }

    /// Whether a cell is one of it.
    pub(crate) fn has(&self, cell: &Cell) -> bool {
        let combo = self.category_option_combo;
        cell.triple.data_element == self.data_element
            && cell.org_unit == self.org_unit
            && combo.is_none_or(|combo| combo == cell.triple.category_option_combo)
    }

    /// The same, at whatever organisation unit.
    pub(crate) fn may_have_elsewhere(&self, place: &RowPlace) -> bool {
        let agrees = |known: Option<Uid>, asked: Uid| known.is_none_or(|known| known == asked);
        let combo = self.category_option_combo;
        agrees(place.data_element, self.data_element)
            && combo.is_none_or(|combo| agrees(place.category_option_combo, combo))
    }
}

/// The rows of one mapping that somebody asks about. Of each kind some are kept and the others counted.
#[derive(Debug, Default)]
pub(crate) struct Traced {
    /// Those that reached a cell.
    pub(crate) placed: Vec<TracedRow>,
    /// Those that reached none: a rule leaves them out, or a key has no answer.
    pub(crate) not_placed: Vec<TracedRow>,
    /// Those that would have come to the unit by a rule that does not count in the period.
    pub(crate) elsewhere: Vec<TracedRow>,
    /// Not kept.
    pub(crate) more: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct TracedRow {
    pub(crate) query: String,
    pub(crate) outcome: RowOutcome,
    /// It is known as far as its dimensions have answers.
    pub(crate) place: RowPlace,
    pub(crate) value: Option<Text>,
    pub(crate) answers: Vec<TracedAnswer>,
}

/// How one dimension of a row became a UID, or did not.
#[derive(Clone, Debug)]
pub(crate) struct TracedAnswer {
    pub(crate) dimension: Dimension,
    /// None: the mapping does not look at one.
    pub(crate) key: Option<ShownKey>,
    pub(crate) uid: Option<Uid>,
    pub(crate) by: AnsweredBy,
    /// The rule that would have named the unit that was asked for, were it the one that counts.
    pub(crate) instead_of: Option<TracedRule>,
}

/// What gave the answer.
#[derive(Clone, Debug)]
pub(crate) enum AnsweredBy {
    /// A line of the mapping file or of a map file, from 1.
    Line {
        file: String,
        line: usize,
    },
    Rule(TracedRule),
    /// A query of rules that has none for the key on the first day of the period.
    NoRule {
        file: String,
    },
    /// The category options of the pin that the key names.
    Options,
    /// The column holds the UID.
    Column,
    /// The default combo, which stands in no file.
    Default,
    /// The key stands in no line.
    NoLine,
}

/// A mapping rule of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TracedRule {
    /// The query that gave it.
    pub(crate) file: String,
    /// Its own label, as far as it may be shown.
    pub(crate) label: Option<String>,
    /// None: the rule leaves rows out.
    pub(crate) uid: Option<Uid>,
    /// Both days inclusive; none: open.
    pub(crate) valid_from: Option<String>,
    pub(crate) valid_to: Option<String>,
    pub(crate) priority: i64,
}
