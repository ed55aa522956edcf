//! The shape of the code. Each check is also shown a file that breaks it, and must find the fault.

mod arrows;
mod circles;
mod comments;
mod forms;
mod house;
mod items;
mod map_of_source;
mod names;
mod signatures;
mod source;

use std::collections::BTreeSet;
use std::fs;

use arrows::{USES, declared};
use forms::{LINES_OF_A_FILE, LINES_OF_A_FUNCTION};
use source::{Source, bare, mark_tests, sources};

use crate::st_lucia::repository;

fn manifest() -> String {
    fs::read_to_string(repository().join("Cargo.toml")).unwrap()
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Shows a check one file; whether it finds a fault that names the file.
fn finds(check: impl Fn(&[Source]) -> Vec<String>, path: &str, text: &str) -> bool {
    let faults = check(&[Source::new(path, text)]);
    faults.iter().any(|fault| fault.starts_with(path))
}

#[test]
fn arrows_point_down_the_table() {
    none(&arrows::faults_of_table(&USES));
    none(&arrows::faults_of_arrows(&sources()));

    let up = [("low", &[] as &[&str]), ("high", &["low"])];
    assert_eq!(arrows::faults_of_table(&up).len(), 1);
    for (path, text) in [
        ("src/plan/mod.rs", "use crate::map::Mapper;"),
        ("src/map/row.rs", "use crate::{domain::Uid, plan::Plan};"),
        ("src/extract/mod.rs", "use super::push;"),
        (
            "src/extract/tls.rs",
            "fn f() { super::super::push::push() }",
        ),
        ("src/main.rs", "fn f() { dhis2::open() }"),
        ("src/novel/mod.rs", ""),
    ] {
        assert!(
            finds(arrows::faults_of_arrows, path, text),
            "{path}: {text}"
        );
    }
    for (path, text) in [
        (
            "src/map/row.rs",
            "use crate::{domain::Uid, mapping::{Mapping, plan}};",
        ),
        ("src/extract/tls.rs", "use super::push;"),
        (
            "src/plan/mod.rs",
            "// use crate::map::Mapper;\nconst TEXT: &str = \"crate::map\";",
        ),
        (
            "src/plan/mod.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::map::Mapper;\n}",
        ),
    ] {
        assert!(
            !finds(arrows::faults_of_arrows, path, text),
            "{path}: {text}"
        );
    }
}

#[test]
fn the_table_has_every_module_and_no_other() {
    let sources = sources();
    let root = sources
        .iter()
        .find(|source| source.path == "src/main.rs")
        .unwrap();
    let table: BTreeSet<&str> = USES.into_iter().map(|(module, _)| module).collect();
    let mut modules = declared(root);
    modules.insert("main");
    assert_eq!(table, modules);
}

#[test]
fn every_outside_library_has_its_home() {
    let manifest = manifest();
    none(&arrows::faults_of_homes(&sources(), &manifest));

    let check = |sources: &[Source]| arrows::faults_of_homes(sources, &manifest);
    assert!(finds(check, "src/plan/mod.rs", "use postgres::Client;"));
    assert!(finds(check, "src/push/mod.rs", "fn f(a: &ureq::Agent) {}"));
    assert!(finds(check, "src/site/mod.rs", "use csv;"));
    assert!(!finds(
        check,
        "src/site/mod.rs",
        "use crate::extract::postgres::Client;"
    ));
    let novel = "[package]\n\n[dependencies]\nnew-crate = \"1\"\n\n[features]\n";
    let faults = arrows::faults_of_homes(&[], novel);
    assert!(faults.contains(&"`new_crate` of Cargo.toml has no home".to_owned()));
}

#[test]
fn the_core_touches_nothing_outside() {
    none(&arrows::faults_of_core(&sources()));

    for text in [
        "use std::fs;",
        "use std::{collections::BTreeMap, io::Read};",
        "fn f() { std::env::var(\"X\") }",
        "fn f() { jiff::Timestamp::now() }",
        "use anyhow::Context;",
    ] {
        assert!(
            finds(arrows::faults_of_core, "src/map/row.rs", text),
            "{text}"
        );
        assert!(
            !finds(arrows::faults_of_core, "src/site/files.rs", text),
            "{text}"
        );
    }
}

#[test]
fn files_say_what_they_are_for_and_are_short() {
    none(&forms::faults_of_files(&sources()));

    let long = "//! Long.\n".repeat(LINES_OF_A_FILE + 1);
    let check = forms::faults_of_files;
    assert!(finds(check, "src/plan/mod.rs", &long));
    assert!(!finds(check, "src/plan/mod.rs", "//! Short.\n"));
    assert!(finds(check, "src/plan/mod.rs", "use std::fmt;\n"));
    for root in [
        "src/main.rs",
        "tests/it/main.rs",
        "tests/rig/src/lib.rs",
        "tests/rig/src/bin/new.rs",
        "tests/rig/tests/new.rs",
        "examples/new.rs",
        "examples/new/main.rs",
    ] {
        assert!(finds(check, root, "//! Unsafe.\n"), "{root}");
    }
}

#[test]
fn functions_are_short() {
    none(&forms::faults_of_functions(&sources()));

    for head in ["fn f() {", "pub(crate) const fn f(", "async fn f()"] {
        let body = |lines: usize| format!("    {head}\n{}    }}\n", "\n".repeat(lines - 2));
        let check = |lines: usize| finds(forms::faults_of_functions, "src/a.rs", &body(lines));
        assert!(!check(LINES_OF_A_FUNCTION), "{head}");
        assert!(check(LINES_OF_A_FUNCTION + 1), "{head}");
    }
}

#[test]
fn nothing_stands_in_the_code_that_should_not() {
    none(&forms::faults_of_words(&sources()));

    for (path, text) in [
        ("src/push/mod.rs", "fn f() { std::process::exit(1) }"),
        ("src/push/mod.rs", "fn f() { unsafe { g() } }"),
        ("src/push/mod.rs", "use crate::domain::*;"),
        ("src/push/mod.rs", "use crate::{domain::{*}, site};"),
        ("src/push/mod.rs", "fn f() { eprint!(\"x\") }"),
        ("src/push/mod.rs", "fn f() { std::io::stdout().lock() }"),
        ("src/push/mod.rs", "fn f() { thread::sleep(SECOND) }"),
        ("src/push/mod.rs", "#[allow(clippy::unwrap_used)]"),
        ("src/push/mod.rs", "mod helpers;"),
        ("src/push/mod.rs", "fn f() { todo!() }"),
        ("tests/it/a.rs", "#[ignore]\nfn a() {}"),
        ("tests/it/a.rs", "#[ignore = \"slow\"]\nfn a() {}"),
        ("tests/it/a.rs", "fn f() { sleep(SECOND) }"),
        ("tests/it/a.rs", "fn f() { println!() }"),
    ] {
        assert!(finds(forms::faults_of_words, path, text), "{path}: {text}");
    }
    for (path, text) in [
        (
            "src/push/mod.rs",
            "// println! and unsafe\nconst A: &str = \"unsafe\";",
        ),
        ("src/dhis2/mod.rs", "fn f() { thread::sleep(SECOND) }"),
        ("src/watchdog.rs", "fn f() { std::process::exit(5) }"),
        (
            "src/report/output.rs",
            "fn f() { io::stderr().is_terminal() }",
        ),
        ("examples/a.rs", "fn f() { println!() }"),
    ] {
        assert!(!finds(forms::faults_of_words, path, text), "{path}: {text}");
    }
}

#[test]
fn comments_and_quoted_text_are_not_code() {
    for (text, code) in [
        ("a // b\nc", "a \nc"),
        ("a /* b\n */ c", "a \n c"),
        (r#"f("a\"b", 'c', '\'', "//")"#, r#"f("", "", "", "")"#),
        ("r#\"a \"b\" c\"# d", "\"\" d"),
        ("br\"\\\" e", "\"\" e"),
        ("for<'a> &'a str", "for<'a> &'a str"),
        ("\"a\nb\"", "\n\"\""),
    ] {
        assert_eq!(bare(text), code, "{text}");
    }
}

#[test]
fn a_module_declared_for_tests_is_no_part_of_the_program() {
    let mut sources = [
        Source::new("src/map/mod.rs", "#[cfg(test)]\nmod laws;\nmod row;\n"),
        Source::new("src/map/laws.rs", ""),
        Source::new("src/map/laws/more.rs", ""),
        Source::new("src/map/row.rs", ""),
    ];
    mark_tests(&mut sources);
    let tests = sources.map(|source| source.is_test);
    assert_eq!(tests, [false, true, true, false]);
}
