//! Who the server must prove to be before it sees a credential: libpq's `sslmode`, in rustls.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::settings::{Certificates, Tls};

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
        Tls::Signed(roots) => without_name(&provider, Some(store(roots)?))?,
        Tls::Encrypted | Tls::Offered => without_name(&provider, None)?,
    };
    Ok(Some(MakeRustlsConnect::new(config)))
}

/// What is wrong with the other side, in words that say what to do; none if the handshake failed for another reason than trust.
pub(super) fn explain(error: &(dyn std::error::Error + 'static)) -> Option<String> {
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

fn without_name(
    provider: &Arc<CryptoProvider>,
    roots: Option<RootCertStore>,
) -> Result<ClientConfig, String> {
    let verifier = AnyName {
        roots,
        algorithms: provider.signature_verification_algorithms,
    };
    Ok(versions(provider)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
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
