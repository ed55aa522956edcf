//! Finds the UID that a row's key stands for, in one dimension.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::resolved::Resolved;
use super::rules::RuleBook;
use crate::domain::{Dimension, Period, Uid};
use crate::mapping::{DimensionMapping, Options, SourceKey, UidsFrom};

/// One for each dimension.
pub(super) type Resolvers<'m> = BTreeMap<Dimension, Resolver<'m>>;

pub(super) enum Resolver<'m> {
    Constant(Uid),
    Map {
        uids: HashMap<&'m SourceKey, Uid>,
        excluded: &'m BTreeSet<SourceKey>,
        key: SourceKey,
    },
    Rules(RuleBook),
    Options(&'m Options),
    Column,
}

impl<'m> Resolver<'m> {
    pub(super) fn new(dimension: &'m DimensionMapping) -> Resolver<'m> {
        match &dimension.uids_from {
            UidsFrom::Constant(uid) => Resolver::Constant(*uid),
            UidsFrom::Map(map) => Resolver::Map {
                uids: map.iter().map(|(key, uid)| (key, *uid)).collect(),
                excluded: &dimension.excluded,
                key: SourceKey::default(),
            },
            UidsFrom::Rules(_) => Resolver::Rules(RuleBook::default()),
            UidsFrom::Options(options) => Resolver::Options(options),
            UidsFrom::Column => Resolver::Column,
        }
    }

    /// `places` are those of the dimension's columns in the row.
    pub(super) fn answer(
        &mut self,
        period: Period,
        places: &[usize],
        row: &[Option<&str>],
    ) -> Resolved {
        let values = places
            .iter()
            .map(|place| row.get(*place).copied().flatten());
        match self {
            Resolver::Constant(uid) => Resolved::Uid(*uid),
            Resolver::Map {
                uids,
                excluded,
                key,
            } => {
                if !key.refill(values) {
                    return Resolved::Unknown;
                }
                match uids.get(key) {
                    Some(uid) => Resolved::Uid(*uid),
                    None if excluded.contains(key) => Resolved::Excluded,
                    None => Resolved::Unknown,
                }
            }
            Resolver::Rules(book) => book.answer(period, values),
            Resolver::Options(options) => options
                .find(values, None)
                .map_or(Resolved::Unknown, Resolved::Uid),
            Resolver::Column => {
                let mut values = values;
                let text = values.next().flatten();
                text.and_then(|text| text.parse().ok())
                    .map_or(Resolved::Unknown, Resolved::Uid)
            }
        }
    }

    /// The option combo that a key of options stands for in a row of this data element; None for any other resolver.
    pub(super) fn own_combo(
        &self,
        data_element: Option<Uid>,
        places: &[usize],
        row: &[Option<&str>],
    ) -> Option<Resolved> {
        let Resolver::Options(options) = self else {
            return None;
        };
        let values = places.iter();
        let values = values.map(|place| row.get(*place).copied().flatten());
        let found = options.find(values, data_element);
        Some(found.map_or(Resolved::Unknown, Resolved::Uid))
    }
}
