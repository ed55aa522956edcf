//! A mail server on loopback that speaks SMTP over TLS, keeps what it is given, and can be ill.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What its certificate is for; the second one is this machine too, though not by its name.
const NAMES: [&str; 2] = ["localhost", "0.0.0.0"];

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// TLS from the first byte (smtps).
    Tls,
    /// TLS once the client asks for it.
    StartTls,
    /// It knows no TLS.
    Plain,
    /// It takes connections and says nothing.
    Silent,
}

/// A mail it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Whether it came encrypted.
    pub encrypted: bool,
    /// As the client logged in.
    pub login: Option<(String, String)>,
    pub from: String,
    pub to: Vec<String>,
    /// Head and body as they came, with `\n` at the ends of lines.
    pub text: String,
}

/// A running mail server. Its threads end with the process.
pub struct MailServer {
    port: u16,
    certificate: String,
    received: Arc<Mutex<Vec<Received>>>,
    manner: Arc<Mutex<Manner>>,
}

impl MailServer {
    /// Starts on any free port, with a new certificate for `localhost` and `0.0.0.0`.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn start(manner: Manner) -> MailServer {
        let mut params = CertificateParams::new(NAMES.map(str::to_owned)).expect("names");
        params.is_ca = IsCa::ExplicitNoCa;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("a certificate with its key");
        let config = Arc::new(config);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let server = MailServer {
            port: listener.local_addr().expect("its address").port(),
            certificate: certificate.pem(),
            received: Arc::default(),
            manner: Arc::new(Mutex::new(manner)),
        };
        let (received, manner) = (Arc::clone(&server.received), Arc::clone(&server.manner));
        thread::spawn(move || {
            let mut silent = Vec::new();
            for client in listener.incoming().flatten() {
                let (config, received) = (Arc::clone(&config), Arc::clone(&received));
                let manner = *locked(&manner);
                if manner == Manner::Silent {
                    silent.push(client);
                    continue;
                }
                // A client that goes away has said all it wants.
                thread::spawn(move || converse(client, manner, config, &received));
            }
        });
        server
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// PEM, for clients to trust.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// From now on behaves so.
    pub fn behave(&self, manner: Manner) {
        *locked(&self.manner) = manner;
    }

    /// Takes the mails it was given.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut locked(&self.received))
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

fn converse(
    client: TcpStream,
    manner: Manner,
    config: Arc<ServerConfig>,
    received: &Mutex<Vec<Received>>,
) -> io::Result<()> {
    let tls = |client: TcpStream| -> io::Result<Tls> {
        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, client))
    };
    if manner == Manner::Tls {
        return Session::new(tls(client)?, true, false).greet(received);
    }
    let mut session = Session::new(client, false, manner == Manner::StartTls);
    session.greet(received)?;
    if session.starts_tls {
        let client = session.stream.into_inner();
        return Session::new(tls(client)?, true, false).run(received);
    }
    Ok(())
}

/// A conversation with one client.
struct Session<S: Read + Write> {
    stream: BufReader<S>,
    encrypted: bool,
    offers_tls: bool,
    starts_tls: bool,
    login: Option<(String, String)>,
    from: String,
    to: Vec<String>,
}

impl<S: Read + Write> Session<S> {
    fn new(stream: S, encrypted: bool, offers_tls: bool) -> Session<S> {
        Session {
            stream: BufReader::new(stream),
            encrypted,
            offers_tls,
            starts_tls: false,
            login: None,
            from: String::new(),
            to: Vec::new(),
        }
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(format!("{line}\r\n").as_bytes())?;
        stream.flush()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        }
    }

    fn greet(&mut self, received: &Mutex<Vec<Received>>) -> io::Result<()> {
        self.say("220 localhost mail of the rig")?;
        self.run(received)
    }

    /// Until the client goes, or wants TLS.
    fn run(&mut self, received: &Mutex<Vec<Received>>) -> io::Result<()> {
        loop {
            let line = self.line()?;
            let verb = line.split([' ', ':']).next().unwrap_or_default();
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" if self.offers_tls => self.say("250-localhost\r\n250 STARTTLS")?,
                "EHLO" => self.say("250-localhost\r\n250-8BITMIME\r\n250 AUTH PLAIN")?,
                "STARTTLS" if self.offers_tls => {
                    self.starts_tls = true;
                    return self.say("220 go ahead");
                }
                "AUTH" => self.log_in(&line)?,
                "MAIL" => {
                    self.from = address(&line);
                    self.say("250 ok")?;
                }
                "RCPT" => {
                    self.to.push(address(&line));
                    self.say("250 ok")?;
                }
                "DATA" => self.take_mail(received)?,
                "QUIT" => return self.say("221 bye"),
                _ => self.say("500 what?")?,
            }
        }
    }

    /// `AUTH PLAIN` with user and password behind zeros (RFC 4616).
    fn log_in(&mut self, line: &str) -> io::Result<()> {
        let word = line.rsplit(' ').next().unwrap_or_default();
        let plain = STANDARD.decode(word).map_err(io::Error::other)?;
        let plain = String::from_utf8_lossy(&plain).into_owned();
        let mut parts = plain.split('\0').skip(1).map(str::to_owned);
        let login = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let is_wrong = login.1 == "wrong";
        self.login = Some(login);
        match is_wrong {
            true => self.say("535 no"),
            false => self.say("235 welcome"),
        }
    }

    fn take_mail(&mut self, received: &Mutex<Vec<Received>>) -> io::Result<()> {
        self.say("354 go ahead")?;
        let mut text = String::new();
        loop {
            let line = self.line()?;
            if line == "." {
                break;
            }
            text += line.strip_prefix('.').unwrap_or(&line);
            text.push('\n');
        }
        locked(received).push(Received {
            encrypted: self.encrypted,
            login: self.login.clone(),
            from: std::mem::take(&mut self.from),
            to: std::mem::take(&mut self.to),
            text,
        });
        self.say("250 taken")
    }
}

/// Between `<` and `>`.
fn address(line: &str) -> String {
    let behind = line.split_once('<').map_or("", |(_, behind)| behind);
    behind.split('>').next().unwrap_or_default().to_owned()
}
