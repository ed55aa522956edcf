//! Input of `map` and `push` that is cut, edited or somebody else's: refused with 2 or 10 before DHIS2 is asked anything.

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use crate::program::{Finished, program_fed};
use crate::small_site::{NOW, SmallSite};

/// Cut at every so many bytes: prime, so that every kind of place comes up.
const STEP: usize = 7;

/// A site whose units come from rules, its rows and its document.
struct Documents {
    site: SmallSite,
    rows: String,
    document: String,
}

fn documents() -> Documents {
    let site = SmallSite::new(Dialect::V2_43);
    site.replace(
        "mappings/small.toml",
        "column = \"unit\"",
        "column = \"unit\"\nrules = \"rules.sql\"",
    );
    site.replace(
        "mappings/small.toml",
        "absent = \"leave\"",
        "absent = \"leave\"\ncombine = \"sum\"",
    );
    site.write(
        "mappings/rules.sql",
        "SELECT unit AS key, unit AS uid FROM t",
    );
    let extract = ["extract", "-m", "small", "-p", "202503", "--as-of", NOW];
    let rows = site.program(&extract).code(0).stdout;
    let document = program_fed(site.folder.path(), &["map"], rows.as_bytes());
    Documents {
        document: document.code(0).stdout,
        rows,
        site,
    }
}

impl Documents {
    fn fed(&self, command: &str, input: &[u8]) -> Finished {
        program_fed(self.site.folder.path(), &[command], input)
    }

    #[track_caller]
    fn refused(&self, command: &str, input: &[u8], code: i32, words: &str) {
        self.site.refused(self.fed(command, input), code, words);
        assert!(self.site.dhis2.requests().is_empty());
        assert!(!self.site.path("state").exists());
    }
}

/// What is in no input of ours.
const FOREIGN: [&[u8]; 9] = [
    b"\n",
    b"null",
    b"[]",
    b"{}",
    b"\"pg2dhis2\"",
    b"\xff\xfe{",
    b"unit,uid\na,VsF9dWr6arv\n",
    b"<html><title>Login</title></html>",
    br#"{"dataSet":"YE8SgpSMBQ9","dataValues":[]}"#,
];

#[test]
fn input_of_others_and_no_input_are_refused() {
    let all = documents();
    for input in FOREIGN {
        all.refused("map", input, 2, "`map` reads what `extract` writes");
        all.refused("push", input, 2, "reading the document to push");
    }
    for command in ["map", "push"] {
        all.refused(command, b"", 2, "the input is empty");
        let missing = all.site.program(&[command, "none"]);
        let words = "the input none cannot be read (no such file or folder)";
        all.site.refused(missing, 2, words);
    }
    // Each other's input, and deep nesting.
    all.refused("map", all.document.as_bytes(), 2, "line 1 of the input");
    all.refused("push", all.rows.as_bytes(), 2, "has no version");
    let deep = format!("{{\"pg2dhis2\":{}", "[".repeat(100_000));
    all.refused("map", deep.as_bytes(), 2, "line 1 of the input");
    all.refused("push", deep.as_bytes(), 2, "reading the document to push");
}

#[test]
fn cut_input_is_refused_wherever_it_was_cut() {
    let all = documents();
    let rows = all.rows.trim_end().as_bytes();
    for end in (1..rows.len()).step_by(STEP) {
        all.refused("map", &rows[..end], 2, "`map` reads what `extract` writes");
    }
    let document = all.document.trim_end().as_bytes();
    for end in (1..document.len()).step_by(STEP) {
        all.refused("push", &document[..end], 2, "the input ends in the middle");
    }
}

