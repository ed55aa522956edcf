//! What a guard holds passes until a day that a person named, and what it does not name stays held.

use rig::dhis2::Dialect;

use crate::small_site::{NUMBER, SmallSite, UNITS};

/// A site with 500 in DHIS2, whose source has one row where two are expected.
fn fallen(dialect: Dialect) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.database.execute("UPDATE t SET value = '500'");
    site.run().code(0);
    site.replace(
        "mappings/small.toml",
        "value = \"value\"",
        "value = \"value\"\nguards = { min-rows = 2 }",
    );
    site.database.execute("UPDATE t SET value = '5'");
    site
}

fn live(site: &SmallSite) -> Vec<String> {
    site.dhis2.values().into_values().collect()
}

fn name_of_held(site: &SmallSite) -> String {
    let finished = site.run().code(4);
    let told = finished.stderr.split("pg2dhis2 release ").nth(1);
    let name = told.and_then(|told| told.split(" --until").next());
    name.expect("the name of what is held").to_owned()
}

#[test]
fn what_was_released_by_name_is_sent_by_every_run_and_told() {
    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        let site = fallen(dialect);
        let name = name_of_held(&site);
        assert_eq!(live(&site), ["500"]);

        let mut args: Vec<&str> = vec!["release"];
        args.extend(name.split(' '));
        args.extend(["--until", "2026-12-31", "--why", "a campaign ended"]);
        site.program(&args)
            .code(0)
            .stderr_has("released to the end of 2026-12-31");
        site.run().code(0);
        assert_eq!(live(&site), ["5"]);
        let told = site.program(&["history", "3"]).code(0).stdout;
        assert!(told.contains("was released, and is sent"), "{told}");
        site.program(&["history", "--verify"]).code(0);
    }
}

#[test]
fn a_release_of_something_else_lets_nothing_pass() {
    let site = fallen(Dialect::V2_43);
    let name = name_of_held(&site) + " 202504";
    let mut args: Vec<&str> = vec!["release"];
    args.extend(name.split(' '));
    args.extend(["--until", "2026-12-31", "--why", "a slip"]);
    site.program(&args).code(0);
    site.run().code(4);
    assert_eq!(live(&site), ["500"]);
}

#[test]
fn a_release_needs_a_name_that_a_run_told_and_a_day_to_come() {
    let site = SmallSite::new(Dialect::V2_43);
    let held = format!("held-by-guard max-decrease {NUMBER} 202503");
    let release = |name: &str, until: &str| {
        let mut args: Vec<&str> = vec!["release"];
        args.extend(name.split(' '));
        args.extend(["--until", until, "--why", "tried"]);
        site.program(&args)
    };
    site.refused(release("max-decrease", "2026-12-31"), 2, "held-by-guard");
    let unit = format!("unmapped-org-unit {}", UNITS[0]);
    site.refused(release(&unit, "2026-12-31"), 2, "held-by-guard");
    site.refused(release(&held, "2020-01-01"), 2, "is over already");
}
