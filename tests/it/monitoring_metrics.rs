//! The file for Prometheus: valid for a reader of our own, whole at every moment, and named as the examples name it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use regex::Regex;
use serde_json::Value;

use crate::monitoring::site_with;
use crate::readme::read;
use crate::small_site::{NUMBER, SmallSite};

const FILE: &str = "pg2dhis2.prom";

/// A metric with its labels, sorted, and its value.
type Samples = BTreeMap<(String, Vec<(String, String)>), f64>;

/// Reads the text exposition format 0.0.4 strictly; the fault of one that is not in it.
fn parsed(text: &str) -> Result<Samples, String> {
    let name = Regex::new("^[a-zA-Z_:][a-zA-Z0-9_:]*$").unwrap();
    let line = Regex::new(r#"^([^{ ]+)(?:\{(.*)\})? (\S+)$"#).unwrap();
    let label =
        Regex::new(r#"^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)"#).unwrap();
    if !text.ends_with('\n') {
        return Err("the last line does not end".to_owned());
    }
    let (mut helped, mut typed, mut samples) = (BTreeSet::new(), BTreeSet::new(), Samples::new());
    for (number, each) in text.lines().enumerate() {
        let fault = |why: &str| Err(format!("line {}: {why}: {each}", number + 1));
        if let Some(rest) = each.strip_prefix("# HELP ") {
            let (of, words) = rest.split_once(' ').ok_or("no help")?;
            if words.is_empty() || !helped.insert(of.to_owned()) {
                return fault("help is empty or told twice");
            }
        } else if let Some(rest) = each.strip_prefix("# TYPE ") {
            let (of, kind) = rest.split_once(' ').ok_or("no type")?;
            if kind != "gauge" || !helped.contains(of) || !typed.insert(of.to_owned()) {
                return fault("type without help, twice, or of another kind");
            }
        } else {
            let Some(found) = line.captures(each) else {
                return fault("no sample");
            };
            let of = found[1].to_owned();
            if !name.is_match(&of) || !typed.contains(&of) {
                return fault("not a name, or without a type");
            }
            let mut labels = Vec::new();
            let mut rest = found.get(2).map_or("", |labels| labels.as_str());
            while !rest.is_empty() {
                let Some(one) = label.captures(rest) else {
                    return fault("no label");
                };
                labels.push((one[1].to_owned(), one[2].to_owned()));
                rest = &rest[one[0].len()..];
            }
            labels.sort();
            let Ok(value) = found[3].parse() else {
                return fault("no number");
            };
            if samples.insert((of, labels), value).is_some() {
                return fault("told twice");
            }
        }
    }
    Ok(samples)
}

fn metrics(site: &SmallSite) -> Samples {
    parsed(&fs::read_to_string(site.path(FILE)).unwrap()).unwrap()
}

fn value(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let mut labels: Vec<(String, String)> = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    labels.sort();
    samples.get(&(name.to_owned(), labels)).copied()
}

fn measured() -> SmallSite {
    site_with(&format!("metrics = \"{FILE}\""))
}

#[test]
fn the_reader_of_this_test_finds_what_prometheus_would_not_take() {
    let head = "# HELP a_b What.\n# TYPE a_b gauge\n";
    assert!(parsed(&format!("{head}a_b{{m=\"x\\\"y\"}} 1\na_b 2.5e3\n")).is_ok());
    for wrong in [
        "a_b 1\n".to_owned(),
        format!("{head}a_b 1"),
        format!("{head}a_b one\n"),
        format!("{head}a_b{{m=\"x\"y\"}} 1\n"),
        format!("{head}a_b 1\na_b 1\n"),
        format!("{head}a-b 1\n"),
    ] {
        assert!(parsed(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_file_tells_what_history_and_status_tell() {
    let site = measured();
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', 'Zz9RodneyBx', '202503', '9')"
    ));
    site.run().code(3);
    let told = metrics(&site);
    let of = |name: &str, labels: &[(&str, &str)]| value(&told, name, labels);
    let small = ("mapping", "small");
    assert_eq!(of("pg2dhis2_last_run_number", &[]), Some(1.0));
    assert_eq!(of("pg2dhis2_last_exit_code", &[]), Some(3.0));
    assert_eq!(of("pg2dhis2_mapping_last_exit_code", &[small]), Some(3.0));
    assert_eq!(
        of("pg2dhis2_rows", &[small, ("outcome", "mapped")]),
        Some(2.0)
    );
    assert_eq!(
        of("pg2dhis2_rows", &[small, ("outcome", "unmapped")]),
        Some(0.0)
    );
    assert_eq!(
        of("pg2dhis2_cells", &[small, ("outcome", "created")]),
        Some(1.0)
    );
    assert_eq!(
        of("pg2dhis2_cells", &[small, ("outcome", "blocked")]),
        Some(1.0)
    );
    assert_eq!(
        of("pg2dhis2_cells", &[small, ("outcome", "not-sent")]),
        Some(0.0)
    );
    // The gap is in the periods that a run looks at by itself: one month of this year, and not March 2025.
    assert_eq!(of("pg2dhis2_gap_periods", &[small]), Some(1.0));
    assert_eq!(
        of("pg2dhis2_open_problems", &[small, ("what", "blocked")]),
        Some(0.0)
    );
    let recorded = crate::history::run(&site, "1");
    let requests = recorded["finished"]["requests"].as_f64();
    assert_eq!(of("pg2dhis2_requests", &[]), requests);
    let ended: jiff::Timestamp = recorded["ended"].as_str().unwrap().parse().unwrap();
    let success = of("pg2dhis2_last_success_timestamp_seconds", &[small]).unwrap();
    assert!((success - ended.as_millisecond() as f64 / 1e3).abs() < 1.0);
    assert_eq!(
        of("pg2dhis2_analytics_success_timestamp_seconds", &[]),
        None
    );
    // A failure keeps the last success, and what the mapping's last run ended with is its own.
    site.write("dhis2.token", "d2pat_nobodys");
    site.run().code(12);
    let told = metrics(&site);
    assert_eq!(value(&told, "pg2dhis2_last_exit_code", &[]), Some(12.0));
    let name = "pg2dhis2_last_success_timestamp_seconds";
    assert_eq!(value(&told, name, &[small]), Some(success));
    assert_eq!(
        value(&told, "pg2dhis2_cells", &[small, ("outcome", "not-sent")]),
        Some(2.0)
    );
}

#[test]
fn anybody_may_read_the_file() {
    let site = measured();
    site.run().code(0);
    let mode = fs::metadata(site.path(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn open_problems_of_the_periods_a_run_looks_at_are_counted() {
    let site = measured();
    let month = "202610";
    site.replace(
        "mappings/small.toml",
        "absent = ",
        "look-back = 1\nabsent = ",
    );
    site.database.execute(&format!(
        "UPDATE t SET period = '{month}'; INSERT INTO t VALUES ('{NUMBER}', 'Zz9RodneyBx', '{month}', '9')"
    ));
    site.program(&["run", "--as-of", crate::small_site::NOW])
        .code(3);
    let told = metrics(&site);
    let labels = [("mapping", "small"), ("what", "blocked")];
    assert_eq!(value(&told, "pg2dhis2_open_problems", &labels), Some(1.0));
    assert_eq!(
        value(&told, "pg2dhis2_gap_periods", &[("mapping", "small")]),
        Some(0.0)
    );
}

#[test]
fn a_reader_never_sees_a_part_of_the_file() {
    let site = measured();
    site.run().code(0);
    let over = Arc::new(AtomicBool::new(false));
    let reading = thread::spawn({
        let (over, path) = (Arc::clone(&over), site.path(FILE));
        move || {
            let mut read = 0;
            while !over.load(Ordering::SeqCst) {
                let text = fs::read_to_string(&path).expect("the file is always there");
                parsed(&text).expect("the whole file");
                assert!(text.contains("pg2dhis2_gap_periods{"), "{text}");
                read += 1;
            }
            read
        }
    });
    for _ in 0..5 {
        site.run().code(0);
    }
    over.store(true, Ordering::SeqCst);
    let read: u32 = reading.join().unwrap();
    assert!(read > 5, "{read}");
    let left = site.files().into_keys();
    let names = left.filter(|path| path.to_string_lossy().contains("/.pg2dhis2-"));
    assert_eq!(names.count(), 0);
}

/// The names of metrics in an expression.
fn named(text: &str) -> BTreeSet<String> {
    let name = Regex::new("pg2dhis2_[a-z_]+").unwrap();
    name.find_iter(text)
        .map(|found| found.as_str().to_owned())
        .collect()
}

/// What the program writes, by `# TYPE`; some of it only once something happened.
fn written() -> BTreeSet<String> {
    let literal = Regex::new(r#""(pg2dhis2_[a-z_]+)""#).unwrap();
    let source = read("src/report/exposition.rs");
    let names = literal.captures_iter(&source);
    names.map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_metric_of_the_examples_and_the_docs_is_written() {
    let site = measured();
    site.run().code(0);
    let told = fs::read_to_string(site.path(FILE)).unwrap();
    let mut written = written();
    for name in named(&told) {
        assert!(written.contains(&name), "{name}");
    }
    let documented = named(&read("docs/monitoring.md"));
    assert_eq!(documented, written);
    written.remove("pg2dhis2_build_info");
    let rules = read("examples/monitoring/alerts.rules.yml");
    let board = read("examples/monitoring/dashboard.json");
    for text in [&rules, &board] {
        let used = named(text);
        assert!(used.len() > 4 && used.is_subset(&written), "{used:?}");
    }
}

#[test]
fn the_dashboard_is_one_that_grafana_imports() {
    let board: Value = serde_json::from_str(&read("examples/monitoring/dashboard.json")).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(!panel["title"].as_str().unwrap().is_empty());
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            assert!(!named(expression).is_empty(), "{expression}");
            for (open, close) in [('(', ')'), ('{', '}')] {
                let count = |wanted| expression.chars().filter(|c| *c == wanted).count();
                assert_eq!(count(open), count(close), "{expression}");
            }
        }
    }
    assert!(board["uid"] == "pg2dhis2" && ids.len() > 5);
}

/// One line of YAML as far as the rules use it: indentation, whether an item begins, key, value.
fn yaml(line: &str) -> (usize, bool, String, String) {
    let text = line.trim_start();
    let indent = line.len() - text.len();
    let (item, text) = match text.strip_prefix("- ") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (key, value) = text
        .split_once(':')
        .unwrap_or_else(|| panic!("no key: {line}"));
    let value = value.trim().to_owned();
    // What YAML would read as something else than plain text must be quoted.
    let plain = !value.contains(": ")
        && !value.contains(" #")
        && !value.starts_with(['{', '[', '*', '&', '!', '%', '@', '`', '\'', '|']);
    let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    assert!(plain || quoted, "must be quoted: {line}");
    (indent, item, key.to_owned(), value)
}

#[test]
fn the_alert_rules_are_rules_of_prometheus() {
    let rules = read("examples/monitoring/alerts.rules.yml");
    assert!(!rules.contains('\t'));
    let mut alerts: Vec<BTreeMap<String, String>> = Vec::new();
    for line in rules.lines() {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (indent, item, key, value) = yaml(line);
        match (indent, item, key.as_str()) {
            (0, false, "groups") | (2, true, "name") | (4, false, "rules") => {}
            (6, true, "alert") => alerts.push(BTreeMap::from([(key, value)])),
            (8, false, "expr" | "for" | "labels" | "annotations")
            | (10, false, "severity" | "summary" | "description") => {
                let rule = alerts.last_mut().expect("a rule before its keys");
                assert_eq!(rule.insert(key, value), None, "{line}");
            }
            _ => panic!("not where it may stand: {line}"),
        }
    }
    let names: BTreeSet<&String> = alerts.iter().map(|rule| &rule["alert"]).collect();
    assert!(names.len() == alerts.len() && alerts.len() > 4);
    let time = Regex::new("^[0-9]+[mhd]$").unwrap();
    for rule in &alerts {
        let keys = [
            "alert",
            "annotations",
            "description",
            "expr",
            "for",
            "labels",
            "severity",
            "summary",
        ];
        assert_eq!(rule.keys().collect::<Vec<_>>(), keys, "{rule:?}");
        assert!(time.is_match(&rule["for"]));
        assert!(!named(&rule["expr"]).is_empty());
        assert!(["critical", "warning"].contains(&rule["severity"].as_str()));
    }
}
