//! Facts about the lexer: where a parameter is one, what a file may hold, and where errors point.

use proptest::prelude::{Strategy, any, prop};
use proptest::{prop_assert_eq, prop_oneof, proptest};

use super::{ParameterValues, PlainStrings, Sql, SqlError};
use crate::fuzz;

const KNOWN: [&str; 3] = ["period_start", "period_end", "as_of"];

fn parse(text: &str) -> Result<Sql, SqlError> {
    Sql::parse("test.sql", text, &KNOWN)
}

fn values() -> ParameterValues {
    KNOWN
        .map(|name| (name.to_owned(), name.to_uppercase()))
        .into()
}

/// The statement with the upper case of each parameter's name as its value.
#[track_caller]
fn text(written: &str, plain_strings: PlainStrings) -> String {
    let sql = parse(written).unwrap_or_else(|error| panic!("{written}: {error}"));
    let statement = sql.with(&values(), plain_strings);
    statement
        .unwrap_or_else(|error| panic!("{written}: {error}"))
        .text
}

#[track_caller]
fn becomes(written: &str, expected: &str) {
    assert_eq!(text(written, PlainStrings::Standard), expected);
}

#[track_caller]
fn unchanged(written: &str) {
    becomes(written, written);
}

#[track_caller]
fn with_backslashes(written: &str, expected: &str) {
    assert_eq!(text(written, PlainStrings::Backslashes), expected);
}

#[track_caller]
fn refused(written: &str, line: usize, column: usize, message: &str) {
    let error = parse(written).expect_err(written);
    assert_eq!((error.line, error.column), (line, column), "{error}");
    assert!(error.message.contains(message), "{error}");
}

#[test]
fn a_parameter_becomes_a_literal() {
    becomes(
        "select :'as_of', :'period_end'::date where d >= :'as_of'",
        "select 'AS_OF', 'PERIOD_END'::date where d >= 'AS_OF'",
    );
    becomes(
        "select a[1:2], x::int, f(y := :'as_of')",
        "select a[1:2], x::int, f(y := 'AS_OF')",
    );
    becomes("select x:::'as_of'", "select x::'AS_OF'");
    // The type may touch it, as in psql, and whatever touches it is read as psql would send it.
    becomes("select date:'as_of'", "select date'AS_OF'");
    becomes(
        "select 'a':'as_of', :'as_of'5",
        "select 'a''AS_OF', 'AS_OF'5",
    );
    let sql = parse("select :'as_of', :'period_end', :'as_of'").expect("it is one statement");
    assert_eq!(sql.parameters, ["as_of", "period_end"]);
}

#[test]
fn a_value_is_written_as_libpq_writes_it() {
    let literal = |value: &str| {
        let sql = Sql::parse("test.sql", "select:'x'", &["x"]).expect("it is one statement");
        let values = ParameterValues::from([("x".to_owned(), value.to_owned())]);
        let statement = sql.with(&values, PlainStrings::Standard);
        statement.expect("it is one statement").text
    };
    // printf '%s' "select:'x'" | psql -X -e -v "x=…"
    assert_eq!(literal("2025-03-01"), "select'2025-03-01'");
    assert_eq!(literal(""), "select''");
    assert_eq!(literal("O'Neil; --"), "select'O''Neil; --'");
    assert_eq!(literal(r"a\b'c"), r"select E'a\\b''c'");
    assert_eq!(literal(":'x' $1 ü"), "select':''x'' $1 ü'");
}

#[test]
fn strings_are_read_as_the_database_reads_them() {
    let written = r"select 'it\'s', :'as_of' from t where a = 'b'";
    with_backslashes(written, r"select 'it\'s', 'AS_OF' from t where a = 'b'");
    let sql = parse(written).expect("it can be read in one way");
    let error = sql.with(&values(), PlainStrings::Standard);
    error.expect_err("it cannot be read in the other way");
    // These strings have their own rule, whatever the database says; so has what continues them.
    with_backslashes(
        "select B'\\', X'\\', U&'\\', U&'a'\n  '\\', \"\\\", $$\\$$, :'as_of'",
        "select B'\\', X'\\', U&'\\', U&'a'\n  '\\', \"\\\", $$\\$$, 'AS_OF'",
    );
    let continued = "select 'a'\n'\\':''as_of'";
    with_backslashes(continued, continued);
}

#[test]
fn what_stands_in_strings_names_and_comments_is_not_a_parameter() {
    unchanged("select ':''as_of''' from t -- :'nobody'");
    unchanged("select E'\\':\\'as_of' , U&'d\\0061t:' /* :'nobody' /* nested */ :'nobody' ; */");
    unchanged("select \":'as_of'\", U&\"d!0061t:;\" uescape '!', B'01', X'ff', N'x;'");
    unchanged("select $$ :'nobody'; $$, $tag$ $$ ; :'nobody' $other$ $tag$, a$b$ from t");
    unchanged("select E'a' -- a comment's quote\n  'b\\'; :\\'nobody'");
}

