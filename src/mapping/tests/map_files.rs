//! Map files as spreadsheets write them, and how their mistakes are told.

use super::uid;
use crate::domain::{Absent, Combine, ElementPolicies, Uid};
use crate::mapping::SourceKey;
use crate::mapping::map_file::{MapFile, PolicyColumns, parse};

fn read(text: &str) -> Result<MapFile, crate::mapping::FileError> {
    let columns = ["key".to_owned()];
    parse("e.csv", text, &columns, PolicyColumns::Read, &mut plain)
}

/// A cell that holds a UID.
fn plain(_key: &SourceKey, text: &str, _place: (usize, usize)) -> Result<Uid, String> {
    text.parse::<Uid>().map_err(|error| error.to_string())
}

/// What the file says, as `key=uid`.
#[track_caller]
fn says(text: &str, expected: &[(&str, &str)]) {
    let map = read(text).unwrap_or_else(|error| panic!("{error}\n{text:?}"));
    let expected = expected
        .iter()
        .map(|(key, value)| (SourceKey::new([*key]), uid(value)));
    assert_eq!(map.uids, expected.collect(), "{text:?}");
}

#[track_caller]
fn refused(text: &str, place: Option<(usize, usize)>, words: &str) {
    let error = read(text).expect_err(text);
    assert_eq!(error.place, place, "{error}");
    assert!(error.message.contains(words), "{error}");
}

const BOTH: [(&str, &str); 2] = [("BCG", "ElementAaa0"), ("OPV 1", "ElementAaa1")];

#[test]
fn a_sheet_is_read_however_it_was_saved() {
    says("key,uid\nBCG,ElementAaa0\nOPV 1,ElementAaa1\n", &BOTH);
    says(
        "\u{feff}key,uid\r\nBCG,ElementAaa0\r\nOPV 1,ElementAaa1",
        &BOTH,
    );
    says(
        "key;uid;name\nBCG;ElementAaa0;a, b, c\nOPV 1;ElementAaa1;\n",
        &BOTH,
    );
    says(
        "uid\tnote\tkey\nElementAaa0\t\tBCG\nElementAaa1\t\tOPV 1\n",
        &BOTH,
    );
    says(
        " key , uid \nBCG  ,ElementAaa0 \nOPV 1\t,ElementAaa1\n",
        &BOTH,
    );
    says(
        "\"key\",\"uid\"\n\"BCG\",ElementAaa0\n\"OPV 1\",\"ElementAaa1\"\n",
        &BOTH,
    );
    says(
        "key,uid,note\nBCG,ElementAaa0\n\n,,\n  ,\t,\nOPV 1,ElementAaa1,x,\n",
        &BOTH,
    );
}

#[test]
fn a_key_is_taken_byte_for_byte_but_for_the_blanks_behind_it() {
    says(
        "key,uid\n BCG,ElementAaa0\nbcg,ElementAaa1\n\"a \"\"b\"\", c\",ElementAaa2\n",
        &[
            (" BCG", "ElementAaa0"),
            ("bcg", "ElementAaa1"),
            ("a \"b\", c", "ElementAaa2"),
        ],
    );
    // An empty key is the empty text: a line is blank only where all of its cells are.
    says("key,uid\n,ElementAaa0\n", &[("", "ElementAaa0")]);
    says("key,uid\n  ,ElementAaa0\n,\n", &[("", "ElementAaa0")]);
}

#[test]
fn mistakes_are_told_with_line_and_column() {
    refused("", Some((1, 1)), "column `key` is missing");
    refused(
        "kex,uid\n",
        Some((1, 1)),
        "column `key` is missing, did you mean `kex`?",
    );
    refused("key,name\n", Some((1, 1)), "column `uid` is missing");
    refused("key,uid,key\n", Some((1, 3)), "column `key` stands twice");
    refused(
        "key,uid\nBCG,\n",
        Some((2, 2)),
        "a UID has 11 characters, this is empty",
    );
    refused("key,uid\nBCG\n", Some((2, 2)), "this is empty");
    refused(
        "key,uid\nBCG,ElementAaa0\n\n\nOPV,Element-aa0\n",
        Some((5, 2)),
        "only letters and digits",
    );
    refused(
        "key,uid\r\nBCG,ElementAaa0\r\n,,\r\nBCG,ElementAaa1\r\n",
        Some((4, 1)),
        "stands in line 2 too",
    );
    refused(
        "uid,key\nElementAaa0,BCG\nElementAaa1,BCG \n",
        Some((3, 2)),
        "stands in line 2 too",
    );
    refused("key,uid\nB\0,ElementAaa0\n", None, "NUL");
}

