//! The words of what is told: a subject, a text for people, the same as JSON for programs.

mod item;
mod problem_list;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::facts::{News, Notice, Severity};
use crate::exit::Exit;
use item::{Item, LINE, SENTENCE, SUBJECT, short, shown};

/// Everything that is told to one channel at a time.
#[derive(Clone, Debug)]
pub(crate) struct AlertMessage {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) severity: Severity,
    /// The machine that tells it.
    pub(crate) host: String,
    pub(crate) at: Timestamp,
    is_test: bool,
    items: Vec<Value>,
}

/// From where and when it is told, and what people call the objects of DHIS2 it names.
pub(crate) struct Origin<'o> {
    pub(crate) host: String,
    pub(crate) at: Timestamp,
    pub(crate) names: &'o BTreeMap<String, String>,
}

impl AlertMessage {
    /// None if there is nothing to tell.
    pub(crate) fn of(notices: &[Notice], origin: &Origin<'_>) -> Option<AlertMessage> {
        let severity = notices.iter().map(|notice| notice.severity).max()?;
        let mut gravest_first: Vec<&Notice> = notices.iter().collect();
        gravest_first.sort_by_key(|notice| std::cmp::Reverse(notice.severity));
        let items: Vec<Item> = gravest_first
            .iter()
            .map(|notice| item(notice, origin.names))
            .collect();
        let first = items.first().map_or("", |item| item.head.as_str());
        let more = match items.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let (host, name) = (&origin.host, severity.name());
        let mut text = String::new();
        for item in &items {
            for line in &item.lines {
                text += &short(line, LINE);
                text.push('\n');
            }
            text.push('\n');
        }
        text += &format!(
            "Told by pg2dhis2 on {host} at {}. How everything stands: pg2dhis2 status. What runs did: pg2dhis2 history.\n",
            shown(origin.at)
        );
        let all = gravest_first.iter().zip(&items);
        Some(AlertMessage {
            subject: short(
                &format!("pg2dhis2 {name} on {host}: {first}{more}"),
                SUBJECT,
            ),
            text,
            severity,
            host: host.clone(),
            at: origin.at,
            is_test: false,
            items: all.map(|(notice, item)| json_item(notice, item)).collect(),
        })
    }

    /// A message that says that it is a test.
    pub(crate) fn test(host: &str, at: Timestamp) -> AlertMessage {
        AlertMessage {
            subject: format!("pg2dhis2 test on {host}: this is a test, nothing is wrong"),
            text: format!(
                "This is a test of the alerts of pg2dhis2 on {host} ({}). Nothing is wrong, and nothing is to be done.\n",
                shown(at)
            ),
            severity: Severity::Notice,
            host: host.to_owned(),
            at,
            is_test: true,
            items: Vec::new(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "pg2dhis2": "alert/1",
            "test": self.is_test,
            "severity": self.severity.name(),
            "subject": self.subject,
            "text": self.text,
            "host": self.host,
            "at": self.at.to_string(),
            "notices": self.items,
        })
    }
}

fn json_item(notice: &Notice, item: &Item) -> Value {
    let exit = match &notice.what {
        News::Trouble { exit, .. } => Some(exit.code()),
        _ => None,
    };
    json!({
        "about": notice.what.topic().to_string(),
        "severity": notice.severity.name(),
        "mapping": notice.mapping,
        "exit": exit,
        "text": item.lines.join("\n"),
    })
}

fn item(notice: &Notice, names: &BTreeMap<String, String>) -> Item {
    let whose = notice.mapping.as_deref().unwrap_or("the run");
    match &notice.what {
        News::Trouble {
            exit,
            message,
            since,
            runs,
            again,
        } => {
            let still = if *again { "still " } else { "" };
            let head = format!("{whose} {still}ends with {}", word(*exit));
            let count = match runs {
                1 => "1 run".to_owned(),
                runs => format!("{runs} runs"),
            };
            let mut lines = vec![format!(
                "{head}: {}. Since {} ({count}).",
                exit.meaning(),
                shown(*since)
            )];
            if !message.is_empty() && message != exit.meaning() {
                lines.push(format!("It said: {}", short(message, SENTENCE)));
            }
            Item { head, lines }
        }
        News::Recovered { from, at } => {
            let from: Vec<String> = from.iter().map(|exit| word(*exit)).collect();
            let head = format!("{whose} is well again");
            let lines = vec![format!(
                "{head} since {}. It had ended with {}.",
                shown(*at),
                from.join(", ")
            )];
            Item { head, lines }
        }
        News::Interrupted { runs } => {
            let numbers: Vec<String> = runs.iter().map(i64::to_string).collect();
            let head = match runs.as_slice() {
                [run] => format!("run {run} never came to its end"),
                _ => format!("runs {} never came to their end", numbers.join(", ")),
            };
            let lines = vec![format!(
                "{head}: killed, or a power cut. What was left undone, the run after it did."
            )];
            Item { head, lines }
        }
        News::Digest {
            new,
            known,
            acknowledged,
        } => problem_list::item(new, *known, *acknowledged, names),
    }
}

/// `credentials (12)`.
fn word(exit: Exit) -> String {
    format!("{} ({})", exit.name(), exit.code())
}
