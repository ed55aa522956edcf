//! For tests: a stand-in of either dialect, and what is to be pushed to it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rig::dhis2::{Dialect, Row, StandIn};
use serde_json::Value;

use super::{Budget, CHUNK, EXTRA_REQUESTS, Pushed, Task, push};
use crate::dhis2::login_session::LoginSession;
use crate::dhis2::{Credentials, Dhis2, Settings};
use crate::domain::{
    Cell, Change, ChangeKind, DEFAULT_COMBO, DataSet, Engine, People, Sent, Space, Text, Triple,
    Uid,
};
use crate::http;

const ST_LUCIA: &str = include_str!("../../examples/st-lucia/dhis2/metadata.json");
const EXTRA: &str = include_str!("../../tests/golden/exchanges/extra_metadata.json");

pub(super) const BOTH: [Dialect; 2] = [Dialect::V2_42, Dialect::V2_43];

/// The immunization data set with 36 units; one with six units and every value type; one that expires after 10 days.
pub(super) const EPI: &str = "fTTHFe1SktZ";
pub(super) const MAIN: &str = "YE8SgpSMBQ9";
pub(super) const EXPIRING: &str = "SnUisQvEvLp";
/// Elements of `MAIN`: numbers where zero is not and is significant, and one above zero only.
pub(super) const NUMBER: &str = "M1eFRJpEkoO";
pub(super) const ZERO: &str = "GpADfrMrRcc";
pub(super) const POSITIVE: &str = "M3wMVRRlXQs";
/// The element of `EXPIRING`.
pub(super) const EXPIRED: &str = "YADstg5hq3J";
/// Units: three that are open, one that closed on 2023-12-19, one that no data set of these has.
pub(super) const GROS_ISLET: &str = "VsF9dWr6arv";
pub(super) const GRANDE_RIVIERE: &str = "iztChCalPg5";
pub(super) const MONCHY: &str = "OaNvCC56gXc";
pub(super) const CLOSED: &str = "B4EBVJlAmzM";
pub(super) const UNASSIGNED: &str = "mAn08Fg5DO8";

pub(super) struct Bench {
    pub(super) stand_in: StandIn,
    pub(super) dhis2: Dhis2,
    pub(super) data_set: DataSet,
    pub(super) budget: Budget,
    pub(super) chunk: usize,
    /// How long ago what is pushed was read.
    pub(super) read_ago: Duration,
    engine: Engine,
}

/// A change, with the default attribute option combo.
#[derive(Clone)]
pub(super) struct Wish {
    pub(super) period: String,
    pub(super) unit: String,
    pub(super) element: String,
    pub(super) combo: Uid,
    pub(super) kind: ChangeKind,
    pub(super) value: &'static str,
    /// What was there when it was planned.
    pub(super) old: Option<&'static str>,
    pub(super) comment: Option<&'static str>,
    pub(super) follow_up: bool,
}

/// A new value for March 2025.
pub(super) fn wish(unit: &str, element: &str, value: &'static str) -> Wish {
    Wish {
        period: "202503".to_owned(),
        unit: unit.to_owned(),
        element: element.to_owned(),
        combo: DEFAULT_COMBO,
        kind: ChangeKind::Create,
        value,
        old: None,
        comment: None,
        follow_up: false,
    }
}

pub(super) fn uid(text: &str) -> Uid {
    text.parse().expect("a UID")
}

pub(super) fn rejected(code: &str) -> Sent {
    Sent::Rejected { code: code.into() }
}

impl Wish {
    fn cell(&self) -> Cell {
        Cell {
            period: self.period.parse().expect("a period"),
            org_unit: uid(&self.unit),
            triple: Triple {
                data_element: uid(&self.element),
                category_option_combo: self.combo,
                attribute_option_combo: DEFAULT_COMBO,
            },
        }
    }

