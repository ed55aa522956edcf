//! Starts and ends a private PostgreSQL. A small shell keeps watch over it: the shell reads a pipe
//! that only we hold, so it stops the server and removes the files even when we are killed.

use std::env;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::{Builder, TempDir};

use super::UNLISTED_ROLE;
use super::binaries::Binaries;
use super::database::{Address, PASSWORD_ROLE};

/// Arguments: the folder of the binaries, the folder of the cluster. Ignored signals stay ignored
/// in a shell's children, but PostgreSQL sets all of them itself.
const SUPERVISOR: &str = r#"
trap '' HUP INT TERM PIPE
{ "$1/initdb" -N -D "$2/data" -U postgres -A trust -E UTF8 --no-locale >"$2/log" 2>&1 &&
  "$1/pg_ctl" start -w -t 60 -D "$2/data" -l "$2/log" >/dev/null 2>&1 \
      -o "-c config_file=$2/postgresql.conf -c hba_file=$2/pg_hba.conf" &&
  echo ready; } || echo failed
cat >/dev/null
"$1/pg_ctl" stop -w -m immediate -D "$2/data" >/dev/null 2>&1
cd / && rm -rf "$2"
"#;

/// The same for a server and its hot standby: the standby's files are a copy of the other's, made before that has ever run.
const SUPERVISOR_OF_TWO: &str = r#"
trap '' HUP INT TERM PIPE
{ "$1/initdb" -N -D "$2/data" -U postgres -A trust -E UTF8 --no-locale >"$2/log" 2>&1 &&
  cp -R "$2/data" "$2/standby" && : >"$2/standby/standby.signal" &&
  "$1/pg_ctl" start -w -t 60 -D "$2/data" -l "$2/log" >/dev/null 2>&1 \
      -o "-c config_file=$2/primary.conf -c hba_file=$2/pg_hba.conf" &&
  "$1/pg_ctl" start -w -t 60 -D "$2/standby" -l "$2/log" >/dev/null 2>&1 \
      -o "-c config_file=$2/postgresql.conf -c hba_file=$2/pg_hba.conf" &&
  echo ready; } || echo failed
cat >/dev/null
"$1/pg_ctl" stop -w -m immediate -D "$2/standby" >/dev/null 2>&1
"$1/pg_ctl" stop -w -m immediate -D "$2/data" >/dev/null 2>&1
cd / && rm -rf "$2"
"#;

/// The data is thrown away in the end, so nothing is written for the day after a crash.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = '4GB'
shared_buffers = '256MB'
autovacuum = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
";

/// Settings of a server that another follows; the later of two settings counts.
const FOLLOWED: &str = "
wal_level = replica
max_wal_senders = 10
";

/// Settings of the one that follows: no query holds it up.
const FOLLOWING: &str = "
max_standby_streaming_delay = 0
max_standby_archive_delay = 0
";

/// A port that was free may be taken before PostgreSQL listens on it; then another is tried.
const PORT_ATTEMPTS: usize = 5;
const PORT_TAKEN: &str = "could not create any TCP/IP sockets";

/// PostgreSQL accepts socket paths of at most 103 bytes on the systems we know.
const LONGEST_TEMP_DIR: usize = 60;

/// A PostgreSQL of ours; dropping it stops it and removes its files.
pub(super) struct Server {
    address: Address,
    /// Where the server that this one follows is.
    primary: Option<Address>,
    supervisor: Child,
}

/// The account PostgreSQL runs as when we are root, which it refuses to serve.
#[derive(Clone, Copy)]
pub(super) struct Account {
    pub(super) user: u32,
    pub(super) group: u32,
}

impl Account {
    /// Lets it own what is in a folder, and the folder.
    pub(super) fn give(self, folder: &Path) -> Result<()> {
        for file in fs::read_dir(folder)? {
            chown(file?.path(), Some(self.user), Some(self.group))?;
        }
        Ok(chown(folder, Some(self.user), Some(self.group))?)
    }
}

impl Server {
    /// Makes a cluster and waits until it accepts connections.
    pub(super) fn start(binaries: &Binaries) -> Result<Self> {
        Self::on_a_free_port(binaries, false)
    }

