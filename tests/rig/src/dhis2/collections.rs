//! Metadata read through `/api/<collection>`: single objects, and lists with filters, order and pages.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::fields::Fields;
use super::metadata::Object;
use super::properties::View;
use super::request::Query;

/// Collections every server has, even when they are empty.
const COLLECTIONS: [&str; 24] = [
    "attributes",
    "categories",
    "categoryCombos",
    "categoryOptionCombos",
    "categoryOptions",
    "categoryOptionGroups",
    "constants",
    "dataApprovalLevels",
    "dataApprovalWorkflows",
    "dataElementGroups",
    "dataElements",
    "dataSets",
    "indicatorGroups",
    "indicatorTypes",
    "indicators",
    "optionSets",
    "options",
    "organisationUnitGroupSets",
    "organisationUnitGroups",
    "organisationUnitLevels",
    "organisationUnits",
    "sections",
    "userGroups",
    "userRoles",
];

pub(crate) fn exists(view: &View, kind: &str) -> bool {
    COLLECTIONS.contains(&kind) || view.metadata.holds(kind)
}

/// `GET /api/<collection>/<id>`.
pub(crate) fn one(view: &View, kind: &str, id: &str, query: &Query) -> Result<Answer, Refusal> {
    let fields = Fields::parse(query.first("fields").unwrap_or("*"));
    let found = view.metadata.get(kind, id);
    let Some(object) = found.filter(|object| view.may_read(kind, object)) else {
        let message = format!("{} with id {id} could not be found.", class_name(kind));
        return Err(Refusal::with_code(404, message, "E1005"));
    };
    Ok(Answer::json(&fields.of(kind, object, view)))
}

/// `GET /api/<collection>`.
pub(crate) fn list(view: &View, kind: &str, query: &Query) -> Result<Answer, Refusal> {
    let all = view.metadata.all(kind).map(|(_, object)| object);
    let readable = all.filter(|object| view.may_read(kind, object));
    page_of(view, kind, readable.collect(), query)
}

/// Objects of a kind as a list with filters, order and pages.
pub(crate) fn page_of(
    view: &View,
    kind: &str,
    all: Vec<&Object>,
    query: &Query,
) -> Result<Answer, Refusal> {
    let fields = Fields::parse(query.first("fields").unwrap_or("id,displayName"));
    let mut found = filtered(view, kind, all, query)?;
    for order in query.all("order").flat_map(|order| order.split(',')).rev() {
        sort(&mut found, order);
    }
    let show = |page: &[&Object]| -> Value {
        let page = page.iter();
        page.map(|object| fields.of(kind, object, view)).collect()
    };
    if query.first("paging") == Some("false") || query.is_true("skipPaging") {
        return Ok(Answer::json(&json!({ kind: show(&found) })));
    }
    let number = |name, default: usize| {
        let given = query.first(name).and_then(|text| text.parse().ok());
        given.unwrap_or(default).max(1)
    };
    let (page, size) = (number("page", 1), number("pageSize", 50));
    let pages = found.len().div_ceil(size).max(1);
    let from = ((page - 1) * size).min(found.len());
    let to = (from + size).min(found.len());
    let mut pager =
        json!({ "page": page, "total": found.len(), "pageSize": size, "pageCount": pages });
    let link = |page: usize| {
        let others = query.without(&["page", "pageSize"]);
        let base = view.base;
        json!(format!(
            "{base}api/{kind}?page={page}&pageSize={size}{others}"
        ))
    };
    if page < pages {
        pager["nextPage"] = link(page + 1);
    }
    if page > 1 {
        pager["prevPage"] = link(page - 1);
    }
    let page = show(&found[from..to]);
    Ok(Answer::json(&json!({ "pager": pager, kind: page })))
}

/// The objects the filters take.
fn filtered<'v>(
    view: &View,
    kind: &str,
    mut all: Vec<&'v Object>,
    query: &Query,
) -> Result<Vec<&'v Object>, Refusal> {
    let filters = query.all("filter").map(Filter::parse);
    let filters = filters.collect::<Result<Vec<_>, _>>()?;
    let any = query.first("rootJunction") == Some("OR") && !filters.is_empty();
    all.retain(|object| {
        let mut hits = filters
            .iter()
            .map(|filter| filter.takes(view, kind, object));
        if any {
            hits.any(|hit| hit)
        } else {
            hits.all(|hit| hit)
        }
    });
    Ok(all)
}

