//! The keys that `docs/files.md` tells are those that the program knows.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;
use rig::dhis2::{Dialect, SYSTEM_ID};
use toml::{Table, Value};

use crate::docs::{doc, names, quoted, table};
use crate::readme::{blocks, read};
use crate::small_site::SmallSite;

/// A site file with every key; the two ways to say who we are exclude each other.
const SITE: &str = r#"
time-zone = "Etc/UTC"
mappings = ["mappings/*.toml"]
state = "state"
name = "castries"
[source]
url = "SOURCE"
password-file = "source.password"
statement-timeout = "5m"
lock-timeout = "5s"
time-zone = "America/St_Lucia"
max-lag = "1h"
allow-overprivileged-role = true
[dhis2]
url = "TARGET"
system-id = "SYSTEM"
allow-overprivileged-account = true
chunk = 1000
max-clock-skew = "10m"
ca-file = "ca.pem"
own-users = ["sluhis_import"]
data-store = "pg2dhis2"
data-store-group = "VYy11YtcQMI"
analytics = "refresh"
analytics-every = "24h"
analytics-token-file = "dhis2.token"
ACCOUNT
[limits]
deadline = "50m"
attempts = 5
connect = "10s"
send = "60s"
first-byte = "300s"
body = "60s"
wait = "2s"
[history]
retain = "5y"
metrics = "pg2dhis2.prom"
page = "pg2dhis2.html"
HEARTBEAT
[[alert]]
severity = "error"
mappings = ["small"]
command = ["/bin/true"]
[[alert]]
dhis2-messages = { user-group = "VYy11YtcQMI" }
[[alert]]
webhook = { url = "https://chat.example/", template-file = "chat.json", ca-file = "ca.pem" }
[[alert]]
webhook = { url-file = "chat.url" }
[[alert]]
mail = { server = "smtps://us@mail.example", password-file = "mail.password", ca-file = "ca.pem", from = "us@mail.example", to = ["you@mail.example"] }
"#;
const ACCOUNTS: [&str; 2] = [
    "token-file = \"dhis2.token\"",
    "username = \"loader\"\npassword-file = \"dhis2.password\"",
];

/// Nobody hears it, which changes nothing.
const HEARTBEATS: [&str; 2] = [
    "heartbeat = \"http://127.0.0.1:9/x\"",
    "heartbeat-file = \"heartbeat.url\"",
];

/// The keys that need TLS on the way.
const PIN: &str = "lock-timeout = \"5s\"\ntls-pin = \"sha256:PIN\"";
const PROXY: &str = "chunk = 1000\nproxy = \"http://127.0.0.1:9\"";

/// Mappings that have every key between them.
const LONG: &str = r#"
data-set = "YE8SgpSMBQ9"
queries = ["query.sql"]
period = { type = "Monthly", column = "period" }
look-back = 1
start = "202001"
value = "value"
combine = "refuse"
absent = "leave"
foreign = "hold"
guards = { max-unmapped = "2%", min-rows = 1, max-age = "6h" }
complete = "after 5d"
[data-element]
column = "element"
map-file = "elements.csv"
[category-option-combo]
uid = "HllvX50cXC0"
[attribute-option-combo]
columns = ["unit"]
map = { VsF9dWr6arv = "HllvX50cXC0" }
show-keys = "^[A-Z]"
[org-unit]
column = "unit"
rules = "rules.sql"
scope-org-units = ["sc5rkcvmE6I"]
"#;
const WIDE: &str = r#"
data-set = "YE8SgpSMBQ9"
queries = ["wide.sql"]
period = { type = "Monthly" }
absent = "zero"
[org-unit]
column = "unit"
map = { VsF9dWr6arv = "VsF9dWr6arv" }
"#;
/// One that needs a pin.
const PINNED: &str = r#"
data-set = "YE8SgpSMBQ9"
queries = ["pinned.sql"]
period = { type = "Monthly" }
value = "value"
absent = "leave"
[data-element]
uid = "M1eFRJpEkoO"
[attribute-option-combo]
column = "funding"
options = true
[org-unit]
column = "unit"
"#;

