//! Mail, by SMTP: encrypted, except to this machine itself.

use std::time::Duration;

use lettre::address::AddressError;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport};
use secrecy::{ExposeSecret, SecretString};

use super::message::AlertMessage;

/// How mails are sent, and to whom.
pub(crate) struct Mail {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) transit: Transit,
    /// None: the server takes mail from everybody who reaches it.
    pub(crate) login: Option<(String, SecretString)>,
    /// Certificates to trust instead of the system's, PEM.
    pub(crate) ca_pem: Option<Vec<u8>>,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
}

/// What is between us and the mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transit {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is said that matters (STARTTLS), or nothing is sent.
    StartTls,
    /// Nothing; it is for this machine alone.
    Plain,
}

/// Refuses what is no address such as `somebody@health.example` or `Name <somebody@health.example>`.
pub(crate) fn ensure_address(text: &str) -> Result<(), String> {
    match text.parse::<Mailbox>() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("is no mail address ({})", words(error))),
    }
}

impl Mail {
    pub(super) fn send(&self, message: &AlertMessage, patience: Duration) -> Result<(), String> {
        let mail = self.mail(message)?;
        let transport = self
            .transport(patience)
            .map_err(|error| error_words(&error))?;
        match transport.send(&mail) {
            Ok(_) => Ok(()),
            Err(error) => Err(error_words(&error)),
        }
    }

    fn transport(
        &self,
        patience: Duration,
    ) -> Result<SmtpTransport, lettre::transport::smtp::Error> {
        let tls = match self.transit {
            Transit::Plain => Tls::None,
            Transit::StartTls => Tls::Required(self.tls()?),
            Transit::Tls => Tls::Wrapper(self.tls()?),
        };
        let mut builder = SmtpTransport::builder_dangerous(&self.host)
            .port(self.port)
            .tls(tls)
            // It holds for each step; whoever waits for us has a limit for all of them.
            .timeout(Some(patience));
        // What mail servers know us by is the part of the sender's address that they can look up.
        let domain = self.from.rsplit('@').next().unwrap_or_default();
        let domain = domain.trim_end_matches('>');
        if !domain.is_empty() {
            builder = builder.hello_name(ClientId::Domain(domain.to_owned()));
        }
        if let Some((user, password)) = &self.login {
            let password = password.expose_secret().to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(builder.build())
    }

    fn tls(&self) -> Result<TlsParameters, lettre::transport::smtp::Error> {
        let mut tls = TlsParameters::builder(self.host.clone());
        if let Some(pem) = &self.ca_pem {
            tls = tls
                .certificate_store(CertificateStore::None)
                .add_root_certificate(Certificate::from_pem(pem)?);
        }
        tls.build_rustls()
    }

    fn mail(&self, message: &AlertMessage) -> Result<lettre::Message, String> {
        let mailbox = |text: &str| {
            let parsed = text.parse::<Mailbox>();
            parsed.map_err(|error| format!("{text} is no mail address ({})", words(error)))
        };
        // So that holiday notes are not sent back (RFC 3834).
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        let mut mail = lettre::Message::builder()
            .from(mailbox(&self.from)?)
            .subject(&message.subject)
            .date_now()
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            mail = mail.to(mailbox(to)?);
        }
        mail.body(message.text.clone())
            .map_err(|error| format!("the mail cannot be written ({error})"))
    }
}

fn words(error: AddressError) -> String {
    error.to_string().to_lowercase()
}

/// What the server said, and no more of it than a line.
fn error_words(error: &lettre::transport::smtp::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_words = inner.to_string();
        if !words.contains(&inner_words) {
            words += &format!(": {inner_words}");
        }
        cause = inner.source();
    }
    words
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect()
}
