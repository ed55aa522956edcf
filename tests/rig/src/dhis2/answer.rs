//! Answers: status, headers and body, DHIS2's web messages, and the error pages of the server around it.

use serde_json::{Value, json};

/// DHIS2 names the character set in answers of its controllers …
const JSON_UTF8: &str = "application/json;charset=UTF-8";
/// … and leaves it out in those of its exception handlers.
const JSON: &str = "application/json";

/// What goes back over the wire.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// A request refused by an exception: a web message without `response`.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    message: String,
    code: Option<&'static str>,
}

impl Answer {
    pub(crate) fn json(body: &Value) -> Answer {
        Answer::json_with_status(200, body)
    }

    /// JSON already written.
    pub(crate) fn json_text(body: Vec<u8>) -> Answer {
        Answer {
            status: 200,
            headers: vec![("Content-Type", JSON_UTF8.to_owned())],
            body,
        }
    }

    pub(crate) fn json_with_status(status: u16, body: &Value) -> Answer {
        Answer {
            status,
            headers: vec![("Content-Type", JSON_UTF8.to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    /// A web message of a controller, with DHIS2's `status` OK, WARNING or ERROR.
    pub(crate) fn message(status: u16, message: &str) -> Answer {
        let verdict = if status < 300 { "OK" } else { "ERROR" };
        Answer::json_with_status(status, &web_message(status, verdict, message))
    }

    pub(crate) fn empty(status: u16) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn redirect(status: u16, location: String) -> Answer {
        Answer::empty(status).with("Location", location)
    }

    /// Tomcat's error page; real ones differ in what follows the heading only.
    pub(crate) fn page(status: u16, message: &str) -> Answer {
        let heading = format!("HTTP Status {status} – {}", reason(status));
        let message = message.replace('/', "&#47;");
        let description = match status {
            404 => {
                "The origin server did not find a current representation for the target resource or is not willing to disclose that one exists."
            }
            _ => {
                "The target resource does not have a current representation that would be acceptable to the user agent, according to the proactive negotiation header fields received in the request, and the server is unwilling to supply a default representation."
            }
        };
        let page = format!(
            "<!doctype html><html lang=\"en\"><head><title>{heading}</title><style type=\"text/css\">{STYLE}</style></head><body><h1>{heading}</h1><hr class=\"line\" /><p><b>Type</b> Status Report</p><p><b>Message</b> {message}</p><p><b>Description</b> {description}</p><hr class=\"line\" /><h3>DHIS2 server's stand-in</h3></body></html>"
        );
        Answer {
            status,
            headers: vec![("Content-Type", "text/html;charset=utf-8".to_owned())],
            body: page.into_bytes(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    /// A page of one of the web apps, such as the one to log in at.
    pub(crate) fn web_app() -> Answer {
        Answer {
            status: 200,
            headers: vec![("Content-Type", "text/html;charset=UTF-8".to_owned())],
            body: b"<!doctype html><html lang=\"en\"><head><title>DHIS2</title></head><body></body></html>".to_vec(),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        let mut headers = self.headers.iter();
        headers.any(|(name, value)| *name == "Content-Type" && value.starts_with(JSON))
    }

    /// The same answer cut off before its body.
    pub(crate) fn emptied(mut self) -> Answer {
        self.body.clear();
        self
    }

    pub(crate) fn reason(&self) -> &'static str {
        reason(self.status)
    }
}

const STYLE: &str = "body {font-family:Tahoma,Arial,sans-serif;} h1, h2, h3, b {color:white;background-color:#525D76;} h1 {font-size:22px;} h2 {font-size:16px;} h3 {font-size:14px;} p {font-size:12px;} a {color:black;} .line {height:1px;background-color:#525D76;border:none;}";

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            message: message.into(),
            code: None,
        }
    }

    pub(crate) fn with_code(
        status: u16,
        message: impl Into<String>,
        code: &'static str,
    ) -> Refusal {
        Refusal {
            code: Some(code),
            ..Refusal::new(status, message)
        }
    }

    /// The refusal for want of an authority.
    pub(crate) fn needs(authority: &str) -> Refusal {
        let message = format!("Access is denied, requires one Authority from [{authority}]");
        Refusal::new(403, message)
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        let mut body = web_message(refusal.status, "ERROR", &refusal.message);
        if let Some(code) = refusal.code {
            body["errorCode"] = json!(code);
        }
        Answer {
            status: refusal.status,
            headers: vec![("Content-Type", JSON.to_owned())],
            body: body.to_string().into_bytes(),
        }
    }
}

/// DHIS2's envelope (`WebMessage`).
pub(crate) fn web_message(status: u16, verdict: &str, message: &str) -> Value {
    json!({
        "httpStatus": reason(status),
        "httpStatusCode": status,
        "status": verdict,
        "message": message,
    })
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
