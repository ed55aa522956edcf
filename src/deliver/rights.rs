//! Whether DHIS2 is the one that is meant, and whether our account may do there what it must and no more.

use std::collections::BTreeSet;

use super::named_objects::NamedObjects;
use crate::dhis2::Dhis2;
use crate::domain::{Account, DEFAULT_COMBO, DataSet, Server, Uid};
use crate::exit::{Exit, Problem};

const WRITE: &str = "F_DATAVALUE_ADD";

/// A training server is a copy of the real one, with all its UIDs and often its accounts.
pub(super) fn ensure_is_meant(server: &Server, system_id: Option<&str>) -> anyhow::Result<()> {
    let Some(meant) = system_id.filter(|id| server.system_id.as_deref() != Some(*id)) else {
        return Ok(());
    };
    let is = match &server.system_id {
        Some(id) => format!("its systemId is {id}"),
        None => "it tells no systemId".to_owned(),
    };
    Err(target(format!(
        "this DHIS2 is not the one that system-id in [dhis2] names: {is}, not {meant}; is url that of a copy, such as a training server?"
    )))
}

pub(super) fn ensure_may_not_more(account: &Account) -> anyhow::Result<()> {
    let excess = account.excess();
    if excess.is_empty() {
        return Ok(());
    }
    Err(target(format!(
        "the DHIS2 account {} may do more than import: it has the authority {}; give it a role that has not \
         (examples/dhis2-role.json is one), or write allow-overprivileged-account = true in [dhis2]",
        account.username,
        excess.join(", ")
    )))
}

pub(super) fn ensure_may_write(account: &Account) -> anyhow::Result<()> {
    if !account.may(WRITE) {
        return Err(target(format!(
            "the DHIS2 account {} lacks the authority {WRITE}; give it a role that has it",
            account.username
        )));
    }
    if account.capture_paths.is_empty() {
        return Err(target(format!(
            "the DHIS2 account {} has no organisation unit; assign it the one at the top of its data",
            account.username
        )));
    }
    Ok(())
}

pub(super) fn ensure_may_use(data_set: &DataSet, account: &Account) -> anyhow::Result<()> {
    let lacks = match (data_set.may_read, data_set.may_write) {
        (true, true) => return Ok(()),
        (false, true) => "may not read data of",
        (true, false) => "may not write data to",
        (false, false) => "may neither read nor write data of",
    };
    Err(target(format!(
        "the DHIS2 account {} {lacks} data set {} ({}); change the data sharing of the data set",
        account.username, data_set.name, data_set.id
    )))
}

/// DHIS2 leaves values out, without a word, whose attribute option combo has a category option that the account may not
/// read (dhis2-web-api 6.3): they would look as if they were not there.
pub(super) fn ensure_readable(
    named: &NamedObjects,
    data_set: &DataSet,
    account: &Account,
) -> anyhow::Result<()> {
    let combos = named.attribute_option_combos.iter();
    let mut options = combos.flat_map(|combo| data_set.options(*combo));
    match options.find(|option| !option.may_read) {
        None => Ok(()),
        Some(option) => Err(target(format!(
            "the DHIS2 account {} may not read data of the category option {}, so that what DHIS2 holds cannot be known; \
             change the data sharing of the option",
            account.username, option.name
        ))),
    }
}

/// Objects of which not one is the data set's mean that the mapping is for another DHIS2.
pub(super) fn ensure_metadata(
    dhis2: &mut Dhis2,
    named: &NamedObjects,
    data_set: &DataSet,
) -> anyhow::Result<()> {
    let set = format!("data set {} ({})", data_set.name, data_set.id);
    let none = |named: &BTreeSet<Uid>, known: &dyn Fn(&Uid) -> bool| {
        !named.is_empty() && !named.iter().any(known)
    };
    if none(&named.data_elements, &|uid| {
        data_set.elements.contains_key(uid)
    }) {
        return Err(target(format!(
            "not one of the mapping's data elements is in {set}; is this the right data set, and the right server?"
        )));
    }
    let attribute = &data_set.attribute_option_combos;
    if none(&named.attribute_option_combos, &|uid| {
        attribute.contains_key(uid)
    }) {
        let line = match attribute.keys().next() {
            Some(uid) if attribute.len() == 1 => {
                format!("write uid = \"{uid}\" in [attribute-option-combo]")
            }
            _ => "write the table [attribute-option-combo]".to_owned(),
        };
        return Err(target(format!(
            "{set} does not have the mapping's attribute option combo; {line}"
        )));
    }
    let category = |uid: &Uid| {
        let mut elements = data_set.elements.values();
        elements.any(|element| element.category_option_combos.contains_key(uid))
    };
    if none(&named.category_option_combos, &category) {
        let only_default = named
            .category_option_combos
            .iter()
            .all(|uid| *uid == DEFAULT_COMBO);
        let line = match only_default.then(|| dhis2.default_combo()).transpose()? {
            Some(uid) if uid != DEFAULT_COMBO => {
                format!(
                    "the default combo of this server is another: write uid = \"{uid}\" in [category-option-combo]"
                )
            }
            _ => "mend the table [category-option-combo]".to_owned(),
        };
        return Err(target(format!(
            "no data element of {set} has a category option combo of the mapping; {line}"
        )));
    }
    Ok(())
}

pub(super) fn target(message: String) -> anyhow::Error {
    Problem::new(Exit::Target, message).into()
}