    fn change(&self, space: &Space) -> Change {
        Change {
            key: space.key(&self.cell()).expect("a cell of the space"),
            kind: self.kind,
            value: Text::from(self.value),
            old: self.old.map(Text::from),
            follow_up: self.follow_up,
            people: self.comment.map(|comment| {
                Box::new(People {
                    comment: Some(Text::from(comment)),
                    author: None,
                })
            }),
        }
    }

    /// The row of its cell with another value, and with its comment and mark.
    pub(super) fn row(&self, value: &str) -> Row {
        Row {
            element: self.element.clone(),
            period: self.period.clone(),
            unit: self.unit.clone(),
            value: Some(value.to_owned()),
            comment: self.comment.map(str::to_owned),
            follow_up: self.follow_up,
            stored_by: "loader".to_owned(),
            ..Row::default()
        }
    }
}

/// The account `loader` of a server.
pub(super) fn loader(url: String) -> Dhis2 {
    let settings = Settings {
        url,
        credentials: Credentials::Password {
            username: "loader".to_owned(),
            password: "Loader-2026!".into(),
        },
        session: LoginSession::default(),
        http: http::HttpSettings::default(),
        attempts: 5,
        wait: Duration::ZERO,
    };
    Dhis2::connect(&settings).expect("settings")
}

impl Bench {
    pub(super) fn new(dialect: Dialect, data_set: &str) -> Bench {
        let stand_in = StandIn::start(dialect, &[ST_LUCIA, EXTRA], Some("2026-01-01T04:00:00Z"));
        let mut dhis2 = loader(stand_in.url());
        Bench {
            data_set: dhis2.data_set(uid(data_set)).expect("the data set"),
            engine: dhis2.server().expect("a server").version.engine(),
            stand_in,
            dhis2,
            budget: Budget {
                extra_requests: EXTRA_REQUESTS,
            },
            chunk: CHUNK,
            read_ago: Duration::ZERO,
        }
    }

    /// Pushes wishes that stand in the order of their keys.
    pub(super) fn push_all(&mut self, wishes: &[Wish]) -> Pushed {
        self.stand_in.forget_requests();
        let cells: Vec<Cell> = wishes.iter().map(Wish::cell).collect();
        let mut space = Space::new(self.data_set.period_type);
        for cell in &cells {
            space.intern(cell);
        }
        space.sort();
        let changes: Vec<Change> = wishes.iter().map(|wish| wish.change(&space)).collect();
        assert!(changes.is_sorted_by_key(|change| change.key));
        let task = Task {
            data_set: &self.data_set,
            engine: self.engine,
            space: &space,
            changes: &changes,
            chunk: self.chunk,
            read_at: Instant::now()
                .checked_sub(self.read_ago)
                .expect("a machine that has run so long"),
            username: "loader",
            own_users: &[],
        };
        push(&mut self.dhis2, &task, &mut self.budget)
    }

    /// The outcomes, where nothing ends the push early.
    pub(super) fn push(&mut self, wishes: &[Wish]) -> Vec<Sent> {
        let pushed = self.push_all(wishes);
        assert_eq!(pushed.failure, None);
        pushed.sent
    }

    /// How many imports the last push sent.
    pub(super) fn posts(&self) -> usize {
        let requests = self.stand_in.requests();
        requests
            .iter()
            .filter(|request| request.method == "POST")
            .count()
    }

    /// The live values by unit, element and combo.
    pub(super) fn values(&self) -> BTreeMap<(String, String, String), String> {
        let values = self.stand_in.values().into_iter();
        values
            .map(|((element, _, unit, combo, _), value)| ((unit, element, combo), value))
            .collect()
    }

    /// The row of a wish, in the form of the recordings.
    pub(super) fn stored(&self, wish: &Wish) -> Option<Value> {
        let mut rows = self.stand_in.stored().into_iter();
        rows.find(|row| row["de"] == wish.element && row["ou"] == wish.unit)
    }
}
