//! Which module may use which, the home of each outside library, and what the core must not touch.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, first_names, has_word, names_below};

/// What each module of `src` uses; a module uses only what stands below it, and the stages extract, map, plan and push
/// never name each other.
pub(super) const USES: [(&str, &[&str]); 22] = [
    ("main", &["cli", "commands", "exit", "report"]),
    (
        "commands",
        &[
            "pass",
            "deliver",
            "session",
            "aftermath",
            "read",
            "watchdog",
            "report",
            "history",
            "cli",
            "site",
            "exit",
            "map",
            "plan",
            "mapping",
            "domain",
        ],
    ),
    // It puts reading and delivering together.
    (
        "pass",
        &[
            "deliver", "session", "read", "report", "history", "cli", "site", "exit", "mapping",
            "domain",
        ],
    ),
    (
        "deliver",
        &[
            "session", "read", "report", "site", "exit", "push", "plan", "dhis2", "mapping",
            "domain",
        ],
    ),
    (
        "session",
        &[
            "aftermath",
            "read",
            "watchdog",
            "report",
            "history",
            "cli",
            "site",
            "exit",
            "extract",
            "plan",
            "mapping",
            "domain",
        ],
    ),
    (
        "aftermath",
        &[
            "read", "report", "history", "cli", "site", "notify", "exit", "dhis2", "http",
            "mapping", "domain",
        ],
    ),
    (
        "read",
        &[
            "watchdog", "report", "history", "cli", "site", "exit", "extract", "map", "mapping",
            "domain",
        ],
    ),
    // It tells that it ends the process.
    ("watchdog", &["exit", "report"]),
    // How a report is shown is said on the command line; files are written by `site`.
    ("report", &["cli", "exit", "history", "site", "domain"]),
    // It says what is wrong with its file as others do.
    ("history", &["exit", "site", "domain"]),
    // The command line tells the exit codes and reads periods.
    ("cli", &["exit", "domain"]),
    // A site file holds the settings of those who use them.
    (
        "site",
        &[
            "exit", "notify", "extract", "dhis2", "http", "push", "mapping", "domain",
        ],
    ),
    // What is told depends on exit codes; words of a site file are read as others are.
    ("notify", &["exit", "dhis2", "http", "domain"]),
    // Each stage has its own errors; their codes are given here.
    ("exit", &["extract", "dhis2", "map", "mapping"]),
    ("push", &["dhis2", "domain"]),
    // It runs the SQL that `mapping` has parsed.
    ("extract", &["mapping", "domain"]),
    ("plan", &["domain"]),
    ("map", &["mapping", "domain"]),
    ("dhis2", &["http", "domain"]),
    ("http", &[]),
    ("mapping", &["domain"]),
    ("domain", &[]),
];

/// The modules that name an outside library: one, unless a reason is given.
pub(super) const HOMES: [(&str, &[&str]); 27] = [
    ("anstream", &["report"]),
    ("base64", &["dhis2"]),
    ("clap", &["cli", "main"]),
    ("comfy_table", &["report"]),
    // Spreadsheets that people are given; those that they write are held to more than the library holds them to.
    ("csv", &["report"]),
    ("env_logger", &["report"]),
    // A wait of random length; the secret behind the fingerprints of keys.
    ("getrandom", &["dhis2", "site"]),
    ("glob", &["site"]),
    ("hmac", &["domain"]),
    ("indicatif", &["report"]),
    ("maud", &["report"]),
    ("lettre", &["notify"]),
    ("percent_encoding", &["dhis2"]),
    ("postgres", &["extract"]),
    // The pattern of keys that may be shown: read in one, asked in the other.
    ("regex", &["mapping", "domain"]),
    ("rusqlite", &["history"]),
    ("rustix", &["site"]),
    // What a TLS error means is told on both sides.
    ("rustls", &["extract", "http"]),
    ("rustls_native_certs", &["extract"]),
    // Read in one, needed by those that speak to somebody.
    (
        "secrecy",
        &["site", "extract", "dhis2", "aftermath", "notify"],
    ),
    // Digests of files, fingerprints of keys, names of plans, the pinned key of a server.
    ("sha2", &["domain", "extract"]),
    ("strsim", &["mapping"]),
    ("tempfile", &["site"]),
    ("tokio_postgres_rustls", &["extract"]),
    ("toml", &["mapping"]),
    ("unicode_normalization", &["mapping"]),
    ("ureq", &["http"]),
];

/// Vocabulary rather than an outside world: times, JSON, log lines, and errors above the core.
pub(super) const EVERYBODYS: [&str; 5] = ["anyhow", "jiff", "log", "serde", "serde_json"];

const PURE: [&str; 4] = ["domain", "mapping", "map", "plan"];
/// What `std` knows of the outside.
const OUTSIDE: [&str; 8] = ["env", "fs", "io", "net", "os", "process", "thread", "time"];