#[test]
fn edited_rows_are_refused() {
    let all = documents();
    let lines: Vec<&str> = all.rows.lines().collect();
    let [header, rules, rule, result, row, end] = lines[..] else {
        panic!("{}", all.rows);
    };
    let cells = "\"202503\",\"5\"]";
    let check = |lines: &[&str], code: i32, words: &str| {
        all.refused("map", lines.join("\n").as_bytes(), code, words);
    };
    let edited = |line: &str, old: &str, new: &str| {
        assert!(line.contains(old), "{line} has no {old}");
        line.replace(old, new)
    };
    for (line, words) in [
        (
            edited(row, cells, "\"202503\"]"),
            "line 5 of the input: it has not the columns",
        ),
        (
            edited(row, cells, "\"202503\",\"5\",\"6\"]"),
            "it has not the columns",
        ),
        (
            edited(row, cells, "\"202503\",5]"),
            "line 5 of the input: it is not a row of texts",
        ),
        (String::new(), "it is not a line that `extract` writes"),
        (
            json!({"row": row}).to_string(),
            "it is not a line that `extract` writes",
        ),
        (result.to_owned(), "for other periods than the header names"),
        (
            rules.to_owned(),
            "rules that the mapping does not have, or has once",
        ),
        (end.to_owned(), "the input lacks rows"),
    ] {
        check(&[header, rules, rule, result, &line, end], 2, words);
    }
    check(
        &[header, rules, rule, row, result, end],
        2,
        "it has not the columns",
    );
    check(&[header, rules, rule, end], 2, "the input lacks rows");
    let no_rows = edited(end, "2", "0");
    check(
        &[header, result, &no_rows],
        2,
        "lacks the result of a query",
    );
    check(&[header, rules, &no_rows], 2, "lacks the result of a query");
    check(
        &[header, rules, rule, result, row, end, end],
        2,
        "goes on after its last line",
    );
    for (old, new, code, words) in [
        ("extract/1", "extract/9", 2, "another version"),
        ("\"202503\"", "", 2, "names no periods"),
        ("\"202503\"", "\"2025-13\"", 2, "not of the form"),
        (
            "\"202503\"",
            "\"2025\"",
            2,
            "not of the mapping's period type",
        ),
        (
            "\"mapping\":\"small\"",
            "\"mapping\":\"smal\"",
            2,
            "did you mean small?",
        ),
        (
            "\"mapping\":\"small\"",
            "\"mapping\":\"../small\"",
            2,
            "names a path",
        ),
        (
            "\"query.sql\":\"",
            "\"query.sql\":\"0",
            10,
            "run `extract` again",
        ),
    ] {
        check(
            &[&edited(header, old, new), rules, rule, result, row, end],
            code,
            words,
        );
    }
    let more = edited(
        &edited(result, "\"value\"]", "\"value\",\"name\"]"),
        "\"text\"]",
        "\"text\",\"text\"]",
    );
    check(
        &[header, rules, rule, &more, row, end],
        15,
        "column 5 (text) is not declared",
    );
}

#[test]
fn edited_documents_are_refused() {
    let all = documents();
    let whole: Value = serde_json::from_str(&all.document).unwrap();
    let check = |edit: &dyn Fn(&mut Value), words: &str| {
        let mut document = whole.clone();
        edit(&mut document);
        all.refused("push", document.to_string().as_bytes(), 2, words);
    };
    let set = |pointer: &'static str, value: Value| {
        move |document: &mut Value| *document.pointer_mut(pointer).unwrap() = value.clone()
    };
    for (pointer, value, words) in [
        (
            "/dataValues/0/value",
            json!("6"),
            "it was cut or edited: run `map` again",
        ),
        ("/dataValues", json!([]), "it was cut or edited"),
        (
            "/dataValues/0/value",
            json!(5),
            "not of the form `map` writes",
        ),
        (
            "/dataValues/0/value",
            Value::Null,
            "not of the form `map` writes",
        ),
        (
            "/dataValues/0/period",
            json!("202504"),
            "a period that the document does not name",
        ),
        (
            "/dataValues/0/orgUnit",
            json!("short"),
            "not of the form `map` writes",
        ),
        (
            "/dataValues/0/dataElement",
            json!("NaIvsjCYa37"),
            "it was cut or edited",
        ),
        ("/dataSet", json!("short"), "not of the form `map` writes"),
        ("/pg2dhis2", Value::Null, "has no version"),
        ("/pg2dhis2/version", json!("map/9"), "another version"),
        (
            "/pg2dhis2/periods",
            json!([]),
            "its periods are not those of its period type",
        ),
        (
            "/pg2dhis2/accounting/rows/202503/rows",
            json!(2),
            "it was cut or edited",
        ),
        (
            "/pg2dhis2/accounting/rows/202503/rows",
            json!(-1),
            "not of the form `map` writes",
        ),
    ] {
        check(&set(pointer, value), words);
    }
    check(
        &|document| {
            let value = document["dataValues"][0].clone();
            document["dataValues"].as_array_mut().unwrap().push(value);
        },
        "a cell stands in it twice",
    );
    check(
        &|document| document["completeDate"] = json!("2025-04-01"),
        "that `map` does not write",
    );
    check(
        &|document| document["dataValues"][0]["comment"] = json!("x"),
        "not of the form `map` writes",
    );
    check(
        &|document| {
            document.as_object_mut().unwrap().remove("pg2dhis2");
        },
        "its first member must be \"pg2dhis2\"",
    );
    all.refused(
        "push",
        format!("{0}{0}", all.document).as_bytes(),
        2,
        "not JSON",
    );
    // As it was written it is fine.
    all.fed("push", all.document.as_bytes()).code(0).silent();
}
