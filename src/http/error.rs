//! Why a request got no answer, in words for people and in the one distinction that matters for sending it again.

use std::error::Error as _;
use std::{fmt, io};

use ureq::{Error, Timeout};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransportError {
    pub(crate) what: What,
    /// No byte of the request body left this program, so the server cannot have acted on it.
    pub(crate) nothing_sent: bool,
    /// A clause for people: "connection refused".
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Unreachable,
    Dns,
    /// No TLS there, or a certificate we do not trust.
    Tls,
    Timeout,
    /// The time of the whole run is over.
    Deadline,
    /// The proxy does not connect us.
    Proxy,
    /// The connection ended before the answer did.
    Cut,
    /// Not HTTP.
    Protocol,
    TooLarge,
}

impl TransportError {
    /// What an error means before the server has seen anything that it could act on.
    pub(super) fn unsent(error: &Error) -> TransportError {
        TransportError {
            nothing_sent: true,
            ..TransportError::begun(error)
        }
    }

    /// What an error means once the server may have acted.
    pub(super) fn begun(error: &Error) -> TransportError {
        let (what, text) = described(error);
        TransportError {
            what,
            nothing_sent: false,
            text,
        }
    }

    /// What an error while reading a body means.
    pub(crate) fn reading(error: &io::Error) -> TransportError {
        if let Some(ours) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return TransportError::clone(ours);
        }
        let inner = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Error>());
        let (what, text) = match inner {
            Some(inner) => described(inner),
            None => described_io(error),
        };
        TransportError {
            what,
            nothing_sent: false,
            text,
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for TransportError {}

fn described(error: &Error) -> (What, String) {
    match error {
        Error::HostNotFound => (What::Dns, "host name not found".to_owned()),
        Error::Timeout(timeout) => timed_out(*timeout),
        Error::Io(error) => described_io(error),
        Error::ConnectionFailed => (What::Unreachable, "no connection".to_owned()),
        Error::ConnectProxyFailed(why) => (
            What::Proxy,
            format!("the proxy does not connect us ({why})"),
        ),
        Error::Tls(text) => (What::Tls, format!("TLS failed: {text}")),
        Error::Rustls(error) => (What::Tls, tls(error)),
        Error::Pem(error) => (What::Tls, format!("TLS failed: {error}")),
        Error::BodyExceedsLimit(limit) => (
            What::TooLarge,
            format!("an answer larger than {} MiB", limit >> 20),
        ),
        Error::Protocol(_) | Error::LargeResponseHeader(..) => {
            (What::Protocol, format!("not an HTTP answer ({error})"))
        }
        other => (What::Protocol, other.to_string()),
    }
}

fn timed_out(timeout: Timeout) -> (What, String) {
    let (what, text) = match timeout {
        Timeout::Resolve => (What::Dns, "the host name was not resolved in time"),
        Timeout::Connect => (What::Timeout, "no connection in time"),
        Timeout::SendRequest | Timeout::SendBody => {
            (What::Timeout, "the request was not taken in time")
        }
        Timeout::Global => (
            What::Deadline,
            "the run's time is over (deadline in [limits])",
        ),
        Timeout::RecvBody => (What::Timeout, "the answer was not complete in time"),
        _ => (What::Timeout, "no answer in time"),
    };
    (what, text.to_owned())
}

fn described_io(error: &io::Error) -> (What, String) {
    let inside = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(error) = inside {
        return (What::Tls, tls(error));
    }
    let (what, text) = match error.kind() {
        io::ErrorKind::ConnectionRefused => (What::Unreachable, "connection refused"),
        io::ErrorKind::HostUnreachable => (What::Unreachable, "host unreachable"),
        io::ErrorKind::NetworkUnreachable => (What::Unreachable, "network unreachable"),
        io::ErrorKind::TimedOut => (What::Timeout, "no answer in time"),
        io::ErrorKind::UnexpectedEof => (What::Cut, "the answer was cut short"),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => (What::Cut, "the connection was cut"),
        io::ErrorKind::OutOfMemory => (What::Cut, "no memory for the answer"),
        // Rust has no kind for it: these are its words before those of the system.
        _ if error.to_string().starts_with("failed to lookup address") => {
            (What::Dns, "host name not found")
        }
        _ => return (What::Cut, innermost(error)),
    };
    (what, text.to_owned())
}

fn tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(why) => format!("certificate not trusted ({why})"),
        rustls::Error::InvalidMessage(_) => "no TLS at that address".to_owned(),
        other => format!("TLS failed: {other}"),
    }
}

fn innermost(error: &io::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}
