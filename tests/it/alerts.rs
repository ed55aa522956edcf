//! Alerts by every channel: what is told, when, and that no trouble with telling touches a run.

mod acknowledged;
mod failing;
mod refused;
mod scene;
mod sixty_days;
mod witnesses;
mod words;

use serde_json::Value;

use crate::small_site::UNITS;
use scene::{Scene, later};

#[test]
fn every_channel_tells_once_and_once_that_it_is_over() {
    let scene = Scene::new();
    let (site, all) = (&scene.site, scene.channels());
    scene.alert(&all);
    site.run().code(0).silent();
    scene.heard_nothing();

    scene.break_query();
    site.run().code(15);
    scene.each_heard("small ends with privacy (15)");
    // Told once, not each hour.
    site.run().code(15);
    scene.heard_nothing();

    scene.mend_query();
    site.run().code(0).silent();
    scene.each_heard("small is well again");
    site.run().code(0).silent();
    scene.heard_nothing();
    site.program(&["history", "--verify"]).code(0);

    // The history knows who heard what.
    let told = crate::history::run(site, "2")["told"].clone();
    let told: Vec<&Value> = told.as_array().unwrap().iter().collect();
    assert_eq!(told.len(), all.len());
    for each in told {
        assert_eq!(each["about"], "exit 15");
        assert_eq!(each["mapping"], "small");
        assert_eq!(each["severity"], "error");
        assert_eq!(each["delivered"], true);
    }
}

#[test]
fn mail_is_encrypted_and_says_who_sent_it_to_whom() {
    let scene = Scene::new();
    scene.alert(&[scene.mail(), scene.starttls()]);
    scene.break_query();
    scene.site.run().code(15);
    let by_tls = scene.smtps.take();
    assert_eq!(by_tls.len(), 1);
    let mail = &by_tls[0];
    assert!(mail.encrypted);
    let login = ("alerts@health.example".to_owned(), "mail-secret".to_owned());
    assert_eq!(mail.login, Some(login));
    assert_eq!(mail.from, "pg2dhis2@health.example");
    assert_eq!(mail.to, ["a@health.example", "b@health.example"]);
    for line in [
        "From: pg2dhis2@health.example",
        "Auto-Submitted: auto-generated",
        "Subject: pg2dhis2 error on ",
        "Date: ",
        "Content-Type: text/plain; charset=utf-8",
    ] {
        assert!(mail.text.contains(line), "{line}\n{}", mail.text);
    }
    let by_starttls = scene.starttls.take();
    assert_eq!(by_starttls.len(), 1);
    assert!(by_starttls[0].encrypted);
    assert_eq!(by_starttls[0].login, None);
}

#[test]
fn a_channel_hears_its_severities_and_mappings_alone() {
    let scene = Scene::new();
    let errors = scene
        .webhook("errors")
        .replace("[[alert]]", "[[alert]]\nseverity = \"error\"");
    let other = scene
        .webhook("other")
        .replace("[[alert]]", "[[alert]]\nmappings = [\"other\"]");
    let all = scene.webhook("all");
    scene.alert(&[errors, other, all]);
    scene.unknown_key();
    scene.site.run().code(3);
    assert_eq!(scene.posted(), ["POST /all"]);
    scene.break_query();
    scene.site.run().code(15);
    assert_eq!(scene.posted(), ["POST /all", "POST /errors"]);
}

#[test]
fn while_it_lasts_a_day_passes_between_two_messages() {
    let scene = Scene::new();
    scene.alert(&[scene.webhook("all")]);
    scene.break_query();
    scene.site.run().code(15);
    assert_eq!(scene.posted(), ["POST /all"]);
    for _ in 1..24 {
        later(&scene.site, 1);
        scene.site.run().code(15);
        assert_eq!(scene.posted(), [""; 0]);
    }
    later(&scene.site, 1);
    scene.site.run().code(15);
    let posts = scene.sink.take();
    assert_eq!(posts.len(), 1);
    assert!(
        posts[0].body.contains("small still ends with privacy (15)"),
        "{posts:?}"
    );
    scene.site.program(&["history", "--verify"]).code(0);
}

#[test]
fn new_keys_come_in_one_digest_a_day_with_what_people_call_things() {
    let scene = Scene::new();
    scene.alert(&[scene.webhook("all")]);
    scene.unknown_key();
    scene.site.run().code(3);
    let first = scene.message();
    let text = first["text"].as_str().unwrap();
    assert_eq!(first["severity"], "notice");
    assert!(
        text.contains("small: 1 unmapped key (org-unit): key #"),
        "{text}"
    );
    assert!(text.contains(", 13 characters, 202503"), "{text}");
    assert!(!text.contains("Marie"), "{text}");

    // A negative number is refused by DHIS2's type, and is told by the names of element and unit.
    scene.blocked_value();
    later(&scene.site, 12);
    scene.site.run().code(3);
    assert_eq!(scene.posted(), [""; 0]);
    later(&scene.site, 12);
    scene.site.run().code(3);
    let second = scene.message();
    let text = second["text"].as_str().unwrap();
    assert!(text.contains("small: 1 blocked cell ("), "{text}");
    assert!(text.contains(" at "), "{text}");
    assert!(!text.contains(UNITS[0]), "{text}");
    assert!(text.contains("Open as well: 1 told before"), "{text}");
}

#[test]
fn a_run_that_died_is_told_by_the_next() {
    let scene = Scene::new();
    scene.alert(&[scene.webhook("all")]);
    scene.site.run().code(0);
    scene.forget_end();
    scene.site.run().code(0).silent();
    let told = scene.message();
    assert_eq!(told["severity"], "warning");
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("run 1 never came to its end"), "{text}");
    scene.site.run().code(0).silent();
    assert_eq!(scene.posted(), [""; 0]);
}

#[test]
fn a_test_goes_to_every_channel_and_tells_which_arrived() {
    let scene = Scene::new();
    let status = ["status", "--test-alerts"];
    scene
        .site
        .program(&status)
        .code(10)
        .stderr_has("has no [[alert]] to test");
    scene.alert(&scene.channels());
    let told = scene.site.program(&status).code(0).stdout;
    assert_eq!(told.lines().count(), scene.channels().len(), "{told}");
    assert!(
        told.lines().all(|line| line.starts_with("arrived: ")),
        "{told}"
    );
    scene.each_heard("this is a test, nothing is wrong");
    scene.sink.answer(rig::sink::Mood::Status(500));
    let told = scene
        .site
        .program(&["status", "--test-alerts", "--format", "json"]);
    let told = told.code(5).json();
    let alerts = told["alerts"].as_array().unwrap().iter();
    let failed: Vec<&Value> = alerts.filter(|alert| alert["arrived"] == false).collect();
    assert_eq!(failed.len(), 2);
    assert_eq!(failed[0]["why-not"], "it answered 500");
    // It leaves no trace: nothing was wrong.
    assert!(!scene.site.path("state").exists());
}
