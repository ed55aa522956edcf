//! What a person does between our reading and our sending is neither overwritten nor lost.

use std::time::Duration;

use rig::dhis2::{Apply, Row};
use serde_json::json;

use super::bench::{BOTH, Bench, MAIN, NUMBER, Wish, wish};
use crate::domain::Sent;

const UNIT: &str = "VsF9dWr6arv";
const OTHER: &str = "iztChCalPg5";

/// Two updates, of 4 to 5 each, over values of ours.
fn updates(bench: &Bench) -> Vec<Wish> {
    let mut units = [UNIT, OTHER];
    units.sort_unstable();
    let updates = units.map(|unit| Wish {
        old: Some("4"),
        kind: crate::domain::ChangeKind::Update,
        ..wish(unit, NUMBER, "5")
    });
    for update in &updates {
        bench.stand_in.put(update.row("4"));
    }
    updates.to_vec()
}

/// A person stores a value, with a comment.
fn types(bench: &Bench, unit: &str, value: &str) {
    bench.stand_in.put(Row {
        stored_by: "admin".to_owned(),
        comment: Some("counted twice".to_owned()),
        ..wish(unit, NUMBER, "").row(value)
    });
}

fn reads(bench: &Bench) -> usize {
    let requests = bench.stand_in.requests();
    let reads = requests.iter().filter(|request| request.method == "GET");
    reads.count()
}

/// Who was in the cell, and what they stored.
fn moved(sent: &Sent) -> Option<(&str, Option<&str>)> {
    match sent {
        Sent::Moved(moved) => {
            let author = moved.author.as_ref()?;
            assert!(author.when.is_some());
            Some((
                &*author.user,
                moved.found.as_ref().map(|found| found.as_str()),
            ))
        }
        _ => None,
    }
}

#[test]
fn what_was_read_long_ago_is_read_again_and_what_moved_is_not_sent() {
    for dialect in BOTH {
        for value in ["777", "4", "5"] {
            let mut bench = Bench::new(dialect, MAIN);
            let wishes = updates(&bench);
            // Another value, or the same one with a comment that says that somebody looked.
            types(&bench, UNIT, value);
            bench.read_ago = Duration::from_secs(6);
            let sent = bench.push(&wishes);
            let place = wishes.iter().position(|wish| wish.unit == UNIT);
            let place = place.expect("a wish");
            assert_eq!(moved(&sent[place]), Some(("admin", Some(value))));
            assert_eq!(sent[1 - place], Sent::Confirmed);
            assert_eq!((bench.posts(), reads(&bench)), (1, 2));
            let row = bench.stored(&wishes[place]).expect("a row");
            assert_eq!(
                (&row["value"], &row["storedby"], &row["comment"]),
                (&json!(value), &json!("admin"), &json!("counted twice"))
            );
        }
    }
}

#[test]
fn what_was_read_just_now_is_sent_without_another_look() {
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        let wishes = updates(&bench);
        bench.read_ago = Duration::from_secs(2);
        assert_eq!(bench.push(&wishes), [Sent::Confirmed, Sent::Confirmed]);
        assert_eq!((bench.posts(), reads(&bench)), (1, 1));
        // As it was found, it is sent after a look.
        let mut bench = Bench::new(dialect, MAIN);
        let wishes = updates(&bench);
        bench.read_ago = Duration::from_secs(6);
        assert_eq!(bench.push(&wishes), [Sent::Confirmed, Sent::Confirmed]);
        assert_eq!((bench.posts(), reads(&bench)), (1, 2));
    }
}

#[test]
fn a_value_that_was_deleted_since_is_not_stored_again() {
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        let wishes = updates(&bench);
        // DHIS2 2.42 keeps our name on what a person deletes.
        for wish in &wishes {
            bench.stand_in.put(Row {
                deleted: true,
                ..wish.row("4")
            });
        }
        bench.read_ago = Duration::from_secs(6);
        let sent = bench.push(&wishes);
        assert!(sent.iter().all(|sent| matches!(sent, Sent::Moved(_))));
        assert_eq!(bench.posts(), 0);
    }
}

#[test]
fn what_a_read_back_does_not_show_is_sent_again_only_where_nobody_else_was() {
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        let wishes = updates(&bench);
        // The server says that it stored both; of one a person's value is seen, of the other nothing.
        types(&bench, UNIT, "777");
        let counts = json!({ "imported": 0, "updated": 2, "ignored": 0, "deleted": 0 });
        let stored = json!({ "response": { "status": "SUCCESS", "importCount": counts } });
        bench
            .stand_in
            .answer_next_post_with(200, stored, Apply::Nothing);
        bench.stand_in.watch_imports();
        let sent = bench.push(&wishes);
        let place = wishes.iter().position(|wish| wish.unit == UNIT);
        let place = place.expect("a wish");
        assert_eq!(moved(&sent[place]), Some(("admin", Some("777"))));
        assert_eq!(sent[1 - place], Sent::Confirmed);
        let imports = bench.stand_in.imports();
        let lengths = imports
            .iter()
            .map(|import| import["dataValues"].as_array().map(Vec::len));
        assert_eq!(lengths.collect::<Vec<_>>(), [Some(2), Some(1)]);
        let row = bench.stored(&wishes[place]).expect("a row");
        assert_eq!(row["value"], "777");
    }
}
