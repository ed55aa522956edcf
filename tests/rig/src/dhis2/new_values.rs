//! The new engine's checks of the values of a group that passed: duplicates, then type, options and comment.

use std::collections::HashMap;

use super::answer::Refusal;
use super::model::Element;
use super::new_checks::{GroupError, printed_key};
use super::new_decode::Value;
use super::new_engine::Invalid;
use super::properties::View;
use super::value_types::{misfit, normalised};

/// Longest comment the new engine takes.
const MAX_COMMENT: usize = 5_000;

/// Why one value is not stored.
#[derive(Debug)]
pub(crate) struct ValueError {
    pub(crate) index: usize,
    pub(crate) code: &'static str,
    pub(crate) arguments: Vec<String>,
    pub(crate) text: String,
}

/// The values that may be stored, as they are stored, and the errors of the others.
pub(crate) fn validate_values(
    view: &View,
    data_set: &str,
    values: &[Value],
) -> Result<(Vec<Value>, Vec<ValueError>), Invalid> {
    if let Some(error) = duplicate(values) {
        return Err(Invalid::Group(error));
    }
    // Deletions alone are not looked at further.
    if values.iter().all(|value| value.deleted == Some(true)) {
        return Ok((values.to_vec(), Vec::new()));
    }
    let model = view.model();
    let set = model.data_sets.get(data_set);
    let comment_for_none = set.is_some_and(|set| set.no_value_requires_comment);
    let (mut valid, mut errors) = (Vec::new(), Vec::new());
    for value in values {
        let Some(element) = model.elements.get(&*value.element) else {
            continue;
        };
        match check(view, element, comment_for_none, value) {
            Ok(value) => valid.push(value),
            Err(Wrong::Value(error)) => errors.push(error),
            Err(Wrong::NoComment) => {
                let message = "Cannot invoke \"org.hisp.dhis.datavalue.DataEntryGroup.values()\" because \"valid\" is null";
                return Err(Invalid::Exception(Refusal::new(500, message)));
            }
        }
    }
    Ok((valid, errors))
}

/// E8128: several values for one key; only the first key is named.
fn duplicate(values: &[Value]) -> Option<GroupError> {
    let mut by_key: HashMap<_, Vec<&Value>> = HashMap::with_capacity(values.len());
    for value in values {
        let combos = (&value.combo, &value.attribute_combo);
        let key = (&value.element, &value.period, &value.unit, combos);
        by_key.entry(key).or_default().push(value);
    }
    let repeated = by_key.values().filter(|same| same.len() > 1);
    let first = repeated.min_by_key(|same| same[0].index)?;
    let indexes: Vec<String> = first.iter().map(|value| value.index.to_string()).collect();
    let indexes = format!("[{}]", indexes.join(", "));
    let key = printed_key(first[0]);
    Some(GroupError {
        code: "E8128",
        text: format!("Value #{indexes} all affect the same data value: `{key}`"),
        arguments: vec![indexes, key],
    })
}

enum Wrong {
    Value(ValueError),
    /// The server cannot even say that a comment is missing.
    NoComment,
}

fn check(
    view: &View,
    element: &Element,
    comment_for_none: bool,
    value: &Value,
) -> Result<Value, Wrong> {
    let text = value.value.as_deref();
    let text = text.map(|text| normalised(text, &element.value_type, view.dialect));
    match text.as_deref().unwrap_or_default() {
        "" => check_absence(comment_for_none, value)?,
        text => check_text(view, element, value, text)?,
    }
    check_comment(element, value)?;
    Ok(Value {
        value: text,
        ..value.clone()
    })
}

/// E8120 and E8121.
fn check_absence(comment_for_none: bool, value: &Value) -> Result<(), Wrong> {
    let index = value.index;
    // The wrong way round: it is with a comment that no value is refused.
    let no_comment = value.comment.as_deref().is_none_or(str::is_empty);
    if value.deleted == Some(true) || (comment_for_none && no_comment) {
        return Ok(());
    }
    let (code, what) = match comment_for_none {
        true => ("E8121", "value or comment"),
        false => ("E8120", "value"),
    };
    let text = format!("Value #{index} {what} is required");
    wrong(index, code, [index.to_string()], text)
}

/// E8122 and E8123.
fn check_text(view: &View, element: &Element, value: &Value, shown: &str) -> Result<(), Wrong> {
    let (index, kind) = (value.index, element.value_type.as_str());
    let number = index.to_string();
    if let Some(reason) = misfit(shown, kind, view.dialect) {
        let text = format!("Value #{index} value `{shown}` is no valid {kind}: {reason}");
        let arguments = [number, shown.to_owned(), kind.to_owned(), reason.to_owned()];
        return wrong(index, "E8122", arguments, text);
    }
    let Some(stranger) = no_option(element, shown) else {
        return Ok(());
    };
    let id = &value.element;
    let text =
        format!("Value #{index} value `{stranger}` is no valid option for data element `{id}`");
    let arguments = [number, stranger.to_owned(), id.to_string()];
    wrong(index, "E8123", arguments, text)
}

/// E8124 and E8125.
fn check_comment(element: &Element, value: &Value) -> Result<(), Wrong> {
    let index = value.index;
    let number = index.to_string();
    let comment = value.comment.as_deref();
    if let Some(codes) = &element.comment_options {
        let comment = comment.ok_or(Wrong::NoComment)?;
        if !codes.contains(comment) {
            // The lone backquote is DHIS2's.
            let text = format!(
                "Value #{index} comment is restricted to options and does not allow {comment}`"
            );
            return wrong(index, "E8124", [number, comment.to_owned()], text);
        }
    }
    // Java counts UTF-16 units.
    if comment.is_some_and(|comment| comment.encode_utf16().count() > MAX_COMMENT) {
        let text = format!("Value #{index} comment too long (max 5,000 characters)`");
        return wrong(index, "E8125", [number, MAX_COMMENT.to_string()], text);
    }
    Ok(())
}

/// What of the text is no option of the element's set, if it has one.
fn no_option<'t>(element: &Element, text: &'t str) -> Option<&'t str> {
    let options = element.options.as_ref()?;
    if options.contains(text) {
        return None;
    }
    if element.value_type == "MULTI_TEXT" {
        return text.split(',').find(|part| !options.contains(*part));
    }
    Some(text)
}

fn wrong<const N: usize>(
    index: usize,
    code: &'static str,
    arguments: [String; N],
    text: String,
) -> Result<(), Wrong> {
    Err(Wrong::Value(ValueError {
        index,
        code,
        arguments: arguments.into(),
        text,
    }))
}
