//! A webhook: JSON by POST to an address, in the form that whoever listens there wants.

use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::message::AlertMessage;
use crate::http::{Client, HttpSettings};

/// Where and in which form.
pub(crate) struct Webhook {
    /// Whoever knows it may write there.
    pub(crate) url: SecretString,
    pub(crate) http: HttpSettings,
    /// JSON with places such as `{{text}}` in its texts; None: all of the message.
    pub(crate) template: Option<Value>,
}

/// What a template may have in its texts.
const PLACES: [&str; 5] = ["subject", "text", "severity", "host", "at"];

impl Webhook {
    pub(super) fn send(&self, message: &AlertMessage, until: Instant) -> Result<(), String> {
        let message = message.json();
        let body = match &self.template {
            None => message,
            Some(template) => filled(template, &message),
        };
        let mut http = self.http.clone();
        http.ends_at = Some(until);
        let patience = until.saturating_duration_since(Instant::now());
        for limit in [
            &mut http.connect,
            &mut http.send,
            &mut http.first_byte,
            &mut http.body,
        ] {
            *limit = patience.min(*limit);
        }
        let client = Client::new(&http).map_err(|error| error.to_string())?;
        let answer = client
            .post_json(
                self.url.expose_secret(),
                &[("accept", "application/json")],
                body.to_string().as_bytes(),
            )
            .map_err(|error| self.without_url(&error.to_string()))?;
        match answer.status {
            200..=299 => Ok(()),
            status => Err(format!("it answered {status}")),
        }
    }
}

impl Webhook {
    /// The address may be a secret, whatever an error says.
    fn without_url(&self, words: &str) -> String {
        words.replace(self.url.expose_secret(), "its address")
    }
}

/// The template with the message in its places. Only texts are looked at, so that no word of a message can be anything
/// but text.
fn filled(template: &Value, message: &Value) -> Value {
    match template {
        Value::String(text) => Value::String(filled_text(text, message)),
        Value::Array(items) => items.iter().map(|item| filled(item, message)).collect(),
        Value::Object(members) => {
            let members = members.iter();
            let filled = members.map(|(key, value)| (key.clone(), filled(value, message)));
            Value::Object(filled.collect())
        }
        other => other.clone(),
    }
}

/// One pass, so that a place that stands in the message itself stays as it is.
fn filled_text(text: &str, message: &Value) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        done += before;
        match behind.split_once("}}") {
            Some((place, after)) if PLACES.contains(&place.trim()) => {
                let value = message.get(place.trim()).and_then(Value::as_str);
                done += value.unwrap_or_default();
                rest = after;
            }
            _ => {
                done += "{{";
                rest = behind;
            }
        }
    }
    done + rest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::filled;

    #[test]
    fn a_message_can_be_nothing_but_text_of_a_template() {
        let message = json!({
            "subject": "a \"quote\", a \\ and {{text}}",
            "text": "line 1\nline 2\", \"to\": \"all",
            "severity": "error",
        });
        let template = json!({
            "chat_id": 5,
            "blocks": [{ "text": "{{ subject }} – {{severity}}: {{text}}" }],
            "{{text}}": "{{unknown}} {{",
        });
        let body = filled(&template, &message);
        assert_eq!(
            body,
            json!({
                "chat_id": 5,
                "blocks": [{ "text": "a \"quote\", a \\ and {{text}} – error: line 1\nline 2\", \"to\": \"all" }],
                "{{text}}": "{{unknown}} {{",
            })
        );
    }
}
