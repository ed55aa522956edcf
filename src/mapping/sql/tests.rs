//! Facts about the lexer: where a parameter is one, what a file may hold, and where errors point.

use proptest::prelude::{Strategy, any, prop};
use proptest::{prop_assert_eq, prop_oneof, proptest};

use super::{Sql, SqlError};

const KNOWN: [&str; 3] = ["period_start", "period_end", "as_of"];

fn parse(text: &str) -> Result<Sql, SqlError> {
    Sql::parse("test.sql", text, &KNOWN)
}

#[track_caller]
fn becomes(written: &str, text: &str, parameters: &[&str]) {
    let sql = parse(written).unwrap_or_else(|error| panic!("{written}: {error}"));
    assert_eq!(sql.text, text);
    assert_eq!(sql.parameters, parameters);
}

#[track_caller]
fn unchanged(written: &str) {
    becomes(written, written, &[]);
}

#[track_caller]
fn refused(written: &str, line: usize, column: usize, message: &str) {
    let error = parse(written).expect_err(written);
    assert_eq!((error.line, error.column), (line, column), "{error}");
    assert!(error.message.contains(message), "{error}");
}

#[test]
fn a_parameter_becomes_a_numbered_one_and_keeps_its_number() {
    becomes(
        "select :'as_of', :'period_end'::date where d >= :'as_of'",
        "select $1, $2::date where d >= $1",
        &["as_of", "period_end"],
    );
    becomes(
        "select a[1:2], x::int, f(y := :'as_of')",
        "select a[1:2], x::int, f(y := $1)",
        &["as_of"],
    );
    becomes("select x:::'as_of'", "select x::$1", &["as_of"]);
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
    becomes("select fee'\\', :'as_of'", "select fee'\\', $1", &["as_of"]);
    becomes("select e'\\'', :'as_of'", "select e'\\'', $1", &["as_of"]);
    becomes(
        "select 'a' 'b\\', :'as_of'",
        "select 'a' 'b\\', $1",
        &["as_of"],
    );
}

#[test]
fn one_final_semicolon_is_dropped_and_a_byte_order_mark_is_no_name() {
    becomes("select 1; -- done\n", "select 1  -- done\n", &[]);
    becomes(
        ";\nselect 1;;\n/* end; */",
        " \nselect 1  \n/* end; */",
        &[],
    );
    becomes("\u{feff}select 1", "select 1", &[]);
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
    refused("select :'as_of'5", 1, 16, "blank");
    refused("select date:'as_of'", 1, 12, "blank");
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
    let sql = parse("select :'period_start', é, bad\nfrom t where d < :'period_end' and worse;")
        .expect("it is one statement");
    let place = |word: &str| {
        sql.place(
            sql.text
                .split(word)
                .next()
                .expect("the word is there")
                .chars()
                .count(),
        )
    };
    assert_eq!(place("bad"), (1, 28));
    assert_eq!(place("$2"), (2, 18));
    assert_eq!(place("worse"), (2, 36));
    assert_eq!(sql.place(usize::MAX), (2, 42));
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
        if let Ok(sql) = parse(&text) {
            sql.place(text.len() / 2);
        }
    }

    #[test]
    fn text_without_parameters_and_semicolons_comes_out_unchanged(text in pieces()) {
        let text = text.replace([';', ':'], "");
        if let Ok(sql) = parse(&text) {
            prop_assert_eq!(sql.text, text);
        }
    }
}