    /// Makes a cluster and a hot standby that follows it, and waits until both accept connections. The standby is the
    /// one that listens on a port.
    pub(super) fn start_standby(binaries: &Binaries) -> Result<Self> {
        Self::on_a_free_port(binaries, true)
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The port on the Unix socket of the server that this one follows.
    pub(super) fn primary(&self) -> Option<&Address> {
        self.primary.as_ref()
    }

    fn on_a_free_port(binaries: &Binaries, follows: bool) -> Result<Self> {
        let account = account()?;
        for _ in 1..PORT_ATTEMPTS {
            match Self::start_on(free_port()?, binaries, account, follows) {
                Err(error) if format!("{error:#}").contains(PORT_TAKEN) => {}
                started => return started,
            }
        }
        Self::start_on(free_port()?, binaries, account, follows)
    }

    fn start_on(
        port: u16,
        binaries: &Binaries,
        account: Option<Account>,
        follows: bool,
    ) -> Result<Self> {
        let folder = folder(account)?;
        let path = folder.path();
        let bin = match account {
            Some(Account { user, group }) if !reachable_by_all(&binaries.bin) => {
                binaries.copy_to(&path.join("install"), user, group)?
            }
            _ => binaries.bin.clone(),
        };
        let primary = if follows {
            Some(write_primary(path, port, account)?)
        } else {
            None
        };
        let address = address("127.0.0.1", port, path)?;
        write_settings(path, &address, primary.as_ref())?;
        let supervisor = supervisor(&bin, path, account, follows)?;
        // From here on the supervisor owns the folder.
        let path = folder.keep();
        let mut server = Self {
            address,
            primary,
            supervisor,
        };
        server.wait_until_ready(&path)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, folder: &Path) -> Result<()> {
        let output = self
            .supervisor
            .stdout
            .take()
            .context("the supervisor's output")?;
        let mut answer = String::new();
        BufReader::new(output).read_line(&mut answer)?;
        if answer.trim() != "ready" {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            bail!("PostgreSQL did not start:\n{log}");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

/// The superuser's address on a host, or on the socket in a folder.
fn address(host: &str, port: u16, socket_dir: &Path) -> Result<Address> {
    let socket_dir = socket_dir
        .to_str()
        .context("the temporary folder's name is not text")?;
    Ok(Address {
        host: host.to_owned(),
        port,
        socket_dir: Some(socket_dir.to_owned()),
        superuser: "postgres".to_owned(),
        password: None,
    })
}

/// The settings of the server on an address, which may follow another.
fn write_settings(folder: &Path, address: &Address, primary: Option<&Address>) -> Result<()> {
    let Address {
        port, socket_dir, ..
    } = address;
    let socket_dir = socket_dir.as_deref().unwrap_or_default();
    let follows = primary.map(|primary| {
        format!(
            "{FOLLOWED}{FOLLOWING}primary_conninfo = 'host={} port={port} user=postgres'\n",
            primary.host
        )
    });
    fs::write(
        folder.join("postgresql.conf"),
        format!(
            "port = {port}\nunix_socket_directories = '{socket_dir}'{SETTINGS}{}",
            follows.unwrap_or_default()
        ),
    )?;
    fs::write(folder.join("pg_hba.conf"), access_rules())?;
    Ok(())
}

/// The settings of a server that another is to follow; it has a socket of its own, named by the same port, and no other
/// way in.
fn write_primary(folder: &Path, port: u16, account: Option<Account>) -> Result<Address> {
    let socket_dir = folder.join("primary");
    fs::create_dir(&socket_dir)?;
    if let Some(Account { user, group }) = account {
        chown(&socket_dir, Some(user), Some(group))?;
    }
    let name = socket_dir.to_string_lossy();
    fs::write(
        folder.join("primary.conf"),
        format!(
            "port = {port}\nunix_socket_directories = '{name}'{SETTINGS}{FOLLOWED}listen_addresses = ''\n"
        ),
    )?;
    address(&name, port, &socket_dir)
}

fn supervisor(bin: &Path, folder: &Path, account: Option<Account>, follows: bool) -> Result<Child> {
    let script = if follows {
        SUPERVISOR_OF_TWO
    } else {
        SUPERVISOR
    };
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", script, "supervisor"])
        .arg(bin)
        .arg(folder)
        .current_dir(folder);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("HOME", folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    // Whoever reads our standard error to its end knows that the supervisor has finished, too.
    command.stderr(Stdio::inherit());
    // Ctrl-C goes to our process group; the supervisor must outlive us to clean up.
    command.process_group(0);
    if let Some(Account { user, group }) = account {
        command.uid(user).gid(group);
    }
    command.spawn().context("starting PostgreSQL")
}

/// The account that servers run as; none where it is ours.
pub(super) fn account() -> Result<Option<Account>> {
    match id("-u", None)? {
        0 => Ok(Some(unprivileged()?)),
        _ => Ok(None),
    }
}

/// A folder of their own, which the account may enter.
pub(super) fn folder(account: Option<Account>) -> Result<TempDir> {
    let usual = env::temp_dir();
    let usable = usual.as_os_str().len() <= LONGEST_TEMP_DIR
        && (account.is_none() || reachable_by_all(&usual));
    let base = if usable { usual } else { PathBuf::from("/tmp") };
    let folder = Builder::new()
        .prefix("pg2dhis2-postgres-")
        .tempdir_in(base)?;
    // The socket is in this folder, and the program under test may run as another account.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o711))?;
    if let Some(Account { user, group }) = account {
        chown(folder.path(), Some(user), Some(group))?;
    }
    Ok(folder)
}

fn access_rules() -> String {
    format!(
        "host all {UNLISTED_ROLE} 127.0.0.1/32 reject\n\
         local replication all trust\n\
         local all +{PASSWORD_ROLE} scram-sha-256\n\
         host all +{PASSWORD_ROLE} 127.0.0.1/32 scram-sha-256\n\
         local all all trust\n\
         host all all 127.0.0.1/32 trust\n"
    )
}

pub(super) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("looking for a free port")?;
    Ok(listener.local_addr()?.port())
}

fn unprivileged() -> Result<Account> {
    for name in ["postgres", "nobody"] {
        if let Ok(user) = id("-u", Some(name)) {
            let group = id("-g", Some(name))?;
            return Ok(Account { user, group });
        }
    }
    bail!("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
}

fn id(what: &str, name: Option<&str>) -> Result<u32> {
    let output = Command::new("id")
        .arg(what)
        .args(name)
        .output()
        .context("running id")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .with_context(|| format!("id {what} {}", name.unwrap_or_default()))
}

/// Whether every folder on the way may be entered by everybody; a home folder often may not.
fn reachable_by_all(path: &Path) -> bool {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real.ancestors().all(|folder| {
        fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    })
}
