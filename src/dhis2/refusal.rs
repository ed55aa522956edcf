//! What an answer means that is not the one we hoped for: who refused us, what is not DHIS2, what may pass.

use jiff::Timestamp;
use serde::Deserialize;

use super::error::{Dhis2Error, Kind};
use super::login_session::LetIn;
use super::method::Method;
use super::patience::{may_pass, retry_after};
use crate::http::Answer;

/// At most so much of the server's own words is shown.
const SHOWN: usize = 200;
/// A refusal is a short text; what is longer is not looked at.
const LONGEST: u64 = 64 << 10;

/// What DHIS2 says of a request it refuses (a `WebMessage`), as far as it is used.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WebMessage {
    http_status_code: Option<u16>,
    message: Option<String>,
    error_code: Option<String>,
}

/// A refusal, taken apart.
struct RefusedRequest<'r> {
    doing: &'r str,
    status: u16,
    content_type: Option<String>,
    /// What `WWW-Authenticate` asks for.
    realm: Option<String>,
    /// None: it is not DHIS2 that speaks.
    said: Option<WebMessage>,
    method: Method,
}

/// Why an answer is not the one that was hoped for.
pub(super) fn refusal(doing: &str, method: Method, answer: Answer, let_in: LetIn) -> Dhis2Error {
    let status = answer.status;
    if let Some(location) = answer
        .location
        .as_deref()
        .filter(|_| (300..400).contains(&status))
    {
        return redirected(doing, location);
    }
    let retry_after = answer
        .retry_after
        .as_deref()
        .and_then(|asked| retry_after(asked, Timestamp::now()));
    let is_json = is_json(&answer);
    let (content_type, realm) = (answer.content_type.clone(), answer.www_authenticate.clone());
    let body = answer.bytes_up_to(LONGEST).unwrap_or_default();
    let said = Some(&body).filter(|_| is_json);
    let said: Option<WebMessage> = said.and_then(|body| serde_json::from_slice(body).ok());
    let refused = RefusedRequest {
        doing,
        status,
        content_type,
        realm,
        said: said.filter(|said| said.http_status_code.is_none_or(|code| code == status)),
        method,
    };
    Dhis2Error {
        status: Some(status),
        retry_after,
        code: refused.code().map(str::to_owned),
        ..refused.judged(let_in)
    }
}

