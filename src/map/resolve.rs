//! Finds the UID that a row's key stands for, in one dimension.

use std::collections::HashMap;

use super::answer::Answer;
use super::rules::RuleBook;
use crate::domain::{Period, Uid};
use crate::mapping::{Answers, Options, SourceKey};

pub(super) enum Resolver<'m> {
    Constant(Uid),
    Map {
        uids: HashMap<&'m SourceKey, Uid>,
        key: SourceKey,
    },
    Rules(RuleBook),
    Options(&'m Options),
    Column,
}

impl<'m> Resolver<'m> {
    pub(super) fn new(answers: &'m Answers) -> Resolver<'m> {
        match answers {
            Answers::Constant(uid) => Resolver::Constant(*uid),
            Answers::Map(map) => Resolver::Map {
                uids: map.iter().map(|(key, uid)| (key, *uid)).collect(),
                key: SourceKey::new([]),
            },
            Answers::Rules(_) => Resolver::Rules(RuleBook::default()),
            Answers::Options(options) => Resolver::Options(options),
            Answers::Column => Resolver::Column,
        }
    }

    /// `places` are those of the dimension's columns in the row.
    pub(super) fn answer(
        &mut self,
        period: Period,
        places: &[usize],
        row: &[Option<&str>],
    ) -> Answer {
        let values = places
            .iter()
            .map(|place| row.get(*place).copied().flatten());
        match self {
            Resolver::Constant(uid) => Answer::Uid(*uid),
            Resolver::Map { uids, key } => {
                if !key.refill(values) {
                    return Answer::None;
                }
                uids.get(key).map_or(Answer::None, |uid| Answer::Uid(*uid))
            }
            Resolver::Rules(book) => book.answer(period, values),
            Resolver::Options(options) => options.find(values).map_or(Answer::None, Answer::Uid),
            Resolver::Column => {
                let mut values = values;
                let text = values.next().flatten();
                text.and_then(|text| text.parse().ok())
                    .map_or(Answer::None, Answer::Uid)
            }
        }
    }
}