/// The keys of a site file as the docs write them: `time-zone`, `[source url`.
fn keys_of_site(site: &Table) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (key, value) in site {
        let tables = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let tables = tables.iter().filter_map(Value::as_table);
        let of_tables = tables.flat_map(Table::keys);
        let count = keys.len();
        keys.extend(of_tables.map(|name| format!("[[{key}] {name}")));
        match value.as_table() {
            Some(section) => keys.extend(section.keys().map(|name| format!("[{key} {name}"))),
            None if keys.len() == count => _ = keys.insert(key.clone()),
            None => {}
        }
    }
    keys
}

#[test]
fn the_docs_have_every_key_of_a_site_file_and_the_program_takes_each() {
    let site = SmallSite::new(Dialect::V2_43);
    site.write("source.password", "unused");
    site.write("dhis2.password", "Loader-2026!");
    let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    site.write("ca.pem", &authority.cert.pem());
    let mut keys = BTreeSet::new();
    for (account, heartbeat) in ACCOUNTS.into_iter().zip(HEARTBEATS) {
        let text = SITE
            .replace("SOURCE", &site.database.url())
            .replace("TARGET", &site.dhis2.url())
            .replace("SYSTEM", SYSTEM_ID)
            .replace("ACCOUNT", account)
            .replace("HEARTBEAT", heartbeat);
        site.write("pg2dhis2.toml", &text);
        site.run().code(0);
        keys.extend(keys_of_site(&text.parse().unwrap()));
    }
    let extract = ["extract", "-m", "small", "-p", "202503", "-o", "rows"];
    site.program(&extract).code(0);
    let text = SITE
        .replace("SOURCE", &site.database.url())
        .replace("TARGET", "https://dhis2.health.example/")
        .replace("ACCOUNT", ACCOUNTS[0])
        .replace("HEARTBEAT", HEARTBEATS[0])
        .replace(
            "lock-timeout = \"5s\"",
            &PIN.replace("PIN", &"0".repeat(64)),
        )
        .replace("chunk = 1000", PROXY);
    site.write("pg2dhis2.toml", &text);
    // It reads the whole site file and asks nobody.
    site.program(&["map", "rows"]).code(0);
    keys.extend(keys_of_site(&text.parse().unwrap()));
    assert_eq!(names(&doc("files"), "| key | default | |\n"), keys);
}

#[test]
fn the_docs_tell_what_stands_within_the_ways_of_an_alert() {
    let site = SITE
        .replace("ACCOUNT", ACCOUNTS[0])
        .replace("HEARTBEAT", "");
    let site: Table = site.parse().unwrap();
    let files = doc("files");
    let rows = table(&files, "| key | default | |\n");
    for alert in site["alert"].as_array().unwrap() {
        for (way, keys) in alert.as_table().unwrap() {
            let row = rows
                .iter()
                .find(|row| row[0].contains(&format!("`[[alert]] {way}`")));
            let told = quoted(row.expect("a row of the table")[2]);
            for key in keys.as_table().into_iter().flat_map(Table::keys) {
                assert!(told.contains(&key.as_str()), "{way}: {key}");
            }
        }
    }
}

