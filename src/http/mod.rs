//! HTTP as this program uses it: strict, one request at a time, no redirects, no proxy, bounded in time and size.
//! The only module that names `ureq`.

pub(crate) mod error;
mod json;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io::{self, Read};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::HeaderMap;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, RequestBuilder, SendBody};

use error::{TransportError, What};
use json::Bounded;

/// From the first packet to a connection ready for use, the TLS handshake included.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// From the request sent to the first line of the answer; DHIS2 ≤ 2.42 needs minutes for a large import.
pub(crate) const FIRST_BYTE: Duration = Duration::from_secs(300);
/// For a body, either way.
pub(crate) const BODY: Duration = Duration::from_secs(60);

/// A document read whole may not be larger: data sets are a few MB at most.
const LARGEST_DOCUMENT: u64 = 32 << 20;
/// A document read as a stream may not be larger: the live values of 24 periods and 50 units are some 100 MB at most.
const LARGEST_STREAM: u64 = 256 << 20;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Certificates to trust instead of the system's, PEM.
    pub(crate) ca_pem: Option<Vec<u8>>,
    pub(crate) connect: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) body: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            ca_pem: None,
            connect: CONNECT,
            first_byte: FIRST_BYTE,
            body: BODY,
        }
    }
}

pub(crate) struct Client {
    agent: Agent,
}

/// An answer of any status; the body is still to be read.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) www_authenticate: Option<String>,
    body: Body,
}

impl Client {
    /// Opens nothing. Fails only if `ca_pem` holds no certificate.
    pub(crate) fn new(settings: &Settings) -> Result<Client, TransportError> {
        let tls = TlsConfig::builder().root_certs(trusted(settings)?).build();
        // Each of these lines undoes a default that loses data or time: a redirected POST becomes a GET of a login page
        // that answers 200; a proxy from the environment sees the credentials; a pooled connection may be dead already.
        let config = Config::builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(0)
            .user_agent(concat!("pg2dhis2/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(settings.connect))
            .timeout_connect(Some(settings.connect))
            .timeout_send_request(Some(settings.body))
            .timeout_send_body(Some(settings.body))
            .timeout_recv_response(Some(settings.first_byte))
            .timeout_recv_body(Some(settings.body))
            .build();
        Ok(Client {
            agent: config.new_agent(),
        })
    }

    pub(crate) fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer, TransportError> {
        with_headers(self.agent.get(url), headers)
            .call()
            .map(answer)
            .map_err(|error| TransportError::new(error, true))
    }

    /// Sends bytes of JSON with their length.
    pub(crate) fn post_json(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        json: &[u8],
    ) -> Result<Answer, TransportError> {
        let mut body = Counted {
            bytes: json,
            read: Cell::new(false),
        };
        let request = with_headers(self.agent.post(url), headers)
            .header("content-type", "application/json")
            .header("content-length", json.len().to_string());
        let sent = request.send(SendBody::from_reader(&mut body));
        sent.map(answer)
            .map_err(|error| TransportError::new(error, !body.read.get()))
    }
}

impl Answer {
    /// The whole body.
    pub(crate) fn bytes(self) -> Result<Vec<u8>, TransportError> {
        self.bytes_up_to(LARGEST_DOCUMENT)
    }

    /// The whole body, which may have so many bytes.
    pub(crate) fn bytes_up_to(self, largest: u64) -> Result<Vec<u8>, TransportError> {
        let mut bytes = Vec::new();
        let read = self
            .body
            .into_reader()
            .take(largest + 1)
            .read_to_end(&mut bytes);
        read.map_err(|error| TransportError::reading(&error))?;
        if bytes.len() as u64 > largest {
            return Err(TransportError {
                what: What::TooLarge,
                nothing_sent: false,
                text: format!("an answer larger than {} MiB", largest >> 20),
            });
        }
        Ok(bytes)
    }

    /// The body as it comes, which is JSON. Make its errors readable with [`TransportError::reading`].
    pub(crate) fn stream(self) -> impl Read {
        Bounded::new(self.body.into_with_config().limit(LARGEST_STREAM).reader())
    }
}

fn trusted(settings: &Settings) -> Result<RootCerts, TransportError> {
    let Some(pem) = &settings.ca_pem else {
        return Ok(RootCerts::PlatformVerifier);
    };
    let certificates: Vec<Certificate<'static>> = parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(TransportError {
            what: What::Tls,
            nothing_sent: true,
            text: "no certificate in the CA file".to_owned(),
        });
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

fn with_headers<Any>(
    request: RequestBuilder<Any>,
    headers: &[(&str, &str)],
) -> RequestBuilder<Any> {
    headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}

fn answer(response: ureq::http::Response<Body>) -> Answer {
    let (head, body) = response.into_parts();
    Answer {
        status: head.status.as_u16(),
        content_type: text(&head.headers, "content-type"),
        location: text(&head.headers, "location"),
        www_authenticate: text(&head.headers, "www-authenticate"),
        body,
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// A request body that remembers whether any of it was asked for: if not, the server cannot have acted on it.
struct Counted<'a> {
    bytes: &'a [u8],
    read: Cell<bool>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read.set(true);
        self.bytes.read(buffer)
    }
}
