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
        "key,uid,note\nBCG,ElementAaa0\n\n,,\n  ,\t,\nOPV 1,ElementAaa1,x,y\n",
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
        "kez,uid\n",
        Some((1, 1)),
        "column `key` is missing, did you mean `kez`?",
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
        "stands in an earlier line",
    );
    refused(
        "uid,key\nElementAaa0,BCG\nElementAaa1,BCG \n",
        Some((3, 2)),
        "stands in an earlier line",
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
