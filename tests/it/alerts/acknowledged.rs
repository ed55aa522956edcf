//! `acknowledge` takes a known problem out of what people are told, and out of nothing else.

use serde_json::Value;

use super::scene::{Scene, later, let_acknowledgements_end};

fn status(scene: &Scene, code: i32) -> Value {
    let args = ["status", "-p", "202503", "--format", "json"];
    let told = scene.site.program(&args).code(code).json();
    told["mappings"][0].clone()
}

/// With one key that nobody knows, told once.
fn scene() -> (Scene, String) {
    let scene = Scene::new();
    scene.alert(&[scene.webhook("all")]);
    scene.unknown_key();
    scene.site.run().code(3);
    assert_eq!(scene.posted(), ["POST /all"]);
    let subject = status(&scene, 3)["open"][0]["subject"].clone();
    (scene, subject.as_str().unwrap().to_owned())
}

const UNTIL: [&str; 4] = ["--until", "2030-12-31", "--why", "the ward is closed"];

#[test]
fn an_acknowledged_problem_is_counted_and_told_no_more() {
    let (scene, subject) = scene();
    let whole = format!("small unmapped org-unit {subject}");
    let mark = subject
        .strip_prefix("key ")
        .unwrap()
        .split(',')
        .next()
        .unwrap();
    let line =
        format!("unmapped org-unit {subject} in 202503, since 2026-01-01 00:00, seen 1 time");
    for what in [whole.as_str(), &subject, mark, &line] {
        let args = [&["acknowledge", what][..], &UNTIL].concat();
        let told = scene.site.program(&args).code(0);
        assert!(told.stderr.contains("still counted"), "{}", told.stderr);
    }
    let small = status(&scene, 0);
    assert_eq!(small["state"], "fresh");
    assert_eq!(
        small["open"][0]["acknowledged"]["why"],
        "the ward is closed"
    );
    assert_eq!(
        small["open"][0]["acknowledged"]["until"],
        "2031-01-01T00:00:00.000000Z"
    );
    let text = scene
        .site
        .program(&["status", "-p", "202503"])
        .code(0)
        .stdout;
    assert!(text.contains("acknowledged until 2031-01-01"), "{text}");
    // A run says what it finds.
    let run = scene.site.run().code(3);
    assert!(run.stderr.contains(&subject), "{}", run.stderr);
    later(&scene.site, 48);
    scene.site.run().code(3);
    assert_eq!(scene.posted(), [""; 0]);
    // Another problem is another matter.
    scene.blocked_value();
    scene.site.run().code(3);
    let told = scene.message();
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("new problems: 1 blocked cell."), "{text}");
    assert!(text.contains("0 told before, 1 acknowledged"), "{text}");
    assert_eq!(status(&scene, 3)["state"], "open");
    scene.site.program(&["history", "--verify"]).code(0);
}

#[test]
fn what_is_acknowledged_comes_back_when_its_time_is_over() {
    let (scene, subject) = scene();
    let args = [&["acknowledge", &subject][..], &UNTIL].concat();
    scene.site.program(&args).code(0);
    status(&scene, 0);
    let_acknowledgements_end(&scene.site);
    status(&scene, 3);
    later(&scene.site, 24);
    scene.site.run().code(3);
    let text = scene.message()["text"].to_string();
    assert!(text.contains("new problems: 1 unmapped key"), "{text}");
}

#[test]
fn what_is_acknowledged_must_be_there_and_the_time_to_come() {
    let (scene, subject) = scene();
    let refused = |args: &[&str], words: &str| {
        let args = [&["acknowledge"], args].concat();
        scene.site.program(&args).code(2).stderr_has(words);
    };
    let until = ["--until", "2030-12-31", "--why"];
    let with = |what, why| [&[what][..], &until, &[why]].concat();
    refused(&with("#00000000", "known"), "no open problem is called");
    refused(&with(&subject, " "), "--why must say");
    refused(&with(&subject, "a\nb"), "--why must say");
    refused(
        &[&subject, "--until", "2020-01-01", "--why", "known"],
        "is over already",
    );
    status(&scene, 3);
}
