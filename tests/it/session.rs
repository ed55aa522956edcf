//! What a run costs DHIS2: one login, and reads that name the attribute option combos.

use rig::dhis2::{Dialect, Row};
use rig::st_lucia::LOADER_TOKEN;

use crate::program::Finished;
use crate::relay::relay;
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::BOTH;

/// A site that asks DHIS2 for all that it can be asked for in a run.
fn busy_site(dialect: Dialect) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.replace(
        "pg2dhis2.toml",
        "token-file = \"dhis2.token\"",
        "username = \"loader\"\npassword-file = \"dhis2.password\"\ndata-store = \"pg2dhis2\"",
    );
    site.write("dhis2.password", "Loader-2026!");
    site
}

/// One login, and combos named in every read of values.
#[track_caller]
fn ensure_modest(site: &SmallSite, run: Finished) {
    run.code(0);
    let requests = site.dhis2.requests();
    assert_eq!(site.dhis2.logins(), 1, "{requests:#?}");
    let reads = requests.iter().filter(|request| {
        request.method == "GET" && request.path.starts_with("/api/dataValueSets?")
    });
    let mut seen = 0;
    for read in reads {
        seen += 1;
        let combos: Vec<&str> = read
            .path
            .split('&')
            .filter_map(|pair| pair.strip_prefix("attributeOptionCombo="))
            .collect();
        assert_eq!(combos, ["HllvX50cXC0"], "{}", read.path);
    }
    assert!(seen > 0, "{requests:#?}");
    site.dhis2.forget_requests();
}

#[test]
fn every_command_logs_in_once_and_names_the_combos_it_reads() {
    for dialect in BOTH {
        let site = busy_site(dialect);
        let period = ["-p", "202503", "--as-of", NOW];
        let with = |words: &[&str]| -> Finished {
            let args: Vec<&str> = words.iter().chain(&period).copied().collect();
            site.program(&args)
        };
        ensure_modest(&site, with(&["run", "--dry-run"]));
        ensure_modest(&site, with(&["run"]));
        ensure_modest(&site, with(&["run"]));
        site.database.execute("UPDATE t SET value = '6'");
        ensure_modest(&site, with(&["run", "--dry-run=server"]));
        ensure_modest(&site, with(&["run", "--dry-run", "--save-plan", "plan"]));
        ensure_modest(&site, site.program(&["apply", "plan"]));
        ensure_modest(
            &site,
            site.program(&["explain", NUMBER, UNITS[0], "202503", "--as-of", NOW]),
        );
        assert_eq!(site.dhis2.values().len(), 1);
    }
}

#[test]
fn a_session_that_ends_is_begun_again_once() {
    for dialect in BOTH {
        let site = busy_site(dialect);
        let url = site.dhis2.url();
        let end = format!("{url}stand-in/end-sessions");
        // DHIS2 is restarted before values are read.
        let mut is_over = false;
        let relayed = relay(&url, move |first, answer| {
            if first.starts_with("GET /api/dataSets") && !is_over {
                is_over = true;
                crate::relay::post(&end);
            }
            answer
        });
        site.replace("pg2dhis2.toml", &url, &relayed);
        site.run().code(0).silent();
        assert_eq!(site.dhis2.logins(), 2);
        assert_eq!(site.dhis2.values().len(), 1);
    }
}

#[test]
fn a_token_that_may_not_post_is_told_so_and_works_as_soon_as_it_may() {
    const TOKEN: &str = "d2p_get0000000000000000000000000000000000000000000001";
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        let limited = format!(r#"{{"token": "{TOKEN}", "methods": ["GET"]}}"#);
        site.dhis2.add_token("loader", &limited);
        site.write("dhis2.token", TOKEN);
        let run = site.run().code(12);
        run.stderr_has("the token may not POST; add POST to the token's methods in DHIS2");
        assert!(site.dhis2.values().is_empty());
        assert!(!site.path("state/refused.tsv").exists());
        // The same secret, once its limits are mended.
        site.write("dhis2.token", LOADER_TOKEN);
        site.run().code(0).silent();
    }
}

#[test]
fn tokens_of_other_addresses_and_old_ones_are_told_so_and_lock_nothing() {
    for (limit, told) in [
        (
            r#""addresses": ["192.0.2.1"]"#,
            "the token may not be used from this host",
        ),
        (r#""expired": true"#, "the token has expired"),
    ] {
        let site = SmallSite::new(Dialect::V2_43);
        let token = "d2p_limits00000000000000000000000000000000000000000001";
        site.dhis2
            .add_token("loader", &format!(r#"{{"token": "{token}", {limit}}}"#));
        site.write("dhis2.token", token);
        for asked in [1, 2] {
            site.refused(site.run(), 12, told);
            assert_eq!(site.dhis2.requests().len(), asked);
        }
        assert!(!site.path("state/refused.tsv").exists());
    }
}

#[test]
fn rows_of_a_combo_that_the_answer_does_not_tell_are_not_believed() {
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        site.dhis2.put(Row {
            element: NUMBER.to_owned(),
            period: "202503".to_owned(),
            unit: UNITS[0].to_owned(),
            value: Some("4".to_owned()),
            stored_by: "loader".to_owned(),
            ..Row::default()
        });
        let url = site.dhis2.url();
        // Whatever stands between takes the combo out of the answer.
        let relayed = relay(&url, |first, answer| {
            if !first.starts_with("GET /api/dataValueSets") {
                return answer;
            }
            let text = String::from_utf8(answer).expect("text");
            let combo = "\"attributeOptionCombo\":\"HllvX50cXC0\"";
            let other = "\"unknownOptionCombo__\":\"HllvX50cXC0\"";
            text.replace(combo, other).into_bytes()
        });
        site.replace("pg2dhis2.toml", &url, &relayed);
        site.run()
            .code(14)
            .stderr_has("DHIS2's answer is not what its API promises");
        let values: Vec<String> = site.dhis2.values().into_values().collect();
        assert_eq!(values, ["4"]);
    }
}
