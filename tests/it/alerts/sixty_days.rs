//! Sixty days of daily runs with faults and their ends: every channel hears exactly what it should, and all others who tell
//! how runs went tell the same.

use super::scene::{Scene, later};
use super::witnesses::Witnesses;

/// On which days what is told, by all channels; on all others there is silence.
const TOLD: [(u32, &str); 14] = [
    (5, "small ends with privacy (15)"),
    (6, "small still ends with privacy (15)"),
    (7, "small still ends with privacy (15)"),
    (8, "small still ends with privacy (15)"),
    (9, "small is well again"),
    // Two runs that got nowhere are no news, the third one is.
    (23, "small ends with temporary (5)"),
    (24, "small still ends with temporary (5)"),
    (25, "small is well again"),
    (30, "new problems: 1 unmapped key"),
    (33, "new problems: 1 blocked cell"),
    (40, "the run ends with config (10)"),
    (41, "the run is well again"),
    (50, "small ends with privacy (15)"),
    (51, "small is well again"),
];

/// How the run of a day ends, after what is done to the site before it.
fn before_run(scene: &Scene, day: u32) -> i32 {
    let site = &scene.site;
    let source = site.database.url();
    let away = "postgresql://nobody@127.0.0.1:1/none";
    let file = "mappings/small.toml";
    match day {
        5 | 50 => scene.break_query(),
        9 | 51 => scene.mend_query(),
        15 | 21 => site.replace("pg2dhis2.toml", &source, away),
        17 | 25 => site.replace("pg2dhis2.toml", away, &source),
        30 => scene.unknown_key(),
        33 => scene.blocked_value(),
        36 => site
            .database
            .execute("DELETE FROM t WHERE unit <> 'known' OR value = '-1'"),
        40 => site.replace(file, "value = ", "valu = "),
        41 => site.replace(file, "valu = ", "value = "),
        _ => {}
    }
    match day {
        5..9 | 50 => 15,
        15 | 16 | 21..25 => 5,
        30..36 => 3,
        40 => 10,
        _ => 0,
    }
}

#[test]
fn in_sixty_days_every_channel_hears_exactly_what_it_should_and_all_tell_the_same() {
    let scene = Scene::new();
    let mut witnesses = Witnesses::of(&scene);
    scene.alert(&scene.channels());
    for day in 1..=60 {
        let code = before_run(&scene, day);
        let run = scene.site.run().code(code);
        if code == 0 {
            run.silent();
        }
        witnesses.tell(&scene, code);
        let told = TOLD.iter().find(|(on, _)| *on == day);
        for heard in scene.heard() {
            match told {
                Some((_, words)) => {
                    assert_eq!(heard.len(), 1, "day {day}: {heard:?}");
                    assert!(heard[0].contains(words), "day {day}: {heard:?}");
                }
                None => assert!(heard.is_empty(), "day {day}: {heard:?}"),
            }
        }
        later(&scene.site, 24);
    }
    scene.site.program(&["history", "--verify"]).code(0);
}
