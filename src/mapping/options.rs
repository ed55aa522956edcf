//! `options = true`: a key is the codes or names of the category options of one option combo.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Pin, Uid};

/// Columns of a key; each option can be called by code or by name, so that a combo has up to two to this power keys.
pub(super) const MOST_COLUMNS: usize = 8;

/// What an empty key means: the option of combos without a disaggregation.
const NO_OPTION: &str = "default";

/// Option combos by the texts of their options, in order. Several category combos may be made of the same options, and
/// then a data element tells which of them is its own.
#[derive(Debug, Default)]
pub(crate) struct Options {
    combos: BTreeMap<Vec<String>, BTreeSet<Uid>>,
    of_elements: BTreeMap<Uid, BTreeSet<Uid>>,
}

/// The one that a data element has of combos made of the same options, else the only one there is. None where nobody can
/// tell two apart.
fn only(combos: &BTreeSet<Uid>, own: Option<&BTreeSet<Uid>>) -> Option<Uid> {
    let own = own.into_iter().flat_map(|own| own.intersection(combos));
    let own: Vec<&Uid> = own.collect();
    match own.as_slice() {
        [combo] => Some(**combo),
        [] => combos.first().copied().filter(|_| combos.len() == 1),
        _ => None,
    }
}

impl Options {
    /// Those of the combos that a key of so many columns can tell; `of_elements` has the combos of each data element.
    pub(super) fn of(
        pin: &Pin,
        combos: &BTreeSet<Uid>,
        of_elements: BTreeMap<Uid, BTreeSet<Uid>>,
        columns: usize,
    ) -> Options {
        let mut found: BTreeMap<Vec<String>, BTreeSet<Uid>> = BTreeMap::new();
        for uid in combos {
            let Some(combo) = pin.category_option_combos.get(uid) else {
                continue;
            };
            let options = combo.category_options.iter();
            let options: Option<Vec<_>> = options.map(|id| pin.category_options.get(id)).collect();
            let Some(options) = options.filter(|options| options.len() <= columns) else {
                continue;
            };
            let mut keys: Vec<Vec<String>> = vec![Vec::new()];
            for option in options {
                let names: BTreeSet<&String> = [option.code.as_ref(), Some(&option.name)]
                    .into_iter()
                    .flatten()
                    .collect();
                keys = keys
                    .iter()
                    .flat_map(|key| {
                        names
                            .iter()
                            .map(|name| [key.clone(), vec![(*name).clone()]])
                    })
                    .map(|parts| parts.concat())
                    .collect();
            }
            for mut key in keys {
                key.sort_unstable();
                found.entry(key).or_default().insert(*uid);
            }
        }
        Options {
            combos: found,
            of_elements,
        }
    }

    /// The combo made of exactly the options that the texts name, in any order: the data element's own, else the only one
    /// there is. An empty text names none.
    pub(crate) fn find<'v>(
        &self,
        values: impl IntoIterator<Item = Option<&'v str>>,
        data_element: Option<Uid>,
    ) -> Option<Uid> {
        let values: Option<Vec<&str>> = values.into_iter().collect();
        let mut values = values?;
        values.retain(|value| !value.is_empty());
        if values.is_empty() {
            values.push(NO_OPTION);
        }
        values.sort_unstable();
        let key: Vec<String> = values.into_iter().map(str::to_owned).collect();
        let combos = self.combos.get(&key)?;
        let own = data_element.and_then(|uid| self.of_elements.get(&uid));
        only(combos, own)
    }

    /// Every combo that a key can name, by itself or with a data element beside it.
    pub(super) fn combos(&self) -> BTreeSet<Uid> {
        let named = self.combos.values().flat_map(|combos| {
            let own = self.of_elements.values().map(Some).chain([None]);
            own.filter_map(|own| only(combos, own))
        });
        named.collect()
    }
}
