//! The tables `[[alert]]`: who is told, of what, and how. Secrets are read when something is to be told, so that one that
//! is missing never stops a run.

mod mail;

use std::path::Path;
use std::time::Duration;

use super::tables::{AlertSite, Site, WaySite, WebhookAddress};
use super::{address, files, secret};
use crate::http;
use crate::mapping::{Entry, FileError, Section};
use crate::notify::{AlertCommand, Way};
use crate::notify::{Audience, Severity};

/// A channel that is ready to send, or why it is not.
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) audience: Audience,
    pub(crate) way: Result<Way, String>,
}

/// No step of telling takes longer; all together have a limit of their own.
const STEP: Duration = Duration::from_secs(9);

/// A key of `[[alert]]` that says how, and what reads it: the way, and what it is called.
type WayParser = fn(Entry<'_>, &Path) -> Result<(String, WaySite), FileError>;

const WAYS: [(&str, WayParser); 4] = [
    ("mail", mail),
    ("webhook", webhook),
    ("command", command),
    ("dhis2-messages", messages),
];

/// All tables.
pub(super) fn parse(top: &mut Section<'_>, base: &Path) -> Result<Vec<AlertSite>, FileError> {
    let Some(entry) = top.take("alert") else {
        return Ok(Vec::new());
    };
    let mut alerts: Vec<AlertSite> = Vec::new();
    for entry in entry.list()? {
        let mut twice = entry.at(String::new());
        let alert = one(entry.section()?, base)?;
        // The history tells them apart by their names.
        if alerts.iter().any(|each| each.name == alert.name) {
            twice.message = format!(
                "there are two [[alert]] for {}; make one of them",
                alert.name
            );
            return Err(twice);
        }
        alerts.push(alert);
    }
    Ok(alerts)
}

fn one(mut section: Section<'_>, base: &Path) -> Result<AlertSite, FileError> {
    let least = match section.take("severity") {
        Some(entry) => entry.word()?,
        None => Severity::Notice,
    };
    let mappings = section.take("mappings").map(Entry::strings).transpose()?;
    let mut given = Vec::new();
    for (key, parser) in WAYS {
        given.extend(section.take(key).map(|entry| (parser, entry)));
    }
    let mut given = given.into_iter();
    let (Some((parser, entry)), None) = (given.next(), given.next()) else {
        let keys = WAYS.map(|(key, _)| key);
        let message = format!("[[alert]] needs exactly one of {}", keys.join(", "));
        return Err(section.missing(&keys, message));
    };
    section.finish()?;
    let (name, way) = parser(entry, base)?;
    Ok(AlertSite {
        name,
        audience: Audience { least, mappings },
        way,
    })
}

fn mail(entry: Entry<'_>, base: &Path) -> Result<(String, WaySite), FileError> {
    let mail = mail::parse(entry, base)?;
    Ok((mail.name(), WaySite::Mail(Box::new(mail))))
}

fn webhook(entry: Entry<'_>, base: &Path) -> Result<(String, WaySite), FileError> {
    let mut section = entry.section()?;
    let path = |entry: Entry<'_>| Ok::<_, FileError>(base.join(entry.string()?));
    let template = section.take("template-file").map(path).transpose()?;
    let ca_file = section.take("ca-file").map(path).transpose()?;
    let (name, url) = match (section.take("url"), section.take("url-file")) {
        (Some(entry), None) => {
            let url = entry.string()?.to_owned();
            address::ensure_webhook(&url).map_err(|why| entry.error(why))?;
            (url.clone(), WebhookAddress::Written(url))
        }
        (None, Some(entry)) => {
            let file = entry.string()?;
            (file.to_owned(), WebhookAddress::File(base.join(file)))
        }
        _ => {
            let message = "`webhook` needs a `url`, or a `url-file` if whoever knows the address may write there";
            return Err(section.missing(&["url", "url-file"], message.to_owned()));
        }
    };
    section.finish()?;
    let way = WaySite::Webhook {
        url,
        template,
        ca_file,
    };
    Ok((format!("webhook {name}"), way))
}

fn command(entry: Entry<'_>, _: &Path) -> Result<(String, WaySite), FileError> {
    let refused = entry.error(
        "must be a program by its whole path, and its arguments: [\"/path\", \"arg\"]".to_owned(),
    );
    let mut words = entry.strings()?.into_iter();
    let program = words.next().filter(|program| program.starts_with('/'));
    let program = program.ok_or(refused)?;
    let name = format!("command {program}");
    let way = WaySite::Command {
        program: program.into(),
        arguments: words.collect(),
    };
    Ok((name, way))
}

fn messages(entry: Entry<'_>, _: &Path) -> Result<(String, WaySite), FileError> {
    let mut section = entry.section()?;
    let entry = section.require("user-group")?;
    let uid: crate::domain::Uid = entry.parse()?;
    section.finish()?;
    let user_group = uid.to_string();
    let name = format!("DHIS2 messages to {user_group}");
    Ok((name, WaySite::Dhis2 { user_group }))
}

impl Site {
    /// Whether anybody is to be told anything.
    pub(crate) fn has_alerts(&self) -> bool {
        !self.alerts.is_empty()
    }

    /// Every channel, with the secrets it needs.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        let alerts = self.alerts.iter();
        alerts
            .map(|alert| Channel {
                name: alert.name.clone(),
                audience: alert.audience.clone(),
                way: self.way(&alert.way).map_err(|error| error.to_string()),
            })
            .collect()
    }

    fn way(&self, way: &WaySite) -> anyhow::Result<Way> {
        Ok(match way {
            WaySite::Mail(mail) => Way::Mail(mail.ready()?),
            WaySite::Webhook {
                url,
                template,
                ca_file,
            } => Way::Webhook(crate::notify::Webhook {
                url: match url {
                    WebhookAddress::Written(url) => url.clone().into(),
                    WebhookAddress::File(file) => webhook_in(file)?,
                },
                http: http::HttpSettings {
                    ca_pem: ca_file.as_deref().map(files::certificates).transpose()?,
                    connect: STEP,
                    send: STEP,
                    first_byte: STEP,
                    body: STEP,
                    ..http::HttpSettings::default()
                },
                template: template.as_deref().map(json).transpose()?,
            }),
            WaySite::Command { program, arguments } => Way::Command(AlertCommand {
                program: program.clone(),
                arguments: arguments.clone(),
                path: files::variable("PATH"),
            }),
            WaySite::Dhis2 { user_group } => {
                let mut settings = self.dhis2_settings()?;
                settings.attempts = 1;
                for limit in [
                    &mut settings.http.connect,
                    &mut settings.http.send,
                    &mut settings.http.first_byte,
                    &mut settings.http.body,
                ] {
                    *limit = STEP.min(*limit);
                }
                self.ensure_login_not_refused(&settings)?;
                Way::Dhis2 {
                    settings: Box::new(settings),
                    user_group: user_group.clone(),
                }
            }
        })
    }
}

fn webhook_in(file: &Path) -> Result<secrecy::SecretString, FileError> {
    let url = secret::read(file)?;
    let refused = |why: String| FileError::whole(&file.display().to_string(), why);
    address::ensure_webhook(secrecy::ExposeSecret::expose_secret(&url))
        .map_err(|why| refused(format!("the address in it {why}")))?;
    Ok(url)
}

fn json(file: &Path) -> Result<serde_json::Value, FileError> {
    serde_json::from_str(&files::read_for("`template-file`", file)?).map_err(|error| FileError {
        file: file.display().to_string(),
        place: Some((error.line(), error.column())),
        message: "the template is no JSON".to_owned(),
    })
}
