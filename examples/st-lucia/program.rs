//! The real program, built by cargo and run as a person would run it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The built program.
pub(crate) struct Program {
    path: PathBuf,
}

impl Program {
    /// Builds the program in the demo's own profile; cargo does nothing if it is built already.
    pub(crate) fn built() -> Result<Self> {
        let demo = env::current_exe()?;
        // Cargo puts this demo into `examples`, beside the program.
        let folder = demo
            .parent()
            .and_then(Path::parent)
            .context("the target folder")?;
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        // `cargo run` describes the demo's package to us; build scripts that look at these variables
        // would take them for a change and compile half of the libraries again.
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                build.env_remove(name);
            }
        }
        // Together with the demo, so that cargo chooses the features it has built for already.
        build.args(["build", "--bin", "pg2dhis2", "--example", "st-lucia"]);
        if folder
            .file_name()
            .is_some_and(|profile| profile == "release")
        {
            build.arg("--release");
        }
        ensure!(
            build.status().context("running cargo")?.success(),
            "cargo could not build it"
        );
        let name = format!("pg2dhis2{}", env::consts::EXE_SUFFIX);
        Ok(Self {
            path: folder.join(name),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs it in the site's folder for all to see; its exit code.
    pub(crate) fn run(&self, site: &Path, arguments: &[&str]) -> Result<i32> {
        let status = self.command(site, arguments).status()?;
        status.code().context("the program was killed")
    }

    /// Runs it in the site's folder; its report.
    pub(crate) fn report(&self, site: &Path, arguments: &[&str]) -> Result<Value> {
        let mut command = self.command(site, arguments);
        let output = command
            .args(["--format", "json"])
            .stderr(Stdio::null())
            .output()?;
        serde_json::from_slice(&output.stdout).context("reading the report")
    }

    fn command(&self, site: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command
            .current_dir(site)
            .args(arguments)
            .stdin(Stdio::null());
        command
    }
}
