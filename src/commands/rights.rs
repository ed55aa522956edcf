//! Whether DHIS2 is the one that is meant, and whether our account may do there what it must and no more.

use crate::domain::{Account, DataSet, Server};
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

fn target(message: String) -> anyhow::Error {
    Problem::new(Exit::Target, message).into()
}
