//! A server that speaks TLS for one that does not, DHIS2's stand-in or PostgreSQL, and knows how much it was told behind the handshake.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, IsCa, KeyPair, PublicKeyData, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha2::{Digest, Sha256};

/// A certificate that signs itself, with its key.
pub(crate) struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    pub(crate) fn of(name: &str) -> Identity {
        Identity::until(name, 2100)
    }

    /// One that is no longer valid.
    pub(crate) fn expired(name: &str) -> Identity {
        Identity::until(name, 2021)
    }

    fn until(name: &str, year: i32) -> Identity {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.is_ca = IsCa::ExplicitNoCa;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Identity { certificate, key }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// As `tls-pin` names its key.
    pub(crate) fn pin(&self) -> String {
        let digest = Sha256::digest(self.key.subject_public_key_info());
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{digits}")
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Speaks {
    /// TLS from the first byte.
    Https,
    /// TLS once the client has asked for it.
    Postgres,
}

/// A running front. It ends with the process.
pub(crate) struct Front {
    pub(crate) port: u16,
    heard: Arc<AtomicUsize>,
}

impl Front {
    /// Bytes that clients told it behind the handshake, or without any.
    pub(crate) fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

/// Starts a front for the server on a port of this machine.
pub(crate) fn front(identity: &Identity, speaks: Speaks, to: u16) -> Front {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate.der().clone()], key)
        .expect("a certificate with its key");
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let heard = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&heard);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (config, heard) = (Arc::clone(&config), Arc::clone(&counted));
            thread::spawn(move || {
                let connection = ServerConnection::new(config).expect("a TLS server");
                // A client that goes away is what some tests are about.
                let _ = serve(client, connection, speaks, to, &heard);
            });
        }
    });
    Front { port, heard }
}

fn serve(
    mut client: TcpStream,
    connection: ServerConnection,
    speaks: Speaks,
    to: u16,
    heard: &AtomicUsize,
) -> io::Result<()> {
    if speaks == Speaks::Postgres {
        let mut request = [0; 8];
        client.read_exact(&mut request)?;
        // SSLRequest of PostgreSQL's protocol.
        if request != [0, 0, 0, 8, 4, 210, 22, 47] {
            heard.fetch_add(request.len(), Ordering::SeqCst);
            return Ok(());
        }
        client.write_all(b"S")?;
    }
    let mut client = StreamOwned::new(connection, client);
    while client.conn.is_handshaking() {
        client.conn.complete_io(&mut client.sock)?;
    }
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, to))?;
    let moment = Some(Duration::from_millis(1));
    client.sock.set_read_timeout(moment)?;
    server.set_read_timeout(moment)?;
    let mut buffer = [0; 16_384];
    loop {
        match some(client.read(&mut buffer))? {
            Some(0) => return Ok(()),
            Some(length) => {
                heard.fetch_add(length, Ordering::SeqCst);
                server.write_all(&buffer[..length])?;
            }
            None => {}
        }
        match some(server.read(&mut buffer))? {
            Some(0) => {
                client.conn.send_close_notify();
                return client.flush();
            }
            Some(length) => client.write_all(&buffer[..length])?,
            None => {}
        }
    }
}

/// None: nothing has come yet.
fn some(read: io::Result<usize>) -> io::Result<Option<usize>> {
    match read {
        Ok(length) => Ok(Some(length)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