fn sort(found: &mut [&Object], order: &str) {
    let (name, direction) = order.split_once(':').unwrap_or((order, "asc"));
    let fold = direction.starts_with('i');
    let key = |object: &Object| {
        let text = object.get(name).map(plain).unwrap_or_default();
        if fold { text.to_lowercase() } else { text }
    };
    found.sort_by(|a, b| {
        let ordering = key(a).cmp(&key(b));
        if direction.ends_with("desc") {
            ordering.reverse()
        } else {
            ordering
        }
    });
}

/// One `filter=property:operator:value`.
struct Filter {
    path: Vec<String>,
    operator: String,
    value: String,
}

impl Filter {
    fn parse(text: &str) -> Result<Filter, Refusal> {
        let mut parts = text.splitn(3, ':');
        let (Some(path), Some(operator)) = (parts.next(), parts.next()) else {
            return Err(Refusal::new(400, format!("Invalid filter: {text}")));
        };
        Ok(Filter {
            path: path.split('.').map(str::to_owned).collect(),
            operator: operator.to_owned(),
            value: parts.next().unwrap_or_default().to_owned(),
        })
    }

    fn takes(&self, view: &View, kind: &str, object: &Object) -> bool {
        let mut values = Vec::new();
        collect(view, kind, object, &self.path, &mut values);
        let (negated, operator) = match self.operator.strip_prefix('!') {
            Some(operator) => (true, operator),
            None => (false, self.operator.as_str()),
        };
        let hit = match operator {
            "null" | "empty" => values.is_empty(),
            "ne" | "neq" => !values.contains(&self.value),
            _ => values.iter().any(|value| self.matches(operator, value)),
        };
        hit != negated
    }

    fn matches(&self, operator: &str, value: &str) -> bool {
        let wanted = self.value.as_str();
        let compared = match (value.parse::<f64>(), wanted.parse::<f64>()) {
            (Ok(value), Ok(wanted)) => value.partial_cmp(&wanted).unwrap_or(Ordering::Less),
            _ => value.cmp(wanted),
        };
        let (folded, wanted_folded) = (value.to_lowercase(), wanted.to_lowercase());
        match operator {
            "eq" => value == wanted,
            "ieq" => folded == wanted_folded,
            "in" => {
                let list = wanted.trim_start_matches('[').trim_end_matches(']');
                list.split(',').any(|entry| entry.trim() == value)
            }
            "like" => value.contains(wanted),
            "$like" => value.starts_with(wanted),
            "like$" => value.ends_with(wanted),
            "ilike" | "token" => folded.contains(&wanted_folded),
            "$ilike" => folded.starts_with(&wanted_folded),
            "ilike$" => folded.ends_with(&wanted_folded),
            "gt" => compared.is_gt(),
            "ge" | "gte" => compared.is_ge(),
            "lt" => compared.is_lt(),
            "le" | "lte" => compared.is_le(),
            _ => false,
        }
    }
}

/// All values at the end of a property path, through references and lists.
fn collect(view: &View, kind: &str, object: &Object, path: &[String], found: &mut Vec<String>) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    let Some(value) = view.property(kind, object, name) else {
        return;
    };
    let entries = match value {
        Value::Array(entries) => entries,
        single => vec![single],
    };
    for entry in entries {
        match (&entry, rest.is_empty()) {
            (Value::Object(inner), false) => match view.resolve(inner) {
                Some((kind, whole)) => collect(view, kind, whole, rest, found),
                None => collect(view, name, inner, rest, found),
            },
            _ => found.push(plain(&entry)),
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// DHIS2's class of a collection's objects: `dataSets` holds `DataSet`s.
fn class_name(kind: &str) -> String {
    let singular = match kind.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => kind.trim_end_matches('s').to_owned(),
    };
    let mut letters = singular.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
