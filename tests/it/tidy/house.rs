//! The rules of the house: no circles, one meaning for each name, no bags, comments that are sentences. Each check is
//! also shown files that break it, and others that do not.

use super::source::{Source, sources};
use super::{circles, comments, finds, names, none, signatures};

/// Shows a check several files; whether it finds a fault.
fn finds_in(check: impl Fn(&[Source]) -> Vec<String>, files: &[(&str, &str)]) -> bool {
    let sources: Vec<Source> = files
        .iter()
        .map(|(path, text)| Source::new(path, text))
        .collect();
    !check(&sources).is_empty()
}

#[test]
fn files_of_a_module_do_not_use_each_other_in_circles() {
    none(&circles::faults_of_circles(&sources()));
}

#[test]
fn a_circle_is_found() {
    let check = circles::faults_of_circles;
    for files in [
        // Two neighbours, by import and by path.
        [
            ("src/map/row.rs", "use super::rules::Rule; pub struct Row;"),
            (
                "src/map/rules.rs",
                "fn f(row: &crate::map::row::Row) {} pub struct Rule;",
            ),
            ("src/map/mod.rs", "mod row; mod rules;"),
        ],
        // The same through what the parent passes on.
        [
            ("src/map/row.rs", "use super::Rule; pub struct Row;"),
            ("src/map/rules.rs", "use super::Row; pub struct Rule;"),
            (
                "src/map/mod.rs",
                "mod row; mod rules; pub use row::Row; pub use rules::Rule;",
            ),
        ],
        // The parent defines what a child uses, and uses the child.
        [
            ("src/map/row.rs", "use super::Mapper; pub struct Row;"),
            ("src/map/rules.rs", ""),
            (
                "src/map/mod.rs",
                "mod row; use row::Row; pub struct Mapper; fn f(_: Row) {}",
            ),
        ],
        [
            (
                "src/map/row.rs",
                "fn f(_: super::Mapper) {} pub fn row() {}",
            ),
            ("src/map/rules.rs", ""),
            (
                "src/map/mod.rs",
                "mod row; pub struct Mapper; fn f() { row::row() }",
            ),
        ],
        // Three in a row.
        [
            ("src/map/a.rs", "use super::b::B;"),
            ("src/map/b.rs", "use super::c;"),
            ("src/map/c.rs", "maud! { (super::a::A) }"),
        ],
    ] {
        assert!(finds_in(check, &files), "{files:?}");
    }
}

#[test]
fn what_is_passed_on_makes_no_circle() {
    let check = circles::faults_of_circles;
    for files in [
        // Children name each other through a parent that only gathers them.
        [
            ("src/map/row.rs", "use super::Rule; pub struct Row;"),
            ("src/map/rules.rs", "pub struct Rule;"),
            (
                "src/map/mod.rs",
                "mod row; mod rules; pub use row::Row; pub use rules::Rule;",
            ),
        ],
        // The parent defines what children use, and passes on what they define.
        [
            ("src/map/row.rs", "use super::Mapper; pub struct Row;"),
            ("src/map/rules.rs", ""),
            (
                "src/map/mod.rs",
                "mod row; pub use row::Row; pub struct Mapper;",
            ),
        ],
        // Tests may look at everything, and two modules of one name are two.
        [
            ("src/map/row.rs", "use super::rules::Rule; pub struct Row;"),
            (
                "src/map/rules.rs",
                "#[cfg(test)]\nmod tests {\n    use crate::map::row::Row;\n}",
            ),
            ("src/plan/row.rs", "use crate::map::row::Row;"),
        ],
    ] {
        assert!(!finds_in(check, &files), "{files:?}");
    }
}

#[test]
fn a_name_has_one_meaning() {
    let sources = sources();
    none(&names::faults_of_types(&sources));
    none(&names::faults_of_modules(&sources));
}

#[test]
fn a_name_of_two_meanings_is_found() {
    let check = names::faults_of_types;
    for kind in [
        "struct Place;",
        "enum Place {}",
        "trait Place {}",
        "type Place = u8;",
    ] {
        let inside = format!("fn f() {{ {kind} }}");
        assert!(finds_in(
            check,
            &[("src/a.rs", kind), ("src/b.rs", "struct Place;")]
        ));
        assert!(finds_in(
            check,
            &[("src/a.rs", &inside), ("src/b.rs", "struct Place;")]
        ));
        let test = format!("#[cfg(test)]\nmod tests {{\n    {kind}\n}}");
        assert!(!finds_in(
            check,
            &[("src/a.rs", &test), ("src/b.rs", "struct Place;")]
        ));
        assert!(!finds_in(
            check,
            &[("tests/it/a.rs", kind), ("src/b.rs", "struct Place;")]
        ));
    }

    let check = names::faults_of_modules;
    for (one, other, repeats) in [
        ("src/site/pin.rs", "src/domain/pin.rs", true),
        ("src/site/pin/mod.rs", "src/domain/pin.rs", true),
        ("src/commands/run/pin.rs", "src/domain/pin.rs", true),
        ("src/commands/pin.rs", "src/domain/pin.rs", false),
        ("src/site/pin.rs", "tests/it/pin.rs", false),
        ("src/site/mod.rs", "src/domain/mod.rs", false),
        ("src/report/text.rs", "src/report/page/text.rs", false),
    ] {
        assert_eq!(
            finds_in(check, &[(one, ""), (other, "")]),
            repeats,
            "{one} {other}"
        );
    }
}

