//! Facts about TLS: which servers are believed, and that no other sees a word of the login.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use secrecy::SecretString;
use tempfile::TempDir;

use super::super::{ExtractErrorKind, Source, SourceSettings};

const PASSWORD: &str = "Sesame7";

/// A certificate with its key.
struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).expect("a name")
}

/// Two authorities differ in their key; in their name only where it differs here.
fn authority(name: &str) -> (Identity, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let again = KeyPair::try_from(key.serialize_der()).expect("the same key");
    (Identity { certificate, key }, Issuer::new(params, again))
}

fn signed(params: &CertificateParams, issuer: &Issuer<'static, KeyPair>) -> Identity {
    let key = KeyPair::generate().expect("a key");
    Identity {
        certificate: params.signed_by(&key, issuer).expect("a certificate"),
        key,
    }
}

fn self_signed(params: &CertificateParams) -> Identity {
    let key = KeyPair::generate().expect("a key");
    Identity {
        certificate: params.self_signed(&key).expect("a certificate"),
        key,
    }
}

/// A server that offers TLS as PostgreSQL does, reads what comes first, and hangs up. Gives its port, and the number of bytes that it was
/// told behind the handshake.
fn server(identity: &Identity) -> (u16, JoinHandle<usize>) {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate.der().clone()], key)
        .expect("a certificate with its key");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let heard = thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a client");
        let mut request = [0; 8];
        socket.read_exact(&mut request).expect("a request for TLS");
        assert_eq!(
            request,
            [0, 0, 0, 8, 4, 210, 22, 47],
            "SSLRequest of PostgreSQL's protocol"
        );
        socket.write_all(b"S").expect("the offer");
        let mut connection = ServerConnection::new(Arc::new(config)).expect("a TLS server");
        Stream::new(&mut connection, &mut socket)
            .read(&mut [0; 1000])
            .unwrap_or(0)
    });
    (port, heard)
}

/// Connects to a server with this identity, with the authority's certificate at hand; `asked` stands behind the URL.
fn connect(
    identity: &Identity,
    authority: &Identity,
    asked: &str,
) -> (ExtractErrorKind, String, usize) {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("ca.pem"), authority.certificate.pem()).expect("a file");
    let (port, heard) = server(identity);
    let url = format!("postgresql://sync@127.0.0.1:{port}/sluhis{asked}");
    let settings = SourceSettings::from_url(&url, folder.path(), Vec::new()).expect(&url);
    let error = Source::connect(&settings, Some(&SecretString::from(PASSWORD)))
        .err()
        .expect("this is no PostgreSQL");
    (
        error.kind,
        error.to_string(),
        heard.join().expect("a server"),
    )
}

#[track_caller]
fn believed(identity: &Identity, authority: &Identity, asked: &str) {
    let (kind, text, heard) = connect(identity, authority, asked);
    assert_eq!(kind, ExtractErrorKind::Lost, "{asked}: {text}");
    assert!(heard > 0, "{asked}: the server was told nothing");
}

#[track_caller]
fn not_believed(identity: &Identity, authority: &Identity, asked: &str, why: &str) {
    let (kind, text, heard) = connect(identity, authority, asked);
    assert_eq!(kind, ExtractErrorKind::Tls, "{asked}: {text}");
    assert!(text.contains(why), "{asked}: {why:?} is not in: {text}");
    assert_eq!(heard, 0, "{asked}: the server was told something");
}

const FULL: &str = "?sslrootcert=ca.pem";
const SIGNED: &str = "?sslmode=verify-ca&sslrootcert=ca.pem";
const REQUIRED_AND_SIGNED: &str = "?sslmode=require&sslrootcert=ca.pem";
const REQUIRED: &str = "?sslmode=require";

#[test]
fn a_server_with_a_certificate_for_its_name_is_believed_in_every_mode() {
    let (ca, issuer) = authority("ours");
    let good = signed(&params("127.0.0.1"), &issuer);
    for asked in [FULL, SIGNED, REQUIRED_AND_SIGNED, REQUIRED] {
        believed(&good, &ca, asked);
    }
}

#[test]
fn a_certificate_for_another_name_is_refused_by_verify_full_alone() {
    let (ca, issuer) = authority("ours");
    let other = signed(&params("db.example"), &issuer);
    not_believed(&other, &ca, FULL, "for another host");
    believed(&other, &ca, SIGNED);
    believed(&other, &ca, REQUIRED_AND_SIGNED);
}

#[test]
fn a_certificate_of_another_authority_is_refused_unless_only_encryption_is_asked_for() {
    let (ca, _) = authority("ours");
    // An authority that was made anew has the name of the old one.
    for name in ["theirs", "ours"] {
        let (_, stranger) = authority(name);
        let strange = signed(&params("127.0.0.1"), &stranger);
        for asked in [FULL, SIGNED, REQUIRED_AND_SIGNED] {
            not_believed(&strange, &ca, asked, "not signed by a trusted authority");
        }
        believed(&strange, &ca, REQUIRED);
    }
}

#[test]
fn an_expired_certificate_is_refused_where_certificates_are_looked_at() {
    let (ca, issuer) = authority("ours");
    let mut params = params("127.0.0.1");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    let expired = signed(&params, &issuer);
    not_believed(&expired, &ca, FULL, "has expired");
    not_believed(&expired, &ca, SIGNED, "has expired");
}

#[test]
fn a_server_that_shows_its_own_certificate_needs_it_to_be_no_authority() {
    let mut params = params("127.0.0.1");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = self_signed(&params);
    not_believed(&authority, &authority, FULL, "reissue it with CA:FALSE");
    params.is_ca = IsCa::ExplicitNoCa;
    let server = self_signed(&params);
    believed(&server, &server, FULL);
}
