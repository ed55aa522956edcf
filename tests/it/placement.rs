//! Where a row belongs: a combo is one of the row's own data element, and a mapping writes only what it answers for. A row
//! that has no place never becomes a withdrawal.

use rig::dhis2::Dialect;

use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::BOTH;

/// The element `X_SEX` of `X_MAIN`, which is disaggregated by sex.
const BY_SEX: &str = "cghkWbkZbHM";
const FEMALE: &str = "Hub0sOOcXx7";
const DEFAULT: &str = "HllvX50cXC0";

const MAPPING: &str = r#"
data-set = "YE8SgpSMBQ9"
queries = ["query.sql"]
period = { type = "Monthly", column = "period" }
value = "value"
absent = "zero"

[data-element]
column = "element"
map-file = "elements.csv"

[category-option-combo]
column = "combo"
map-file = "combos.csv"

[org-unit]
column = "unit"
map-file = "units.csv"

[guards]
min-rows = 0
max-unmapped = "100%"
max-withdrawn = "100%"
max-withdrawn-of-one = "100%"
"#;

/// Rows with a combo; elements, combos and units are called by their UIDs.
fn site(dialect: Dialect) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.database.execute(
        "DROP TABLE t; CREATE TABLE t (element text, unit text, period text, combo text, value text)",
    );
    site.write("mappings/small.toml", MAPPING);
    site.replace(
        "mappings/query.sql",
        "period, value",
        "period, combo, value",
    );
    let map = |column: &str, uids: &[&str]| {
        let lines: String = uids.iter().map(|uid| format!("{uid},{uid}\n")).collect();
        format!("{column},uid\n{lines}")
    };
    site.write("mappings/elements.csv", &map("element", &[NUMBER, BY_SEX]));
    site.write("mappings/combos.csv", &map("combo", &[FEMALE, DEFAULT]));
    site.write("mappings/units.csv", &map("unit", &UNITS));
    site
}

fn rows(site: &SmallSite, rows: &[(&str, &str, &str)]) {
    site.database.execute("DELETE FROM t");
    for (element, combo, value) in rows {
        let unit = UNITS[0];
        site.database.execute(&format!(
            "INSERT INTO t VALUES ('{element}', '{unit}', '202503', '{combo}', '{value}')"
        ));
    }
}

#[test]
fn a_row_whose_combo_is_another_elements_never_becomes_a_zero() {
    for dialect in BOTH {
        let site = site(dialect);
        rows(&site, &[(NUMBER, DEFAULT, "235"), (BY_SEX, FEMALE, "12")]);
        site.run().code(0);
        let before = site.dhis2.values();
        // The query now writes one of the two combos for both, which only DHIS2 knows to be wrong.
        for wrong in [(NUMBER, FEMALE, "240"), (BY_SEX, DEFAULT, "240")] {
            rows(&site, &[wrong]);
            let run = site.program(&["run", "-p", "202503", "--as-of", NOW]);
            let run = run.code(3);
            let told = "the category option combo is not one of the data element's";
            assert!(run.stderr.contains(told), "{}", run.stderr);
            assert_eq!(site.dhis2.values(), before, "{dialect:?} {wrong:?}");
        }
        // A row that is only not there any more is a withdrawal.
        rows(&site, &[(BY_SEX, FEMALE, "12")]);
        site.run().code(0);
        assert_ne!(site.dhis2.values(), before);
    }
}
