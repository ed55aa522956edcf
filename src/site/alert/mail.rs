//! The key `mail` of an `[[alert]]`: the mail server, the sender, who gets it.

use std::path::Path;

use crate::mapping::{Entry, FileError};
use crate::notify::{Mail, Transit, ensure_address};
use crate::site::tables::MailSite;
use crate::site::{address, files, secret};

/// Where a mail server is and as whom we log in there.
#[derive(Debug)]
struct MailServer {
    host: String,
    port: u16,
    transit: Transit,
    user: Option<String>,
}

pub(super) fn parse(entry: Entry<'_>, base: &Path) -> Result<MailSite, FileError> {
    let mut section = entry.section()?;
    let entry = section.require("server")?;
    let server = server(entry.string()?).map_err(|why| entry.error(why))?;
    let password = section.take("password-file");
    let login = match (server.user, password) {
        (Some(user), Some(file)) => Some((user, base.join(file.string()?))),
        (None, None) => None,
        (Some(_), None) => {
            let message = "`server` names a user: it needs a `password-file`";
            return Err(section.missing(&["password-file"], message.to_owned()));
        }
        (None, Some(file)) => {
            let why = "needs a user in `server`, as in smtps://user@mail.health.example";
            return Err(file.error(why.to_owned()));
        }
    };
    let ca_file = match section.take("ca-file") {
        Some(entry) => Some(base.join(entry.string()?)),
        None => None,
    };
    let from = mail_address(&section.require("from")?)?;
    let to = section.require("to")?;
    let nobody = to.error("must have at least one mail address".to_owned());
    let to: Vec<String> = to
        .list()?
        .iter()
        .map(mail_address)
        .collect::<Result<_, _>>()?;
    if to.is_empty() {
        return Err(nobody);
    }
    section.finish()?;
    Ok(MailSite {
        host: server.host,
        port: server.port,
        transit: server.transit,
        login,
        ca_file,
        from,
        to,
    })
}

fn mail_address(entry: &Entry<'_>) -> Result<String, FileError> {
    let text = entry.string()?;
    ensure_address(text).map_err(|why| entry.error(why))?;
    Ok(text.to_owned())
}

/// `smtps://user@host:465` (TLS), `smtp://host:587` (STARTTLS, which must be there); `smtp://` to this machine is plain.
fn server(text: &str) -> Result<MailServer, String> {
    let wrong =
        || "must be such as smtps://user@mail.health.example or smtp://localhost".to_owned();
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    // A user may be a mail address.
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => (Some(user.replace("%40", "@")), place),
        None => (None, rest),
    };
    if user.as_ref().is_some_and(|user| user.contains(':')) {
        return Err("must not hold a password; write `password-file`".to_owned());
    }
    let place = place.trim_end_matches('/');
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, Some(port.parse().map_err(|_| wrong())?))
        }
        _ => (place, None),
    };
    if host.is_empty() || host.contains(['/', '?', '#', ' ']) || user.as_deref() == Some("") {
        return Err(wrong());
    }
    let (transit, usual) = match scheme {
        "smtps" => (Transit::Tls, 465),
        "smtp" if address::is_loopback(host) => (Transit::Plain, 25),
        "smtp" => (Transit::StartTls, 587),
        _ => return Err(wrong()),
    };
    Ok(MailServer {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: port.unwrap_or(usual),
        transit,
        user,
    })
}

impl MailSite {
    pub(super) fn name(&self) -> String {
        format!("mail to {}", self.to.join(", "))
    }

    pub(super) fn ready(&self) -> Result<Mail, FileError> {
        let login = self.login.as_ref();
        let login =
            login.map(|(user, file)| Ok::<_, FileError>((user.clone(), secret::read(file)?)));
        Ok(Mail {
            host: self.host.clone(),
            port: self.port,
            transit: self.transit,
            login: login.transpose()?,
            ca_pem: self
                .ca_file
                .as_deref()
                .map(files::certificates)
                .transpose()?,
            from: self.from.clone(),
            to: self.to.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::server;

    #[test]
    fn only_this_machine_gets_mail_in_the_clear() {
        for (text, expected) in [
            (
                "smtps://us@health.example@mail.example",
                "mail.example 465 Tls us@health.example",
            ),
            (
                "smtps://us%40health.example@mail.example:10465/",
                "mail.example 10465 Tls us@health.example",
            ),
            ("smtp://mail.example", "mail.example 587 StartTls "),
            ("smtp://localhost", "localhost 25 Plain "),
            ("smtp://[::1]:2525", "::1 2525 Plain "),
            (
                "smtp://localhost.example",
                "localhost.example 587 StartTls ",
            ),
        ] {
            let server = server(text).unwrap();
            let (host, user) = (server.host, server.user.unwrap_or_default());
            let found = format!("{host} {} {:?} {user}", server.port, server.transit);
            assert_eq!(found, expected, "{text}");
        }
        for text in [
            "mail.example",
            "http://mail.example",
            "smtps://",
            "smtps://u:p@mail.example",
            "smtps://@mail.example",
            "smtps://mail.example/path",
            "smtps://mail.example:x",
        ] {
            assert!(server(text).is_err(), "{text}");
        }
    }
}
