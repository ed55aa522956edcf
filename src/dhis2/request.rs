//! One request, in the session of the run. The only layer that repeats a read, or a login.

#[cfg(test)]
mod tests;

use std::time::Instant;
use std::{io, thread};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;

use super::Dhis2;
use super::error::{Dhis2Error, Kind};
use super::login_session::{LetIn, LoginNotes};
use super::method::Method;
use super::refusal::{is_json, refusal};
use crate::http::Answer;
use crate::http::error::{TransportError, What};

/// All but the unreserved characters of RFC 3986: Tomcat refuses a bare `[`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request below `/api/`.
struct Request<'r> {
    /// Opens the message of an error: "reading data set …".
    doing: &'r str,
    method: Method,
    path: &'r str,
    query: &'r [(&'r str, &'r str)],
    json: &'r [u8],
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
        let request = Request {
            doing,
            method: Method::Get,
            path,
            query,
            json: b"",
        };
        self.answered(&request, &[200])
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
        let request = Request {
            doing,
            method: Method::Post,
            path,
            query,
            json,
        };
        self.answered(&request, &[200, 201, 409])
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
        let request = Request {
            doing,
            method,
            path,
            query,
            json,
        };
        self.answered(&request, &[200, 201])
    }

    /// The answer if it is JSON of one of these statuses. A login that is refused is tried once more if the same secret
    /// worked within a day, and noted; after that, and after a 401 that came out of turn, nothing more is asked in this run.
    fn answered(&mut self, request: &Request<'_>, statuses: &[u16]) -> Result<Answer, Dhis2Error> {
        if let Some(ended) = self.session.ended() {
            return Err(ended);
        }
        let error = match self.once(request, statuses) {
            Err(error) if error.is_refused_login => error,
            Err(error) => {
                if error.ends_run {
                    self.session.end(&error);
                }
                return Err(error);
            }
            answer => return answer,
        };
        let notes = self.login_notes.take();
        let answer = match &notes {
            Some(notes) => self.log_in_again(request, statuses, error, notes.as_ref()),
            None => Err(error),
        };
        self.login_notes = notes;
        answer.inspect_err(|error| {
            if error.is_refused_login || error.ends_run {
                self.session.end(error);
            }
        })
    }

    /// After a login that was refused.
    fn log_in_again(
        &mut self,
        request: &Request<'_>,
        statuses: &[u16],
        refused: Dhis2Error,
        notes: &dyn LoginNotes,
    ) -> Result<Answer, Dhis2Error> {
        let (mut error, mut told) = (refused, notes.refused());
        if notes.may_be_tried_again()
            && let Some(wait) = self.patience.settling()
        {
            log::info!(
                "{error}; the secret worked before, so it is tried once more after {wait:?}"
            );
            thread::sleep(wait);
            error = match self.once(request, statuses) {
                Err(again) if again.is_refused_login => again,
                other => return other,
            };
            told = notes.refused();
        }
        error.message += &told;
        Err(error)
    }

    fn once(&mut self, request: &Request<'_>, statuses: &[u16]) -> Result<Answer, Dhis2Error> {
        let url = self.url(request.path, request.query);
        self.requests += 1;
        let asked = Instant::now();
        let cookie = self.session.cookie();
        // `X-Requested-With` is sent because DHIS2 then refuses bad credentials with 401 rather than a redirect to its login page.
        let mut headers = vec![
            ("accept", "application/json"),
            ("x-requested-with", "XMLHttpRequest"),
            ("authorization", self.authorization.expose_secret()),
        ];
        if !cookie.is_empty() {
            headers.push(("cookie", cookie.as_str()));
        }
        let answer = match request.method {
            Method::Get => self.client.get(&url, &headers),
            Method::Post => self.client.post_json(&url, &headers, request.json),
            Method::Put => self.client.put_json(&url, &headers, request.json),
        };
        let answer = answer.map_err(|error| unanswered(request.doing, &error))?;
        log::info!(
            "{} /api/{}, {} bytes: {} after {:?}",
            request.method,
            request.path,
            request.json.len(),
            answer.status,
            asked.elapsed()
        );
        self.session.take(&answer.set_cookies);
        if !(statuses.contains(&answer.status) && is_json(&answer)) {
            let let_in = self.session.let_in();
            return Err(refusal(request.doing, request.method, answer, let_in));
        }
        if self.session.let_in() == LetIn::NotYet {
            self.session.accept();
            if let Some(notes) = &self.login_notes {
                notes.accepted();
            }
        }
        Ok(answer)
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut url = format!("{}/api/{path}", self.base);
        for (position, (name, value)) in query.iter().enumerate() {
            url.push(if position == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.extend(utf8_percent_encode(value, RESERVED));
        }
        url
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
