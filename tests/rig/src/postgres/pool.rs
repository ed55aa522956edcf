//! A PgBouncer before a database, with one connection to the server, so that whoever comes next gets what the one before
//! left on it.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::database::Database;
use super::server;

/// Where Debian puts a program that users are not meant to start, and where others do.
const PLACES: [&str; 4] = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];

const PATIENCE: Duration = Duration::from_secs(20);

/// When a server connection goes back to the pool.
#[derive(Clone, Copy, Debug)]
pub enum PoolMode {
    Session,
    Transaction,
}

/// A PgBouncer of ours; dropping it stops it and removes its files. Reading a pipe that only we hold, the shell that
/// watches over it does the same when we are killed.
pub struct Pool {
    port: u16,
    database: String,
    watcher: Child,
}

const WATCHER: &str = r#"
trap '' HUP INT TERM PIPE
"$1" -q "$2/pgbouncer.ini" 2>"$2/log" &
cat >/dev/null
kill $!
wait
cd / && rm -rf "$2"
"#;

impl Pool {
    /// Starts one that lets the roles in without a password, as the database does.
    ///
    /// # Errors
    /// When PgBouncer is not installed or does not start.
    pub fn start(database: &Database, mode: PoolMode, roles: &[&str]) -> Result<Self> {
        let program = program()?;
        let account = server::account()?;
        let folder = server::folder(account)?;
        let port = server::free_port()?;
        write_settings(folder.path(), port, database, mode, roles)?;
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", WATCHER, "watcher"])
            .arg(program)
            .arg(folder.path())
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        if let Some(account) = account {
            account.give(folder.path())?;
            command.uid(account.user).gid(account.group);
        }
        let watcher = command.spawn().context("starting PgBouncer")?;
        // From here on the watcher owns the folder.
        let folder = folder.keep();
        let pool = Self {
            port,
            database: database.name().to_owned(),
            watcher,
        };
        pool.wait_until_ready(&folder)?;
        Ok(pool)
    }

    /// The URL of the database for a role, through the pool.
    pub fn url_as(&self, role: &str) -> String {
        format!(
            "postgresql://{role}@127.0.0.1:{}/{}",
            self.port, self.database
        )
    }

    fn wait_until_ready(&self, folder: &Path) -> Result<()> {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if begun.elapsed() > PATIENCE {
                let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
                bail!("PgBouncer does not listen:\n{log}");
            }
            std::thread::yield_now();
        }
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.watcher.stdin.take() {
            let _ = pipe.flush();
        }
        let _ = self.watcher.wait();
    }
}

fn program() -> Result<PathBuf> {
    let mut places = PLACES
        .iter()
        .map(|place| Path::new(place).join("pgbouncer"));
    places.find(|program| program.is_file()).context(
        "there is no PgBouncer; install it: apt-get install --no-install-recommends pgbouncer",
    )
}

fn write_settings(
    folder: &Path,
    port: u16,
    database: &Database,
    mode: PoolMode,
    roles: &[&str],
) -> Result<()> {
    let mode = match mode {
        PoolMode::Session => "session",
        PoolMode::Transaction => "transaction",
    };
    let shown = folder.display();
    let settings = format!(
        "[databases]\n* = host=127.0.0.1 port={}\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n\
         auth_file = {shown}/users\npool_mode = {mode}\ndefault_pool_size = 1\nserver_tls_sslmode = disable\n",
        database.tcp_port()
    );
    fs::write(folder.join("pgbouncer.ini"), settings)?;
    let users: String = roles
        .iter()
        .map(|role| format!("\"{role}\" \"\"\n"))
        .collect();
    Ok(fs::write(folder.join("users"), users)?)
}
