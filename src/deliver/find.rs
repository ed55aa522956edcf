//! Finds an object of DHIS2 by what people call it: its UID, its code or its name.

use std::collections::BTreeMap;

use crate::domain::{DataSet, Uid};
use crate::exit::{Exit, Problem};
use crate::mapping::nearest;

/// An object of a data set.
pub(crate) struct Object<'d> {
    uid: Uid,
    name: &'d str,
    code: Option<&'d str>,
}

impl<'d> Object<'d> {
    pub(crate) fn of(uid: Uid, name: &'d str, data_set: &'d DataSet) -> Object<'d> {
        Object {
            uid,
            name,
            code: data_set.codes.get(&uid).map(String::as_str),
        }
    }
}

/// The one that has this UID, else this code, else this name, else either in small or capital letters.
pub(crate) fn one<'d>(
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
