//! A command that was to send and ended before its record began: the history, people and those who watch from elsewhere
//! hear of it all the same.

use std::path::Path;

use crate::aftermath::{self, alerts};
use crate::cli::SendingCommand;
use crate::exit::{Exit, Problem};
use crate::history::{self, NoteEntry, Refused};
use crate::site::{self, Site};

/// Keeps and tells how the command ended; its outcome stays as it is.
pub(crate) fn never_begun(sending: &SendingCommand<'_>, error: &anyhow::Error) {
    let problem = Problem::of(error);
    // Who mistypes sees it; and without a site file nobody knows whom to tell.
    if problem.exit == Exit::Usage {
        return;
    }
    let Ok(site) = Site::load(sending.site.config.as_deref()) else {
        return;
    };
    let refused = Refused {
        exit: problem.exit.code(),
        name: problem.exit.name().to_owned(),
        message: problem.message.clone(),
        command: sending.command.to_owned(),
        mappings: sending.mappings.iter().filter_map(stem).collect(),
    };
    let usable = match site.has_alerts() {
        true => site::make_usable(&site.state),
        false => site::is_usable(&site.state),
    };
    let kept = usable && history::keep(&site.state, &[NoteEntry::Refused(&refused)]).is_ok();
    let lost = (!kept).then(|| problem.clone());
    alerts::tell_never_begun(
        &site,
        &refused.mappings,
        &problem,
        lost.as_ref(),
        sending.site,
    );
    // Another run is active, and tells of itself.
    if problem.exit != Exit::Busy {
        aftermath::never_begun(&site, problem.exit);
    }
}

/// The name of a mapping that was named by its name or its path.
fn stem(named: &String) -> Option<String> {
    match named.contains('/') || named.ends_with(".toml") {
        true => Some(Path::new(named).file_stem()?.to_string_lossy().into()),
        false => Some(named.clone()),
    }
}
