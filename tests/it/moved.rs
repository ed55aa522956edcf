//! A person works in DHIS2 while a run sends: what they store is neither overwritten nor left untold.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::relay::relay_before;
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::BOTH;

/// Stores a value as a person does in the data entry app.
fn type_in(url: &str, value: &str) {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let query = format!("de={NUMBER}&pe=202503&ou={}&value={value}", UNITS[0]);
    let login = STANDARD.encode("admin:district");
    let request = format!(
        "POST /api/dataValues?{query} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nAuthorization: Basic {login}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(host).expect("DHIS2");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

#[test]
fn a_value_that_a_person_types_over_ours_before_it_is_read_back_stays_and_is_told() {
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        let url = site.dhis2.url();
        let direct = url.clone();
        let mut typed = false;
        let relayed = relay_before(&url, move |asked, client| {
            let answer = asked.answer()?;
            if asked.first.starts_with("POST /api/dataValueSets") && !typed {
                typed = true;
                type_in(&direct, "777");
            }
            client.write_all(&answer)
        });
        site.replace("pg2dhis2.toml", &url, &relayed);
        let run = ["run", "-p", "202503", "--as-of", NOW, "--format", "json"];
        let report = site.program(&run).code(5).json();
        let mapping = &report["mappings"][0];
        assert_eq!(mapping["cells"]["moved"], 1, "{mapping}");
        assert_eq!(
            mapping["moved"][0]["foreign"]["stored-by"], "admin",
            "{mapping}"
        );
        assert_eq!(mapping["moved"][0]["found"], "777");
        assert_eq!(mapping["changes"][0]["outcome"], "moved");
        let values: Vec<String> = site.dhis2.values().into_values().collect();
        assert_eq!(values, ["777"]);
        let posts = site.dhis2.requests().into_iter();
        let posts = posts.filter(|request| request.path.starts_with("/api/dataValueSets?dryRun"));
        assert_eq!(posts.count(), 1);
        // The next run judges it: somebody else's value that differs.
        let run = site.run().code(4);
        assert!(run.stderr.contains("admin"), "{}", run.stderr);
        assert_eq!(
            json!(site.dhis2.values().into_values().collect::<Vec<_>>()),
            json!(["777"])
        );
    }
}
