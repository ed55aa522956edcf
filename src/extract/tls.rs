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

use super::pin::TlsPin;
use super::sslmode::{Certificates, Tls};

/// The TLS side of a connection; none where no TLS is wanted. The error is a sentence.
pub(super) fn connector(tls: &Tls) -> Result<Option<MakeRustlsConnect>, String> {
    let provider = Arc::new(ring::default_provider());
    let config = match tls {
        Tls::Off => return Ok(None),
        Tls::Named(None) => versions(&provider)?
            .with_root_certificates(system_roots()?)
            .with_no_client_auth(),
        Tls::Named(Some(roots)) => versions(&provider)?
            .with_root_certificates(store(roots)?)
            .with_no_client_auth(),
        Tls::Signed(roots) => verified_by(&provider, any_name(&provider, Some(store(roots)?)))?,
        Tls::Encrypted | Tls::Offered => verified_by(&provider, any_name(&provider, None))?,
        Tls::Pinned(pins, besides) => {
            let besides = besides_a_pin(&provider, besides.as_deref())?;
            let pins = Arc::clone(pins);
            verified_by(&provider, Arc::new(PinnedKey { pins, besides }))?
        }
    };
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

type Versions = rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>;

fn versions(provider: &Arc<CryptoProvider>) -> Result<Versions, String> {
    ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS is not available: {error}"))
}

fn verified_by(
    provider: &Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<ClientConfig, String> {
    Ok(versions(provider)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

fn any_name(
    provider: &Arc<CryptoProvider>,
    roots: Option<RootCertStore>,
) -> Arc<dyn ServerCertVerifier> {
    Arc::new(AnyName {
        roots,
        algorithms: provider.signature_verification_algorithms,
    })
}

/// What a server with a pinned key must show besides.
fn besides_a_pin(
    provider: &Arc<CryptoProvider>,
    besides: Option<&Tls>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let roots = match besides {
        Some(Tls::Named(roots)) => roots,
        Some(Tls::Signed(roots)) => return Ok(any_name(provider, Some(store(roots)?))),
        _ => return Ok(any_name(provider, None)),
    };
    let roots = match roots {
        Some(roots) => store(roots)?,
        None => system_roots()?,
    };
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider))
        .build()
        .map_err(|error| format!("the trusted certificates cannot be used: {error}"))?;
    Ok(verifier)
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

/// `verify-ca` (with roots) and `require` (without): the name of the host is not looked at.
#[derive(Debug)]
struct AnyName {
    roots: Option<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                roots,
                intermediates,
                now,
                self.algorithms.all,
            )?;
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

/// `tls-pin`: the certificate holds one of these keys, and whatever else is asked for holds too.
#[derive(Debug)]
struct PinnedKey {
    pins: Arc<Vec<TlsPin>>,
    besides: Arc<dyn ServerCertVerifier>,
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

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let key = TlsPin::of_key(&certificate.subject_public_key_info());
        if !self.pins.contains(&key) {
            let other = OtherError(Arc::new(OtherKey(key)));
            return Err(Error::InvalidCertificate(CertificateError::Other(other)));
        }
        self.besides
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.besides
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.besides
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.besides.supported_verify_schemes()
    }
}
