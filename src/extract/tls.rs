//! Who the server must prove to be before it sees a credential: libpq's `sslmode`, in rustls.

use std::sync::Arc;
use std::{error, fmt, io};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::sslmode::{Certificates, Tls};
use super::tls_pin::TlsPin;

/// The TLS side of a connection; none where no TLS is wanted. The error is a sentence.
pub(super) fn connector(tls: &Tls) -> Result<Option<MakeRustlsConnect>, String> {
    let (pins, tls) = match tls {
        Tls::Off => return Ok(None),
        Tls::Pinned(pins, tls) => (Some(Arc::clone(pins)), tls.as_deref()),
        tls => (None, Some(tls)),
    };
    let provider = Arc::new(ring::default_provider());
    let trust = match tls {
        Some(Tls::Named(roots)) => Trust::Named(named(&provider, roots.as_ref())?),
        Some(Tls::Signed(roots)) => Trust::Signed(store(roots)?),
        _ => Trust::Anybody,
    };
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Verifier {
        pins,
        trust,
        algorithms,
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS is not available: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}

/// What is wrong with the other side, in words that say what to do; none if the handshake failed for another reason than trust.
pub(super) fn explain(error: &(dyn error::Error + 'static)) -> Option<String> {
    let tls = error
        .downcast_ref::<io::Error>()?
        .get_ref()?
        .downcast_ref::<Error>()?;
    let Error::InvalidCertificate(certificate) = tls else {
        return Some(tls.to_string());
    };
    Some(match certificate {
        // An authority that was made anew under its old name has signed with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate is not signed by a trusted authority; name the authority's file as sslrootcert".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired; renew it".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("the server's certificate is for another host: {certificate}; connect by that name, or reissue it with this one")
        }
        // webpki's own error; rustls has no word for it. `openssl req -x509` makes such certificates unless told otherwise.
        CertificateError::Other(other) if other.0.is::<OtherKey>() => other.to_string(),
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the server's certificate is that of an authority (CA:TRUE), which cannot stand for a server; reissue it with CA:FALSE and the \
             host in subjectAltName, as with: openssl req -x509 -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:HOST"
                .to_owned()
        }
        other => format!("the server's certificate cannot be trusted: {other}"),
    })
}

/// `verify-full`: signed by one of these (none: the system's), for the host's name.
fn named(
    provider: &Arc<CryptoProvider>,
    roots: Option<&Certificates>,
) -> Result<Arc<WebPkiServerVerifier>, String> {
    let roots = match roots {
        Some(roots) => store(roots)?,
        None => system_roots()?,
    };
    WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider))
        .build()
        .map_err(|error| format!("the trusted certificates cannot be used: {error}"))
}

fn store(certificates: &Certificates) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates.iter() {
        roots
            .add(certificate.clone())
            .map_err(|error| format!("a certificate of sslrootcert cannot be used: {error}"))?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("this system has no list of trusted certificates; name the authority's file as sslrootcert".to_owned());
    }
    Ok(roots)
}

/// Whose certificates are believed.
#[derive(Debug)]
enum Trust {
    /// `require` and `prefer`.
    Anybody,
    /// `verify-ca`: the name of the host is not looked at.
    Signed(RootCertStore),
    /// `verify-full`
    Named(Arc<WebPkiServerVerifier>),
}

/// What a certificate must show: one of the pinned keys, if there are any, and whom it comes from.
#[derive(Debug)]
struct Verifier {
    pins: Option<Arc<Vec<TlsPin>>>,
    trust: Trust,
    algorithms: WebPkiSupportedAlgorithms,
}

/// The server has another key than the pinned one.
#[derive(Debug)]
struct OtherKey(TlsPin);

impl fmt::Display for OtherKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the server's key is not the one that tls-pin names but {}; nothing was told to it; if those who run the server \
             say that it has this key now, write it as tls-pin",
            self.0
        )
    }
}

impl error::Error for OtherKey {}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        if let Some(pins) = &self.pins {
            let key = TlsPin::of_key(&certificate.subject_public_key_info());
            if !pins.contains(&key) {
                let other = OtherError(Arc::new(OtherKey(key)));
                return Err(Error::InvalidCertificate(CertificateError::Other(other)));
            }
        }
        match &self.trust {
            Trust::Anybody => {}
            Trust::Signed(roots) => verify_server_cert_signed_by_trust_anchor(
                &certificate,
                roots,
                intermediates,
                now,
                self.algorithms.all,
            )?,
            Trust::Named(verifier) => {
                verifier.verify_server_cert(
                    end_entity,
                    intermediates,
                    server_name,
                    ocsp_response,
                    now,
                )?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
