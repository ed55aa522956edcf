//! `acknowledge`: somebody knows of a problem, and nobody else needs to be told until then.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::Date};

use crate::cli::{AcknowledgeArgs, DecisionArgs};
use crate::exit::{Exit, Problem};
use crate::history::{Acknowledged, NoteEntry, OpenProblem, Past, keep, moment};
use crate::report;
use crate::site::{self, Site};

/// The longest reason, in characters.
const LONGEST: usize = 500;

pub(super) fn acknowledge(args: &AcknowledgeArgs) -> anyhow::Result<Exit> {
    let site = Site::load(args.site.config.as_deref())?;
    let usage = |message: String| Problem::new(Exit::Usage, message);
    let acknowledged = decided(&args.decision, &site)?;
    let past = Past::open(&site.state, site::alive(&site.state))?;
    let open = past.map(|past| past.all_open()).transpose()?;
    let what = args.what.join(" ");
    let (mapping, subject) = named(&what, open.unwrap_or_default()).map_err(usage)?;
    let note = NoteEntry::Acknowledged {
        mapping: &mapping,
        subject: &subject,
        acknowledged: &acknowledged,
    };
    keep(&site.state, &[note])?;
    let told = format!(
        "{mapping}: {subject}: acknowledged to the end of {}; it is still counted",
        args.decision.until
    );
    report::notes(&[told], &args.site);
    Ok(Exit::Ok)
}

/// A decision as the history keeps it.
pub(super) fn decided(args: &DecisionArgs, site: &Site) -> Result<Acknowledged, Problem> {
    let usage = |message: String| Problem::new(Exit::Usage, message);
    let until = end_of(args.until, &site.time_zone)
        .filter(|until| *until > Timestamp::now())
        .ok_or_else(|| usage(format!("--until {} is over already", args.until)))?;
    let why = args.why.trim();
    if why.is_empty() || why.chars().count() > LONGEST || why.contains(char::is_control) {
        let message = format!("--why must say in one line why, in at most {LONGEST} characters");
        return Err(usage(message));
    }
    Ok(Acknowledged {
        until: moment(until),
        why: why.to_owned(),
        uid: site::user(),
    })
}

/// The moment at which a day ends.
fn end_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?.at(0, 0, 0, 0);
    zone.to_ambiguous_timestamp(next).compatible().ok()
}

/// The one problem that these words name: its mapping, and what it is about.
fn named(words: &str, open: Vec<(String, OpenProblem)>) -> Result<(String, String), String> {
    let words = plain(words);
    let named: BTreeSet<(String, String)> = open
        .into_iter()
        .filter(|(mapping, problem)| names(&words, mapping, problem))
        .map(|(mapping, problem)| (mapping, problem.whole()))
        .collect();
    let mut each = named.iter();
    match (each.next(), each.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err(format!(
            "no open problem is called {words:?}; write what `pg2dhis2 status` tells of it, such as: my-mapping unmapped org-unit \"key #3f9a02c1, 22 characters\""
        )),
        (Some(first), Some(second)) => Err(format!(
            "{words:?} names more than one problem: {}: {}; {}: {}; write the mapping and all of its words",
            first.0, first.1, second.0, second.1
        )),
    }
}

/// The words with single blanks, and no colon behind the mapping.
fn plain(words: &str) -> String {
    let words = words.replacen(": ", " ", 1);
    let words: Vec<&str> = words.split_whitespace().collect();
    words.join(" ")
}

fn names(words: &str, mapping: &str, problem: &OpenProblem) -> bool {
    // A line of `status` goes on with periods and since when.
    let same = |whole: String| {
        let whole = plain(&whole);
        let rest = words.strip_prefix(&whole);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" in "))
    };
    let subject = &problem.subject;
    let fingerprint = subject
        .strip_prefix("key ")
        .and_then(|key| key.split(',').next());
    same(format!("{mapping} {}", problem.whole()))
        || same(problem.whole())
        || same(subject.clone())
        || fingerprint.is_some_and(|mark| {
            same(mark.to_owned())
                || same(mark.trim_start_matches('#').to_owned())
                || same(format!("{mapping} {mark}"))
        })
}
