//! Servers that fail, lie or are gone: nothing is taken for done that is not, and nothing is lost.

use std::net::TcpListener;
use std::time::Duration;

use rig::dhis2::{Apply, Dialect, Row};
use serde_json::{Value, json};

use super::bench::{
    BOTH, Bench, GRANDE_RIVIERE, GROS_ISLET, MAIN, MONCHY, NUMBER, Wish, ZERO, loader, wish,
};
use crate::dhis2::error::Kind;
use crate::dhis2::patience::Patience;
use crate::domain::{DEFAULT_COMBO, Sent};

fn two() -> [Wish; 2] {
    [
        wish(GROS_ISLET, NUMBER, "1"),
        wish(GRANDE_RIVIERE, NUMBER, "2"),
    ]
}

/// An import that broke off, as DHIS2 ≤ 2.42 tells it (`faults.json`).
fn broken() -> Value {
    json!({ "httpStatus": "Conflict", "httpStatusCode": 409, "status": "ERROR", "response": {
        "status": "ERROR", "description": "The import process failed: Failed to flush BatchHandler",
        "importCount": { "imported": 0, "updated": 0, "ignored": 0, "deleted": 0 }, "conflicts": [],
    } })
}

/// The methods of the requests of the last push, in their order.
fn methods(bench: &Bench) -> Vec<String> {
    let requests = bench.stand_in.requests().into_iter();
    requests.map(|request| request.method).collect()
}

#[test]
fn what_the_server_says_it_stored_and_did_not_is_sent_once_more_and_never_taken_for_stored() {
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        for counts in [
            json!({ "imported": 0, "updated": 0, "ignored": 2, "deleted": 0 }),
            json!({ "imported": 0, "updated": 2, "ignored": 0, "deleted": 0 }),
        ] {
            for (attempts, outcome, asked) in [
                (1, Sent::Unconfirmed, &["POST", "GET"][..]),
                (2, Sent::Confirmed, &["POST", "GET", "POST", "GET"]),
            ] {
                bench.stand_in.reset();
                bench.dhis2.patience = Patience::new(attempts, Duration::ZERO, None);
                let answer = json!({ "response": { "status": "SUCCESS", "importCount": counts } });
                bench
                    .stand_in
                    .answer_next_post_with(200, answer, Apply::Nothing);
                assert_eq!(bench.push(&two()), [outcome.clone(), outcome]);
                assert_eq!(methods(&bench), asked);
            }
        }
    }
}

#[test]
fn an_import_of_which_nobody_knows_what_became_is_read_back_before_it_is_sent_again() {
    let no_summary = json!({ "httpStatus": "Conflict", "httpStatusCode": 409, "status": "ERROR" });
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        for (status, body) in [
            (409, broken()),
            (409, no_summary.clone()),
            (500, no_summary.clone()),
            (502, no_summary.clone()),
            (504, no_summary.clone()),
        ] {
            for (apply, asked) in [
                (Apply::All, &["POST", "GET"][..]),
                (Apply::Nothing, &["POST", "GET", "POST", "GET"]),
            ] {
                bench.stand_in.reset();
                bench
                    .stand_in
                    .answer_next_post_with(status, body.clone(), apply);
                assert_eq!(bench.push(&two()), [Sent::Confirmed, Sent::Confirmed]);
                assert_eq!(methods(&bench), asked, "{status} {apply:?}");
                assert_eq!(bench.values().len(), 2);
            }
        }
    }
}

#[test]
fn only_what_is_missing_of_a_broken_import_is_sent_again() {
    let mut bench = Bench::new(Dialect::V2_42, MAIN);
    let [first, second] = two();
    bench.stand_in.put(Row {
        combo: DEFAULT_COMBO.to_string(),
        stored_by: "admin".to_owned(),
        ..first.row("1")
    });
    bench
        .stand_in
        .answer_next_post_with(409, broken(), Apply::Nothing);
    assert_eq!(
        bench.push(&[first.clone(), second]),
        [Sent::Confirmed, Sent::Confirmed]
    );
    assert_eq!(bench.posts(), 2);
    // Had it been sent again, it would have another author.
    let author = bench.stored(&first).map(|row| row["storedby"].clone());
    assert_eq!(author, Some(json!("admin")));
}

#[test]
fn an_overloaded_server_is_asked_again_without_reading_back() {
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        for status in [408, 425, 429, 503] {
            bench.stand_in.reset();
            bench
                .stand_in
                .answer_next_post_with(status, json!({}), Apply::Nothing);
            assert_eq!(bench.push(&two()), [Sent::Confirmed, Sent::Confirmed]);
            assert_eq!(methods(&bench), ["POST", "POST", "GET"], "{status}");
        }
    }
}

#[test]
fn an_import_that_is_too_large_is_halved_at_once_and_one_value_that_is_ends_the_sending() {
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        // Halving is no try again.
        bench.dhis2.patience = Patience::new(1, Duration::ZERO, None);
        bench
            .stand_in
            .answer_next_post_with(413, json!({}), Apply::Nothing);
        assert_eq!(bench.push(&two()), [Sent::Confirmed, Sent::Confirmed]);
        assert_eq!(methods(&bench), ["POST", "POST", "POST", "GET"]);

        bench.stand_in.reset();
        bench
            .stand_in
            .answer_next_post_with(413, json!({}), Apply::Nothing);
        let pushed = bench.push_all(&two()[..1]);
        assert_eq!(pushed.sent, [Sent::NotSent]);
        let kind = pushed.failure.map(|failure| failure.kind);
        assert_eq!(kind, Some(Kind::Target));
    }
}

