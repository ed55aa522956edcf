//! The project's Rust files as the checks see them: what is code, which module it belongs to, what is a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::st_lucia::repository;

/// One Rust file.
pub(super) struct Source {
    /// Relative to the repository.
    pub(super) path: String,
    pub(super) text: String,
    /// The text without comments and without what stands between quotes; line by line as in the text.
    pub(super) code: String,
    /// Compiled for tests alone, or an example.
    pub(super) is_test: bool,
}

impl Source {
    /// A file that need not exist.
    pub(super) fn new(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            code: bare(text),
            is_test: !path.starts_with("src/"),
        }
    }

    /// Where the file's module stands: `["push", "chunks"]`; nothing for the crate's root.
    pub(super) fn module_path(&self) -> Option<Vec<&str>> {
        let path = self.path.strip_prefix("src/")?.trim_end_matches(".rs");
        let names = path
            .split('/')
            .filter(|name| !["mod", "main"].contains(name));
        Some(names.collect())
    }

    /// The module of `src` that the file belongs to.
    pub(super) fn module(&self) -> Option<&str> {
        let path = self.module_path()?;
        Some(path.first().copied().unwrap_or("main"))
    }

    /// The code that is in the built program: a file of `src` without the tests at its end.
    pub(super) fn product(&self) -> Option<&str> {
        let product = self.code.split("#[cfg(test)]\nmod tests {").next();
        product.filter(|_| !self.is_test)
    }
}

/// Every Rust file of the repository.
pub(super) fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for folder in ["src", "tests", "examples"] {
        collect(&repository().join(folder), &mut found);
    }
    assert!(found.len() > 100, "only {} files were found", found.len());
    mark_tests(&mut found);
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a Rust file");
            let path = path.strip_prefix(repository()).expect("a path below");
            found.push(Source::new(path.to_str().expect("UTF-8"), &text));
        }
    }
}

/// A file of `src` is a test if its module, or one that it is part of, is declared for tests alone.
pub(super) fn mark_tests(sources: &mut [Source]) {
    let mut tests = BTreeSet::new();
    for source in sources.iter() {
        let Some(parent) = source.module_path() else {
            continue;
        };
        for rest in source.code.split("#[cfg(test)]\nmod ").skip(1) {
            if let Some((name, _)) = rest.split_once([';', ' ']) {
                tests.insert([parent.as_slice(), &[name]].concat().join("/"));
            }
        }
    }
    for source in sources.iter_mut() {
        let path = source.module_path().unwrap_or_default();
        let is_test = (1..=path.len()).any(|length| tests.contains(&path[..length].join("/")));
        source.is_test |= is_test;
    }
}

/// The names that follow `root::`, a braced list item by item: `std::{fs, io::Read}` gives `fs` and `io`.
pub(super) fn names_below<'c>(code: &'c str, root: &str) -> Vec<&'c str> {
    let prefix = format!("{root}::");
    let places = code.match_indices(&prefix);
    places
        .filter(|(place, _)| !ends_in_name(&code[..*place]))
        .flat_map(|(place, _)| first_names(&code[place + prefix.len()..]))
        .collect()
}

/// Whether a name stands in the code as a whole word.
pub(super) fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(place, _)| {
        let after = code[place + word.len()..].chars().next();
        !ends_in_name(&code[..place]) && !after.is_some_and(is_of_name)
    })
}

/// The first name of a path, or those of the paths in a braced list.
pub(super) fn first_names(path: &str) -> Vec<&str> {
    let Some(list) = path.strip_prefix('{') else {
        return vec![first_name(path)];
    };
    let mut depth = 0;
    let mut names = Vec::new();
    let mut start = 0;
    for (place, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(first_name(list[start..place].trim_start()));
                start = place + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

pub(super) fn first_name(path: &str) -> &str {
    let end = path.find(|character| !is_of_name(character));
    &path[..end.unwrap_or(path.len())]
}

fn ends_in_name(text: &str) -> bool {
    text.chars().next_back().is_some_and(is_of_name)
}

pub(super) fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Rust without comments and without what stands between quotes; every line stays a line.
pub(super) fn bare(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = skipped(rest, ends_in_name(&code));
        if length == 0 {
            code.push(character);
            rest = &rest[character.len_utf8()..];
        } else {
            let skipped = &rest[..length];
            code.extend(skipped.chars().filter(|character| *character == '\n'));
            if !skipped.starts_with('/') {
                code.push_str("\"\"");
            }
            rest = &rest[length..];
        }
    }
    code
}

/// The length of the comment or the quoted text that `rest` begins with; 0 if it begins with neither.
fn skipped(rest: &str, in_name: bool) -> usize {
    let until = |end: &str, from: usize| {
        let found = rest.get(from..).and_then(|rest| rest.find(end));
        found.map_or(rest.len(), |place| from + place + end.len())
    };
    match rest.as_bytes() {
        [b'/', b'/', ..] => rest.find('\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => until("*/", 2),
        [b'"', ..] => quoted(rest, '"'),
        [b'\'', ..] => {
            // `'x'` and `'\n'` are characters, `'x` alone is a lifetime.
            let mut after = rest.chars().skip(1);
            match (after.next(), after.next()) {
                (Some('\\'), _) | (_, Some('\'')) => quoted(rest, '\''),
                _ => 0,
            }
        }
        [b'r' | b'b' | b'c', ..] if !in_name => {
            let raw = rest.trim_start_matches(['b', 'c']).strip_prefix('r');
            let hashes = raw.map(|raw| raw.len() - raw.trim_start_matches('#').len());
            let hashes = "#".repeat(hashes.unwrap_or_default());
            let begins = raw.is_some_and(|raw| raw[hashes.len()..].starts_with('"'));
            let start = rest.find('"').unwrap_or_default() + 1;
            if begins {
                until(&format!("\"{hashes}"), start)
            } else {
                0
            }
        }
        _ => 0,
    }
}

fn quoted(rest: &str, mark: char) -> usize {
    let mut escaped = false;
    for (place, character) in rest.char_indices().skip(1) {
        if character == mark && !escaped {
            return place + character.len_utf8();
        }
        escaped = character == '\\' && !escaped;
    }
    rest.len()
}
