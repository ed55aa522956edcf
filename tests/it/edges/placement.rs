//! What DHIS2 takes we send, and every row has the place of its own data element.

use serde_json::json;

use super::{PERIOD, UNITS, add_elements, holds, site};
use crate::small_site::NOW;

#[test]
fn a_text_of_several_options_is_judged_option_by_option() {
    for (value, is_taken) in [
        ("A,B", true),
        ("A", true),
        ("B,A", true),
        ("A,C", false),
        ("A, B", false),
    ] {
        let site = site(
            "",
            &format!(
                "SELECT 'MultiTextE1' AS element, '{}' AS unit, '202511' AS period, '{value}'::text AS value
                 WHERE :'period_start'::date = '2025-11-01'",
                UNITS[0]
            ),
        );
        add_elements(
            &site,
            &[json!({
                "id": "MultiTextE1", "name": "Several", "shortName": "Several", "valueType": "MULTI_TEXT",
                "domainType": "AGGREGATE", "aggregationType": "NONE", "zeroIsSignificant": true,
                "categoryCombo": { "id": "bjDvmb4bfuf" }, "optionSet": { "id": "UZNnVlO3LOg" },
                "sharing": { "public": "rwrw----", "external": false, "users": {}, "userGroups": {} },
            })],
        );
        if is_taken {
            holds(&site, "MultiTextE1", value);
        } else {
            site.program(&["run", "-p", PERIOD, "--as-of", NOW]).code(3);
            assert!(site.dhis2.values().is_empty(), "{value}");
        }
    }
}

/// A row whose combo belongs to another data element may be a row of any combo: it forbids to withdraw.
#[test]
fn a_row_with_the_combo_of_another_data_element_protects_what_is_there() {
    let site = site(
        "TRUNCATE t",
        "SELECT element, unit, period, combo, value FROM c WHERE :'period_start'::date = '2025-11-01'",
    );
    site.database
        .execute("CREATE TABLE c (element text, unit text, period text, combo text, value text)");
    let table = "\n[category-option-combo]\ncolumn = \"combo\"\nmap = { all = \"HllvX50cXC0\", wrong = \"Hub0sOOcXx7\" }\n";
    site.replace(
        "mappings/small.toml",
        "[org-unit]",
        &format!("{table}\n[org-unit]"),
    );
    site.replace(
        "mappings/small.toml",
        "column = \"element\"",
        "column = \"element\"\nmap = { doses = \"M1eFRJpEkoO\", sexes = \"cghkWbkZbHM\" }",
    );
    site.replace(
        "mappings/small.toml",
        "column = \"unit\"",
        &format!("column = \"unit\"\nmap = {{ here = \"{}\" }}", UNITS[0]),
    );
    let guards = "absent = \"zero\"\nguards.max-withdrawn = \"100%\"\nguards.max-withdrawn-of-one = \"100%\"";
    site.replace("mappings/small.toml", "absent = \"leave\"", guards);
    site.database
        .execute("INSERT INTO c VALUES ('doses', 'here', '202511', 'all', '235')");
    holds(&site, super::NUMBER, "235");
    site.database.execute("UPDATE c SET combo = 'wrong'");
    site.program(&["run", "-p", PERIOD, "--as-of", NOW]).code(3);
    let values: Vec<String> = site.dhis2.values().into_values().collect();
    assert_eq!(values, ["235"]);
}
