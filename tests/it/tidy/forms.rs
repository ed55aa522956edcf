//! The form of files: their first line, lengths, and words that have no place in the code.

use super::source::{Source, has_word};

pub(super) const LINES_OF_A_FILE: usize = 400;
pub(super) const LINES_OF_A_FUNCTION: usize = 60;

/// Words that stand nowhere.
const NOWHERE: [&str; 12] = [
    "process::exit",
    "unsafe",
    "ignore]",
    "ignore =",
    "todo!",
    "unimplemented!",
    "dbg!",
    "park_timeout",
    "mod utils",
    "mod common",
    "mod helpers",
    "mod util",
];

/// What prints past the report.
const PRINTING: [&str; 4] = ["println!", "print!", "eprintln!", "eprint!"];

/// Lints that hold in the program and may be lifted in tests alone.
const LINTS: [&str; 4] = ["unwrap_used", "expect_used", "panic", "indexing_slicing"];

pub(super) fn faults_of_files(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        if !source.text.starts_with("//! ") {
            faults.push(format!("{} does not say what it is for", source.path));
        }
        let lines = source.text.lines().count();
        if lines > LINES_OF_A_FILE {
            faults.push(format!("{} has {lines} lines", source.path));
        }
        if is_crate_root(&source.path) && !source.code.contains("#![forbid(unsafe_code)]") {
            faults.push(format!("{} does not forbid unsafe code", source.path));
        }
    }
    faults
}

fn is_crate_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(
        parts.as_slice(),
        ["src" | "tests" | "examples", _]
            | ["tests" | "examples", _, "main.rs"]
            | ["tests", "rig", "src", "lib.rs"]
            | ["tests", "rig", "src", "bin", _]
            | ["tests", "rig", "tests", _]
    ) && !(path.starts_with("src/") && path != "src/main.rs")
}

pub(super) fn faults_of_functions(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let lines: Vec<&str> = source.code.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let Some(length) = function_at(line, &lines[start..]) else {
                continue;
            };
            if length > LINES_OF_A_FUNCTION {
                faults.push(format!("{}:{}: {length} lines", source.path, start + 1));
            }
        }
    }
    faults
}

/// The lines of the function whose declaration stands in `line`, the first of `lines`. As rustfmt writes it, it ends
/// with a brace that stands as far in as it does.
fn function_at(line: &str, lines: &[&str]) -> Option<usize> {
    let words = line.trim_start();
    let (before, _) = words.split_once("fn ")?;
    let modifiers = before.split_whitespace().all(|word| {
        ["const", "async", "extern", "unsafe", "\"\""].contains(&word) || word.starts_with("pub")
    });
    // `fn` of a type or of a trait without a body, or all in one line.
    let ends_here = words.ends_with([';', '}', ',']);
    if !modifiers || words.starts_with("fn(") || ends_here {
        return None;
    }
    let end = " ".repeat(line.len() - words.len()) + "}";
    let last = lines.iter().position(|line| **line == end);
    Some(last.map_or(usize::MAX, |last| last + 1))
}

pub(super) fn faults_of_words(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let mut fault = |word: &str| faults.push(format!("{} has {word}", source.path));
        let code = source.code.as_str();
        // The bench looks at the memory of a process again and again.
        let watches = source.path == "examples/bench/child.rs";
        for word in NOWHERE {
            let found = match word.ends_with(char::is_alphabetic) {
                true => has_word(code, word),
                false => code.contains(word),
            };
            // Only the watchdog may end the process.
            let ends = source.path == "src/watchdog.rs" && word == "process::exit";
            if found && !ends && !(watches && word == "park_timeout") {
                fault(word);
            }
        }
        // The program waits before it tries again; a test never waits.
        let waits = [Some("dhis2"), Some("watchdog")].contains(&source.module());
        if has_word(code, "sleep") && (source.is_test || !waits) {
            fault("sleep");
        }
        if code.lines().any(imports_everything) {
            fault("use …::*");
        }
        // The demo, the bench and the stand-in speak to the person who started them.
        let speaks = source.path.starts_with("examples/") || source.path.contains("/bin/");
        let streams = ["stdout()", "stderr()"].into_iter();
        let streams = streams.filter(|_| source.module().is_some_and(|name| name != "report"));
        for word in PRINTING.into_iter().chain(streams) {
            if code.contains(word) && !speaks {
                fault(word);
            }
        }
        let product = source.product().filter(|_| source.path != "src/main.rs");
        for lint in LINTS {
            if product.is_some_and(|product| product.contains(&format!("clippy::{lint}"))) {
                fault(lint);
            }
        }
    }
    faults
}

fn imports_everything(line: &str) -> bool {
    ["::*;", "::*,", "::*}", "{*"]
        .iter()
        .any(|all| line.contains(all))
}
