//! The shape of the code: which module may use which, one home for each outside library, purity, and lengths.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::st_lucia::repository;

/// What each module of `src` may use. A module uses only what stands below it; stages never name each other.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("main", &["cli", "commands", "exit", "report"]),
    (
        "commands",
        &[
            "cli", "exit", "report", "site", "extract", "map", "plan", "push", "dhis2", "mapping",
            "domain",
        ],
    ),
    // The command line tells the exit codes and reads periods.
    ("cli", &["exit", "domain"]),
    // How a report is shown is said on the command line; files are written by `site`.
    ("report", &["cli", "exit", "site", "domain"]),
    // A site file holds the settings of those who use them.
    (
        "site",
        &[
            "exit", "extract", "dhis2", "http", "push", "mapping", "domain",
        ],
    ),
    // Each stage has its own errors; their codes are given here.
    ("exit", &["dhis2", "extract", "map", "mapping"]),
    ("push", &["dhis2", "domain"]),
    ("extract", &["mapping"]),
    ("dhis2", &["http", "domain"]),
    ("http", &[]),
    ("plan", &["domain"]),
    ("map", &["mapping", "domain"]),
    ("mapping", &["domain"]),
    ("domain", &[]),
    ("history", &[]),
];

/// The one module that names an outside library, or the few where its types are everybody's.
const HOMES: [(&str, &[&str]); 18] = [
    ("postgres", &["extract"]),
    ("tokio_postgres_rustls", &["extract"]),
    // What a TLS error means is told on both sides.
    ("rustls", &["extract", "http"]),
    ("rustls_native_certs", &["extract"]),
    ("ureq", &["http"]),
    ("base64", &["dhis2"]),
    ("clap", &["cli", "main"]),
    ("csv", &["mapping"]),
    ("toml", &["mapping"]),
    ("strsim", &["mapping"]),
    ("glob", &["site"]),
    ("rustix", &["site"]),
    ("tempfile", &["site"]),
    ("hmac", &["domain"]),
    ("comfy_table", &["report"]),
    ("anstream", &["report"]),
    ("env_logger", &["report"]),
    ("sha2", &["mapping", "domain"]),
];

const PURE: [&str; 4] = ["domain", "mapping", "map", "plan"];
const OUTSIDE: [&str; 8] = [
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::time",
    "std::process",
    "std::thread",
    "anyhow",
];

const LINES_OF_A_FILE: usize = 400;
const LINES_OF_A_FUNCTION: usize = 60;

/// A file of the project with the module of `src` it belongs to.
struct Source {
    path: String,
    module: Option<String>,
    text: String,
}

impl Source {
    /// The text without the tests at its end and without comments.
    fn code(&self) -> String {
        let product = self
            .text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        product
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.contains("tests") || name.ends_with("_tests.rs") || name == "bench.rs"
    }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for folder in ["src", "tests", "examples"] {
        collect(&repository().join(folder), &mut found);
    }
    assert!(found.len() > 100, "only {} files were found", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path
                .strip_prefix(repository())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let module = name.strip_prefix("src/").map(|rest| {
                rest.split('/')
                    .next()
                    .unwrap()
                    .trim_end_matches(".rs")
                    .to_owned()
            });
            let text = fs::read_to_string(&path).unwrap();
            found.push(Source {
                path: name,
                module,
                text,
            });
        }
    }
}

fn report(what: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{what}:\n{}", faults.join("\n"));
}

/// The crate's own modules that a text names, by `crate::x` and `use crate::{x, …}`.
fn modules_named(code: &str, modules: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (place, _) in code.match_indices("crate::") {
        let rest = &code[place + "crate::".len()..];
        let group = rest
            .strip_prefix('{')
            .and_then(|rest| rest.split(';').next());
        let words: Vec<&str> = match group {
            Some(group) => top_level(group),
            None => vec![rest],
        };
        for word in words {
            let end = word
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(word.len());
            if modules.contains(&word[..end]) {
                named.insert(word[..end].to_owned());
            }
        }
    }
    named
}

