//! Finds what somebody asks about by name, code or UID, and the mappings that fill it.

use std::collections::BTreeMap;

use crate::cli::ExplainArgs;
use crate::commands::target::Connection;
use crate::domain::{Asked, DataSet, Uid};
use crate::exit::{Exit, Problem};
use crate::mapping::{Mapping, nearest};

/// What is asked about, in DHIS2's words.
pub(super) struct Subject<'m> {
    pub(super) data_element: Uid,
    pub(super) org_unit: Uid,
    category_option_combo: Option<Uid>,
    /// Those that fill it, with their data sets.
    pub(super) mappings: Vec<(&'m Mapping, DataSet)>,
}

impl<'m> Subject<'m> {
    pub(super) fn find(
        args: &ExplainArgs,
        mappings: &'m [Mapping],
        connection: &mut Connection,
    ) -> anyhow::Result<Subject<'m>> {
        let mut all = Vec::new();
        for mapping in mappings {
            all.push((mapping, connection.data_set(mapping.data_set)?));
        }
        let elements = all.iter().flat_map(|(_, data_set)| {
            let elements = data_set.elements.iter();
            elements.map(|(uid, element)| Object::of(*uid, &element.name, data_set))
        });
        let data_element = one("data element", &args.data_element, elements)?;
        let units = all.iter().flat_map(|(_, data_set)| {
            let units = data_set.org_units.iter();
            units.map(|(uid, unit)| Object::of(*uid, &unit.name, data_set))
        });
        // A unit that left the data sets may still hold values.
        let org_unit = one("organisation unit", &args.org_unit, units)
            .or_else(|problem| args.org_unit.parse().map_err(|_| problem))?;
        all.retain(|(mapping, data_set)| fills(mapping, data_set, data_element));
        ensure_any(&all, args)?;
        all.retain(|(mapping, _)| mapping.period_type == args.period.period_type());
        let asked = args.category_option_combo.as_deref();
        let combos = all.iter().flat_map(|(_, data_set)| {
            let element = data_set.elements.get(&data_element);
            let combos = element
                .into_iter()
                .flat_map(|each| each.category_option_combos.iter());
            combos.map(|(uid, name)| Object::of(*uid, name, data_set))
        });
        let category_option_combo = asked.map(|asked| one("category option combo", asked, combos));
        Ok(Subject {
            data_element,
            org_unit,
            category_option_combo: category_option_combo.transpose()?,
            mappings: all,
        })
    }

    pub(super) fn asked(&self) -> Asked {
        Asked {
            data_element: self.data_element,
            org_unit: self.org_unit,
            category_option_combo: self.category_option_combo,
        }
    }
}

/// What people call the objects of a data set.
pub(super) fn names(data_set: &DataSet) -> BTreeMap<Uid, String> {
    let units = data_set.org_units.iter();
    let mut names: BTreeMap<Uid, String> =
        units.map(|(uid, unit)| (*uid, unit.name.clone())).collect();
    names.extend(data_set.attribute_option_combos.clone());
    for (uid, element) in &data_set.elements {
        names.insert(*uid, element.name.clone());
        names.extend((*element.category_option_combos).clone());
    }
    names
}

/// Whether a mapping may fill a data element of its data set.
fn fills(mapping: &Mapping, data_set: &DataSet, data_element: Uid) -> bool {
    let scope = mapping.scope();
    let listed = |triples: Vec<crate::domain::TripleScope>| {
        let mut each = triples.iter();
        each.any(|scope| scope.data_elements.contains(&data_element))
    };
    data_set.elements.contains_key(&data_element) && scope.triples.is_none_or(listed)
}

fn ensure_any(mappings: &[(&Mapping, DataSet)], args: &ExplainArgs) -> Result<(), Problem> {
    let fits =
        |(mapping, _): &(&Mapping, DataSet)| mapping.period_type == args.period.period_type();
    let message = match mappings.first() {
        None => format!("no mapping fills the data element {}", args.data_element),
        Some(_) if mappings.iter().any(fits) => return Ok(()),
        Some((mapping, _)) => format!(
            "the periods of {} are {}, and {} is none of them",
            mapping.name, mapping.period_type, args.period
        ),
    };
    Err(Problem::new(Exit::Usage, message))
}

struct Object<'d> {
    uid: Uid,
    name: &'d str,
    code: Option<&'d str>,
}

impl<'d> Object<'d> {
    fn of(uid: Uid, name: &'d str, data_set: &'d DataSet) -> Object<'d> {
        Object {
            uid,
            name,
            code: data_set.codes.get(&uid).map(String::as_str),
        }
    }
}

/// The one that has this UID, else this code, else this name, else either in small or capital letters.
fn one<'d>(
    what: &str,
    asked: &str,
    objects: impl Iterator<Item = Object<'d>>,
) -> Result<Uid, Problem> {
    let objects: BTreeMap<Uid, Object<'d>> = objects.map(|each| (each.uid, each)).collect();
    if let Some(uid) = asked.parse().ok().filter(|uid| objects.contains_key(uid)) {
        return Ok(uid);
    }
    let folded = asked.to_lowercase();
    let ways: [&dyn Fn(&Object<'_>) -> bool; 3] = [
        &|each| each.code == Some(asked),
        &|each| each.name == asked,
        &|each| {
            let code = each.code.map(str::to_lowercase);
            code.as_ref() == Some(&folded) || each.name.to_lowercase() == folded
        },
    ];
    for way in ways {
        let found: Vec<Uid> = objects
            .values()
            .filter(|each| way(each))
            .map(|each| each.uid)
            .collect();
        match found.as_slice() {
            [] => {}
            [uid] => return Ok(*uid),
            several => {
                let several: Vec<String> = several.iter().map(Uid::to_string).collect();
                let message = format!(
                    "{} {what}s are called {asked:?}; name one by its UID: {}",
                    several.len(),
                    several.join(", ")
                );
                return Err(Problem::new(Exit::Usage, message));
            }
        }
    }
    let known = objects
        .values()
        .flat_map(|each| each.code.into_iter().chain([each.name]));
    let hint = nearest(asked, known).map(|near| format!("; did you mean {near:?}?"));
    Err(Problem::new(
        Exit::Usage,
        format!(
            "no {what} of the site's data sets has the name, code or UID {asked:?}{}",
            hint.unwrap_or_default()
        ),
    ))
}