#[test]
fn policies_are_those_of_data_elements_and_must_agree() {
    let map = read(
        "key,uid,combine,absent\na,ElementAaa0,max,\nb,ElementAaa0,,delete\nc,ElementAaa0,max,delete\nd,ElementAaa1,,\n",
    )
    .unwrap();
    let own = ElementPolicies {
        combine: Some(Combine::Max),
        absent: Some(Absent::Delete),
    };
    assert_eq!(map.policies, [(uid("ElementAaa0"), own)].into());
    let two = |column: &str, one: &str, other: &str| {
        format!("key,uid,{column}\na,ElementAaa0,{one}\nb,ElementAaa0,{other}\n")
    };
    let words = "differs from an earlier line of data element ElementAaa0";
    refused(&two("combine", "sum", "max"), Some((3, 3)), words);
    refused(&two("absent", "leave", "zero"), Some((3, 3)), words);
    refused(
        &two("combine", "sum", "add"),
        Some((3, 3)),
        "must be one of sum, max, min, refuse",
    );
    refused(
        &two("absent", "Leave", ""),
        Some((2, 3)),
        "must be one of leave, zero, delete",
    );
    // In the sheet of another dimension these columns are somebody's notes.
    let notes = "key,uid,combine\na,ElementAaa0,these two belong together\n";
    let columns = ["key".to_owned()];
    assert!(parse("c.csv", notes, &columns, PolicyColumns::Ignored, &mut plain).is_ok());
}

#[test]
fn what_a_spreadsheet_program_means_is_read() {
    says(
        "sep=;\r\nkey;uid\r\nBCG;ElementAaa0\r\nOPV 1;ElementAaa1\r\n",
        &BOTH,
    );
    says(
        "\u{feff}\"SEP=|\"\nkey|uid\nBCG|ElementAaa0\nOPV 1|ElementAaa1\n",
        &BOTH,
    );
    // A separator in quotes is none, also in the header.
    says(
        "\"note; who, when; why\",key,uid\n\"a;b\",\"1; 2, 3\",ElementAaa0\n",
        &[("1; 2, 3", "ElementAaa0")],
    );
    // The header has as many commas as semicolons.
    says(
        "note, of mine;key;uid\nx, y;BCG;ElementAaa0\n",
        &[("BCG", "ElementAaa0")],
    );
    says(
        "key,uid\n=\"007\",=\"ElementAaa0\"\n\"=\"\"a \"\"\"\"b\"\"\"\"\"\"\",ElementAaa1\n",
        &[("007", "ElementAaa0"), ("a \"b\"", "ElementAaa1")],
    );
    // A cell in quotes may run over a line, and the lines behind it are counted on.
    says(
        "key,uid\n\"a\nb\",ElementAaa0\n",
        &[("a\nb", "ElementAaa0")],
    );
    refused(
        "key,uid\n\"a\nb\",ElementAaa0\nc,x\n",
        Some((4, 2)),
        "a UID has 11 characters",
    );
    // Behind a line end of old Macs too.
    says("key,uid\rBCG,ElementAaa0\rOPV 1,ElementAaa1\r", &BOTH);
}

