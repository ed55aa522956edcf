//! The run that is swept: two months in which something of every kind changes, and what DHIS2 holds before and must hold
//! in the end. All three are written by hand.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rig::dhis2::{Dialect, Row, StandIn, ValueKey};
use rig::drill::{
    Absent, Combine, DOSES, Drill, Mapping, NOW, Policy, Ran, Rows, STOCK, VISITS, Value, cell,
    faults_of_report,
};
use tempfile::TempDir;

/// Element, place, period, value.
type Line = (&'static str, &'static str, &'static str, i64);

const BEFORE: [Line; 8] = [
    ("doses", "north", "202502", 10),
    ("doses", "south", "202502", 4),
    ("doses", "east", "202503", 7),
    ("visits", "north", "202503", 3),
    ("visits", "south", "202503", 5),
    ("stock", "north", "202502", 20),
    ("stock", "south", "202503", 1),
    ("stock", "east", "202503", 8),
];

const AFTER: [Line; 8] = [
    ("doses", "north", "202502", 11),
    ("doses", "north", "202503", 0),
    ("doses", "south", "202503", 2),
    ("doses", "east", "202503", 7),
    ("visits", "north", "202503", 3),
    ("visits", "east", "202502", 6),
    ("stock", "east", "202502", 0),
    ("stock", "east", "202503", 9),
];

/// Element, index of the unit, period, value. A zero of the visits is not kept by every DHIS2 and stands for nothing.
const IN_THE_END: [(&str, usize, &str, i64); 9] = [
    (DOSES, 0, "202502", 11),
    (DOSES, 1, "202502", 0),
    (DOSES, 0, "202503", 0),
    (DOSES, 1, "202503", 2),
    (DOSES, 2, "202503", 7),
    (VISITS, 0, "202503", 3),
    (VISITS, 2, "202502", 6),
    (STOCK, 2, "202502", 0),
    (STOCK, 2, "202503", 9),
];

pub(crate) const ARGUMENTS: [&str; 7] = [
    "run",
    "--format",
    "json",
    "-p",
    "202502..202503",
    "--as-of",
    NOW,
];

/// A site that can be put back to the moment before the run, as often as it takes.
pub(crate) struct Scene {
    pub(crate) drill: Drill,
    values: BTreeMap<ValueKey, String>,
    state: TempDir,
}

impl Scene {
    /// After the first load, with the registry as it is later.
    pub(crate) fn set(program: &Path, dialect: Dialect) -> Scene {
        let drill = Drill::start(program, dialect, NOW, &mapping());
        drill.set_rows(&rows(&BEFORE));
        let first = drill.finish(drill.command(&ARGUMENTS));
        assert_eq!(first.code, Some(0), "the first load: {}", first.stderr);
        let state = tempfile::tempdir().expect("a folder");
        copy(&drill.state(), state.path());
        drill.set_rows(&rows(&AFTER));
        let values = drill.dhis2.values();
        assert_eq!(values.len(), BEFORE.len());
        Scene {
            drill,
            values,
            state,
        }
    }

    /// Puts DHIS2 and the state folder back.
    pub(crate) fn rewind(&self) {
        self.drill.reset();
        for (key, value) in &self.values {
            self.drill.dhis2.put(Row {
                element: key.0.clone(),
                period: key.1.clone(),
                unit: key.2.clone(),
                value: Some(value.clone()),
                stored_by: "loader".to_owned(),
                ..Row::default()
            });
        }
        let state = self.drill.state();
        let made = fs::DirBuilder::new().mode(0o700).create(&state);
        made.expect("the state folder");
        copy(self.state.path(), &self.drill.state());
    }

    /// Whether DHIS2 holds what it must in the end.
    pub(crate) fn is_done(&self) -> bool {
        held(&self.drill.dhis2) == in_the_end()
    }

    /// Imports that DHIS2 was sent since the scene was put back.
    pub(crate) fn imports(&self) -> usize {
        let requests = self.drill.dhis2.requests();
        let posts = requests.iter().filter(|request| request.method == "POST");
        posts.count()
    }

    /// One run without a fault must bring DHIS2 to the end, with accounts that balance and nothing left behind in the
    /// state folder; and one more finds nothing to do.
    pub(crate) fn repair(&self) -> Result<(), String> {
        let ran = self.clean_run()?;
        let (found, wanted) = (held(&self.drill.dhis2), in_the_end());
        if found != wanted {
            return Err(format!("DHIS2 holds {found:#?}, not {wanted:#?}"));
        }
        let report = ran.report.unwrap_or_default();
        let faults = faults_of_report(&report, Some(AFTER.len()));
        if !faults.is_empty() {
            return Err(format!("{faults:#?}\n{report:#}"));
        }
        let left = fs::read_dir(self.drill.state()).map_err(|error| error.to_string())?;
        let left = left.flatten().map(|entry| entry.file_name());
        let left = left.map(|name| name.to_string_lossy().into_owned());
        match left
            .filter(|name| name.starts_with('.'))
            .collect::<Vec<_>>()
        {
            left if left.is_empty() => Ok(()),
            left => Err(format!("left behind in the state folder: {left:?}")),
        }
    }

    fn clean_run(&self) -> Result<Ran, String> {
        let ran = self.drill.finish(self.drill.command(&ARGUMENTS));
        match ran.code {
            Some(0) => Ok(ran),
            code => Err(format!("the next run ended with {code:?}: {}", ran.stderr)),
        }
    }
}

fn mapping() -> Mapping {
    let policy = |absent| Policy {
        absent,
        combine: Combine::Sum,
    };
    Mapping {
        policies: [Absent::Zero, Absent::Zero, Absent::Delete].map(policy),
        places: [("north", 0), ("south", 1), ("east", 2)].into(),
    }
}

fn rows(lines: &[Line]) -> Rows {
    let lines = lines.iter();
    lines
        .map(|(element, place, period, value)| {
            let key = (*element, *place, (*period).to_owned());
            (key, Value::Number(*value))
        })
        .collect()
}

fn held(dhis2: &StandIn) -> BTreeMap<ValueKey, String> {
    let mut values = dhis2.values();
    values.retain(|key, value| key.0 != VISITS || value != "0");
    values
}

fn in_the_end() -> BTreeMap<ValueKey, String> {
    let lines = IN_THE_END.iter();
    lines
        .map(|(element, unit, period, value)| (cell(element, *unit, period), value.to_string()))
        .collect()
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a file is copied");
    }
}
