//! Asks DHIS2 what it would do with a plan's changes: its own dry run, beside our prediction.

use super::one_mapping::{OneMapping, task};
use crate::domain::{Change, Engine, Sent};
use crate::exit::{Exit, Problem};
use crate::plan::{Plan, Target};
use crate::push::{self, ServerAnswer};
use crate::report::ServerDryRun;

impl OneMapping<'_, '_> {
    /// What would become of each change: as we predict, but for those that DHIS2 rejects.
    pub(super) fn ask_server(&mut self, plan: &Plan, target: &Target) -> Vec<Sent> {
        let task = task(self.connection, plan, target);
        let rehearsed = push::rehearse(&mut self.connection.dhis2, &task, self.budget);
        if let Some(failure) = rehearsed.failure {
            let problem = Problem::new(Exit::of_dhis2(&failure), failure.message);
            self.report.problems.push(problem);
        }
        let said = self.report.server.dry_run.get_or_insert_default();
        said.cannot_know = cannot_know(target.engine());
        said.counted.add(rehearsed.counted);
        let answered = plan.changes.iter().zip(rehearsed.answers);
        answered
            .map(|(change, answer)| heard(plan, change, answer, said))
            .collect()
    }
}

/// Notes one answer.
fn heard(plan: &Plan, change: &Change, answer: ServerAnswer, said: &mut ServerDryRun) -> Sent {
    *said.predicted.entry(change.kind).or_default() += 1;
    match answer {
        ServerAnswer::Accepted => said.accepted += 1,
        ServerAnswer::Unknown => said.unknown += 1,
        ServerAnswer::Refused(code) => {
            if let Some(cell) = plan.space.cell(change.key) {
                said.reject(cell, &code);
            }
            return Sent::Rejected { code };
        }
    }
    Sent::Confirmed
}

/// DHIS2 2.43 counts in a dry run what its checks let pass (`DefaultDataEntryService`), ≤ 2.42 what it would write.
fn cannot_know(engine: Engine) -> &'static str {
    match engine {
        Engine::Old => {
            "a dry run stores nothing: what fails only while it is stored is not seen, and zeros that are not kept are not counted"
        }
        Engine::New => {
            "a dry run of DHIS2 2.43 counts every value that passes its checks as updated and stores nothing: what fails while it \
             is stored is not seen, nor category option combos that it drops in silence"
        }
    }
}
