//! Rules of the two servers that no recording shows: sources are DHIS2's own classes and its Web API as described.

use serde_json::{Value, json};

use super::tests::call;
use super::{Dialect, StandIn};

/// The two sets have one element each; that of the second has an attribute combo, whose options are dated.
const METADATA: &str = r#"{
  "organisationUnits": [
    {"id": "sc5rkcvmE6I", "name": "Country", "openingDate": "1990-01-01"},
    {"id": "VVrMwhxWKKp", "name": "Region", "openingDate": "1990-01-01", "parent": {"id": "sc5rkcvmE6I"}},
    {"id": "UnitAaaaaaa", "name": "A", "openingDate": "1990-01-01", "parent": {"id": "VVrMwhxWKKp"}},
    {"id": "UnitBbbbbbb", "name": "B", "openingDate": "1990-01-01", "parent": {"id": "sc5rkcvmE6I"}}],
  "categoryOptions": [
    {"id": "OptionEarly", "startDate": "2025-01-01", "endDate": "2025-03-31", "sharing": {"public": "rwrw----"}},
    {"id": "OptionLater", "startDate": "2025-03-01", "endDate": "2025-12-31", "sharing": {"public": "rwrw----"}}],
  "categoryCombos": [{"id": "ComboAaaaaa", "name": "Funding"}],
  "categoryOptionCombos": [
    {"id": "ComboEarlyy", "categoryCombo": {"id": "ComboAaaaaa"}, "categoryOptions": [{"id": "OptionEarly"}]},
    {"id": "ComboLaterr", "categoryCombo": {"id": "ComboAaaaaa"}, "categoryOptions": [{"id": "OptionLater"}]}],
  "dataElements": [
    {"id": "ElementAaaa", "valueType": "INTEGER", "aggregationType": "SUM", "zeroIsSignificant": true},
    {"id": "ElementBbbb", "valueType": "INTEGER", "aggregationType": "SUM", "zeroIsSignificant": true}],
  "dataSets": [
    {"id": "DataSetAaaa", "periodType": "Monthly", "openFuturePeriods": 1, "expiryDays": 40,
     "sharing": {"public": "rwrw----"}, "dataSetElements": [{"dataElement": {"id": "ElementAaaa"}}],
     "organisationUnits": [{"id": "UnitAaaaaaa"}, {"id": "UnitBbbbbbb"}]},
    {"id": "DataSetBbbb", "periodType": "Monthly", "openFuturePeriods": 1, "categoryCombo": {"id": "ComboAaaaaa"},
     "sharing": {"public": "rwrw----"}, "dataSetElements": [{"dataElement": {"id": "ElementBbbb"}}],
     "organisationUnits": [{"id": "UnitAaaaaaa"}, {"id": "UnitBbbbbbb"}]}]
}"#;

fn stand_in(dialect: Dialect) -> StandIn {
    StandIn::start(dialect, &[METADATA], Some("2025-04-05T12:00:00Z"))
}

/// Posts as an account; status and the whole answer.
fn post(stand_in: &StandIn, account: &str, body: Value) -> (u16, Value) {
    let path = "/api/dataValueSets?strictPeriods=true&strictDataElements=true";
    call(stand_in, account, "POST", path, &body.to_string())
}

/// Code and text of each conflict.
fn conflicts(answer: &Value) -> Vec<String> {
    let conflicts = answer["response"]["conflicts"].as_array();
    let conflicts = conflicts.expect("an import summary").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    conflicts
        .map(|conflict| {
            format!(
                "{} {}",
                text(&conflict["errorCode"]),
                text(&conflict["value"])
            )
        })
        .collect()
}

/// A value of the first set in March.
fn value(unit: &str, value: &str) -> Value {
    json!({"dataElement": "ElementAaaa", "period": "202503", "orgUnit": unit, "value": value})
}

#[test]
fn the_old_engines_conflicts_show_what_the_value_said_not_the_header() {
    let server = stand_in(Dialect::V2_42);
    let values = json!([{"dataElement": "ElementAaaa", "value": "1"}]);
    let body = json!({"dataSet": "DataSetAaaa", "period": "2025Q1", "orgUnit": "UnitAaaaaaa", "dataValues": values});
    let (status, answer) = post(&server, "loader", body);
    assert_eq!(status, 409);
    let expected = "E7632 Period type of period: `null` not valid for data element: `ElementAaaa`";
    assert_eq!(conflicts(&answer), [expected]);
    let objects = json!({"dataElement": "ElementAaaa"});
    assert_eq!(answer["response"]["conflicts"][0]["objects"], objects);
}

#[test]
fn an_unreadable_header_period_leaves_the_values_theirs_on_the_old_engine() {
    let server = stand_in(Dialect::V2_42);
    let values = [value("UnitAaaaaaa", "1")];
    let body = json!({"dataSet": "DataSetAaaa", "period": "2025X", "dataValues": values});
    assert_eq!(post(&server, "loader", body).0, 200);
    assert_eq!(server.values().len(), 1);
}

#[test]
fn an_empty_period_is_missing_though_the_header_has_one_on_the_new_engine() {
    let server = stand_in(Dialect::V2_43);
    let mut given = value("UnitAaaaaaa", "1");
    given["period"] = json!("");
    let body = json!({"dataSet": "DataSetAaaa", "period": "202503", "dataValues": [given]});
    let (status, answer) = post(&server, "loader", body);
    assert_eq!(status, 409);
    assert!(conflicts(&answer)[0].starts_with("E8100 "), "{answer}");
}

