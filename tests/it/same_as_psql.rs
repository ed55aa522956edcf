//! A SQL file gives what psql gives, whatever the database and the role have set: both run the same files side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use rig::postgres::{Database, cluster, psql};
use serde_json::Value;

use crate::program::program;

const ZONE: &str = "America/St_Lucia";
/// 21:30 of the last day of November in the zone of the site.
const AS_OF: &str = "2025-12-01T01:30:00Z";
/// The same moment as the program writes it for a session of that zone.
const AS_OF_THERE: &str = "2025-11-30T21:30:00-04:00";

/// What registries set: each is a database of its own, made with options and then altered.
const SETTINGS: [(&str, &str, &str); 17] = [
    ("nothing", "", ""),
    ("zone", "", "ALTER DATABASE d SET timezone = 'Asia/Tokyo'"),
    (
        "zone of the role",
        "",
        "ALTER ROLE r IN DATABASE d SET timezone = 'Pacific/Apia'",
    ),
    (
        "day first",
        "",
        "ALTER DATABASE d SET datestyle = 'ISO, DMY'",
    ),
    (
        "month first",
        "",
        "ALTER ROLE r IN DATABASE d SET datestyle = 'ISO, MDY'",
    ),
    (
        "year first",
        "",
        "ALTER DATABASE d SET datestyle = 'ISO, YMD'",
    ),
    (
        "another style",
        "",
        "ALTER DATABASE d SET datestyle = 'SQL, DMY'",
    ),
    (
        "German style",
        "",
        "ALTER DATABASE d SET datestyle = 'German'",
    ),
    (
        "intervals of the standard",
        "",
        "ALTER DATABASE d SET intervalstyle = 'sql_standard'",
    ),
    (
        "intervals of ISO",
        "",
        "ALTER ROLE r IN DATABASE d SET intervalstyle = 'iso_8601'",
    ),
    (
        "backslashes",
        "",
        "ALTER DATABASE d SET standard_conforming_strings = off",
    ),
    (
        "search path",
        "",
        "ALTER DATABASE d SET search_path = registry, public",
    ),
    (
        "no search path",
        "",
        "ALTER DATABASE d SET search_path = ''",
    ),
    (
        "short floats",
        "",
        "ALTER DATABASE d SET extra_float_digits = 0; ALTER DATABASE d SET bytea_output = 'escape'",
    ),
    (
        "Latin 1",
        "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        "",
    ),
    (
        "Windows",
        "ENCODING 'WIN1252' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        "ALTER ROLE r IN DATABASE d SET client_encoding = 'WIN1252'",
    ),
    (
        "no encoding",
        "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        "ALTER DATABASE d SET standard_conforming_strings = off; ALTER ROLE r IN DATABASE d SET datestyle = 'SQL, MDY'",
    ),
];

const SCHEMA: &str = "
CREATE SCHEMA registry;
CREATE TABLE public.mark AS SELECT 'public' AS place;
CREATE TABLE registry.mark AS SELECT 'registry' AS place;
CREATE TABLE public.visit (at timestamptz, day date, noted text);
INSERT INTO public.visit VALUES ('2025-11-01 03:59:59+00', '2025-10-31', '31/10/25'), ('2025-11-01 04:00+00', '2025-11-01', '01/11/25'),
    ('2025-11-03 12:00+00', '2025-11-03', '03/11/25'), ('2025-12-01 01:30+00', '2025-11-30', '11/12/25'),
    ('2025-12-01 04:00+00', '2025-12-01', '12/11/25'), (NULL, NULL, NULL);
";

/// The forms that people use, each a value of a file's one row.
const FORMS: [&str; 46] = [
    "DATE :'period_start'",
    "date:'period_end' - 1",
    ":'period_start'::date + 14",
    "to_date(:'period_start', 'YYYY-MM-DD')",
    "to_char(DATE :'period_start', 'YYYYMM')",
    "(DATE :'period_end' - interval '1 day')",
    "TIMESTAMP :'period_start'",
    "TIMESTAMPTZ :'period_start'",
    ":'as_of'::timestamptz",
    ":'as_of'::date",
    "to_char(TIMESTAMPTZ :'as_of', 'YYYY-MM-DD HH24:MI TZ')",
    "left(:'as_of', 10)",
    ":'period'",
    ":'period' || '-' || :'period_start'",
    "pg_typeof(:'period_start')",
    "(SELECT count(*) FROM public.visit WHERE at >= :'period_start' AND at < :'period_end')",
    "(SELECT count(*) FROM public.visit WHERE at::date BETWEEN :'period_start' AND DATE :'period_end' - 1)",
    "(SELECT count(*) FROM public.visit WHERE day BETWEEN :'period_start' AND :'period_end')",
    "(SELECT count(*) FROM public.visit WHERE day::text LIKE '2025-11-%')",
    "(SELECT count(*) FROM public.visit WHERE to_char(at, 'YYYYMM') = :'period')",
    "(SELECT count(*) FROM public.visit WHERE at < :'as_of')",
    "(SELECT max(noted) FROM public.visit WHERE noted < :'period_start')",
    "(SELECT string_agg(day::text, ',' ORDER BY day) FROM public.visit)",
    "(SELECT array_agg(at ORDER BY at) FROM public.visit)",
    "date '03/11/05'",
    "timestamp '11/12/05 10:00'",
    "(SELECT count(*) FROM public.visit WHERE noted IN ('03/11/25', '11/12/25') AND noted::date < '2025-06-01')",
    "date_trunc('month', TIMESTAMPTZ :'as_of')",
    "extract(day FROM TIMESTAMPTZ :'as_of')",
    "extract(epoch FROM TIMESTAMP :'as_of')",
    "age(DATE :'period_end', DATE '2024-02-29')",
    "current_date - DATE '2020-01-01'",
    "(now() AT TIME ZONE 'UTC' - localtimestamp > interval '0')::text",
    "to_char(now(), 'TZ')",
    "current_setting('TimeZone')",
    "interval '1 month 2 days 03:04:05'",
    "interval '-1 2:03:04'",
    "0.1::float8 + 0.2::float8",
    "1::float4 / 3",
    "round(7 / 3.0, 4)",
    "5.0000",
    "(1 < 2)::text",
    "array[1, NULL, 3]",
    "'é' || length('é') || upper('é')",
    "'a\\\\b' || E'\\\\' || $$\\$$ || :'period'",
    "decode('00ff', 'hex')",
];

