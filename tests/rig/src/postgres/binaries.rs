//! Finds PostgreSQL's programs: a folder named by the environment, the highest version that the
//! distribution installed, PATH, or a package fetched from a registry into the target folder.

use std::env;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::{FOLDER_VARIABLE, fetch};

/// Where Debian and its relatives keep one folder per version.
const DISTRIBUTION: &str = "/usr/lib/postgresql";

const NEEDED: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// An installation: `bin` lies in `root`, which holds all that the programs need.
pub(super) struct Binaries {
    pub(super) bin: PathBuf,
    pub(super) root: PathBuf,
}

/// The first installation that can be found or fetched.
pub(super) fn locate() -> Result<Binaries> {
    if let Some(folder) = env::var_os(FOLDER_VARIABLE) {
        return Binaries::in_folder(Path::new(&folder))
            .with_context(|| format!("${FOLDER_VARIABLE}: not all of {NEEDED:?} are there"));
    }
    let installed = highest_installed().into_iter().chain(folders_of_path());
    if let Some(found) = installed
        .into_iter()
        .find_map(|folder| Binaries::in_folder(&folder))
    {
        return Ok(found);
    }
    fetch::fetched().or_else(|error| {
        bail!(
            "not installed and not fetched ({error:#})\n{}",
            how_to_install()
        )
    })
}

/// psql beside the other programs, or the first of PATH: a package fetched from a registry has none.
pub(super) fn psql() -> Result<PathBuf> {
    let beside = locate().map(|found| found.bin)?;
    let mut folders = iter::once(beside).chain(folders_of_path());
    let found = folders.find_map(|folder| Some(folder.join("psql")).filter(|psql| psql.is_file()));
    found.with_context(how_to_install)
}

impl Binaries {
    /// The installation whose programs are in `bin`, if they are.
    fn in_folder(bin: &Path) -> Option<Self> {
        let bin = bin.canonicalize().ok()?;
        let complete = NEEDED.iter().all(|program| bin.join(program).is_file());
        let root = bin.parent()?.to_owned();
        complete.then_some(Self { bin, root })
    }

    /// The installation below `root`, which is a folder of its own.
    pub(super) fn below(root: &Path, bin: &str) -> Result<Self> {
        let found = Self::in_folder(&root.join(bin)).context("the package lacks a program")?;
        Ok(Self {
            root: root.canonicalize()?,
            ..found
        })
    }

    /// Copies the installation to where another account may read it, and makes it the account's own
    /// so that it can be removed with the rest; the new folder of programs.
    pub(super) fn copy_to(&self, target: &Path, user: u32, group: u32) -> Result<PathBuf> {
        let copied = Command::new("cp")
            .arg("-R")
            .arg(&self.root)
            .arg(target)
            .status()?;
        ensure!(copied.success(), "copying {} failed", self.root.display());
        let owner = format!("{user}:{group}");
        let given = Command::new("chown")
            .arg("-R")
            .arg(owner)
            .arg(target)
            .status()?;
        ensure!(given.success(), "giving {} away failed", target.display());
        Ok(target.join(self.bin.strip_prefix(&self.root)?))
    }
}

fn highest_installed() -> Option<PathBuf> {
    let versions = fs::read_dir(DISTRIBUTION).ok()?.filter_map(|entry| {
        let path = entry.ok()?.path();
        let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
        Binaries::in_folder(&path.join("bin")).map(|found| (version, found.bin))
    });
    versions.max().map(|(_, bin)| bin)
}

fn folders_of_path() -> Vec<PathBuf> {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect()
}

fn how_to_install() -> &'static str {
    if cfg!(target_os = "macos") {
        "Install it: brew install postgresql@15"
    } else if Path::new("/usr/bin/apt-get").exists() {
        "Install it: apt-get install --no-install-recommends postgresql"
    } else if Path::new("/usr/bin/dnf").exists() {
        "Install it: dnf install postgresql-server"
    } else {
        "Install PostgreSQL 15 or newer, or set PG2DHIS2_TEST_POSTGRES_BIN to the folder of its initdb"
    }
}
