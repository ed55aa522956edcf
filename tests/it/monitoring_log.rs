//! Lines on standard error as journald, syslog and whoever collects them want them.

use std::process::Stdio;

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use crate::program::{Finished, command};
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};

#[test]
fn lines_on_standard_error_have_the_run_and_no_colours() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    let args = ["run", "-v", "-p", "202503", "--as-of", NOW];
    let told = site.program(&args).code(0).stderr;
    assert!(
        told.contains("\nrun 2: GET /api/") || told.starts_with("run 2: GET /api/"),
        "{told}"
    );
    assert!(!told.contains('\u{1b}'), "{told}");
}

#[test]
fn with_log_format_json_every_line_is_an_object_of_the_run() {
    let site = SmallSite::new(Dialect::V2_43);
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', 'many')",
        UNITS[1]
    ));
    let args = [
        "run",
        "-v",
        "--log-format",
        "json",
        "-p",
        "202503",
        "--as-of",
        NOW,
    ];
    let lines = |told: &Finished| -> Vec<Value> {
        let lines = told.stderr.lines();
        lines
            .map(|line| serde_json::from_str(line).expect(line))
            .collect()
    };
    let told = lines(&site.program(&args).code(3));
    assert!(told.len() > 3, "{told:?}");
    for line in &told {
        let names: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(names, ["time", "level", "run", "message"]);
        let time = line["time"].as_str().unwrap();
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    }
    let requests = told.iter().filter(|line| {
        let message = line["message"].as_str().unwrap();
        message.starts_with("GET /api/") && line["run"] == 1 && line["level"] == "info"
    });
    assert!(requests.count() > 2, "{told:?}");
    site.write("mappings/small.toml", "nonsense = 1");
    let refused = lines(&site.program(&args).code(10));
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0]["level"], "error");
    assert_eq!(refused[0]["run"], json!(null));
    let message = refused[0]["message"].as_str().unwrap();
    assert!(!message.starts_with("pg2dhis2: "), "{message}");
}

#[test]
fn colours_that_an_environment_asks_for_reach_no_file() {
    let site = SmallSite::new(Dialect::V2_43);
    let mut run = command(
        site.folder.path(),
        &[
            "run",
            "-v",
            "--log-format",
            "json",
            "-p",
            "202503",
            "--as-of",
            NOW,
        ],
    );
    run.envs([("CLICOLOR_FORCE", "1"), ("RUST_LOG_STYLE", "always")]);
    let output = run.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success());
    assert!(!output.stderr.contains(&0x1b));
    assert!(site.path("state").exists());
}
