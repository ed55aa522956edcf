//! Who the server must prove to be, as the URL and `tls-pin` say it: libpq's `sslmode` and `sslrootcert`.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::settings_error::SettingsError;
use super::tls_pin::TlsPin;
use super::url::{is_loopback, is_socket};
use crate::mapping::nearest;

/// What must be known about the server before it sees a credential.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tls {
    /// `disable`, and every Unix socket.
    Off,
    /// `prefer`: encrypted if the server offers it.
    Offered,
    /// `require`: encrypted, by whomever.
    Encrypted,
    /// `verify-ca`: signed by one of these.
    Signed(Certificates),
    /// `verify-full`: signed by one of these (none: the system's), for the host's name.
    Named(Option<Certificates>),
    /// `tls-pin`: with one of these keys, and besides what else is written.
    Pinned(Arc<Vec<TlsPin>>, Option<Box<Tls>>),
}

pub(super) type Certificates = Arc<Vec<CertificateDer<'static>>>;

const MODES: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];

/// The transport security that the URL asks for, before a host is known.
pub(super) enum WantedTls {
    Unsaid(Tls),
    Written(Tls),
}

impl WantedTls {
    pub(super) fn read(
        mode: Option<&str>,
        root: Option<&str>,
        base: &Path,
    ) -> Result<WantedTls, SettingsError> {
        let roots = match root {
            None | Some("system") => None,
            Some(file) => Some(certificates(file, base)?),
        };
        if root == Some("system") && mode.is_some_and(|mode| mode != "verify-full") {
            return Err(SettingsError::new(
                "sslrootcert=system goes only with sslmode=verify-full",
            ));
        }
        let tls = match (mode, roots) {
            (None, roots) => return Ok(WantedTls::Unsaid(Tls::Named(roots))),
            (Some("disable"), _) => Tls::Off,
            (Some("prefer"), _) => Tls::Offered,
            (Some("require"), None) => Tls::Encrypted,
            // In libpq too, require with a root certificate verifies like verify-ca.
            (Some("require" | "verify-ca"), Some(roots)) => Tls::Signed(roots),
            (Some("verify-ca"), None) => {
                return Err(SettingsError::new(
                    "sslmode=verify-ca needs sslrootcert=FILE",
                ));
            }
            (Some("verify-full"), roots) => Tls::Named(roots),
            (Some(other), _) => return Err(unknown_mode(other)),
        };
        Ok(WantedTls::Written(tls))
    }

    /// The same with keys that the server must have.
    pub(super) fn pinned(self, pins: Vec<TlsPin>) -> Result<WantedTls, SettingsError> {
        let besides = match self {
            WantedTls::Unsaid(Tls::Named(None)) | WantedTls::Written(Tls::Encrypted) => None,
            WantedTls::Written(Tls::Off | Tls::Offered) => {
                return Err(SettingsError::new(
                    "tls-pin needs a connection that is always encrypted; take sslmode out of the url of [source]",
                ));
            }
            WantedTls::Unsaid(tls) | WantedTls::Written(tls) => Some(Box::new(tls)),
        };
        Ok(WantedTls::Written(Tls::Pinned(Arc::new(pins), besides)))
    }

    pub(super) fn for_host(&self, host: &str) -> Tls {
        match self {
            // PostgreSQL offers no TLS on a Unix socket, and libpq does not ask for it there.
            _ if is_socket(host) => Tls::Off,
            // A root certificate is written to be used, wherever the server is.
            WantedTls::Unsaid(Tls::Named(None)) if is_loopback(host) => Tls::Offered,
            WantedTls::Unsaid(tls) | WantedTls::Written(tls) => tls.clone(),
        }
    }
}

fn unknown_mode(mode: &str) -> SettingsError {
    let all = MODES.join(", ");
    SettingsError::new(match nearest(mode, MODES) {
        _ if mode == "allow" => {
            "sslmode=allow is not supported; write prefer, or better verify-full".to_owned()
        }
        Some(meant) => format!(
            "unknown sslmode {mode:?} in the url of [source]; did you mean {meant}? ({all})"
        ),
        None => format!("unknown sslmode in the url of [source]; known: {all}"),
    })
}

fn certificates(file: &str, base: &Path) -> Result<Certificates, SettingsError> {
    let path = base.join(file);
    let shown = path.display();
    let text = std::fs::read(&path).map_err(|error| {
        SettingsError::new(match error.kind() {
            ErrorKind::NotFound => format!("sslrootcert {shown} does not exist"),
            _ => format!("sslrootcert {shown} cannot be read ({})", error.kind()),
        })
    })?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| SettingsError::new(format!("sslrootcert {shown} is not PEM text")))?;
    if certificates.is_empty() {
        return Err(SettingsError::new(format!(
            "sslrootcert {shown} holds no certificate in PEM form"
        )));
    }
    Ok(Arc::new(certificates))
}
