//! The site of St. Lucia in a folder of its own, for demo and tests: the ministry's queries and
//! mappings as they are, but with every key shown in reports. Nobody real is in this registry.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// The role that SLUHIS made for the job; it may read what the queries need and no names.
pub const SYNC_ROLE: &str = "sluhis_sync";

/// The personal access token of the stand-in's account `loader`.
pub const LOADER_TOKEN: &str = "d2p_loader00000000000000000000000000000000000000001";

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const SHOW_ALL_KEYS: &str = "show-keys = \".*\"\n";

/// Writes site file, token, mappings and queries into `folder`, so that the program reads the
/// database `source` and sends to the DHIS2 at `dhis2`; the path of the site file.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write_site(folder: &Path, source: &str, dhis2: &str) -> Result<PathBuf> {
    for name in ["mappings", "queries"] {
        let target = folder.join(name);
        fs::create_dir_all(&target)?;
        for file in files_of(name)? {
            let text = fs::read_to_string(&file)?;
            let is_mapping = file
                .extension()
                .is_some_and(|extension| extension == "toml");
            let text = if is_mapping {
                with_keys_shown(&text)
            } else {
                text
            };
            fs::write(
                target.join(file.file_name().context("a file has a name")?),
                text,
            )?;
        }
    }
    let token = folder.join("dhis2.token");
    let mut token = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(token)?;
    token.write_all(LOADER_TOKEN.as_bytes())?;

    let site = fs::read_to_string(Path::new(REPOSITORY).join("examples/st-lucia/pg2dhis2.toml"))?;
    let site = with_url(&with_url(&site, "postgresql:", source)?, "https:", dhis2)?;
    let path = folder.join("pg2dhis2.toml");
    fs::write(&path, site)?;
    Ok(path)
}

/// The exports of metadata to load into a DHIS2 before the first run.
pub fn metadata() -> PathBuf {
    Path::new(REPOSITORY).join("examples/st-lucia/dhis2/metadata.json")
}

/// The files of a folder of the repository, in the order of their names.
fn files_of(name: &str) -> Result<Vec<PathBuf>> {
    let folder = Path::new(REPOSITORY).join(name);
    let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}

/// Puts `show-keys` below every line that says how a dimension finds its UIDs from keys.
fn with_keys_shown(mapping: &str) -> String {
    let shown = |line: &str| {
        let resolves = line.starts_with("map-file") || line.starts_with("rules");
        format!("{line}{}", if resolves { SHOW_ALL_KEYS } else { "" })
    };
    mapping.split_inclusive('\n').map(shown).collect()
}

/// Replaces the one `url` that begins with `scheme`.
fn with_url(site: &str, scheme: &str, url: &str) -> Result<String> {
    let beginning = format!("url = \"{scheme}");
    let mut replaced = 0;
    let replace = |line: &str| {
        if line.starts_with(&beginning) {
            replaced += 1;
            return format!("url = \"{url}\"\n");
        }
        line.to_owned()
    };
    let site = site.split_inclusive('\n').map(replace).collect();
    ensure!(
        replaced == 1,
        "the site file has {replaced} lines that begin with {beginning}"
    );
    Ok(site)
}

#[cfg(test)]
mod tests {
    use super::{files_of, with_keys_shown};
    use std::fs;

    #[test]
    fn the_mappings_differ_from_the_ministrys_by_the_shown_keys_alone() {
        let shown = files_of("mappings")
            .unwrap()
            .into_iter()
            .filter_map(|file| {
                let text = fs::read_to_string(&file).unwrap();
                let is_mapping = file.extension().unwrap() == "toml";
                is_mapping.then(|| (with_keys_shown(&text), text))
            });
        let mut added = 0;
        for (with, without) in shown {
            let rest: Vec<&str> = with
                .lines()
                .filter(|line| !line.starts_with("show-keys"))
                .collect();
            assert_eq!(rest, without.lines().collect::<Vec<_>>());
            added += with.lines().count() - rest.len();
        }
        // The monthly mapping resolves three dimensions by key, the yearly one two.
        assert_eq!(added, 5);
    }
}
