//! A file gives what psql gives in the time zone of the site, on a database that is set as its owner likes it.

use super::{NUMBER, UNITS, holds, site};

/// Three visits of November in St. Lucia, the last of them in December by UTC.
const VISITS: &str = "CREATE TABLE visit (unit text, given_at timestamptz);
    INSERT INTO visit SELECT 'VsF9dWr6arv', unnest(ARRAY[
        '2025-11-01 00:30-04', '2025-11-15 12:00-04', '2025-11-30 21:30-04', '2025-12-01 00:30-04'
    ])::timestamptz;";

const COUNTED: &str = "SELECT 'M1eFRJpEkoO' AS element, unit, to_char(given_at, 'YYYYMM') AS period, count(*) AS value
    FROM visit WHERE given_at >= :'period_start'::date AND given_at < :'period_end'::date GROUP BY 1, 2, 3";

/// Runs SQL on the database of the site, for those who connect to it afterwards.
fn set(setting: &str) -> String {
    format!(
        "DO $do$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting}', current_database()); END $do$;"
    )
}

#[test]
fn a_day_begins_where_the_site_is() {
    for setting in ["", "timezone = ''UTC''", "timezone = ''Pacific/Apia''"] {
        let setup = match setting {
            "" => VISITS.to_owned(),
            setting => VISITS.to_owned() + &set(setting),
        };
        let site = site(&setup, COUNTED);
        site.replace("pg2dhis2.toml", "Etc/UTC", "America/St_Lucia");
        holds(&site, NUMBER, "3");
    }
}

/// The registry may keep another time zone than the site: at UTC the visit of 30 November, 21:30 is one of December,
/// and the one of 1 November is still one of November.
#[test]
fn a_day_begins_where_the_registry_is_if_the_site_says_so() {
    let site = site(VISITS, COUNTED);
    site.replace("pg2dhis2.toml", "Etc/UTC", "America/St_Lucia");
    site.replace(
        "pg2dhis2.toml",
        "[source]",
        "[source]\ntime-zone = \"Etc/UTC\"",
    );
    holds(&site, NUMBER, "2");
}

#[test]
fn dates_in_text_are_read_in_the_order_of_the_database() {
    let query = "SELECT 'M1eFRJpEkoO' AS element, unit, to_char(seen::date, 'YYYYMM') AS period, count(*) AS value
        FROM paper WHERE seen::date >= :'period_start' AND seen::date < :'period_end' GROUP BY 1, 2, 3";
    for (order, dates) in [
        ("DMY", ["25/11/25", "03/11/25", "10/11/25"]),
        ("DMY", ["25/11/2025", "03/11/2025", "10/11/2025"]),
        ("MDY", ["11/25/25", "11/03/25", "11/10/2025"]),
        ("YMD", ["25/11/25", "25/11/03", "2025-11-10"]),
    ] {
        for style in ["ISO", "German", "SQL", "Postgres"] {
            let rows = dates
                .map(|date| format!("('VsF9dWr6arv', '{date}')"))
                .join(", ");
            let setup = format!(
                "CREATE TABLE paper (unit text, seen text); INSERT INTO paper VALUES {rows}; {}",
                set(&format!("datestyle = ''{style}, {order}''"))
            );
            holds(&site(&setup, query), NUMBER, "3");
        }
    }
}

#[test]
fn a_parameter_is_what_psql_makes_of_it() {
    let setup = format!(
        "CREATE TABLE d (unit text, given_on date, n integer);
         INSERT INTO d VALUES ('{0}', '2025-11-01', 2), ('{0}', '2025-11-01', 3);",
        UNITS[0]
    );
    for condition in [
        "given_on >= :'period_start'",
        "given_on >= DATE :'period_start' AND given_on < DATE :'period_end'",
        "given_on >= to_date(:'period_start', 'YYYY-MM-DD')",
        "to_char(given_on, 'YYYY-MM-DD') >= :'period_start'",
        "date_trunc('month', given_on) = TIMESTAMP :'period_start'",
        "given_on BETWEEN :'period_start' AND :'period_end'",
        "given_on >= CAST(:'period_start' AS date) AND given_on < :'as_of'",
        "given_on - INTERVAL '1 day' < :'period_start' AND age(:'period_end', given_on) = INTERVAL '1 month'",
        "given_on = ANY (ARRAY[:'period_start', :'period_end']::date[])",
    ] {
        let query = format!(
            "SELECT 'M1eFRJpEkoO' AS element, unit, to_char(given_on, 'YYYYMM') AS period, sum(n) AS value
             FROM d WHERE {condition} GROUP BY 1, 2, 3"
        );
        holds(&site(&setup, &query), NUMBER, "5");
    }
}