#[test]
fn the_docs_have_every_key_of_a_mapping_and_the_program_takes_each() {
    let files = doc("files");
    let site = SmallSite::new(Dialect::V2_43);
    site.write(
        "mappings/elements.csv",
        "element,uid\nM1eFRJpEkoO,M1eFRJpEkoO\n",
    );
    site.write(
        "mappings/rules.sql",
        "SELECT 'VsF9dWr6arv' AS key, 'VsF9dWr6arv' AS uid",
    );
    let [parameters, values] = blocks(&files, "toml")[..] else {
        panic!("docs/files.md shows [parameters] and [values]");
    };
    let parameter_names: Vec<String> = parameters.parse::<Table>().unwrap()["parameters"]
        .as_table()
        .unwrap()
        .keys()
        .map(|name| format!(":'{name}' IS NOT NULL"))
        .collect();
    site.write(
        "mappings/wide.sql",
        &format!(
            "SELECT unit, 1 AS bcg_doses, 2 AS opv_doses FROM t WHERE {}",
            parameter_names.join(" AND ")
        ),
    );
    site.write("mappings/small.toml", LONG);
    site.write("mappings/wide.toml", &format!("{WIDE}{parameters}{values}"));
    let goes_through = |mapping: &str, row: &str| {
        let extract = ["extract", "-m", mapping, "-p", "202503", "-o", "rows"];
        site.program(&extract).code(0);
        let rows = fs::read_to_string(site.path("rows")).unwrap();
        assert!(rows.contains(row), "{rows}");
        site.program(&["map", "rows"]).code(0);
    };
    goes_through("small", r#"["M1eFRJpEkoO","VsF9dWr6arv","202503","5"]"#);
    goes_through("wide", r#"["VsF9dWr6arv","1","2"]"#);
    site.write(
        "mappings/pinned.sql",
        "SELECT unit, 'default' AS funding, value FROM t",
    );
    site.write("mappings/pinned.toml", PINNED);
    site.program(&["pin"]).code(0);
    goes_through("pinned", r#"["VsF9dWr6arv","default","5"]"#);

    let (mut keys, mut of_dimensions) = (BTreeSet::new(), BTreeSet::new());
    let wide = format!("{WIDE}{parameters}{values}");
    for mapping in [LONG, &wide, PINNED] {
        collect_keys(&mapping.parse().unwrap(), &mut keys, &mut of_dimensions);
    }
    // The table of value columns is told beside `value`.
    assert!(keys.remove("values") && files.contains("a table `[values]`"));
    let mapping = files.split("## Mapping").nth(1).unwrap();
    assert_eq!(names(mapping, "| key | default | |\n"), keys);
    assert_eq!(
        names(mapping, "| key of a dimension's table | |\n"),
        of_dimensions
    );
}

/// The keys of a mapping as the docs write them, and those of its dimensions.
fn collect_keys(
    mapping: &Table,
    keys: &mut BTreeSet<String>,
    of_dimensions: &mut BTreeSet<String>,
) {
    for (key, value) in mapping {
        match (key.as_str(), value.as_table()) {
            ("values" | "period", _) | (_, None) => _ = keys.insert(key.clone()),
            ("parameters" | "guards", _) => _ = keys.insert(format!("[{key}]")),
            (_, Some(dimension)) => {
                of_dimensions.extend(dimension.keys().cloned());
                keys.insert(format!("[{key}]"));
            }
        }
    }
}

#[test]
fn no_key_that_the_program_reads_is_missing_in_the_docs() {
    let files = doc("files");
    let known: BTreeSet<&str> = quoted(&files).into_iter().collect();
    let reads = Regex::new(r#"(?:take|require)\(\s*"([a-z-]+)""#).unwrap();
    let mut count = 0;
    for file in [
        "src/site/site_file.rs",
        "src/site/watchers.rs",
        "src/mapping/parse.rs",
        "src/mapping/parse_dimension.rs",
    ] {
        for found in reads.captures_iter(&read(file)) {
            let key = &found[1];
            let written = [key.to_owned(), format!("[{key}]")];
            let of_table = known.iter().any(|name| name.ends_with(&format!("] {key}")));
            let told = written.iter().any(|name| known.contains(name.as_str())) || of_table;
            // Tables of the site file, and the members of `period` and of `[values]`.
            let shown =
                files.contains(&format!("[{key}] ")) || files.contains(&format!("{key} = "));
            assert!(
                told || shown,
                "docs/files.md does not tell `{key}` of {file}"
            );
            count += 1;
        }
    }
    assert!(count > 30, "only {count} keys were found");
}
