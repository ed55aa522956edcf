//! Whether a guard or somebody else's value holds a plan, and what a person is told of it.

use super::one_mapping::{OneMapping, PartOf};
use crate::domain::{Trip, Uid};
use crate::exit::{Exit, Problem};
use crate::plan::{self, Plan, RunSoFar, SourceCounts, Target};

impl OneMapping<'_, '_> {
    /// Takes out of the plan what a guard holds; all else goes on.
    pub(super) fn hold_back(
        &mut self,
        source: &SourceCounts,
        plan: &mut Plan,
        target: &Target,
        part: PartOf,
    ) {
        let data_set = target.data_set.id;
        let memory = self
            .connection
            .memory
            .confirmed(&self.report.name, data_set);
        let unfinished = memory.iter().filter(|(_, each)| each.is_unfinished);
        let run = RunSoFar {
            rows: self.report.rows.total().rows,
            is_last: part.is_last,
            age: part.age,
            unfinished: &unfinished.map(|(period, _)| *period).collect(),
            confirmed: &memory
                .iter()
                .map(|(period, each)| (*period, each.values))
                .collect(),
        };
        let mut guarded = plan::trips(source, plan, target, run);
        self.report.notes.append(&mut guarded.told);
        let mut trips = guarded.trips;
        trips.retain(|trip| !self.is_released(trip));
        self.hold(&trips, plan, data_set);
        self.tell_of_foreign(plan);
    }

    /// Whether a person lets this pass until a day; that it would be held is told all the same.
    fn is_released(&mut self, trip: &Trip) -> bool {
        let problem = trip.problem();
        let released = self.released.contains(&problem);
        if released {
            let note = format!("{problem} was released, and is sent: {}", trip.words);
            self.report.notes.push(note);
        }
        released
    }

    /// A person may have let exactly these changes pass.
    fn hold(&mut self, trips: &[Trip], plan: &mut Plan, data_set: Uid) {
        let Some(first) = trips.first() else {
            return;
        };
        let digest = plan.digest(&self.report.name, data_set, trips);
        let released = self.orders.releases.contains(&digest);
        if !released {
            plan.hold_back(trips);
            let held = match (plan.held_changes.len(), plan.changes.len()) {
                (_, 0) => "nothing of it is sent".to_owned(),
                (held, others) => format!("{held} of its {} changes are not sent", held + others),
            };
            let period = first.period.map(|period| format!("{period}: "));
            let more = match trips.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            self.report.problems.push(Problem::new(
                Exit::Held,
                format!(
                    "held by a guard, {held}: {}{}{more}; then run again, or let exactly these changes pass with --release {digest} or all that this guard holds \
                     there until a day: pg2dhis2 release {} --until DATE --why TEXT",
                    period.unwrap_or_default(),
                    first.words,
                    first.problem()
                ),
            ));
        }
        self.report.hold.guards.extend_from_slice(trips);
        self.report.hold.digest = Some(digest);
        self.report.hold.released |= released;
    }

    /// Somebody else's values that differ are a person's decision.
    fn tell_of_foreign(&mut self, plan: &Plan) {
        if plan.is_held() {
            let others = match plan.changes.len() {
                0 => "nothing of it is sent",
                _ => "the other cells are sent",
            };
            self.report.problems.push(Problem::new(
                Exit::Held,
                format!(
                    "held, {others}: cells in which what somebody else stored or deleted differs from the source: {}; \
                     compare them, mend the wrong side, or write foreign = \"keep\" or \"overwrite\" in the mapping",
                    plan.held_cells
                ),
            ));
        }
    }
}