#[test]
fn the_subcommands_stand_in_commands_alone() {
    none(&names::faults_of_commands(&sources()));
}

#[test]
fn a_file_of_commands_that_is_no_subcommand_is_found() {
    let cli = ("src/cli.rs", "enum Command { Run(RunArgs), Test }");
    let check = names::faults_of_commands;
    assert!(!finds_in(
        check,
        &[
            cli,
            ("src/commands/run.rs", ""),
            ("src/commands/run/pass.rs", "")
        ]
    ));
    assert!(finds_in(check, &[cli, ("src/commands/pass.rs", "")]));
    let imports = |count: usize| {
        (0..count)
            .map(|n| format!("use super::f{n};"))
            .collect::<String>()
    };
    assert!(!finds_in(
        check,
        &[cli, ("src/commands/run.rs", &imports(15))]
    ));
    assert!(finds_in(
        check,
        &[cli, ("src/commands/run.rs", &imports(16))]
    ));
}

#[test]
fn functions_and_structs_are_no_bags() {
    let sources = sources();
    none(&signatures::faults_of_signatures(&sources));
    none(&signatures::faults_of_structs(&sources));
}

#[test]
fn a_bag_is_found() {
    let check = signatures::faults_of_signatures;
    for text in [
        "fn f(a: A, b: A, c: A, d: A, e: A, f: A) {}",
        "impl F { fn f(&self, a: A, b: A, c: A, d: A, e: A, f: A) {} }",
        "trait F { fn f(&self, a: A, b: A, c: A, d: A, e: A, f: A); }",
        "fn f(is: bool) {}",
        "fn f(is: &bool) {}",
        "fn f(a: (A, A, A)) {}",
        "fn f() -> (A, A, A) {}",
        "fn f() -> Option<Vec<(A, A, A)>> {}",
        "fn f() { fn g(is: bool) {} }",
    ] {
        assert!(finds(check, "src/a.rs", text), "{text}");
        assert!(!finds(check, "tests/it/a.rs", text), "{text}");
    }
    for text in [
        "fn f(&self, a: A, b: A, c: A, d: A, e: A) -> bool {}",
        "impl Visitor for F { fn f(&self, is: bool) {} }",
        "fn f(is: impl Fn(A, A, A) -> bool) -> (A, A) { let a = (1, 2, 3); }",
        "#[cfg(test)]\nmod tests { fn f(is: bool) {} }",
    ] {
        assert!(!finds(check, "src/a.rs", text), "{text}");
    }

    let check = signatures::faults_of_structs;
    let fields = |count: usize| (0..count).map(|n| format!("f{n}: A, ")).collect::<String>();
    let of = |comment: &str, count: usize| {
        format!(
            "{comment}\n#[derive(Debug)]\nstruct S {{ {} }}",
            fields(count)
        )
    };
    assert!(finds(check, "src/a.rs", &of("/// Much.", 11)));
    assert!(finds(
        check,
        "src/a.rs",
        &of("// A reason, because.\n\n/// Much.", 11)
    ));
    assert!(!finds(
        check,
        "src/a.rs",
        &of("/// Much, because all of it is written into one line.", 11)
    ));
    assert!(!finds(check, "src/a.rs", &of("/// Much.", 10)));
}

#[test]
fn comments_begin_as_sentences_do() {
    none(&comments::faults_of_comments(&sources()));
}

#[test]
fn a_comment_that_is_no_sentence_is_found() {
    let check = comments::faults_of_comments;
    for text in [
        "/// Of each empty row its cell.",
        "//! Of the site.",
        "fn f() {\n    // Of those the first.\n}",
        "/// Without a cell.\nfn f() {}",
        "/// With what it had. A row, too.",
        "/// For the bench.",
    ] {
        assert!(finds(check, "src/a.rs", text), "{text}");
    }
    for text in [
        "/// The cell of each empty row.\n/// Of",
        "/// Without it, nobody knows.",
        "/// Offices.",
        "const A: &str = \"/// Of\";",
        "//// Of",
    ] {
        assert!(!finds(check, "src/a.rs", text), "{text}");
    }
}
