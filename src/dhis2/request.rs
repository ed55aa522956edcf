//! One request and what its answer means before its content is looked at: who refused us, what is not DHIS2, what may
//! be tried again. The only layer that repeats a read.

#[cfg(test)]
mod tests;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Dhis2;
use super::error::{Dhis2Error, Kind};
use super::patience::retry_after;
use crate::http::Answer;
use crate::http::error::{TransportError, What};

/// At most so much of the server's own words is shown.
const SHOWN: usize = 200;

/// How something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Post,
    Put,
}

impl Dhis2 {
    /// A JSON document, read whole. `doing` opens the message of an error: "reading data set …".
    pub(super) fn document<T: DeserializeOwned>(
        &mut self,
        doing: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Dhis2Error> {
        self.patiently(|dhis2| {
            let body = dhis2.get(doing, path, query)?.bytes();
            let body = body.map_err(|error| unanswered(doing, &error))?;
            serde_json::from_slice(&body).map_err(|error| unreadable(doing, error))
        })
    }

    /// Tries a read again while its failure may go away by itself.
    pub(super) fn patiently<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Dhis2) -> Result<T, Dhis2Error>,
    ) -> Result<T, Dhis2Error> {
        let mut tried = 0;
        loop {
            match attempt(self) {
                Err(error) => {
                    tried += 1;
                    if !self.waited(tried, &error) {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }

    /// Whether what was tried so often, and failed so last, is to be tried again; if so, after the wait that is due.
    pub(crate) fn waited(&mut self, tried: u32, error: &Dhis2Error) -> bool {
        let Some(wait) = self.patience.next(tried, error) else {
            return false;
        };
        log::info!("{error}; trying again after {wait:?}");
        thread::sleep(wait);
        true
    }

    /// Answers only with a body that calls itself JSON, of status 200.
    pub(super) fn get(
        &mut self,
        doing: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, Dhis2Error> {
        let url = self.url(path, query);
        self.requests += 1;
        let asked = Instant::now();
        let answer = self
            .client
            .get(&url, &self.headers())
            .map_err(|error| unanswered(doing, &error))?;
        log::info!(
            "GET /api/{path}: {} after {:?}",
            answer.status,
            asked.elapsed()
        );
        match answer.status {
            200 if is_json(&answer) => Ok(answer),
            _ => Err(self.refused(doing, answer)),
        }
    }

    /// Answers only with a body that calls itself JSON, of status 200, 201 (something was made) or 409: an import is judged
    /// by what is in it.
    pub(super) fn post(
        &mut self,
        doing: &str,
        path: &str,
        query: &[(&str, &str)],
        json: &[u8],
    ) -> Result<Answer, Dhis2Error> {
        let url = self.url(path, query);
        self.requests += 1;
        let asked = Instant::now();
        let answer = self
            .client
            .post_json(&url, &self.headers(), json)
            .map_err(|error| unanswered(doing, &error))?;
        let (status, took) = (answer.status, asked.elapsed());
        log::info!(
            "POST /api/{path}, {} bytes: {status} after {took:?}",
            json.len()
        );
        match answer.status {
            200 | 201 | 409 if is_json(&answer) => Ok(answer),
            _ => Err(self.refused(doing, answer)),
        }
    }

    /// What makes or changes an object that is no data value: answers only with status 200 or 201.
    pub(super) fn change(
        &mut self,
        doing: &str,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        json: &[u8],
    ) -> Result<Answer, Dhis2Error> {
        let url = self.url(path, query);
        self.requests += 1;
        let headers = self.headers();
        let answer = match method {
            Method::Post => self.client.post_json(&url, &headers, json),
            Method::Put => self.client.put_json(&url, &headers, json),
        };
        let answer = answer.map_err(|error| unanswered(doing, &error))?;
        log::info!("{method:?} /api/{path}: {}", answer.status);
        match answer.status {
            200 | 201 if is_json(&answer) => Ok(answer),
            _ => Err(self.refused(doing, answer)),
        }
    }

    fn refused(&self, doing: &str, answer: Answer) -> Dhis2Error {
        let mut error = refusal(doing, answer);
        if let Some(told) = &self.on_refused_login
            && error.is_refused_login()
        {
            error.message += &told();
        }
        error
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut url = format!("{}/api/{path}", self.base);
        for (position, (name, value)) in query.iter().enumerate() {
            url.push(if position == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.extend(value.bytes().map(percent_encoded));
        }
        url
    }

    /// With `X-Requested-With` DHIS2 refuses bad credentials with 401 rather than a redirect to its login page.
    fn headers(&self) -> [(&'static str, &str); 3] {
        [
            ("accept", "application/json"),
            ("x-requested-with", "XMLHttpRequest"),
            ("authorization", self.authorization.expose_secret()),
        ]
    }
}

/// What an answer with status 200 that could not be parsed means: it was cut, or it is not what DHIS2 says.
pub(super) fn unreadable(doing: &str, error: serde_json::Error) -> Dhis2Error {
    if error.is_io() || error.is_eof() {
        return unanswered(doing, &TransportError::reading(&io::Error::from(error)));
    }
    // serde_json's text may quote what it read.
    Dhis2Error::new(
        Kind::Target,
        format!(
            "{doing}: DHIS2's answer is not what its API promises (line {}, column {}); is url in [dhis2] a DHIS2 of 2.38 or later?",
            error.line(),
            error.column()
        ),
    )
}

pub(super) fn unanswered(doing: &str, error: &TransportError) -> Dhis2Error {
    let (kind, next) = match error.what {
        What::Tls => (Kind::Target, "check url and ca-file in [dhis2]"),
        What::Protocol => (Kind::Target, "check url in [dhis2]"),
        What::TooLarge => (Kind::Target, "check url in [dhis2]"),
        What::Deadline => (
            Kind::Temporary {
                nothing_sent: error.nothing_sent,
            },
            "the next run goes on from there",
        ),
        What::Proxy => (Kind::Target, "check proxy and url in [dhis2]"),
        _ => (
            Kind::Temporary {
                nothing_sent: error.nothing_sent,
            },
            "the next run tries again",
        ),
    };
    Dhis2Error::new(
        kind,
        format!("{doing}: no answer from DHIS2: {error}; {next}"),
    )
}

/// What DHIS2 says of a request it refuses (a `WebMessage`), as far as it is used.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WebMessage {
    message: Option<String>,
    error_code: Option<String>,
}

fn refusal(doing: &str, answer: Answer) -> Dhis2Error {
    let status = answer.status;
    if let Some(location) = answer
        .location
        .as_deref()
        .filter(|_| (300..400).contains(&status))
    {
        return redirected(doing, location);
    }
    let json = is_json(&answer);
    let content_type = answer.content_type.clone();
    let retry_after = asked_to_wait(&answer);
    let asks_for_token = answer.www_authenticate.as_deref() == Some("ApiToken");
    let body = answer.bytes().unwrap_or_default();
    let said: WebMessage = serde_json::from_slice(&body).unwrap_or_default();
    let words = said.message.as_deref().map(shown).unwrap_or_default();
    let told = with_words(status, &words);
    let (kind, what) = match status {
        200 | 409 if !json => return not_json(doing, content_type.as_deref(), &body),
        400 if asks_for_token || words.contains("Checksum validation failed") => (
            Kind::Credentials,
            format!("DHIS2 says that the token is malformed ({told}); check token-file in [dhis2]"),
        ),
        401 => (
            Kind::Credentials,
            format!(
                "DHIS2 rejected the credentials ({told}); check token-file, or username and password-file, in [dhis2]"
            ),
        ),
        403 => (
            Kind::Credentials,
            format!("DHIS2 forbids it to the account ({told}); give the account the right; not tried again"),
        ),
        404 if said.error_code.is_some() => (Kind::Target, format!("DHIS2 has no such object ({told})")),
        404 => (
            Kind::Target,
            "no DHIS2 API there (404); check url in [dhis2], with its context path".to_owned(),
        ),
        409 if said.error_code.is_some() => (Kind::Target, format!("DHIS2 refused it ({told})")),
        413 => (
            Kind::Target,
            "the request is too large for the server or a proxy before it (413); set chunk in [dhis2] lower, or the proxy's limit higher".to_owned(),
        ),
        408 | 409 | 425 | 429 | 500 | 502..=504 | 506..=599 => (
            Kind::Temporary { nothing_sent: false },
            format!("DHIS2 failed or is overloaded ({status}); the next run tries again"),
        ),
        _ => (
            Kind::Target,
            format!("DHIS2 refused the request ({told}); check url in [dhis2] and proxies before it"),
        ),
    };
    Dhis2Error {
        kind,
        status: Some(status),
        code: said.error_code,
        retry_after,
        message: format!("{doing}: {what}"),
    }
}

/// `404`, or `403 Access is denied`.
fn with_words(status: u16, words: &str) -> String {
    format!("{status} {words}").trim_end().to_owned()
}

fn asked_to_wait(answer: &Answer) -> Option<Duration> {
    retry_after(answer.retry_after.as_deref()?, Timestamp::now())
}

fn redirected(doing: &str, location: &str) -> Dhis2Error {
    let location = shown(location);
    if location.to_ascii_lowercase().contains("login") {
        return login_form(doing);
    }
    Dhis2Error::new(
        Kind::Target,
        format!(
            "{doing}: the server redirects to {location}; set url in [dhis2] to where DHIS2 is; not followed"
        ),
    )
}

fn not_json(doing: &str, content_type: Option<&str>, body: &[u8]) -> Dhis2Error {
    let page = String::from_utf8_lossy(body).to_ascii_lowercase();
    if page.contains("j_username") || page.contains("type=\"password\"") || page.contains("login") {
        return login_form(doing);
    }
    Dhis2Error::new(
        Kind::Target,
        format!(
            "{doing}: the answer is not DHIS2's JSON but {}; check url in [dhis2] and proxies before it",
            content_type.map_or_else(|| "of no type".to_owned(), shown)
        ),
    )
}

fn login_form(doing: &str) -> Dhis2Error {
    Dhis2Error::new(
        Kind::Credentials,
        format!(
            "{doing}: DHIS2 answered with its login form: it does not accept the credentials; check token-file, or username and password-file, in [dhis2]"
        ),
    )
}

fn is_json(answer: &Answer) -> bool {
    answer
        .content_type
        .as_deref()
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Foreign text on one line, without control characters, and not too much of it.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect()
}

/// All but the unreserved characters of RFC 3986: Tomcat refuses a bare `[`.
fn percent_encoded(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}
