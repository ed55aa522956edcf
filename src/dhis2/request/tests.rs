//! What refusals mean, as real servers and the proxies before them answer.

use crate::dhis2::error::{Dhis2Error, Kind};
use crate::dhis2::recorded::{answer, answering, answering_with_heads, recorded};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

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
        // A wrong password, the two malformed tokens, and those that are good for other requests, which lock nobody.
        for (scenario, step, is_refused_login) in [
            ("auth", 0, true),
            ("auth", 6, true),
            ("auth", 7, true),
            ("token-limits", 2, false),
            ("token-limits", 4, false),
        ] {
            let error = refused(vec![recorded(version, scenario, step)]);
            assert_eq!(
                (error.kind, error.is_refused_login),
                (Kind::Credentials, is_refused_login),
                "{version} {scenario}, {step}: {error}"
            );
        }
        let forbidden = refused(vec![recorded(version, "auth", 10)]);
        assert_eq!(forbidden.kind, Kind::Credentials);
        assert!(forbidden.message.contains("F_DATAVALUE_ADD"), "{forbidden}");
    }
}

#[test]
fn a_401_that_is_not_dhis2s_or_comes_after_others_were_accepted_may_pass_and_ends_the_run() {
    let page = [
        ("content-type", "text/html"),
        ("www-authenticate", "Basic realm=\"gate\""),
    ];
    let own = recorded("2.42.5.2", "auth", 0);
    let info = r#"{"username":"loader"}"#;
    for answers in [
        vec![answer(401, &page, "<html>who are you?</html>")],
        vec![answer(401, &JSON, r#"{"error":"Unauthorized"}"#)],
        vec![answer(401, &[], "")],
        vec![answer(200, &JSON, info), own],
    ] {
        let (mut dhis2, served) = answering(answers.clone());
        for _ in 1..answers.len() {
            dhis2.account().expect("an account");
        }
        let error = dhis2.account().expect_err("a refusal");
        assert_eq!(error.kind, TEMPORARY, "{error}");
        assert!(!error.is_refused_login);
        // Nothing more is asked.
        let again = dhis2.account().expect_err("no request");
        assert_eq!(again.message, error.message);
        assert_eq!(again.kind, Kind::Temporary { nothing_sent: true });
        served.join().expect("every answer is asked for");
    }
}

#[test]
fn the_cookies_of_the_session_go_on_beside_the_credentials() {
    let info = r#"{"username":"loader"}"#;
    let with = |cookie: &str| answer(200, &[JSON[0], ("set-cookie", cookie)], info);
    let answers = vec![
        with("JSESSIONID=A1; Path=/; HttpOnly"),
        answer(200, &JSON, info),
        with("JSESSIONID=B2"),
        answer(200, &JSON, info),
    ];
    let (mut dhis2, served) = answering_with_heads(answers);
    for _ in 0..4 {
        dhis2.account().expect("an account");
    }
    let heads = served.join().expect("asked four times");
    let cookies: Vec<Option<&str>> = heads
        .iter()
        .map(|head| {
            assert!(
                head.contains("\nauthorization: ApiToken d2pat_x\n"),
                "{head}"
            );
            head.lines().find_map(|line| line.strip_prefix("cookie: "))
        })
        .collect();
    let (first, second) = (Some("JSESSIONID=A1"), Some("JSESSIONID=B2"));
    assert_eq!(cookies, [None, first, first, second]);
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
        // Pages of proxies, and DHIS2's own, which it never answers to our requests.
        (
            200,
            "text/html",
            "<html><form><input name=\"j_username\"></form></html>",
        ),
        (403, "text/html", "<html>Request blocked</html>"),
        (403, "application/json", "{\"error\":\"blocked\"}"),
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
    // The redirects to the login form among them.
    for step in [2, 3, 11, 13] {
        let error = refused(vec![recorded("2.43.1", "auth", step)]);
        assert_eq!(error.kind, Kind::Target, "{error}");
    }
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
    let cut = answer(200, &JSON, "{\"username\":\"loader\"}").replace("}", "");
    assert_eq!(refused(vec![cut.clone(), cut.clone()]).kind, TEMPORARY);

    let whole = answer(200, &JSON, "{\"username\":\"loader\"}");
    let (mut dhis2, served) = answering(vec![cut, whole]);
    assert_eq!(dhis2.account().expect("an account").username, "loader");
    assert_eq!(dhis2.requests, 2);
    served.join().expect("both answers are asked for");
}

/// What is asked for a data set without elements and with two attribute option combos, of which one may be read.
fn data_set_answers() -> Vec<String> {
    let set = r#"{"name":"A set","periodType":"Monthly","categoryCombo":{"id":"bjDvmb4bfuf"},"access":{"data":{"read":true,"write":true}}}"#;
    let combo = |id: &str, option: &str, read: bool| {
        format!(
            r#"{{"id":"{id}","name":"{id}","categoryOptions":[{{"id":"{option}","name":"{option}","access":{{"data":{{"read":{read},"write":true}}}}}}]}}"#
        )
    };
    let combos = format!(
        r#"{{"categoryCombos":[{{"id":"bjDvmb4bfuf","categoryOptionCombos":[{},{}]}}]}}"#,
        combo("HllvX50cXC0", "xYerKDKCefk", true),
        combo("DHDGA2t7IfZ", "bYerKDKCefk", false)
    );
    vec![answer(200, &JSON, set), answer(200, &JSON, &combos)]
}

#[test]
fn a_read_names_the_combos_that_may_be_read_and_one_that_was_cut_shows_no_row_twice() {
    let row = |element: &str| {
        format!(r#"{{"dataElement":"{element}","categoryOptionCombo":"HllvX50cXC0","value":"1"}}"#)
    };
    let whole = format!(
        r#"{{"period":"202503","orgUnit":"VsF9dWr6arv","attributeOptionCombo":"HllvX50cXC0","dataValues":[{},{}]}}"#,
        row("M1eFRJpEkoO"),
        row("NaIvsjCYa37")
    );
    let first = &whole[..whole.len() - 20];
    let cut = answer(200, &JSON, &whole).replace(&whole, first);
    let mut answers = data_set_answers();
    answers.extend([cut, answer(200, &JSON, &whole)]);
    let (mut dhis2, served) = answering(answers);
    let data_set = dhis2.data_set("YE8SgpSMBQ9".parse().expect("a UID"));
    let mut seen = Vec::new();
    let period = "202503".parse().expect("a period");
    let unit = "VsF9dWr6arv".parse().expect("a UID");
    dhis2
        .live(
            &data_set.expect("a data set"),
            &[period],
            &[unit],
            &mut |row| {
                seen.push(row.cell.triple.data_element.to_string());
            },
        )
        .expect("the second answer is whole");
    let asked = served.join().expect("all answers are asked for");
    assert_eq!(seen, ["M1eFRJpEkoO", "NaIvsjCYa37"]);
    assert!(
        asked[3].contains("&attributeOptionCombo=HllvX50cXC0 "),
        "{asked:?}"
    );
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
