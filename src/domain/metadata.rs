//! DHIS2's own objects, as far as an aggregate import depends on them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::{Engine, Period, PeriodType, Uid, ValueType};

/// What `/api/system/info` says.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) version: Version,
    /// The server's clock in its own time zone: what it judges expiry and future periods by.
    pub(crate) now: DateTime,
    pub(crate) time_zone: String,
    /// Which of all servers it is: a copy of its database has another, once it was told so.
    pub(crate) system_id: Option<String>,
    /// When the tables that dashboards read were last built; none: never, or it does not say.
    pub(crate) analytics: Option<Timestamp>,
    /// What people should know of this version, if anything.
    pub(crate) note: Option<String>,
}

/// A DHIS2 version, `2.<minor>.<patch>…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) minor: u32,
    pub(crate) patch: u32,
    /// The server writes it so, for people.
    pub(crate) text: String,
}

impl Version {
    pub(crate) fn engine(&self) -> Engine {
        if self.minor >= 43 {
            Engine::New
        } else {
            Engine::Old
        }
    }
}

/// What `/api/me` says of the account we use.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) username: String,
    pub(crate) authorities: BTreeSet<String>,
    /// Paths (`/country/…/unit`) of the units below which the account may enter data.
    pub(crate) capture_paths: Vec<String>,
    /// Paths of the units below which it may see data; DHIS2 ≤ 2.42 reads by these.
    pub(crate) view_paths: Vec<String>,
}

/// DHIS2 names them so: everything, past the expiry of a data set, and each kind of approving and accepting.
const EXCESS: [&str; 5] = [
    "ALL",
    "F_EDIT_EXPIRED",
    "F_APPROVE_DATA",
    "F_APPROVE_DATA_LOWER_LEVELS",
    "F_ACCEPT_DATA_LOWER_LEVELS",
];

impl Account {
    /// Whether the account has an authority; ALL stands for every one.
    pub(crate) fn may(&self, authority: &str) -> bool {
        self.authorities.contains(authority) || self.authorities.contains("ALL")
    }

    /// Authorities with which values would be written that DHIS2 should refuse: into expired and into approved periods.
    pub(crate) fn excess(&self) -> Vec<&'static str> {
        let held = |authority: &&str| self.authorities.contains(*authority);
        EXCESS.into_iter().filter(held).collect()
    }
}

/// A data set with everything an import into it is checked against. The fields are many because DHIS2 checks as much.
#[derive(Clone, Debug)]
pub(crate) struct DataSet {
    pub(crate) id: Uid,
    pub(crate) name: String,
    pub(crate) period_type: PeriodType,
    /// Days after a period's end; 0 = never. A fraction counts on 2.42 only.
    pub(crate) expiry_days: f64,
    pub(crate) open_future_periods: i32,
    /// Empty = no input windows.
    pub(crate) input_periods: Vec<InputPeriod>,
    /// Where values of this data set are approved, if they are.
    pub(crate) workflow: Option<Uid>,
    /// Units whose values of an expired period are taken all the same.
    pub(crate) lock_exceptions: BTreeSet<(Period, Uid)>,
    /// How many periods after its end an attribute option still takes values.
    pub(crate) open_periods_after_co_end_date: i32,
    /// The attribute option combos a value of this data set may have, with their names.
    pub(crate) attribute_option_combos: BTreeMap<Uid, String>,
    /// The category options that each category or attribute option combo is made of.
    pub(crate) options_of: BTreeMap<Uid, Vec<Uid>>,
    pub(crate) category_options: BTreeMap<Uid, CategoryOption>,
    pub(crate) elements: BTreeMap<Uid, DataElement>,
    pub(crate) org_units: BTreeMap<Uid, OrgUnit>,
    pub(crate) may_read: bool,
    pub(crate) may_write: bool,
    /// The codes of the data set and of all the objects above, where they have one.
    pub(crate) codes: BTreeMap<Uid, String>,
}