/// The first words of the items of a braced list, inner lists left out.
fn top_level(group: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut items = Vec::new();
    let mut start = 0;
    for (place, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(group[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    items.push(group[start..].trim());
    items
}

#[test]
fn arrows_point_down_the_table() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    let modules: BTreeSet<&str> = table.keys().copied().collect();
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let Some(module) = source.module.as_deref() else {
            continue;
        };
        let Some(allowed) = table.get(module) else {
            faults.push(format!(
                "{}: module `{module}` is not in the table",
                source.path
            ));
            continue;
        };
        for named in modules_named(&source.code(), &modules) {
            if named != module && !allowed.contains(&named.as_str()) {
                faults.push(format!("{} names `{named}`", source.path));
            }
        }
    }
    report("modules use what they may not", &faults);
}

#[test]
fn every_outside_library_has_one_home() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let Some(module) = source.module.as_deref() else {
            continue;
        };
        let code = source.code();
        for (library, homes) in HOMES {
            let named = ["::", ";"].iter().any(|end| {
                code.match_indices(&format!("{library}{end}"))
                    .any(|(place, _)| {
                        let before = code[..place].chars().next_back();
                        before.is_none_or(|c| c.is_whitespace() || "({<&".contains(c))
                    })
            });
            if named && !homes.contains(&module) {
                faults.push(format!(
                    "{} names `{library}`, whose home is {homes:?}",
                    source.path
                ));
            }
        }
    }
    report("libraries outside their homes", &faults);
}

#[test]
fn the_core_touches_nothing_outside() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let pure = source
            .module
            .as_deref()
            .is_some_and(|module| PURE.contains(&module));
        for outside in OUTSIDE {
            if pure && source.code().contains(outside) {
                faults.push(format!("{} names {outside}", source.path));
            }
        }
    }
    report("the core is not pure", &faults);
}

#[test]
fn files_begin_with_what_they_are_for_and_are_short() {
    let mut faults = Vec::new();
    for source in sources() {
        if !source.text.starts_with("//! ") {
            faults.push(format!("{} does not say what it is for", source.path));
        }
        let lines = source.text.lines().count();
        if lines > LINES_OF_A_FILE {
            faults.push(format!("{} has {lines} lines", source.path));
        }
    }
    report("files", &faults);
}

#[test]
fn functions_are_short() {
    let mut faults = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let words = line.trim_start();
            let begins = ["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn "];
            if !begins.iter().any(|begin| words.starts_with(begin)) {
                continue;
            }
            let end = format!("{}}}", " ".repeat(indent));
            let length = lines[start..]
                .iter()
                .position(|line| **line == end)
                .unwrap_or_default()
                + 1;
            if length > LINES_OF_A_FUNCTION {
                faults.push(format!("{}:{}: {length} lines", source.path, start + 1));
            }
        }
    }
    report("functions", &faults);
}

#[test]
fn nothing_stands_in_the_code_that_should_not() {
    // Written apart, so that this file does not find itself.
    let banned = [
        ("process::", "exit"),
        ("#[ig", "nore"),
        ("thread::", "sleep"),
        ("to", "do!("),
        ("unimple", "mented!("),
        ("::", "*;"),
        ("print", "ln!("),
        ("dbg", "!("),
        ("mod uti", "ls"),
        ("mod com", "mon"),
        ("mod hel", "pers"),
    ];
    let mut faults = Vec::new();
    for source in sources() {
        for (head, tail) in banned {
            let word = format!("{head}{tail}");
            // The demo, the bench and the stand-in speak to the person who started them.
            let speaks = source.path.starts_with("examples/") || source.path.contains("/bin/");
            // The program waits before it tries again; a test never waits.
            let waits =
                source.path.starts_with("src/") && !source.is_test() && word.ends_with("sleep");
            let allowed = waits || (speaks && word.starts_with("print"));
            if source.text.contains(&word) && !allowed {
                faults.push(format!("{} has {word}", source.path));
            }
        }
    }
    report("banned", &faults);
}

#[test]
fn every_crate_root_forbids_unsafe_code() {
    for root in ["src/main.rs", "tests/it/main.rs", "tests/rig/src/lib.rs"] {
        let text = fs::read_to_string(repository().join(root)).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "{root}");
    }
}
