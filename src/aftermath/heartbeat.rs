//! Tells a service that watches cron jobs that a run began and how it ended (Healthchecks and what is compatible with it):
//! who hears nothing raises the alarm.

use std::fmt::Write;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};

use crate::http::error::What;
use crate::http::{Client, HttpSettings};

/// The time of the two signals of a run, the connections included: ten seconds in all, and the run itself waits for the
/// shorter.
const BEGINNING: Duration = Duration::from_secs(3);
const END: Duration = Duration::from_secs(7);

/// What is told of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Begun,
    /// All that could be sent is confirmed.
    Succeeded,
    /// The run ended with this exit code.
    Failed(u8),
}

/// Sends a signal about a run, with a line for people. The address is a secret: whoever knows it can keep the service
/// quiet, so that no error tells it.
pub(crate) fn send(
    address: &SecretString,
    signal: Signal,
    run: &str,
    line: &str,
) -> Result<(), String> {
    let time = match signal {
        Signal::Begun => BEGINNING,
        Signal::Succeeded | Signal::Failed(_) => END,
    };
    let settings = HttpSettings {
        connect: time,
        send: time,
        first_byte: time,
        body: time,
        ends_at: Some(Instant::now() + time),
        ..HttpSettings::default()
    };
    let client = Client::new(&settings).map_err(|error| error.text)?;
    let url = url(address.expose_secret(), signal, run);
    let answer = client
        .post_text(&url, line)
        .map_err(|error| match error.what {
            What::Protocol => "what answered speaks no HTTP".to_owned(),
            What::Deadline => "no answer in time".to_owned(),
            _ => error.text,
        })?;
    match answer.status {
        200..=299 => Ok(()),
        status => Err(format!("it answered {status}")),
    }
}

/// `/start`, nothing, or the exit code behind the address; `rid` ties a run's end to its beginning and must be a UUID
/// (Healthchecks, "Pinging API").
fn url(address: &str, signal: Signal, run: &str) -> String {
    let mut url = address.trim_end_matches('/').to_owned();
    match signal {
        Signal::Begun => url.push_str("/start"),
        Signal::Succeeded => {}
        Signal::Failed(code) => _ = write!(url, "/{code}"),
    }
    if let Some(id) = uuid(run) {
        _ = write!(url, "?rid={id}");
    }
    url
}

/// The first 32 hexadecimal digits of a hash in the form of a UUID.
fn uuid(hash: &str) -> Option<String> {
    let part = |from: usize, to: usize| hash.get(from..to);
    let (a, b, c) = (part(0, 8)?, part(8, 12)?, part(12, 16)?);
    Some(format!("{a}-{b}-{c}-{}-{}", part(16, 20)?, part(20, 32)?))
}

#[cfg(test)]
mod tests {
    use super::{Signal, url};

    #[test]
    fn the_signal_stands_behind_the_address_and_the_run_is_a_uuid() {
        let run = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let rid = "rid=01234567-89ab-cdef-0123-456789abcdef";
        for (signal, path) in [
            (Signal::Begun, "/start"),
            (Signal::Succeeded, ""),
            (Signal::Failed(14), "/14"),
        ] {
            let told = url("https://hc.example/ping/key/", signal, run);
            assert_eq!(told, format!("https://hc.example/ping/key{path}?{rid}"));
        }
        assert_eq!(
            url("https://hc.example/x", Signal::Failed(10), ""),
            "https://hc.example/x/10"
        );
    }
}
