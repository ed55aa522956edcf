//! The data set that the plans of these tests are about.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::Target;
use crate::domain::{
    Account, Cell, DEFAULT_COMBO, DataElement, DataSet, Engine, OrgUnit, PeriodType, Server,
    Triple, Uid, ValueType, Version,
};

/// Name, UID, value type, whether zero is significant, aggregation type.
const ELEMENTS: [(&str, &str, ValueType, bool, &str); 8] = [
    (
        "count",
        "ElementCnt0",
        ValueType::IntegerZeroOrPositive,
        false,
        "SUM",
    ),
    (
        "kept",
        "ElementKep0",
        ValueType::IntegerZeroOrPositive,
        true,
        "SUM",
    ),
    (
        "average",
        "ElementAvg0",
        ValueType::Number,
        false,
        "AVERAGE",
    ),
    (
        "share",
        "ElementShr0",
        ValueType::Percentage,
        false,
        "AVERAGE_SUM_ORG_UNIT",
    ),
    (
        "positive",
        "ElementPos0",
        ValueType::IntegerPositive,
        true,
        "SUM",
    ),
    ("flag", "ElementFlg0", ValueType::Boolean, false, "NONE"),
    ("note", "ElementNot0", ValueType::Text, false, "NONE"),
    ("choice", "ElementCho0", ValueType::Text, false, "NONE"),
];

/// Name, UID, path, opening and closing day.
const UNITS: [(&str, &str, &str, &str, Option<&str>); 4] = [
    (
        "open",
        "UnitOpenAa0",
        "/RootAaaaaa0/RegionAaaa0/UnitOpenAa0",
        "2020-03-01",
        None,
    ),
    (
        "other",
        "UnitOthrAa0",
        "/RootAaaaaa0/RegionAaaa1/UnitOthrAa0",
        "2020-03-01",
        None,
    ),
    (
        "closed",
        "UnitClsdAa0",
        "/RootAaaaaa0/RegionAaaa0/UnitClsdAa0",
        "2020-03-01",
        Some("2025-02-28"),
    ),
    (
        "outside",
        "UnitOutsAa0",
        "/RootAaaaaa00/UnitOutsAa0",
        "2020-03-01",
        None,
    ),
];

pub(super) fn uid(text: &str) -> Uid {
    text.parse().unwrap()
}

pub(super) fn element(name: &str) -> Uid {
    let found = ELEMENTS.iter().find(|(known, ..)| *known == name);
    found.map_or_else(|| uid(name), |(_, text, ..)| uid(text))
}

pub(super) fn unit(name: &str) -> Uid {
    let found = UNITS.iter().find(|(known, ..)| *known == name);
    found.map_or_else(|| uid(name), |(_, text, ..)| uid(text))
}

pub(super) fn combo(number: usize) -> Uid {
    uid(["ComboAaaaa0", "ComboAaaaa1"][number])
}

pub(super) fn combos() -> BTreeMap<Uid, String> {
    [combo(0), combo(1)]
        .map(|combo| (combo, String::new()))
        .into()
}

/// A cell of the first combo; names that are none of the site's are UIDs.
pub(super) fn cell(element_name: &str, unit_name: &str, period: &str) -> Cell {
    Cell {
        period: period.parse().unwrap(),
        org_unit: unit(unit_name),
        triple: Triple {
            data_element: element(element_name),
            category_option_combo: combo(0),
            attribute_option_combo: DEFAULT_COMBO,
        },
    }
}

/// At noon of 10 April 2025; nothing expires, and the current month is open.
pub(super) fn target(engine: Engine) -> Target {
    let minor = match engine {
        Engine::Old => 42,
        Engine::New => 43,
    };
    Target {
        server: Server {
            version: Version {
                minor,
                patch: 2,
                text: format!("2.{minor}.2"),
            },
            now: "2025-04-10T12:00:00".parse().unwrap(),
            time_zone: "Etc/UTC".to_owned(),
            system_id: None,
            analytics: None,
            note: None,
        },
        account: Account {
            username: "loader".to_owned(),
            authorities: ["F_DATAVALUE_ADD".to_owned()].into(),
            capture_paths: vec!["/RootAaaaaa0".to_owned()],
            view_paths: Vec::new(),
        },
        data_set: data_set(),
        own_users: Vec::new(),
        own_deletions: BTreeSet::new(),
        other_units: [(
            unit("UnitElseAa0"),
            org_unit("/RootAaaaaa0/UnitElseAa0", "2020-03-01", None),
        )]
        .into(),
        other_elements: [(element("ElementEls0"), String::new())].into(),
        changed_since_pin: [].into(),
    }
}

fn data_set() -> DataSet {
    let combos = Rc::new(combos());
    let elements = ELEMENTS.iter().map(
        |(name, text, value_type, zero_is_significant, aggregation)| {
            let options =
                (*name == "choice").then(|| Rc::new(["a".to_owned(), "b".to_owned()].into()));
            let described = DataElement {
                name: (*name).to_owned(),
                may_read: true,
                value_type: *value_type,
                zero_is_significant: *zero_is_significant,
                aggregation_type: (*aggregation).to_owned(),
                options,
                comment_options: None,
                category_option_combos: Rc::clone(&combos),
            };
            (uid(text), described)
        },
    );
    let units = UNITS
        .iter()
        .map(|(_, text, path, opened, closed)| (uid(text), org_unit(path, opened, *closed)));
    DataSet {
        id: uid("DataSetAaa0"),
        name: String::new(),
        period_type: PeriodType::Monthly,
        expiry_days: 0.0,
        open_future_periods: 1,
        input_periods: Vec::new(),
        attribute_option_combos: [(DEFAULT_COMBO, "default".to_owned())].into(),
        elements: elements.collect(),
        org_units: units.collect(),
        may_read: true,
        may_write: true,
        codes: BTreeMap::new(),
        workflow: None,
        lock_exceptions: BTreeSet::new(),
        open_periods_after_co_end_date: 0,
        options_of: BTreeMap::new(),
        category_options: BTreeMap::new(),
    }
}

fn org_unit(path: &str, opened: &str, closed: Option<&str>) -> OrgUnit {
    OrgUnit {
        name: String::new(),
        path: path.to_owned(),
        opened: Some(opened.parse().unwrap()),
        closed: closed.map(|day| day.parse().unwrap()),
    }
}
