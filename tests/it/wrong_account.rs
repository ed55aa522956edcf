//! Accounts and data sets without the rights that a mapping needs: told before anything is compared or sent.

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use crate::relay::relay;
use crate::small_site::SmallSite;
use crate::st_lucia::BOTH;

/// A site whose DHIS2 says something else of our account than it would.
fn told_of_the_account(member: &'static str, says: Value) -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    let url = site.dhis2.url();
    let relay = relay(&url, move |first, answer| {
        if !first.starts_with("GET /api/me") {
            return answer;
        }
        let text = String::from_utf8(answer).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let mut body: Value = serde_json::from_str(body).unwrap();
        body[member] = says.clone();
        let body = body.to_string();
        let length = body.len();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
        format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
    });
    site.replace("pg2dhis2.toml", &url, &relay);
    site
}

#[test]
fn an_account_without_units_or_authority_is_told_what_it_lacks() {
    for (member, says, words) in [
        (
            "organisationUnits",
            json!([]),
            "the DHIS2 account loader has no organisation unit; assign it",
        ),
        (
            "authorities",
            json!([]),
            "the DHIS2 account loader lacks the authority F_DATAVALUE_ADD; give it a role",
        ),
        (
            "authorities",
            json!(["F_DATAVALUE_DELETE"]),
            "lacks the authority F_DATAVALUE_ADD",
        ),
        (
            "username",
            Value::Null,
            "DHIS2's answer is not what its API promises",
        ),
    ] {
        let site = told_of_the_account(member, says);
        site.refused(site.run(), 14, words);
        // Nothing is asked after that.
        let last = site.dhis2.requests().pop().unwrap();
        assert!(last.path.starts_with("/api/me"), "{}", last.path);
    }
}

#[test]
fn a_data_set_that_we_may_not_read_or_write_is_told_with_its_name() {
    for dialect in BOTH {
        for (data_set, words) in [
            (
                "OU8AG8mnVXK",
                "may not write data to data set X set X_RO (OU8AG8mnVXK); change the data sharing",
            ),
            (
                "Qu4rQEGDzAp",
                "may neither read nor write data of data set X set X_BLIND (Qu4rQEGDzAp)",
            ),
            (
                "Aaaaaaaaaa1",
                "DHIS2 has no data set Aaaaaaaaaa1; check data-set in the mapping",
            ),
            (
                "fTTHFe1SktZ",
                "not one of the mapping's data elements is in data set EPI monthly (fTTHFe1SktZ)",
            ),
        ] {
            let site = SmallSite::new(dialect);
            site.replace("mappings/small.toml", "YE8SgpSMBQ9", data_set);
            site.refused(site.run(), 14, words);
            // The values of such a data set are not even read: without the right, none would look like no values.
            let asked = site.dhis2.requests();
            let mut values = asked
                .iter()
                .filter(|request| request.path.starts_with("/api/dataValueSets"));
            assert!(values.next().is_none());
        }
    }
}

#[test]
fn one_data_set_without_rights_does_not_stop_another_mapping() {
    let site = SmallSite::new(Dialect::V2_43);
    let text = std::fs::read_to_string(site.path("mappings/small.toml")).unwrap();
    site.write(
        "mappings/blind.toml",
        &text.replace("YE8SgpSMBQ9", "Qu4rQEGDzAp"),
    );
    let run = site
        .run()
        .code(14)
        .stderr_has("pg2dhis2: blind: the DHIS2 account loader");
    assert!(!run.stderr.contains("pg2dhis2: small"), "{}", run.stderr);
    assert_eq!(site.dhis2.values().len(), 1);
}

#[test]
fn values_that_our_account_may_not_see_are_not_taken_for_nothing() {
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        site.write(
            "mappings/small.toml",
            "data-set = \"qOfuleXGtTZ\"\nqueries = [\"query.sql\"]\nvalue = \"value\"\nabsent = \"leave\"\n\
             period = { type = \"Monthly\", column = \"period\" }\n\
             [data-element]\ncolumn = \"element\"\n\
             [attribute-option-combo]\nuid = \"DHDGA2t7IfZ\"\n\
             [org-unit]\ncolumn = \"unit\"\n",
        );
        site.database
            .execute("UPDATE t SET element = 'pvPt7Z4SVPz'");
        let words = "may not read data of the category option X option X_HIDDEN";
        site.refused(site.run(), 14, words);
        let asked = site.dhis2.requests();
        assert!(
            !asked
                .iter()
                .any(|request| request.path.contains("dataValueSets"))
        );
    }
}