#[test]
fn a_period_that_another_import_is_creating_is_no_final_reject() {
    // As 2.42.5.2 answered the second of three identical imports at once (`faults.json`).
    let counts = json!({ "imported": 1, "updated": 0, "ignored": 1, "deleted": 0 });
    let conflict = json!({ "object": "202503", "objects": { "period": "202503" }, "value": "Period not valid: `202503`",
        "errorCode": "E7611", "property": "period", "indexes": [1] });
    let answer = json!({ "httpStatus": "Conflict", "httpStatusCode": 409, "status": "WARNING", "response": {
        "status": "WARNING", "description": "Import process completed successfully",
        "importCount": counts, "conflicts": [conflict], "rejectedIndexes": [1] } });
    for (attempts, posts) in [(1, 1), (5, 2)] {
        let mut bench = Bench::new(Dialect::V2_42, MAIN);
        bench.dhis2.patience = Patience::new(attempts, Duration::ZERO, None);
        let [first, second] = two();
        bench.stand_in.put(Row {
            combo: DEFAULT_COMBO.to_string(),
            ..first.row("1")
        });
        bench
            .stand_in
            .answer_next_post_with(409, answer.clone(), Apply::Nothing);
        let pushed = bench.push_all(&[first, second]);
        assert_eq!(bench.posts(), posts);
        match attempts {
            1 => {
                assert_eq!(pushed.sent, [Sent::Confirmed, Sent::Unconfirmed]);
                let failure = pushed.failure.expect("a failure");
                assert!(failure.is_temporary(), "{failure}");
                assert!(failure.message.contains("202503"), "{failure}");
            }
            _ => {
                assert_eq!(pushed.sent, [Sent::Confirmed, Sent::Confirmed]);
                assert_eq!(pushed.failure, None);
            }
        }
    }
}

#[test]
fn an_answer_that_is_not_dhis2_ends_the_sending_but_not_the_reading_back() {
    for apply in [Apply::All, Apply::Nothing] {
        let mut bench = Bench::new(Dialect::V2_43, MAIN);
        bench.chunk = 1;
        bench.stand_in.answer_next_post_with(405, json!({}), apply);
        let pushed = bench.push_all(&two());
        let first = match apply {
            Apply::All => Sent::Confirmed,
            Apply::Nothing => Sent::Unconfirmed,
        };
        assert_eq!(pushed.sent, [first, Sent::NotSent]);
        assert_eq!(
            pushed.failure.map(|failure| failure.kind),
            Some(Kind::Target)
        );
        assert_eq!(bench.posts(), 1);
    }
}

#[test]
fn refused_credentials_end_everything_with_one_request() {
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        bench.chunk = 1;
        let unauthorized =
            json!({ "httpStatus": "Unauthorized", "httpStatusCode": 401, "status": "ERROR" });
        bench
            .stand_in
            .answer_next_post_with(401, unauthorized.clone(), Apply::Nothing);
        let pushed = bench.push_all(&two());
        // DHIS2 has let us in before: it is ill, and nobody knows what became of the first chunk.
        assert_eq!(pushed.sent, [Sent::Unconfirmed, Sent::NotSent]);
        let temporary = Kind::Temporary {
            nothing_sent: false,
        };
        assert_eq!(pushed.failure.map(|failure| failure.kind), Some(temporary));
        assert_eq!(bench.stand_in.requests().len(), 1);

        // As the first answer of all it is about the credentials.
        let mut bench = Bench::new(dialect, MAIN);
        bench.chunk = 1;
        bench.dhis2 = loader(bench.stand_in.url());
        bench
            .stand_in
            .answer_next_post_with(401, unauthorized, Apply::Nothing);
        let pushed = bench.push_all(&two());
        assert_eq!(pushed.sent, [Sent::NotSent, Sent::NotSent]);
        let kind = pushed.failure.map(|failure| failure.kind);
        assert_eq!(kind, Some(Kind::Credentials));
        assert_eq!(bench.stand_in.requests().len(), 1);
    }
}

#[test]
fn a_server_that_is_gone_is_tried_five_times_and_leaves_everything_unsent() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let mut bench = Bench::new(Dialect::V2_43, MAIN);
    bench.dhis2 = loader(url);
    let pushed = bench.push_all(&two());
    assert_eq!(pushed.sent, [Sent::NotSent, Sent::NotSent]);
    let kind = pushed.failure.map(|failure| failure.kind);
    assert_eq!(kind, Some(Kind::Temporary { nothing_sent: true }));
    assert_eq!(bench.dhis2.requests, 5);
}

#[test]
fn after_three_imports_in_a_row_that_fail_to_the_end_no_more_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let mut bench = Bench::new(Dialect::V2_43, MAIN);
    bench.dhis2 = loader(url);
    bench.dhis2.patience = Patience::new(2, Duration::ZERO, None);
    bench.chunk = 1;
    let units = [MONCHY, GROS_ISLET, GRANDE_RIVIERE];
    let wishes: Vec<Wish> = units
        .iter()
        .flat_map(|unit| [wish(unit, ZERO, "1"), wish(unit, NUMBER, "1")])
        .collect();
    let pushed = bench.push_all(&wishes);
    assert_eq!(pushed.sent, vec![Sent::NotSent; 6]);
    assert!(bench.dhis2.patience.has_given_up());
    assert_eq!(bench.dhis2.requests, 6);
}