#[test]
fn a_broken_sheet_is_not_taken_for_a_shorter_one() {
    let beyond = "stands under no column of the header";
    refused(
        "uid,key\nElementAaa0,Ti Rocher, Micoud\n",
        Some((2, 3)),
        beyond,
    );
    refused(
        "uid,key,\nElementAaa0,Ti Rocher, Micoud\n",
        Some((2, 3)),
        beyond,
    );
    refused(
        "key;uid\nBCG;ElementAaa0\n;;;left over\n",
        Some((3, 4)),
        beyond,
    );
    refused("key,,uid\nBCG,x,ElementAaa0\n", Some((2, 2)), beyond);
    let open = "never closed";
    refused(
        "key,uid\n\"BCG,ElementAaa0\nOPV,ElementAaa1\n",
        Some((2, 1)),
        open,
    );
    refused("key,uid\nBCG,ElementAaa0,\"\n", Some((2, 3)), open);
    let behind = "behind the closing quote";
    refused(
        "key,uid\n\"BCG,ElementAaa0\nO\"PV,ElementAaa1\n",
        Some((2, 1)),
        behind,
    );
    refused("key,uid\n\"B\"CG,ElementAaa0\n", Some((2, 1)), behind);
    refused(
        "key,uid\nBCG, \"ElementAaa0\"\n",
        Some((2, 2)),
        "a blank stands before the quote",
    );
    refused("key,uid\n=A1,ElementAaa0\n", Some((2, 1)), "formula");
    refused(
        "key,uid\n=\"a\"&\"b\",ElementAaa0\n",
        Some((2, 1)),
        "formula",
    );
}

#[test]
fn a_column_that_is_almost_ours_is_no_note() {
    let header = |name: &str| format!("key,uid,{name}\nBCG,ElementAaa0,\n");
    for (name, words) in [
        (
            "Absent",
            "`Absent` differs from `absent` in capital letters",
        ),
        (
            "COMBINE",
            "`COMBINE` differs from `combine` in capital letters",
        ),
        ("ab\u{a0}sent", "differs from `absent` in blanks"),
        ("re tired", "differs from `retired` in blanks"),
        (
            "\u{200b}exclude",
            "`\\u{200b}exclude` differs from `exclude` in characters that are not shown",
        ),
        (
            "Ex clude",
            "differs from `exclude` in capital letters, blanks or",
        ),
        ("absend", "differs from `absent` in one letter"),
        ("excludes", "differs from `exclude` in one letter"),
        ("retierd", "differs from `retired` in one letter"),
        ("UID", "differs from `uid` in capital letters"),
        ("Key", "differs from `key` in capital letters"),
        ("ｋｅｙ", "differs from `key` in"),
    ] {
        refused(&header(name), Some((1, 3)), words);
    }
    for note in ["id", "keys", "uuid", "note", "code", "retirement", "rule"] {
        assert!(read(&header(note)).is_ok(), "{note}");
    }
    refused(
        "key,UID\nBCG,ElementAaa0\n",
        Some((1, 1)),
        "column `uid` is missing; `UID` differs from it in capital letters",
    );
    // Where policies are not read, their names are free; the dimension's own columns never are.
    let columns = ["clinic".to_owned()];
    let parsed = |text: &str| parse("u.csv", text, &columns, PolicyColumns::Ignored, &mut plain);
    assert!(parsed("clinic,uid,Absent\na,ElementAaa0,x\n").is_ok());
    let error = parsed("clinic,uid,clinics\na,ElementAaa0,x\n").unwrap_err();
    assert_eq!(error.place, Some((1, 3)));
}

#[test]
fn a_key_may_be_left_out_on_purpose() {
    let map = read("key,uid,exclude\nBCG,ElementAaa0,no\nvisitors,,yes\n").unwrap();
    assert_eq!(map.excluded, [SourceKey::new(["visitors"])].into());
    assert_eq!(map.uids.len(), 1);
    refused(
        "key,uid,exclude\nBCG,ElementAaa0,\nBCG,,yes\n",
        Some((3, 1)),
        "stands in line 2 too",
    );
    refused(
        "key,uid,exclude\nBCG,,Yes\n",
        Some((2, 3)),
        "must be yes, no or empty",
    );
}

#[test]
fn no_sheet_makes_it_fall_over() {
    for text in [
        "\u{feff}",
        ",",
        ";;;\n;;;",
        "\"",
        "key,uid\n\"",
        "\r\r\r",
        "key,uid\n\"a\nb\",ElementAaa0",
    ] {
        // Whatever comes of it, it comes.
        let _ = read(text);
    }
}
