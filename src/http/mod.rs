//! HTTP as this program uses it: strict, one request at a time, no redirects, no proxy but the one that is named, bounded in time and size.
//! The only module that names `ureq`.

pub(crate) mod error;
mod json;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::HeaderMap;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::WithBody;
use ureq::{Agent, Body, Error, Proxy, RequestBuilder, SendBody, Timeout};

use error::{TransportError, What};
use json::Bounded;

/// From the first packet to a connection ready for use, the TLS handshake included.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// From the request sent to the first line of the answer; DHIS2 ≤ 2.42 needs minutes for a large import.
pub(crate) const FIRST_BYTE: Duration = Duration::from_secs(300);
/// The time in which a request must be taken by the network and the server.
pub(crate) const SEND: Duration = Duration::from_secs(60);
/// The time in which the body of an answer must come.
pub(crate) const BODY: Duration = Duration::from_secs(60);

/// A document read whole may not be larger: data sets are a few MB at most.
const LARGEST_DOCUMENT: u64 = 32 << 20;
/// A document read as a stream may not be larger: the live values of 24 periods and 50 units are some 100 MB at most.
const LARGEST_STREAM: u64 = 256 << 20;

#[derive(Clone, Debug)]
pub(crate) struct HttpSettings {
    /// Certificates to trust instead of the system's, PEM.
    pub(crate) ca_pem: Option<Vec<u8>>,
    /// `http://host:port` of a proxy that connects us (CONNECT); for https:// addresses alone.
    pub(crate) proxy: Option<String>,
    pub(crate) connect: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) send: Duration,
    pub(crate) body: Duration,
    /// When the whole run has to end, requests under way included.
    pub(crate) ends_at: Option<Instant>,
}

impl Default for HttpSettings {
    fn default() -> HttpSettings {
        HttpSettings {
            ca_pem: None,
            proxy: None,
            connect: CONNECT,
            first_byte: FIRST_BYTE,
            send: SEND,
            body: BODY,
            ends_at: None,
        }
    }
}

pub(crate) struct Client {
    agent: Agent,
    ends_at: Option<Instant>,
}

/// An answer of any status; the body is still to be read.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) www_authenticate: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) set_cookies: Vec<String>,
    body: Body,
}

impl Client {
    /// Opens nothing. Fails only if `ca_pem` holds no certificate or `proxy` no address.
    pub(crate) fn new(settings: &HttpSettings) -> Result<Client, TransportError> {
        let tls = TlsConfig::builder().root_certs(trusted(settings)?).build();
        // Each of these lines undoes a default that loses data or time: a redirected POST becomes a GET of a login page
        // that answers 200; a proxy from the environment sees the credentials; a pooled connection may be dead already.
        let config = Config::builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy(settings)?)
            .max_idle_connections(0)
            .user_agent(concat!("pg2dhis2/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(settings.connect))
            .timeout_connect(Some(settings.connect))
            .timeout_send_request(Some(settings.send))
            .timeout_send_body(Some(settings.send))
            .timeout_recv_response(Some(settings.first_byte))
            .timeout_recv_body(Some(settings.body))
            .build();
        Ok(Client {
            agent: config.new_agent(),
            ends_at: settings.ends_at,
        })
    }

    pub(crate) fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer, TransportError> {
        self.in_time(with_headers(self.agent.get(url), headers))?
            .call()
            .map(answer)
            .map_err(|error| TransportError::unsent(&error))
    }

    /// Sends bytes of JSON with their length.
    pub(crate) fn post_json(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        json: &[u8],
    ) -> Result<Answer, TransportError> {
        self.send(self.agent.post(url), headers, "application/json", json)
    }

    /// Puts bytes of JSON in the place of what is there.
    pub(crate) fn put_json(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        json: &[u8],
    ) -> Result<Answer, TransportError> {
        self.send(self.agent.put(url), headers, "application/json", json)
    }

    /// Sends a text for people.
    pub(crate) fn post_text(&self, url: &str, text: &str) -> Result<Answer, TransportError> {
        let text = text.as_bytes();
        self.send(self.agent.post(url), &[], "text/plain; charset=utf-8", text)
    }

    fn send(
        &self,
        request: RequestBuilder<WithBody>,
        headers: &[(&str, &str)],
        content_type: &str,
        bytes: &[u8],
    ) -> Result<Answer, TransportError> {
        let mut body = Counted {
            bytes,
            read: Cell::new(false),
        };
        let request = with_headers(request, headers)
            .header("content-type", content_type)
            .header("content-length", bytes.len().to_string());
        let sent = self
            .in_time(request)?
            .send(SendBody::from_reader(&mut body));
        sent.map(answer).map_err(|error| match body.read.get() {
            true => TransportError::begun(&error),
            false => TransportError::unsent(&error),
        })
    }

    /// A request that ends with the run at the latest; none is begun after that.
    fn in_time<Any>(
        &self,
        request: RequestBuilder<Any>,
    ) -> Result<RequestBuilder<Any>, TransportError> {
        let Some(end) = self.ends_at else {
            return Ok(request);
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TransportError::unsent(&Error::Timeout(Timeout::Global)));
        }
        Ok(request.config().timeout_global(Some(left)).build())
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

fn trusted(settings: &HttpSettings) -> Result<RootCerts, TransportError> {
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

fn proxy(settings: &HttpSettings) -> Result<Option<Proxy>, TransportError> {
    let proxy = settings.proxy.as_deref().map(Proxy::new).transpose();
    proxy.map_err(|_| TransportError {
        what: What::Proxy,
        nothing_sent: true,
        text: "`proxy` is no address of a proxy".to_owned(),
    })
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
        retry_after: text(&head.headers, "retry-after"),
        set_cookies: {
            let cookies = head.headers.get_all("set-cookie").iter();
            let cookies = cookies.filter_map(|cookie| cookie.to_str().ok());
            cookies.map(str::to_owned).collect()
        },
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
