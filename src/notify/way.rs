//! The four ways to tell people something, all at the same time.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use super::command::AlertCommand;
use super::mail::Mail;
use super::message::AlertMessage;
use super::webhook::Webhook;
use crate::dhis2::{self, Dhis2};

/// How a message gets to people.
pub(crate) enum Way {
    Mail(Mail),
    Webhook(Webhook),
    Command(AlertCommand),
    /// DHIS2's own messages, to a user group.
    Dhis2 {
        settings: Box<dhis2::Settings>,
        user_group: String,
    },
}

/// Sends to each channel its message, all at the same time, and waits until the moment at most. In the order of the
/// channels: nothing, or why it did not arrive.
pub(crate) fn send(messages: Vec<(Way, AlertMessage)>, until: Instant) -> Vec<Result<(), String>> {
    let count = messages.len();
    let (told, hear) = mpsc::channel();
    for (index, (way, message)) in messages.into_iter().enumerate() {
        let told = told.clone();
        // Who hangs is left behind, and ends with the process.
        let telling =
            thread::Builder::new().spawn(move || told.send((index, way.send(&message, until))));
        if telling.is_err() {
            log::info!("the system has no thread to tell an alert with");
        }
    }
    drop(told);
    let mut arrived = BTreeMap::new();
    while arrived.len() < count {
        match hear.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok((index, result)) => _ = arrived.insert(index, result),
            Err(_) => break,
        }
    }
    let none = || Err("it did not answer in time".to_owned());
    (0..count)
        .map(|index| arrived.remove(&index).unwrap_or_else(none))
        .collect()
}

impl Way {
    fn send(&self, message: &AlertMessage, until: Instant) -> Result<(), String> {
        match self {
            Way::Mail(mail) => mail.send(message, until.saturating_duration_since(Instant::now())),
            Way::Webhook(webhook) => webhook.send(message, until),
            Way::Command(command) => command.send(message, until),
            Way::Dhis2 {
                settings,
                user_group,
            } => {
                let mut settings = dhis2::Settings::clone(settings);
                settings.http.ends_at = Some(until);
                let dhis2 = Dhis2::connect(&settings);
                dhis2
                    .and_then(|mut dhis2| {
                        dhis2.send_message(&message.subject, &message.text, user_group)
                    })
                    .map_err(|error| error.to_string())
            }
        }
    }
}