#[test]
fn a_complete_date_with_a_time_fails_the_whole_import_on_the_old_engine() {
    let server = stand_in(Dialect::V2_42);
    let values = [value("UnitAaaaaaa", "1")];
    let body =
        json!({"dataSet": "DataSetAaaa", "completeDate": "2025-04-01T00:00", "dataValues": values});
    let (status, answer) = post(&server, "loader", body);
    assert_eq!((status, &answer["status"]), (409, &json!("ERROR")));
    assert!(server.values().is_empty());
}

#[test]
fn a_unit_outside_the_accounts_hierarchy_costs_one_value_or_all() {
    let values = json!([value("UnitAaaaaaa", "1"), value("UnitBbbbbbb", "2")]);
    let body = json!({"dataSet": "DataSetAaaa", "dataValues": values});
    let server = stand_in(Dialect::V2_42);
    let (_, answer) = post(&server, "regional", body.clone());
    let expected =
        "E7617 Organisation unit: `UnitBbbbbbb` not in hierarchy of current user: `JpDfSNGDhfV`";
    assert_eq!(conflicts(&answer), [expected]);
    assert_eq!(server.values().len(), 1);
    let server = stand_in(Dialect::V2_43);
    let (_, answer) = post(&server, "regional", body);
    let expected = "E8011 Current user cannot enter data for org unit(s): `[UnitBbbbbbb]`";
    assert_eq!(conflicts(&answer), [expected]);
    assert!(server.values().is_empty());
}

/// PostgreSQL reads the table of units through and looks each up among those asked for, then adds the unknown.
#[test]
fn refused_units_are_listed_as_their_table_has_them_and_unknown_ones_last() {
    let server = stand_in(Dialect::V2_43);
    let values = ["Unknownnnnn", "VVrMwhxWKKp", "sc5rkcvmE6I"].map(|unit| value(unit, "1"));
    let body = json!({"dataSet": "DataSetAaaa", "dataValues": values});
    let (_, answer) = post(&server, "loader", body);
    let expected = "E8022 Data set DataSetAaaa not usable with org unit(s): `[sc5rkcvmE6I, VVrMwhxWKKp, Unknownnnnn]`";
    assert_eq!(conflicts(&answer), [expected]);
}

#[test]
fn a_deletion_on_the_new_engine_leaves_the_comment_of_a_live_row_alone() {
    let server = stand_in(Dialect::V2_43);
    let mut given = value("UnitAaaaaaa", "1");
    given["comment"] = json!("counted twice");
    let body = json!({"dataSet": "DataSetAaaa", "dataValues": [given]});
    assert_eq!(post(&server, "loader", body).0, 200);
    let mut given = value("UnitAaaaaaa", "1");
    given["deleted"] = json!(true);
    let body = json!({"dataSet": "DataSetAaaa", "dataValues": [given]});
    assert_eq!(post(&server, "loader", body).0, 200);
    let row = &server.stored()[0];
    assert_eq!(
        (&row["deleted"], &row["comment"]),
        (&json!(true), &json!("counted twice"))
    );
}

#[test]
fn of_several_untimely_attribute_combos_the_first_values_is_named() {
    let server = stand_in(Dialect::V2_43);
    let given = |combo: &str, period: &str| {
        json!({"dataElement": "ElementBbbb", "period": period, "orgUnit": "UnitAaaaaaa",
            "attributeOptionCombo": combo, "value": "1"})
    };
    // Early takes January to March, Later March to December.
    let values = [
        given("ComboEarlyy", "202503"),
        given("ComboLaterr", "202502"),
        given("ComboEarlyy", "202504"),
    ];
    let body = json!({"dataSet": "DataSetBbbb", "dataValues": values});
    let (_, answer) = post(&server, "loader", body);
    let expected = "E8032 Untimely data entry for attribute option combo ComboLaterr and period(s): `[202502]`";
    assert_eq!(conflicts(&answer), [expected]);
}

#[test]
fn a_mark_that_is_neither_true_nor_false_stops_the_new_engine_and_not_the_old() {
    let mut given = value("UnitAaaaaaa", "1");
    given["deleted"] = json!("false");
    let body = json!({"dataSet": "DataSetAaaa", "dataValues": [given]});
    let statuses = [Dialect::V2_42, Dialect::V2_43].map(|dialect| {
        let server = stand_in(dialect);
        post(&server, "loader", body.clone()).0
    });
    assert_eq!(statuses, [200, 500]);
}

#[test]
fn of_several_wrong_things_in_a_read_the_old_server_names_the_last_and_the_new_the_first() {
    let codes = [Dialect::V2_42, Dialect::V2_43].map(|dialect| {
        let server = stand_in(dialect);
        let path = "/api/dataValueSets?children=true";
        call(&server, "loader", "GET", path, "").1["errorCode"].clone()
    });
    assert_eq!(codes, [json!("E2008"), json!("E2001")]);
}

#[test]
fn lock_exceptions_of_an_export_open_expired_periods_until_the_reset() {
    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        let server = stand_in(dialect);
        let mut given = value("UnitAaaaaaa", "1");
        given["period"] = json!("202501");
        let body = json!({"dataSet": "DataSetAaaa", "dataValues": [given]});
        assert_eq!(post(&server, "loader", body.clone()).0, 409, "{dialect:?}");
        server.merge_metadata(
            r#"{"lockExceptions": [{"dataSet": {"id": "DataSetAaaa"}, "period": {"id": "202501"},
                "organisationUnit": {"id": "UnitAaaaaaa"}}]}"#,
        );
        assert_eq!(post(&server, "loader", body.clone()).0, 200, "{dialect:?}");
        server.reset();
        assert_eq!(post(&server, "loader", body).0, 409, "{dialect:?}");
    }
}
