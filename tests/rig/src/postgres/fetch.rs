//! PostgreSQL's programs from a package registry, for machines where nobody may install software:
//! npm first, then PyPI. Kept in the target folder, so that they are fetched once.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tempfile::Builder;

use super::binaries::Binaries;

const NPM_VERSION: &str = "15.18.0-beta.17";
const NPM_BIN: &str = "package/native/bin";
const PYPI_PACKAGE: &str = "pgserver==0.1.4";
const PYPI_BIN: &str = "pgserver/pginstall/bin";

/// A link that the npm package lists, because archives of npm cannot hold links.
#[derive(Deserialize)]
struct Link {
    source: String,
    target: String,
}

/// The fetched programs; fetches them at the first call on this machine.
pub(super) fn fetched() -> Result<Binaries> {
    let target = target_folder()?;
    let (npm, pypi) = (
        target.join("postgresql-npm"),
        target.join("postgresql-pypi"),
    );
    if npm.exists() {
        return Binaries::below(&npm, NPM_BIN);
    }
    if pypi.exists() {
        return Binaries::below(&pypi, PYPI_BIN);
    }
    let from_npm = unpacked(&npm, from_npm).and_then(|()| Binaries::below(&npm, NPM_BIN));
    from_npm.or_else(|npm_error| {
        unpacked(&pypi, from_pypi)
            .and_then(|()| Binaries::below(&pypi, PYPI_BIN))
            .with_context(|| format!("from npm: {npm_error:#}; from PyPI"))
    })
}

/// Fills a folder beside `folder` and renames it, so that no other process sees a half-filled one.
fn unpacked(folder: &Path, fill: impl Fn(&Path) -> Result<()>) -> Result<()> {
    let parent = folder.parent().context("the target folder")?;
    let filling = Builder::new().prefix("postgresql-").tempdir_in(parent)?;
    fill(filling.path())?;
    match fs::rename(filling.path(), folder) {
        Err(_) if folder.exists() => Ok(()),
        renamed => Ok(renamed?),
    }
}

fn from_npm(folder: &Path) -> Result<()> {
    let (os, cpu) = (env::consts::OS, env::consts::ARCH);
    let os = if os == "macos" { "darwin" } else { os };
    let cpu = match cpu {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let package = format!("@embedded-postgres/{os}-{cpu}@{NPM_VERSION}");
    let pack: [&OsStr; 3] = ["pack".as_ref(), "--silent".as_ref(), package.as_ref()];
    run(folder, "npm", &pack)?;
    let archive = downloaded(folder, "tgz")?;
    run(folder, "tar", &["-xzf".as_ref(), archive.as_ref()])?;
    fs::remove_file(archive)?;

    let package = folder.join("package");
    let links = File::open(package.join("native/pg-symlinks.json"))?;
    let links: Vec<Link> = serde_json::from_reader(links).context("reading pg-symlinks.json")?;
    for Link { source, target } in links {
        let (source, target) = (package.join(source), package.join(target));
        ensure!(
            source.parent() == target.parent(),
            "a link out of its folder: {target:?}"
        );
        symlink(source.file_name().context("a link to nothing")?, target)?;
    }
    Ok(())
}

fn from_pypi(folder: &Path) -> Result<()> {
    let arguments = [
        "-m",
        "pip",
        "--quiet",
        "download",
        "--no-deps",
        PYPI_PACKAGE,
    ];
    run(folder, "python3", &arguments.map(OsStr::new))?;
    let wheel = downloaded(folder, "whl")?;
    let unzip: [&OsStr; 5] = [
        "-m".as_ref(),
        "zipfile".as_ref(),
        "-e".as_ref(),
        wheel.as_ref(),
        ".".as_ref(),
    ];
    run(folder, "python3", &unzip)?;
    fs::remove_file(wheel)?;
    // Python's zipfile forgets which files are programs.
    run(
        folder,
        "chmod",
        &["-R".as_ref(), "a+rX,u+x".as_ref(), "pgserver".as_ref()],
    )?;
    run(
        folder,
        "chmod",
        &["-R".as_ref(), "a+x".as_ref(), PYPI_BIN.as_ref()],
    )
}

fn downloaded(folder: &Path, extension: &str) -> Result<PathBuf> {
    let files = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut archives =
        files.filter(|path| path.extension().is_some_and(|found| found == extension));
    archives
        .next()
        .with_context(|| format!("no .{extension} file was downloaded"))
}

fn run(folder: &Path, program: &str, arguments: &[&OsStr]) -> Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = output.with_context(|| format!("running {program}"))?;
    if !output.status.success() {
        bail!(
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// Cargo marks its target folder with CACHEDIR.TAG; every program it builds lies below it.
fn target_folder() -> Result<PathBuf> {
    let program = env::current_exe()?;
    let marked = program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file());
    Ok(marked
        .context("this program does not lie in a target folder")?
        .to_owned())
}