impl DataSet {
    /// The category options behind a combo.
    pub(crate) fn options(&self, combo: Uid) -> impl Iterator<Item = &CategoryOption> {
        let options = self.options_of.get(&combo).into_iter().flatten();
        options.filter_map(|option| self.category_options.get(option))
    }

    /// The attribute option combos whose values DHIS2 shows to the account.
    pub(crate) fn readable_attribute_option_combos(&self) -> Vec<Uid> {
        let combos = self.attribute_option_combos.keys().copied();
        let is_readable = |combo: &Uid| self.options(*combo).all(|option| option.may_read);
        combos.filter(is_readable).collect()
    }
}

/// A category option, as far as it decides which values may be read and written.
#[derive(Clone, Debug)]
pub(crate) struct CategoryOption {
    pub(crate) name: String,
    pub(crate) start: Option<Date>,
    pub(crate) end: Option<Date>,
    /// It stands for these units and those below them; none: for all.
    pub(crate) org_units: BTreeSet<Uid>,
    /// Data sharing, for our account.
    pub(crate) may_read: bool,
    pub(crate) may_write: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct InputPeriod {
    pub(crate) period: Period,
    pub(crate) opening: Option<DateTime>,
    pub(crate) closing: Option<DateTime>,
}

#[derive(Clone, Debug)]
pub(crate) struct DataElement {
    pub(crate) name: String,
    /// Metadata sharing, for our account.
    pub(crate) may_read: bool,
    pub(crate) value_type: ValueType,
    pub(crate) zero_is_significant: bool,
    /// DHIS2's name of it: SUM, AVERAGE, AVERAGE_SUM_ORG_UNIT, …
    pub(crate) aggregation_type: String,
    /// The option codes, where the element has an option set.
    pub(crate) options: Option<Rc<BTreeSet<String>>>,
    /// The option codes that a comment may have, where the element has an option set for comments.
    pub(crate) comment_options: Option<Rc<BTreeSet<String>>>,
    /// The combos of the element's category combo in this data set (an override counts), with their names.
    pub(crate) category_option_combos: Rc<BTreeMap<Uid, String>>,
}

impl DataElement {
    /// Whether DHIS2 ≤ 2.42 keeps a zero of this element (ValidationUtils.dataValueIsZeroAndInsignificant).
    pub(crate) fn keeps_zero(&self) -> bool {
        self.zero_is_significant
            || matches!(
                self.aggregation_type.as_str(),
                "AVERAGE" | "AVERAGE_SUM_ORG_UNIT"
            )
    }
}

#[derive(Clone, Debug)]
pub(crate) struct OrgUnit {
    pub(crate) name: String,
    /// `/country/…/unit`.
    pub(crate) path: String,
    pub(crate) opened: Option<Date>,
    pub(crate) closed: Option<Date>,
}

impl OrgUnit {
    /// Whether it is one of these units, or lies below one.
    pub(crate) fn is_below_any(&self, roots: &[Uid]) -> bool {
        let mut steps = self.path.split('/').filter_map(|step| step.parse().ok());
        steps.any(|step: Uid| roots.contains(&step))
    }
}

/// One row of `GET /api/dataValueSets?includeDeleted=true`.
#[derive(Clone, Debug)]
pub(crate) struct LiveRow<'a> {
    pub(crate) cell: super::Cell,
    /// None: the row has only a comment, or was deleted without a value.
    pub(crate) value: Option<&'a str>,
    pub(crate) comment: Option<&'a str>,
    pub(crate) follow_up: bool,
    pub(crate) stored_by: Option<&'a str>,
    /// By the server's clock, as it writes it: `2026-11-23T10:11:12.000+0000`; also when it was deleted.
    pub(crate) last_updated: Option<&'a str>,
    pub(crate) deleted: bool,
}

impl LiveRow<'_> {
    /// When it was stored or deleted. Hardly anybody asks.
    pub(crate) fn updated(&self) -> Option<DateTime> {
        self.last_updated?.get(..19)?.parse().ok()
    }
}
