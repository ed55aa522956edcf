//! Whether a guard or somebody else's value holds a plan, and what a person is told of it.

use super::one_mapping::{OneMapping, PartOf};
use crate::domain::{Trip, Uid};
use crate::exit::{Exit, Problem};
use crate::plan::{self, Plan, RunSoFar, SourceCounts, Target};

impl OneMapping<'_, '_> {
    pub(super) fn is_held(
        &mut self,
        source: &SourceCounts,
        plan: &Plan,
        target: &Target,
        part: PartOf,
    ) -> bool {
        let data_set = target.data_set.id;
        let memory = &self.connection.memory;
        let run = RunSoFar {
            rows: self.report.rows.total().rows,
            is_last: part.is_last,
            age: part.age,
            confirmed: &memory.confirmed(&self.report.name, data_set),
        };
        let mut trips = plan::trips(source, plan, target, run);
        trips.retain(|trip| !self.is_released(trip));
        let guarded = self.is_guarded(&trips, plan, data_set);
        self.tell_of_foreign(plan);
        guarded || plan.is_held()
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

    /// A person may have let exactly this plan pass.
    fn is_guarded(&mut self, trips: &[Trip], plan: &Plan, data_set: Uid) -> bool {
        let Some(first) = trips.first() else {
            return false;
        };
        let digest = plan.digest(&self.report.name, data_set);
        let released = self.orders.releases.contains(&digest);
        if !released {
            let period = first.period.map(|period| format!("{period}: "));
            let more = match trips.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            self.report.problems.push(Problem::new(
                Exit::Held,
                format!(
                    "held by a guard, nothing of it is sent: {}{}{more}; then run again{}",
                    period.unwrap_or_default(),
                    first.words,
                    // Other people's values hold it all the same.
                    match plan.is_held() {
                        true => String::new(),
                        false => format!(
                            ", or let exactly this plan pass with --release {digest}, or all that this guard holds there until a day: \
                             pg2dhis2 release {} --until DATE --why TEXT",
                            first.problem()
                        ),
                    }
                ),
            ));
        }
        self.report.hold.guards.extend_from_slice(trips);
        self.report.hold.digest = Some(digest);
        self.report.hold.released |= released;
        !released
    }

    /// Somebody else's values that differ are a person's decision.
    fn tell_of_foreign(&mut self, plan: &Plan) {
        if plan.is_held() {
            self.report.problems.push(Problem::new(
                Exit::Held,
                format!(
                    "held, nothing of it is sent: cells in which what somebody else stored or deleted differs from the source: {}; \
                     compare them, mend the wrong side, or write foreign = \"keep\" or \"overwrite\" in the mapping",
                    plan.held_cells
                ),
            ));
        }
    }
}
