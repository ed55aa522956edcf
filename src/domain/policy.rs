//! The choices a mapping makes: how rows combine, what absence means, what becomes of other people's values.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Complete, Uid};

/// What to do with rows of different keys that meet in one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Combine {
    Sum,
    Max,
    Min,
    Refuse,
}

/// What to do with a cell of ours that the source no longer returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Absent {
    Leave,
    Zero,
    Delete,
}

/// What to do with a live value in scope, last stored by somebody else, that differs from ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Foreign {
    Hold,
    Keep,
    Overwrite,
}

/// A choice that is written as one of a few words.
pub(crate) trait Word: Copy + Sized + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

impl Word for Combine {
    const WORDS: &'static [(&'static str, Combine)] = &[
        ("sum", Combine::Sum),
        ("max", Combine::Max),
        ("min", Combine::Min),
        ("refuse", Combine::Refuse),
    ];
}

impl Word for Absent {
    const WORDS: &'static [(&'static str, Absent)] = &[
        ("leave", Absent::Leave),
        ("zero", Absent::Zero),
        ("delete", Absent::Delete),
    ];
}

impl Word for Foreign {
    const WORDS: &'static [(&'static str, Foreign)] = &[
        ("hold", Foreign::Hold),
        ("keep", Foreign::Keep),
        ("overwrite", Foreign::Overwrite),
    ];
}

/// The policies of a mapping, with the data elements that have their own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Policies {
    pub(crate) combine: Combine,
    pub(crate) absent: Absent,
    pub(crate) foreign: Foreign,
    #[serde(default, skip_serializing_if = "Complete::is_never")]
    pub(crate) complete: Complete,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) data_elements: BTreeMap<Uid, ElementPolicies>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ElementPolicies {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) combine: Option<Combine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) absent: Option<Absent>,
}

impl ElementPolicies {
    /// Takes in what another place says of the same data element. What it leaves out says nothing; fails with the
    /// name of a policy that differs.
    pub(crate) fn agree_with(&mut self, other: ElementPolicies) -> Result<(), &'static str> {
        if let Some(combine) = other.combine
            && *self.combine.get_or_insert(combine) != combine
        {
            return Err("combine");
        }
        if let Some(absent) = other.absent
            && *self.absent.get_or_insert(absent) != absent
        {
            return Err("absent");
        }
        Ok(())
    }
}

impl Policies {
    pub(crate) fn combine(&self, data_element: Uid) -> Combine {
        let own = self.data_elements.get(&data_element);
        own.and_then(|own| own.combine).unwrap_or(self.combine)
    }

    pub(crate) fn absent(&self, data_element: Uid) -> Absent {
        let own = self.data_elements.get(&data_element);
        own.and_then(|own| own.absent).unwrap_or(self.absent)
    }
}

impl Policies {
    /// What becomes of what is left of a retired object: it is withdrawn, whatever the mapping says of the others.
    pub(crate) fn absent_of_retired(&self, data_element: Uid) -> Absent {
        match self.absent(data_element) {
            Absent::Leave => Absent::Delete,
            absent => absent,
        }
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(*self))
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(*self))
    }
}

fn word<W: Word + PartialEq>(choice: W) -> &'static str {
    W::WORDS
        .iter()
        .find(|(_, each)| *each == choice)
        .map_or("", |(word, _)| word)
}
