//! What refusals mean, as real servers and the proxies before them answer.

use crate::dhis2::error::{Dhis2Error, Kind};
use crate::dhis2::recorded::{answer, answering, recorded};

const TEMPORARY: Kind = Kind::Temporary {
    nothing_sent: false,
};

/// Asks for our account and expects a refusal. All answers must be used.
fn refused(answers: Vec<String>) -> Dhis2Error {
    let (mut dhis2, served) = answering(answers);
    let error = dhis2.account().expect_err("a refusal");
    served.join().expect("every answer is asked for");
    assert!(!error.message.contains(['\n', '\r']), "{error}");
    error
}

#[test]
fn refused_credentials_are_told_in_all_their_forms_and_never_tried_again() {
    for version in ["2.42.5.2", "2.43.1"] {
        // 401, the redirects to the login form, and the two malformed tokens.
        for step in [0, 1, 2, 3, 6, 7] {
            let error = refused(vec![recorded(version, "auth", step)]);
            assert_eq!(
                error.kind,
                Kind::Credentials,
                "{version} auth, {step}: {error}"
            );
        }
        let forbidden = refused(vec![recorded(version, "auth", 10)]);
        assert_eq!(forbidden.kind, Kind::Credentials);
        assert!(forbidden.message.contains("F_DATAVALUE_ADD"), "{forbidden}");
    }
    let page = "<html><form><input name=\"j_username\"></form></html>";
    let error = refused(vec![answer(200, &[("content-type", "text/html")], page)]);
    assert_eq!(error.kind, Kind::Credentials);
}

#[test]
fn what_is_not_dhis2_is_a_wrong_target() {
    let elsewhere = refused(vec![answer(
        301,
        &[("location", "https://dhis2.example/dhis/api/me")],
        "",
    )]);
    assert_eq!(elsewhere.kind, Kind::Target);
    assert!(
        elsewhere
            .message
            .contains("https://dhis2.example/dhis/api/me"),
        "{elsewhere}"
    );
    for (status, content_type, body) in [
        (200, "text/html", "<html>Welcome to nginx</html>"),
        (404, "text/html", "<html>Not found</html>"),
        (200, "application/json", "\"hello\""),
        (405, "application/json", "{}"),
    ] {
        let error = refused(vec![answer(
            status,
            &[("content-type", content_type)],
            body,
        )]);
        assert_eq!(error.kind, Kind::Target, "{error}");
    }
    assert_eq!(
        refused(vec![recorded("2.43.1", "auth", 11)]).kind,
        Kind::Target
    );
    assert_eq!(
        refused(vec![recorded("2.43.1", "auth", 13)]).kind,
        Kind::Target
    );
}

#[test]
fn failures_that_may_pass_are_tried_as_often_as_allowed() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let failure = answer(
            status,
            &[("content-type", "text/html")],
            "<html>sorry</html>",
        );
        let error = refused(vec![failure.clone(), failure]);
        assert_eq!(error.kind, TEMPORARY, "{error}");
    }
    let json = [("content-type", "application/json")];
    let cut = answer(200, &json, "{\"username\":\"loader\"}").replace("}", "");
    assert_eq!(refused(vec![cut.clone(), cut.clone()]).kind, TEMPORARY);

    let whole = answer(200, &json, "{\"username\":\"loader\"}");
    let (mut dhis2, served) = answering(vec![cut, whole]);
    assert_eq!(dhis2.account().expect("an account").username, "loader");
    assert_eq!(dhis2.requests, 2);
    served.join().expect("both answers are asked for");
}

#[test]
fn a_read_that_was_cut_shows_no_row_twice() {
    let row = |element: &str| {
        format!(
            r#"{{"dataElement":"{element}","categoryOptionCombo":"HllvX50cXC0","attributeOptionCombo":"HllvX50cXC0","value":"1"}}"#
        )
    };
    let whole = format!(
        r#"{{"dataValues":[{},{}]}}"#,
        row("M1eFRJpEkoO"),
        row("NaIvsjCYa37")
    );
    let json = [("content-type", "application/json")];
    let first = &whole[..whole.len() - 20];
    let cut = answer(200, &json, &whole).replace(&whole, first);
    let (mut dhis2, served) = answering(vec![cut, answer(200, &json, &whole)]);
    let mut seen = Vec::new();
    let period = "202503".parse().expect("a period");
    let unit = "VsF9dWr6arv".parse().expect("a UID");
    dhis2
        .live(
            "YE8SgpSMBQ9".parse().expect("a UID"),
            &[period],
            &[unit],
            &mut |row| {
                seen.push(row.cell.triple.data_element.to_string());
            },
        )
        .expect("the second answer is whole");
    served.join().expect("both answers are asked for");
    assert_eq!(seen, ["M1eFRJpEkoO", "NaIvsjCYa37"]);
}

#[test]
fn an_unknown_data_set_is_named() {
    let (mut dhis2, served) = answering(vec![recorded("2.43.1", "read-data-set", 7)]);
    let error = dhis2
        .data_set("Aaaaaaaaaa1".parse().expect("a UID"))
        .expect_err("unknown");
    served.join().expect("asked once");
    assert_eq!(error.kind, Kind::Target);
    assert!(
        error
            .message
            .starts_with("DHIS2 has no data set Aaaaaaaaaa1"),
        "{error}"
    );
}