/// Arrows that the table does not have, and those that only the table has.
pub(super) fn faults_of_arrows(sources: &[Source]) -> Vec<String> {
    let table: BTreeMap<&str, &[&str]> = USES.into_iter().collect();
    let mut unused: BTreeSet<(&str, &str)> = USES
        .into_iter()
        .flat_map(|(module, uses)| uses.iter().map(move |used| (module, *used)))
        .collect();
    let mut faults = Vec::new();
    for source in sources {
        let (Some(module), Some(product)) = (source.module(), source.product()) else {
            continue;
        };
        let Some((module, allowed)) = table.get_key_value(module) else {
            faults.push(format!("{}: `{module}` is not in the table", source.path));
            continue;
        };
        for used in modules_used(source, product) {
            let known = table.get_key_value(used);
            match known {
                Some((used, _)) if used != module && !allowed.contains(used) => {
                    faults.push(format!("{} uses `{used}`", source.path));
                }
                Some((used, _)) => {
                    unused.remove(&(*module, *used));
                }
                None => {}
            }
        }
    }
    let unused = unused.into_iter();
    faults.extend(unused.map(|(module, used)| {
        format!("the table says that `{module}` uses `{used}`, and it does not")
    }));
    faults
}

/// The modules of `src` that a file names: by `crate::`, by `super::` up to the root, and, in the root, as they are.
fn modules_used<'s>(source: &Source, product: &'s str) -> Vec<&'s str> {
    let depth = source.module_path().map_or(0, |path| path.len());
    let mut used = names_below(product, "crate");
    let to_root = vec!["super"; depth].join("::");
    match depth {
        0 => used.extend(product.match_indices("::").filter_map(|(end, _)| {
            product[..end]
                .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
        })),
        _ => used.extend(names_below(product, &to_root)),
    }
    used
}

/// Rows of the table that point up.
pub(super) fn faults_of_table(table: &[(&str, &[&str])]) -> Vec<String> {
    let place = |module: &str| table.iter().position(|(each, _)| *each == module);
    let mut faults = Vec::new();
    for (module, uses) in table {
        for used in *uses {
            if place(used) <= place(module) {
                faults.push(format!("`{used}` does not stand below `{module}`"));
            }
        }
    }
    faults
}

/// Libraries named outside their homes, homes that do not name them, and libraries of `Cargo.toml` without one.
pub(super) fn faults_of_homes(sources: &[Source], manifest: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut lived_in = BTreeSet::new();
    for source in sources {
        let (Some(module), Some(product)) = (source.module(), source.product()) else {
            continue;
        };
        for (library, homes) in HOMES {
            if !names(product, library) {
                continue;
            }
            match homes.iter().find(|home| **home == module) {
                Some(home) => _ = lived_in.insert((library, *home)),
                None => faults.push(format!("{} names `{library}`", source.path)),
            }
        }
    }
    for (library, homes) in HOMES {
        let empty = homes
            .iter()
            .filter(|home| !lived_in.contains(&(library, **home)));
        faults.extend(empty.map(|home| format!("`{home}` does not name `{library}`")));
    }
    let homeless = dependencies(manifest).into_iter().filter(|library| {
        let at_home = HOMES.iter().any(|(known, _)| known == library);
        !at_home && !EVERYBODYS.contains(&library.as_str())
    });
    faults.extend(homeless.map(|library| format!("`{library}` of Cargo.toml has no home")));
    faults
}

/// Whether code names a library: whole, or at the beginning of a path. `crate::extract::postgres` is a module.
fn names(code: &str, library: &str) -> bool {
    let path = format!("{library}::");
    let mut paths = code.match_indices(&path);
    let begins = |place: usize| {
        let before = code[..place].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || "_:".contains(before))
    };
    code.contains(&format!("use {library};")) || paths.any(|(place, _)| begins(place))
}

fn dependencies(manifest: &str) -> Vec<String> {
    let table = manifest.split("\n[dependencies]\n").nth(1);
    let table = table.and_then(|rest| rest.split("\n[").next());
    let names = table.unwrap_or_default().lines();
    names
        .filter_map(|line| Some(line.split_once(" = ")?.0.replace('-', "_")))
        .collect()
}

/// Core modules that name the outside, ask a clock, or hide their errors' types.
pub(super) fn faults_of_core(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let (Some(module), Some(product)) = (source.module(), source.product()) else {
            continue;
        };
        if !PURE.contains(&module) {
            continue;
        }
        let mut std: Vec<&str> = names_below(product, "std");
        std.retain(|name| OUTSIDE.contains(name));
        faults.extend(
            std.iter()
                .map(|name| format!("{} names std::{name}", source.path)),
        );
        let clocks = ["Timestamp::now", "Zoned::now", "TimeZone::system"];
        faults.extend(
            clocks
                .iter()
                .filter(|clock| product.contains(**clock))
                .map(|clock| format!("{} asks {clock}", source.path)),
        );
        if has_word(product, "anyhow") {
            faults.push(format!("{} names anyhow", source.path));
        }
    }
    faults
}

/// The modules that the root declares for the program.
pub(super) fn declared(root: &Source) -> BTreeSet<&str> {
    let lines = root.code.lines();
    let before = std::iter::once("").chain(root.code.lines());
    let declared = lines
        .zip(before)
        .filter(|(_, before)| *before != "#[cfg(test)]")
        .filter_map(|(line, _)| line.strip_prefix("mod "));
    declared.flat_map(first_names).collect()
}
