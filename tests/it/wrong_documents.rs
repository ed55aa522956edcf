//! Input of `map` and `push` that is cut, edited or somebody else's: refused with 2 or 10 before DHIS2 is asked anything.

use rig::dhis2::Dialect;
use serde_json::Value;

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

/// The lines of `extract`: header, rules with one row, the query's result with one row, end.
struct Lines<'d> {
    all: &'d Documents,
    lines: [&'d str; 6],
}

impl<'d> Lines<'d> {
    fn of(all: &'d Documents) -> Lines<'d> {
        let lines: Vec<&str> = all.rows.lines().collect();
        let lines = lines.try_into().expect("six lines");
        Lines { all, lines }
    }

    #[track_caller]
    fn refused(&self, lines: &[&str], code: i32, words: &str) {
        self.all
            .refused("map", lines.join("\n").as_bytes(), code, words);
    }

    /// Replaces `old` in one of the lines.
    #[track_caller]
    fn edited(&self, line: usize, old: &str, new: &str, code: i32, words: &str) {
        assert!(
            self.lines[line].contains(old),
            "{} has no {old}",
            self.lines[line]
        );
        let edited = self.lines[line].replace(old, new);
        let mut lines = self.lines;
        lines[line] = &edited;
        self.refused(&lines, code, words);
    }
}

#[test]
fn lines_that_are_missing_or_in_another_order_are_refused() {
    let all = documents();
    let lines = Lines::of(&all);
    let [header, rules, rule, result, row, end] = lines.lines;
    let none = "{\"end\":{\"rows\":0}}";
    for (order, words) in [
        (
            &[header, rules, rule, row, result, end][..],
            "it has not the columns of its result",
        ),
        (
            &[header, row, rules, rule, result, end],
            "it has not the columns of its result",
        ),
        (&[header, rules, rule, end], "the input lacks rows"),
        (&[header, rules, rule, result, end], "the input lacks rows"),
        (&[header, result, none], "lacks the result of a query"),
        (&[header, rules, none], "lacks the result of a query"),
        (&[header, none], "lacks the result of a query"),
        (
            &[header, rules, rules, rule, result, row, end],
            "or has once",
        ),
        (
            &[header, rules, rule, result, result, row, end],
            "for other periods than the header",
        ),
        (
            &[header, rules, rule, result, "", row, end],
            "line 5 of the input: it is not a line",
        ),
        (
            &[header, rules, rule, result, row, end, end],
            "goes on after its last line",
        ),
        (&[header, header], "it is not a line that `extract` writes"),
    ] {
        lines.refused(order, 2, words);
    }
    all.fed("map", lines.lines.join("\r\n").as_bytes()).code(0);
}

/// A line, something in it, what somebody wrote there, and what is told.
const ROW_EDITS: [(usize, &str, &str, &str); 15] = [
    (
        4,
        "\"5\"]",
        "\"5\",\"6\"]",
        "line 5 of the input: it has not the columns",
    ),
    (
        4,
        ",\"5\"]",
        "]",
        "line 5 of the input: it has not the columns",
    ),
    (
        4,
        "\"5\"]",
        "5]",
        "line 5 of the input: it is not a row of texts and nulls",
    ),
    (4, "[", "{", "line 5 of the input: it is not a line"),
    (
        3,
        "\"text\"]",
        "\"text\",\"text\"]",
        "it has not as many types as columns",
    ),
    (
        3,
        "query.sql",
        "other.sql",
        "a query that the mapping does not have",
    ),
    (
        1,
        "org-unit",
        "data-element",
        "rules that the mapping does not have",
    ),
    (5, "2", "3", "the input lacks rows"),
    (5, "2", "-2", "it is not a line that `extract` writes"),
    (0, "extract/1", "extract/9", "another version"),
    (0, "\"202503\"", "", "names no periods"),
    (0, "\"202503\"", "\"2025-13\"", "not of the form"),
    (
        0,
        "\"202503\"",
        "\"2025\"",
        "not of the mapping's period type",
    ),
    (0, "\"small\"", "\"smal\"", "did you mean small?"),
    (0, "\"small\"", "\"../small\"", "names a path"),
];

#[test]
fn edited_rows_are_refused() {
    let all = documents();
    let lines = Lines::of(&all);
    for (line, old, new, words) in ROW_EDITS {
        lines.edited(line, old, new, 2, words);
    }
    let changed = "query.sql is not what it was when the rows were extracted; run `extract` again";
    lines.edited(0, "\"query.sql\":\"", "\"query.sql\":\"0", 10, changed);
    let renamed = "column 4 (text) is not declared";
    lines.edited(3, "\"value\"", "\"name\"", 15, renamed);
}

/// Somewhere in a document, in JSON what somebody wrote there, and what is told.
const EDITS: [(&str, &str, &str); 15] = [
    (
        "/dataValues/0/value",
        "\"6\"",
        "it was cut or edited: run `map` again",
    ),
    ("/dataValues/0/value", "5", "not of the form `map` writes"),
    (
        "/dataValues/0/value",
        "null",
        "not of the form `map` writes",
    ),
    (
        "/dataValues/0/period",
        "\"202504\"",
        "a period that the document does not name",
    ),
    (
        "/dataValues/0/orgUnit",
        "\"short\"",
        "not of the form `map` writes",
    ),
    (
        "/dataValues/0/dataElement",
        "\"NaIvsjCYa37\"",
        "it was cut or edited",
    ),
    (
        "/dataValues/0",
        "{\"comment\": \"x\"}",
        "not of the form `map` writes",
    ),
    ("/dataValues", "[]", "it was cut or edited"),
    ("/dataSet", "\"short\"", "not of the form `map` writes"),
    ("/dataSet", "1", "not of the form `map` writes"),
    ("/pg2dhis2", "null", "has no version"),
    ("/pg2dhis2/version", "\"map/9\"", "another version"),
    (
        "/pg2dhis2/periods",
        "[]",
        "its periods are not those of its period type",
    ),
    (
        "/pg2dhis2/accounting/rows/202503/rows",
        "2",
        "it was cut or edited",
    ),
    (
        "/pg2dhis2/accounting/rows/202503/rows",
        "-1",
        "not of the form `map` writes",
    ),
];

#[test]
fn edited_documents_are_refused() {
    let all = documents();
    let whole: Value = serde_json::from_str(&all.document).unwrap();
    let refused = |document: &Value, words: &str| {
        all.refused("push", document.to_string().as_bytes(), 2, words);
    };
    for (pointer, json, words) in EDITS {
        let mut document = whole.clone();
        let place = document.pointer_mut(pointer).unwrap();
        *place = serde_json::from_str(json).unwrap();
        refused(&document, words);
    }
    let mut twice = whole.clone();
    let value = twice["dataValues"][0].clone();
    twice["dataValues"].as_array_mut().unwrap().push(value);
    refused(&twice, "a cell stands in it twice");
    let mut more = whole.clone();
    more["completeDate"] = "2025-04-01".into();
    refused(&more, "a member that `map` does not write");
    let mut plain = whole.clone();
    plain.as_object_mut().unwrap().remove("pg2dhis2");
    refused(&plain, "its first member must be \"pg2dhis2\"");
    let again = format!("{0}{0}", all.document);
    all.refused("push", again.as_bytes(), 2, "not JSON at line 2");
    // As it was written it is fine.
    all.fed("push", all.document.as_bytes()).code(0).silent();
}
