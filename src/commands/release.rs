//! `release`: a person has looked at what is held, and lets it pass until a day.

use super::acknowledge::decided;
use crate::cli::ReleaseArgs;
use crate::domain::Releasable;
use crate::exit::{Exit, Problem};
use crate::history::{NoteEntry, keep};
use crate::report;
use crate::site::Site;

pub(super) fn release(args: &ReleaseArgs) -> anyhow::Result<Exit> {
    let site = Site::load(args.site.config.as_deref())?;
    let released = decided(&args.decision, &site)?;
    let problem: Releasable = args
        .problem
        .join(" ")
        .parse()
        .map_err(|error| Problem::new(Exit::Usage, error))?;
    let name = problem.to_string();
    let note = NoteEntry::Released {
        problem: &name,
        released: &released,
    };
    keep(&site.state, &[note])?;
    let told = format!(
        "{name}: released to the end of {}; runs send it until then and tell that it was released",
        args.decision.until
    );
    report::notes(&[told], &args.site);
    Ok(Exit::Ok)
}