/// The same where a name without schema is looked up by the search path.
const MARK: &str = "SELECT 'V' AS unit, (SELECT place FROM mark) AS value;\n";

#[test]
fn a_file_gives_what_psql_gives() {
    let (mut pairs, mut answers) = (0, BTreeMap::<String, BTreeSet<String>>::new());
    for (setting, options, commands) in SETTINGS {
        let database = cluster().database_with("psql", options);
        database.execute(SCHEMA);
        let commands = commands
            .replace("DATABASE d", &format!("DATABASE {}", database.name()))
            .replace("ROLE r", "ROLE rig_reader");
        // Some of these cannot stand in one transaction with others.
        for command in commands.split("; ").filter(|command| !command.is_empty()) {
            database.execute(command);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let files = write_site(folder.path(), &database, setting);
        let given = extracted(folder.path());
        for (file, text) in files {
            let expected = in_psql(folder.path(), &file, &database);
            let value = &given[&file];
            assert_eq!(*value, expected, "{setting}: {text}");
            answers.entry(text).or_default().insert(expected);
            pairs += 1;
        }
    }
    assert!(pairs >= 200, "{pairs} pairs");
    // The settings are felt: nobody would see a difference in a matrix without one.
    for (form, least) in [
        ("date '03/11/05'", 3),
        ("interval '-1 2:03:04'", 2),
        ("0.1::float8 + 0.2::float8", 2),
        ("'a\\\\b' ||", 2),
        ("FROM mark", 2),
        ("decode('00ff', 'hex')", 2),
    ] {
        let of_form = answers.iter().find(|(text, _)| text.contains(form));
        let (_, of_form) = of_form.expect("the form");
        assert!(of_form.len() >= least, "{form}: {of_form:?}");
    }
}

/// The files of a site with one mapping whose queries are the forms; their names and texts.
fn write_site(folder: &Path, database: &Database, setting: &str) -> Vec<(String, String)> {
    let mut texts: Vec<String> = FORMS
        .iter()
        .map(|form| format!("SELECT 'V' AS unit, {form} AS value -- :'nobody''s'\n;\n"))
        .collect();
    if setting != "no search path" {
        texts.push(MARK.to_owned());
    }
    let files: Vec<(String, String)> = (1..)
        .map(|number| format!("q{number}.sql"))
        .zip(texts)
        .collect();
    for (file, text) in &files {
        fs::write(folder.join(file), text).expect("a query");
    }
    let names: Vec<String> = files.iter().map(|(file, _)| format!("{file:?}")).collect();
    let mapping = format!(
        "data-set = \"YE8SgpSMBQ9\"\nqueries = [{}]\nperiod = {{ type = \"Monthly\" }}\nvalue = \"value\"\nabsent = \"leave\"\n\
         [data-element]\nuid = \"M1eFRJpEkoO\"\n[org-unit]\ncolumn = \"unit\"\n",
        names.join(", ")
    );
    fs::write(folder.join("m.toml"), mapping).expect("a mapping");
    let site = format!(
        "time-zone = \"Etc/UTC\"\nmappings = [\"m.toml\"]\nstate = \"state\"\n[source]\nurl = \"{}\"\ntime-zone = \"{ZONE}\"\n",
        database.url()
    );
    fs::write(folder.join("pg2dhis2.toml"), site).expect("a site");
    files
}

/// What the program reads, by the query's file.
fn extracted(folder: &Path) -> BTreeMap<String, String> {
    let extract = program(
        folder,
        &["extract", "-m", "m", "-p", "202511", "--as-of", AS_OF],
    )
    .code(0);
    let mut values = BTreeMap::new();
    let mut query = String::new();
    for line in extract.stdout.lines() {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        if let Some(file) = line["query"].as_str() {
            query = file.to_owned();
        } else if let Some(row) = line.as_array() {
            let value = row[1].as_str().unwrap_or("NULL").to_owned();
            values.insert(query.clone(), value);
        }
    }
    values
}

/// What psql shows, with dates as ISO in the database's own order.
fn in_psql(folder: &Path, file: &str, database: &Database) -> String {
    let mut command = Command::new(psql());
    command
        .current_dir(folder)
        .env_clear()
        .env("PGTZ", ZONE)
        .env("PGCLIENTENCODING", "UTF8")
        .args(["-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=NULL"])
        .args(["-v", "ON_ERROR_STOP=1"])
        .args([
            "-v",
            "period_start=2025-11-01",
            "-v",
            "period_end=2025-12-01",
        ])
        .args(["-v", "period=202511", "-v", &format!("as_of={AS_OF_THERE}")])
        .args(["-c", "SET datestyle = 'ISO'", "-f", file, &database.url()]);
    let output = command.output().expect("psql runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{file}: {told}");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    let row = shown.trim_end_matches('\n').split_once('\t');
    row.expect("a row").1.to_owned()
}