impl RefusedRequest<'_> {
    fn judged(&self, let_in: LetIn) -> Dhis2Error {
        let told = self.told();
        let own = self.is_dhis2s();
        match self.status {
            200 => self.not_json(),
            409 if self.said.is_none() => self.not_json(),
            400 if own && self.is_malformed_token() => Dhis2Error {
                is_refused_login: let_in == LetIn::NotYet,
                ..self.error(
                    Kind::Credentials,
                    format!("DHIS2 says that the token is malformed ({told}); check token-file in [dhis2]"),
                )
            },
            401 => self.unauthorized(let_in),
            403 if own => self.error(
                Kind::Credentials,
                format!("DHIS2 forbids it to the account ({told}); give the account the right; not tried again"),
            ),
            403 => self.not_json(),
            404 if self.code().is_some() => {
                self.error(Kind::Target, format!("DHIS2 has no such object ({told})"))
            }
            404 => self.error(
                Kind::Target,
                "no DHIS2 API there (404); check url in [dhis2], with its context path".to_owned(),
            ),
            409 if self.code().is_some() => {
                self.error(Kind::Target, format!("DHIS2 refused it ({told})"))
            }
            413 => self.error(
                Kind::Target,
                "the request is too large for the server or a proxy before it (413); set chunk in [dhis2] lower, or the proxy's limit higher".to_owned(),
            ),
            status if may_pass(status) => self.error(
                Kind::Temporary { nothing_sent: false },
                format!("DHIS2 failed or is overloaded ({status}); the next run tries again"),
            ),
            _ => self.error(
                Kind::Target,
                format!("DHIS2 refused the request ({told}); check url in [dhis2] and proxies before it"),
            ),
        }
    }

    /// Only DHIS2's own 401 to the first request says that it does not know us. The limits of a token are told in words
    /// of their own. Any other comes from a server that is ill, or from a proxy: a 2.42 was seen to answer one to right
    /// credentials after its database had been away.
    fn unauthorized(&self, let_in: LetIn) -> Dhis2Error {
        if let Some(remedy) = self.limit_of_token() {
            let message = format!("DHIS2 refuses it ({}): {remedy}", self.status);
            return self.error(Kind::Credentials, message);
        }
        if self.is_dhis2s() && let_in == LetIn::NotYet {
            return Dhis2Error {
                is_refused_login: true,
                ..self.error(
                    Kind::Credentials,
                    format!(
                        "DHIS2 rejected the credentials ({}); check token-file, or username and password-file, in [dhis2]",
                        self.told()
                    ),
                )
            };
        }
        let who = match self.is_dhis2s() {
            true => "after DHIS2 had let us in",
            false => "that is not DHIS2's JSON",
        };
        Dhis2Error {
            ends_run: true,
            ..self.error(
                Kind::Temporary {
                    nothing_sent: false,
                },
                format!(
                    "401 {who} ({}): the server is ill, or a proxy before it asks for a login; not tried again in this run, the next run tries again",
                    self.form()
                ),
            )
        }
    }

    /// What is wrong with a token that is good for other requests than this one, and what to do.
    fn limit_of_token(&self) -> Option<String> {
        let words = self.said.as_ref()?.message.as_deref()?;
        let reason = words.strip_prefix("Failed to authenticate API token, ")?;
        let method = self.method;
        Some(match reason.trim_end_matches('.') {
            "token has expired" => "the token has expired; make a new one in DHIS2".to_owned(),
            "request http method is not allowed" => format!(
                "the token may not {method}; add {method} to the token's methods in DHIS2"
            ),
            "request ip address is not allowed" => {
                "the token may not be used from this host; add its address to those of the token in DHIS2".to_owned()
            }
            reason if reason.starts_with("request") => {
                "the token may not be used for this request; mend its limits in DHIS2".to_owned()
            }
            _ => return None,
        })
    }

    /// What is not DHIS2's own JSON is never DHIS2's word.
    fn not_json(&self) -> Dhis2Error {
        self.error(
            Kind::Target,
            format!(
                "the answer is not DHIS2's JSON but {}; check url in [dhis2] and proxies before it",
                self.form()
            ),
        )
    }

    /// What came: `text/html (401, asks for Basic realm="gate")`.
    fn form(&self) -> String {
        let kind = self.content_type.as_deref();
        let kind = kind.map_or_else(|| "of no type".to_owned(), shown);
        let realm = self.realm.as_deref().map(shown);
        let realm = realm.map(|realm| format!(", asks for {realm}"));
        format!("{kind} ({}{})", self.status, realm.unwrap_or_default())
    }

    /// `404`, or `403 Access is denied`. The answer to what writes may repeat what was sent, so that only codes and
    /// authorities of it are told.
    fn told(&self) -> String {
        let words = match self.method {
            Method::Get => shown(self.words()),
            Method::Post | Method::Put => {
                let authorities = authorities(self.words());
                let codes: Vec<&str> = self.code().into_iter().chain(authorities).collect();
                codes.join(" ")
            }
        };
        format!("{} {words}", self.status).trim_end().to_owned()
    }

    fn words(&self) -> &str {
        let said = self.said.as_ref();
        let words = said.and_then(|said| said.message.as_deref());
        words.unwrap_or_default()
    }

    fn code(&self) -> Option<&str> {
        self.said
            .as_ref()?
            .error_code
            .as_deref()
            .filter(|code| is_code(code))
    }

    /// Whether it is an answer of DHIS2 itself, which repeats the status in its body.
    fn is_dhis2s(&self) -> bool {
        let said = self.said.as_ref();
        let repeats = said.is_some_and(|said| said.http_status_code == Some(self.status));
        repeats && (self.realm.is_none() || self.asks_for_token())
    }

    fn is_malformed_token(&self) -> bool {
        self.asks_for_token() || self.words().contains("Checksum validation failed")
    }

    fn asks_for_token(&self) -> bool {
        self.realm.as_deref() == Some("ApiToken")
    }

    fn error(&self, kind: Kind, what: String) -> Dhis2Error {
        Dhis2Error::new(kind, format!("{}: {what}", self.doing))
    }
}

fn redirected(doing: &str, location: &str) -> Dhis2Error {
    Dhis2Error::new(
        Kind::Target,
        format!(
            "{doing}: the server redirects to {}; set url in [dhis2] to where DHIS2 is; not followed",
            shown(location)
        ),
    )
}

/// The words of a text that have the form of an authority, such as `F_DATAVALUE_ADD`.
fn authorities(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
    words.filter(|word| word.starts_with("F_") && (3..=60).contains(&word.len()))
}

/// DHIS2's error codes: `E` and digits.
pub(super) fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix('E').unwrap_or_default();
    (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_json(answer: &Answer) -> bool {
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