#[test]
fn a_letter_before_a_quote_counts_only_as_a_word_of_its_own() {
    // In `fee'…'` the backslash is a plain character, so the string ends at the quote behind it.
    becomes("select fee'\\', :'as_of'", "select fee'\\', 'AS_OF'");
    becomes("select e'\\'', :'as_of'", "select e'\\'', 'AS_OF'");
    becomes("select 'a' 'b\\', :'as_of'", "select 'a' 'b\\', 'AS_OF'");
}

#[test]
fn one_final_semicolon_is_dropped_and_a_byte_order_mark_is_no_name() {
    becomes("select 1; -- done\n", "select 1  -- done\n");
    becomes(";\nselect 1;;\n/* end; */", " \nselect 1  \n/* end; */");
    becomes("select :'as_of';;", "select 'AS_OF'  ");
    becomes("\u{feff}select 1", "select 1");
}

#[test]
fn a_file_holds_exactly_one_statement() {
    refused("", 1, 1, "no statement");
    refused("-- nothing\n/* here */ ;", 2, 13, "no statement");
    refused("select 1;\n  delete from t", 2, 3, "second statement");
    refused("select 1; $$x$$", 1, 11, "second statement");
}

#[test]
fn unknown_parameters_are_refused_with_the_nearest_name() {
    refused(
        "select\n  :'period_stat'",
        2,
        3,
        "did you mean :'period_start'?",
    );
    refused(
        "select :'municipality'",
        1,
        8,
        "known here: :'period_start', :'period_end', :'as_of'",
    );
    let error = Sql::parse("rules.sql", "select :'x'", &[]).expect_err("no parameter is known");
    assert!(error.message.contains("none can be used here"), "{error}");
}

#[test]
fn other_spellings_of_a_parameter_are_refused() {
    refused("select :as_of", 1, 8, "write the parameter as :'as_of'");
    refused("select :\"as_of\"", 1, 8, ":'name'");
    refused("select $1", 1, 8, ":'name'");
    refused("select :'as of'", 1, 8, ":'name'");
    refused("select :'as_of", 1, 8, ":'name'");
}

#[test]
fn what_is_not_closed_is_shown_where_it_begins() {
    refused("select 'a\nb", 1, 8, "string that begins here");
    refused("select E'a\\'", 1, 9, "string that begins here");
    refused("select \"a", 1, 8, "quoted name");
    refused("select 1\n/* /* */", 2, 1, "comment");
    refused("select $a$ $b$", 1, 8, "$a$");
}

#[test]
fn psql_commands_and_zero_bytes_are_refused() {
    refused("\\set day 1\nselect 1", 1, 1, "psql");
    refused("select 1 \\g", 1, 10, "psql");
    refused("select '\0'", 1, 9, "zero byte");
}

#[test]
fn positions_in_the_statement_are_places_in_the_file() {
    let sql = parse(";select :'period_start', é, bad\nfrom t where d < :'period_end' and worse;")
        .expect("it is one statement");
    let mut values = values();
    values.insert("period_start".to_owned(), "a\nlong value\\".to_owned());
    let statement = sql.with(&values, PlainStrings::Standard);
    let statement = statement.expect("it is one statement");
    let before = |word: &str| {
        let before = statement.text.split(word).next();
        before.expect("the word is there").chars().count()
    };
    assert_eq!(statement.place(before("bad")), (1, 29));
    assert_eq!(statement.place(before("'PERIOD_END")), (2, 18));
    assert_eq!(statement.place(before("END'")), (2, 18));
    assert_eq!(statement.place(before("worse")), (2, 36));
    assert_eq!(statement.place(usize::MAX), (2, 42));
    assert!(statement.begins_at(1) && !statement.begins_at(0) && !statement.begins_at(2));
}

/// Pieces whose combinations are the hard cases of the lexer.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "'", "\"", "$", "$$", "$a$", "E'", "U&'", "\\", "\\'", "--", "/*", "*/", "\n", " ", ":",
        "::", ":=", ":'as_of'", ";", "a", "é", "1", "select", "\0", "$1",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_lexer_panic(text in prop_oneof![pieces(), any::<String>()]) {
        fuzz::sql(text.as_bytes());
    }

    #[test]
    fn a_value_is_read_as_one_string_whatever_it_holds(value in prop_oneof![pieces(), any::<String>()]) {
        let value = value.replace('\0', "");
        let sql = parse("select :'as_of', :'period_end'").expect("it is one statement");
        let values = ParameterValues::from([
            ("as_of".to_owned(), value),
            ("period_end".to_owned(), "end".to_owned()),
        ]);
        for plain_strings in [PlainStrings::Standard, PlainStrings::Backslashes] {
            let text = sql.with(&values, plain_strings).expect("it is one statement").text;
            let behind = text.rfind(", 'end'").expect("the second parameter");
            let alone = format!("{} :'as_of'", &text[..behind]);
            let again = Sql::parse("again.sql", &alone, &["as_of"]).expect("a string and a parameter");
            prop_assert_eq!(again.parameters, ["as_of"]);
        }
    }
}
