//! `/api/dataApprovals`: data closed and opened again by people.

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::books::{Approval, ApprovalKey, Books};
use super::clock::with_offset;
use super::metadata::references;
use super::period::Period;
use super::properties::View;
use super::request::Query;

/// `GET ?wf|ds&pe&ou&aoc`.
pub(crate) fn state(view: &View, books: &Books, query: &Query) -> Result<Answer, Refusal> {
    let (workflow, period, unit, combo) = key(view, query)?;
    let model = view.model();
    let at = |unit: &str| {
        let key = (
            workflow.clone(),
            period.clone(),
            unit.to_owned(),
            combo.clone(),
        );
        books.approvals.get(&key)
    };
    let ancestors = model
        .units
        .get(&unit)
        .map(|unit| unit.ancestors_and_self().rev().skip(1));
    let above = ancestors.into_iter().flatten().find_map(at);
    let here = at(&unit);
    let state = match (here, above) {
        (_, Some(_)) => "APPROVED_ABOVE",
        (Some(_), None) => "APPROVED_HERE",
        (None, None) if is_approval_level(view, &workflow, &unit) => "UNAPPROVED_READY",
        (None, None) => "UNAPPROVED_ABOVE",
    };
    let may = view.account.has("F_APPROVE_DATA");
    let mut body = json!({
        "mayApprove": may && state == "UNAPPROVED_READY",
        "mayUnapprove": may && state == "APPROVED_HERE",
        "mayAccept": false,
        "mayUnaccept": false,
        "mayReadData": true,
        "state": state,
    });
    if let Some(approval) = here {
        body["approvedBy"] = json!(approval.by);
        body["approvedAt"] = json!(with_offset(approval.at));
        body["acceptedAt"] = json!(with_offset(approval.at));
    }
    Ok(Answer::json(&body))
}

/// `POST`.
pub(crate) fn approve(view: &View, books: &mut Books, query: &Query) -> Result<Answer, Refusal> {
    let key = permitted(view, query)?;
    let approval = Approval {
        by: view.account.name(),
        at: view.now,
    };
    books.approvals.insert(key, approval);
    Ok(Answer::empty(204))
}

/// `DELETE`.
pub(crate) fn withdraw(view: &View, books: &mut Books, query: &Query) -> Result<Answer, Refusal> {
    let key = permitted(view, query)?;
    books.approvals.remove(&key);
    Ok(Answer::empty(204))
}

fn permitted(view: &View, query: &Query) -> Result<ApprovalKey, Refusal> {
    if !view.account.has("F_APPROVE_DATA") {
        return Err(Refusal::needs("F_APPROVE_DATA"));
    }
    key(view, query)
}

fn key(view: &View, query: &Query) -> Result<ApprovalKey, Refusal> {
    let model = view.model();
    let workflow = match (query.first("wf"), query.first("ds")) {
        (Some(workflow), _) => workflow.to_owned(),
        (None, Some(id)) => {
            let set = model.data_sets.get(id);
            let Some(workflow) = set.and_then(|set| set.workflow.clone()) else {
                let message = format!("Data set does not have an approval workflow: {id}");
                return Err(Refusal::new(409, message));
            };
            workflow
        }
        (None, None) => {
            return Err(Refusal::new(
                409,
                "Either workflow or data set must be specified",
            ));
        }
    };
    let text = query.first("pe").unwrap_or_default();
    let Some(period) = Period::parse(text, view.dialect) else {
        return Err(Refusal::new(
            409,
            format!("Illegal period identifier: {text}"),
        ));
    };
    let unit = query.first("ou").unwrap_or_default();
    if !model.units.contains_key(unit) {
        return Err(Refusal::new(
            409,
            format!("Illegal organisation unit identifier: {unit}"),
        ));
    }
    let combo = query.first("aoc").unwrap_or(&model.default_combo);
    Ok((workflow, period, unit.to_owned(), combo.to_owned()))
}

fn is_approval_level(view: &View, workflow: &str, unit: &str) -> bool {
    let levels = view.metadata.get("dataApprovalWorkflows", workflow);
    let levels = levels.map(|workflow| references(workflow, "dataApprovalLevels"));
    let levels = levels.unwrap_or_default();
    let mut levels = levels
        .iter()
        .filter_map(|id| view.metadata.get("dataApprovalLevels", id));
    let own = view.model().units.get(unit).map(|unit| json!(unit.level()));
    levels.any(|level| level.get("orgUnitLevel") == own.as_ref())
}
