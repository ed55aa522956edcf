//! What is told holds no free text of the source; what is wrong in a site file is told where it stands.

use super::scene::Scene;
use crate::small_site::{NUMBER, SmallSite};

#[test]
fn no_name_of_the_source_is_in_any_alert() {
    let scene = Scene::new();
    scene.alert(&scene.channels());
    scene.unknown_key();
    let mut session = scene.site.database.connect();
    for number in 0..1_000 {
        let name = format!("Sentinel{number} \u{1b}[2J{{{{text}}}}");
        let row = "INSERT INTO t VALUES ($1, $2, '202503', '1')";
        session.execute(row, &[&NUMBER, &name]).unwrap();
    }
    scene.site.run().code(3);
    // And where a query fails on one of them.
    let query = scene.site.path("mappings/query.sql");
    let text = std::fs::read_to_string(&query).unwrap();
    let cast = text.replace("value FROM", "(unit::int)::text AS value FROM");
    scene.site.write("mappings/query.sql", &cast);
    scene.site.run().code(13);
    for heard in scene.heard() {
        assert_eq!(heard.len(), 2, "{heard:?}");
        for told in heard {
            let told = told.to_ascii_lowercase();
            assert!(
                !told.contains("sentinel") && !told.contains("marie"),
                "{told}"
            );
        }
    }
}

#[track_caller]
fn refused(site: &SmallSite, table: &str, words: &str) {
    let before = std::fs::read_to_string(site.path("pg2dhis2.toml")).unwrap();
    site.write("pg2dhis2.toml", &format!("{before}\n[[alert]]\n{table}\n"));
    site.refused(site.run(), 10, words);
    site.write("pg2dhis2.toml", &before);
}

#[test]
fn a_wrong_alert_is_refused_where_it_stands() {
    let scene = Scene::new();
    let mail = |server: &str, more: &str| {
        format!(
            "mail = {{ server = \"{server}\", from = \"a@b.example\", to = [\"c@d.example\"]{more} }}"
        )
    };
    for (table, words) in [
        ("severity = \"error\"".to_owned(), "needs exactly one of mail, webhook, command, dhis2-messages"),
        ("comand = [\"/x\"]".to_owned(), "did you mean `command`?"),
        ("severity = \"grave\"\ncommand = [\"/x\"]".to_owned(), "must be one of error, warning, notice"),
        ("command = [\"tell\"]".to_owned(), "by its whole path"),
        ("command = [\"/x\"]\nwebhook = { url = \"https://x.example/\" }".to_owned(), "needs exactly one of"),
        ("webhook = { url = \"http://x.example/\" }".to_owned(), "must begin with https://"),
        ("webhook = { }".to_owned(), "needs a `url`, or a `url-file`"),
        ("dhis2-messages = { user-group = \"x\" }".to_owned(), "a UID has 11 characters"),
        (mail("mail.example", ""), "must be such as smtps://"),
        (mail("smtps://u:p@mail.example", ""), "must not hold a password"),
        (mail("smtps://u@mail.example", ""), "it needs a `password-file`"),
        (mail("smtps://mail.example", ", password-file = \"x\""), "needs a user in `server`"),
        (mail("smtps://mail.example", ", pasword-file = \"x\""), "did you mean `password-file`?"),
        ("mail = { server = \"smtps://mail.example\", from = \"nobody\", to = [\"c@d.example\"] }".to_owned(), "is no mail address"),
        ("mail = { server = \"smtps://mail.example\", from = \"a@b.example\", to = [] }".to_owned(), "at least one mail address"),
        ("command = [\"/x\"]\n[[alert]]\ncommand = [\"/x\"]".to_owned(), "there are two [[alert]] for command /x"),
    ] {
        refused(&scene.site, &table, words);
    }
}

#[test]
fn what_an_alert_lacks_stops_no_run() {
    let scene = Scene::new();
    let secret = "\n[[alert]]\nwebhook = { url-file = \"missing.url\" }\n";
    let template = "\n[[alert]]\nwebhook = { url = \"https://x.example/\", template-file = \"missing.json\" }\n";
    scene.alert(&[secret.to_owned(), template.to_owned()]);
    scene.site.run().code(0).silent();
    let told = scene.site.program(&["status", "--test-alerts"]).code(5);
    assert!(told.stdout.contains("missing.url"), "{}", told.stdout);
    assert!(told.stdout.contains("missing.json"), "{}", told.stdout);
}

#[test]
fn the_templates_to_copy_are_filled_in_where_they_say() {
    let scene = Scene::new();
    let url = scene.sink.url();
    let mut tables = Vec::new();
    for file in [
        "examples/alerts/slack.json",
        "examples/alerts/teams.json",
        "examples/alerts/telegram.json",
    ] {
        let name = file
            .trim_start_matches("examples/alerts/")
            .trim_end_matches(".json");
        let template = std::fs::read_to_string(crate::st_lucia::repository().join(file)).unwrap();
        scene.site.write(&format!("{name}.json"), &template);
        tables.push(format!(
            "\n[[alert]]\nwebhook = {{ url = \"{url}{name}\", template-file = \"{name}.json\" }}\n"
        ));
    }
    scene.alert(&tables);
    scene.break_query();
    scene.site.run().code(15);
    let posts = scene.sink.take();
    assert_eq!(posts.len(), 3);
    for post in posts {
        let body: serde_json::Value = serde_json::from_str(&post.body).unwrap();
        assert!(!post.body.contains("{{"), "{}", post.body);
        assert!(
            post.body.contains("small ends with privacy (15)"),
            "{}",
            post.body
        );
        // Where each of them looks for the words, as its own documentation has it.
        let text = match post.what.as_str() {
            "POST /slack" => &body["blocks"][1]["text"]["text"],
            "POST /teams" => &body["attachments"][0]["content"]["body"][1]["text"],
            _ => &body["text"],
        };
        assert!(
            text.as_str().unwrap().contains("Told by pg2dhis2 on"),
            "{text}"
        );
    }
}
