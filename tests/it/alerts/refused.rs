//! Runs that are refused before they begin are kept and told too.

use std::fs::File;

use super::scene::{Scene, later};
use crate::small_site::NOW;

#[test]
fn a_wrong_mapping_file_is_told_at_once_and_once_a_day() {
    let scene = Scene::new();
    scene.alert(&[scene.webhook("all")]);
    scene.site.run().code(0);
    scene
        .site
        .replace("mappings/small.toml", "value = ", "valu = ");
    scene.site.run().code(10);
    let told = scene.message();
    assert_eq!(told["severity"], "error");
    assert_eq!(told["notices"][0]["exit"], 10);
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("the run ends with config (10)"), "{text}");
    assert!(text.contains("unknown key `valu`"), "{text}");
    scene.site.run().code(10);
    assert_eq!(scene.posted(), [""; 0]);
    later(&scene.site, 24);
    scene.site.run().code(10);
    let text = scene.message()["text"].to_string();
    assert!(
        text.contains("the run still ends with config (10)"),
        "{text}"
    );
    assert!(text.contains("(3 runs)"), "{text}");
    scene
        .site
        .replace("mappings/small.toml", "valu = ", "value = ");
    scene.site.run().code(0);
    let text = scene.message()["text"].to_string();
    assert!(text.contains("the run is well again"), "{text}");
}

#[test]
fn before_the_first_run_a_wrong_file_is_told_no_more_often() {
    let scene = Scene::new();
    scene.alert(&[scene.webhook("all")]);
    scene
        .site
        .replace("mappings/small.toml", "value = ", "valu = ");
    scene.site.run().code(10);
    scene.site.run().code(10);
    assert_eq!(scene.posted(), ["POST /all"]);
    assert!(scene.site.dhis2.stored().is_empty());
}

#[test]
fn dry_runs_and_mistyped_commands_are_told_to_nobody() {
    let scene = Scene::new();
    scene.alert(&[scene.webhook("all")]);
    scene
        .site
        .replace("mappings/small.toml", "value = ", "valu = ");
    let dry = ["run", "-n", "-p", "202503", "--as-of", NOW];
    scene.site.program(&dry).code(10);
    scene.site.program(&["push", "no-such-file"]).code(2);
    assert_eq!(scene.posted(), [""; 0]);
    assert!(!scene.site.path("state").exists());
}

#[test]
fn a_run_that_never_gets_its_turn_is_told_after_three() {
    let scene = Scene::new();
    scene.alert(&[scene.webhook("all")]);
    scene.site.run().code(0);
    // As another run would.
    let folder = File::open(scene.site.path("state")).unwrap();
    folder.lock().unwrap();
    scene.site.run().code(11);
    scene.site.run().code(11);
    assert_eq!(scene.posted(), [""; 0]);
    scene.site.run().code(11);
    let told = scene.message();
    assert_eq!(told["severity"], "warning");
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("the run ends with busy (11)"), "{text}");
    assert!(text.contains("(3 runs)"), "{text}");
    drop(folder);
    scene.site.run().code(0);
    assert!(scene.message()["text"].to_string().contains("well again"));
}

#[test]
fn a_source_that_is_away_is_told_after_three_runs_in_a_row() {
    let scene = Scene::new();
    scene.alert(&[scene.webhook("all")]);
    let source = scene.site.database.url();
    let nobody = "postgresql://nobody@127.0.0.1:1/none";
    let away = || scene.site.replace("pg2dhis2.toml", &source, nobody);
    let back = || scene.site.replace("pg2dhis2.toml", nobody, &source);
    away();
    scene.site.run().code(5);
    scene.site.run().code(5);
    back();
    scene.site.run().code(0);
    away();
    scene.site.run().code(5);
    scene.site.run().code(5);
    assert_eq!(scene.posted(), [""; 0]);
    scene.site.run().code(5);
    let told = scene.message();
    assert_eq!(told["severity"], "warning");
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("small ends with temporary (5)"), "{text}");
}
