//! Servers that fail, lie or are gone: nothing is taken for done that is not, and nothing is lost.

use std::net::TcpListener;

use rig::dhis2::{Apply, Dialect};
use serde_json::json;

use super::bench::{BOTH, Bench, GRANDE_RIVIERE, GROS_ISLET, MAIN, NUMBER, Wish, loader, wish};
use crate::dhis2::error::Kind;
use crate::domain::Sent;

fn two() -> [Wish; 2] {
    [
        wish(GROS_ISLET, NUMBER, "1"),
        wish(GRANDE_RIVIERE, NUMBER, "2"),
    ]
}

#[test]
fn what_the_server_says_it_stored_and_did_not_is_unconfirmed() {
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        for counts in [
            json!({ "imported": 0, "updated": 0, "ignored": 2, "deleted": 0 }),
            json!({ "imported": 0, "updated": 2, "ignored": 0, "deleted": 0 }),
        ] {
            let answer = json!({ "response": { "status": "SUCCESS", "importCount": counts } });
            bench
                .stand_in
                .answer_next_post_with(200, answer, Apply::Nothing);
            assert_eq!(bench.push(&two()), [Sent::Unconfirmed, Sent::Unconfirmed]);
        }
    }
}

#[test]
fn an_import_that_failed_is_sent_once_more_and_what_is_stored_is_confirmed() {
    let broken = json!({ "httpStatus": "Conflict", "response": {
        "status": "ERROR", "description": "The import process failed: Failed to flush BatchHandler",
        "importCount": { "imported": 0, "updated": 0, "ignored": 0, "deleted": 0 }, "conflicts": [],
    } });
    let no_summary = json!({ "httpStatus": "Conflict", "httpStatusCode": 409, "status": "ERROR" });
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        for (status, body) in [
            (409, &broken),
            (409, &no_summary),
            (500, &no_summary),
            (503, &no_summary),
        ] {
            for apply in [Apply::All, Apply::Nothing] {
                bench.stand_in.reset();
                bench
                    .stand_in
                    .answer_next_post_with(status, body.clone(), apply);
                assert_eq!(bench.push(&two()), [Sent::Confirmed, Sent::Confirmed]);
                assert_eq!((bench.posts(), bench.values().len()), (2, 2));
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
        let answer =
            json!({ "httpStatus": "Unauthorized", "httpStatusCode": 401, "status": "ERROR" });
        bench
            .stand_in
            .answer_next_post_with(401, answer, Apply::Nothing);
        let pushed = bench.push_all(&two());
        assert_eq!(pushed.sent, [Sent::NotSent, Sent::NotSent]);
        assert_eq!(
            pushed.failure.map(|failure| failure.kind),
            Some(Kind::Credentials)
        );
        assert_eq!(bench.stand_in.requests().len(), 1);
    }
}

#[test]
fn a_server_that_is_gone_is_tried_twice_and_leaves_everything_unsent() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let mut bench = Bench::new(Dialect::V2_43, MAIN);
    bench.dhis2 = loader(url);
    let pushed = bench.push_all(&two());
    assert_eq!(pushed.sent, [Sent::NotSent, Sent::NotSent]);
    let kind = pushed.failure.map(|failure| failure.kind);
    assert_eq!(kind, Some(Kind::Temporary { nothing_sent: true }));
    assert_eq!(bench.dhis2.requests, 2);
}
