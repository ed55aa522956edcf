//! Telling fails in every way, and the run ends as it would have.

use std::time::{Duration, Instant};

use rig::mail::Manner;
use rig::sink::{Mood, Sink};
use rusqlite::Connection;

use super::scene::{Scene, later};
use crate::history::{FILE, run};
use crate::program::Finished;
use crate::small_site::SmallSite;
use crate::tls_front::{Identity, Speaks, front};

/// The limit is ten seconds; the rest is what a run takes on a busy machine.
const LONGEST: Duration = Duration::from_secs(30);

/// The lines that are about alerts.
fn warnings(finished: &Finished) -> Vec<&str> {
    let lines = finished.stderr.lines();
    lines
        .filter(|line| line.contains("the alert was not delivered"))
        .collect()
}

fn without_warnings(finished: &Finished) -> String {
    let lines = finished.stderr.lines();
    let lines = lines.filter(|line| !line.contains("the alert was not delivered"));
    lines.collect::<Vec<&str>>().join("\n")
}

/// Tells nothing, each in its own way.
fn ill(scene: &Scene, sinks: &[Sink], tls: u16) -> Vec<String> {
    let webhook = |url: String| format!("\n[[alert]]\nwebhook = {{ url = \"{url}\" }}\n");
    let missing = "\n[[alert]]\nwebhook = { url-file = \"no.url\" }\n".to_owned();
    let mut all: Vec<String> = sinks.iter().map(|sink| webhook(sink.url())).collect();
    all.extend([
        webhook("http://127.0.0.1:1/".to_owned()),
        webhook(format!("https://localhost:{tls}/")),
        scene.mail(),
        scene.starttls(),
        "\n[[alert]]\ncommand = [\"/bin/false\"]\n".to_owned(),
        "\n[[alert]]\ncommand = [\"/bin/sh\", \"-c\", \"while :; do :; done\"]\n".to_owned(),
        missing,
    ]);
    all
}

#[test]
fn whatever_fails_in_telling_the_run_ends_as_it_would_have() {
    let scene = Scene::new();
    let sinks = [Mood::Status(500), Mood::Hangs, Mood::Drips].map(Sink::start);
    let untrusted = front(&Identity::of("localhost"), Speaks::Https, scene.sink.port());
    scene.site.run().code(0).silent();
    scene.break_query();
    let without = scene.site.run().code(15);
    let values = scene.site.dhis2.values();

    scene.smtps.behave(Manner::Silent);
    scene.starttls.behave(Manner::Plain);
    let all = ill(&scene, &sinks, untrusted.port);
    scene.alert(&all);
    let began = Instant::now();
    let with = scene.site.run().code(15);
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    assert_eq!(with.stdout, without.stdout);
    assert_eq!(
        without_warnings(&with).lines().last(),
        without.stderr.lines().last()
    );
    let warnings = warnings(&with);
    assert_eq!(warnings.len(), all.len(), "{warnings:?}");
    for why in [
        "it answered 500",
        "connection refused",
        "certificate not trusted",
        "it failed (exit status: 1)",
        "no.url",
    ] {
        assert!(
            warnings.iter().any(|line| line.contains(why)),
            "{why}\n{warnings:?}"
        );
    }
    assert_eq!(scene.site.dhis2.values(), values);
    assert!(scene.starttls.take().is_empty(), "nothing goes without TLS");

    // The next run tries again; at exit 0 nobody gets a mail from cron for it.
    scene.mend_query();
    scene.site.run().code(0).silent();
    let told = run(&scene.site, "4")["told"].as_array().unwrap().clone();
    assert_eq!(told.len(), all.len());
    assert!(told.iter().all(|each| each["delivered"] == false));
    for sink in &sinks {
        sink.take();
        sink.answer(Mood::Status(204));
    }
    scene.site.run().code(0).silent();
    for sink in &sinks {
        let posts = sink.take();
        assert_eq!(posts.len(), 1);
        assert!(posts[0].body.contains("small is well again"), "{posts:?}");
    }
}

fn sql(site: &SmallSite, sql: &str) {
    let database = Connection::open(site.path(FILE)).unwrap();
    database.execute_batch(sql).unwrap();
}

#[test]
fn while_nothing_can_be_recorded_it_is_told_once_a_day_and_that_it_is_over() {
    let scene = Scene::new();
    scene.alert(&[scene.webhook("all")]);
    scene.break_query();
    scene.site.run().code(15);
    scene.mend_query();
    scene.site.run().code(0);
    assert_eq!(scene.posted(), ["POST /all", "POST /all"]);
    sql(
        &scene.site,
        "CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    scene.site.run().code(16);
    let told = scene.message();
    assert!(
        told["text"].as_str().unwrap().contains("disk is full"),
        "{told}"
    );
    for _ in 0..3 {
        scene.site.run().code(16);
        assert_eq!(scene.posted(), [""; 0]);
    }
    sql(&scene.site, "DROP TRIGGER full");
    // Once a day: it comes and goes.
    later(&scene.site, 24);
    scene.site.run().code(0).silent();
    let told = scene.message();
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("the run is well again"), "{text}");
    assert!(text.contains("state (16)"), "{text}");
    scene.site.run().code(0).silent();
    assert_eq!(scene.posted(), [""; 0]);
    scene.site.program(&["history", "--verify"]).code(0);
}

#[test]
fn a_deadline_that_comes_while_people_are_told_changes_no_outcome() {
    let scene = Scene::new();
    let wait = "wait = \"1ms\"";
    let deadline = format!("{wait}\ndeadline = \"4s\"");
    scene.site.replace("pg2dhis2.toml", wait, &deadline);
    scene.sink.answer(Mood::Hangs);
    scene.alert(&[scene.webhook("all")]);
    scene.break_query();
    let run = scene.site.run().code(15);
    assert_eq!(warnings(&run).len(), 1, "{}", run.stderr);
    assert!(!run.stderr.contains("hung"), "{}", run.stderr);
}
