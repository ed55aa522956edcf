//! Reaches the source: what may pass by itself is tried again, a login that was refused is noted.

use anyhow::Context;
use jiff::Timestamp;

use crate::exit::Problem;
use crate::extract::{ExtractError, ExtractErrorKind, Source};
use crate::site::SourceAccess;
use crate::watchdog::Watch;

/// Before reading the source is tried again, as multiples of `[limits] wait` in halves: 5 and 20 seconds for the usual 2.
const WAITS: [u32; 2] = [5, 20];

/// Does what reads the source, from connecting on; again, up to three times in all, while it fails in a way that may
/// pass. `failed` says whether a result holds such a failure.
pub(crate) fn patiently<T>(
    access: &SourceAccess,
    watch: &Watch,
    mut attempt: impl FnMut() -> anyhow::Result<T>,
    failed: impl Fn(&anyhow::Result<T>) -> bool,
) -> anyhow::Result<T> {
    let retries = usize::try_from(access.attempts.saturating_sub(1)).unwrap_or_default();
    let mut waits = WAITS.into_iter().take(retries);
    let mut tried = 0;
    loop {
        let result = attempt();
        tried += 1;
        let wait = waits.next().filter(|_| failed(&result));
        let wait = wait.map(|halves| access.wait.saturating_mul(halves) / 2);
        let waited = wait.is_some_and(|wait| {
            log::info!("reading the source failed; trying again after {wait:?}");
            watch.wait(wait)
        });
        if !waited {
            return match tried {
                1 => result,
                _ => result.with_context(|| format!("after {tried} tries")),
            };
        }
    }
}

/// Connects once.
pub(crate) fn connect(access: &SourceAccess) -> anyhow::Result<Source> {
    let connected = Source::connect(&access.settings, access.password.as_ref());
    let refused = |error: &ExtractError| error.kind == ExtractErrorKind::Credentials;
    match (connected, &access.login) {
        (Err(error), Some(login)) if refused(&error) => {
            let told = login.note_refused(Timestamp::now());
            let error = anyhow::Error::from(error);
            let Problem { exit, message } = Problem::of(&error);
            Err(Problem::new(exit, message + &told).into())
        }
        (connected, _) => Ok(connected?),
    }
}

/// Whether no other query will fare better.
pub(crate) fn ends_all(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<ExtractError>();
    error.is_some_and(|error| error.kind.ends_all())
}

/// Whether a failure of the source may be gone in a moment.
pub(crate) fn may_pass(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<ExtractError>();
    error.is_some_and(|error| error.kind.may_pass())
}
