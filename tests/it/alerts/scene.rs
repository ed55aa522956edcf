//! A small site whose alerts go to a mail server, a sink, a program and the stand-in, all on this machine; and time that
//! passes in its history.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::{SignedDuration, Timestamp};
use rig::dhis2::Dialect;
use rig::mail::{MailServer, Manner};
use rig::sink::{Mood, Sink};
use rusqlite::{Connection, params};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::small_site::{NUMBER, SmallSite, UNITS};

/// An element of the data set that takes no negative number.
const POSITIVE: &str = "feGwcoMbxyK";

pub(super) struct Scene {
    pub(super) site: SmallSite,
    pub(super) smtps: MailServer,
    pub(super) starttls: MailServer,
    pub(super) sink: Sink,
    query: String,
}

impl Scene {
    pub(super) fn new() -> Scene {
        let site = SmallSite::new(Dialect::V2_43);
        let query = fs::read_to_string(site.path("mappings/query.sql")).unwrap();
        let scene = Scene {
            site,
            smtps: MailServer::start(Manner::Tls),
            starttls: MailServer::start(Manner::StartTls),
            sink: Sink::start(Mood::Status(200)),
            query,
        };
        let write = |file: &str, text: &str| scene.site.write(file, text);
        write("mail.password", "mail-secret");
        write("smtps.pem", scene.smtps.certificate());
        write("starttls.pem", scene.starttls.certificate());
        write("hook.url", &format!("{}secret-hook", scene.sink.url()));
        write(
            "template.json",
            r#"{ "chat_id": 7, "text": "{{severity}} {{subject}}" }"#,
        );
        write("tell", "#!/bin/sh\nexec cat >> \"$1\"\n");
        let executable = fs::Permissions::from_mode(0o700);
        fs::set_permissions(scene.site.path("tell"), executable).unwrap();
        scene
    }

    /// Adds tables `[[alert]]` to the site file.
    pub(super) fn alert(&self, tables: &[String]) {
        let site = fs::read_to_string(self.site.path("pg2dhis2.toml")).unwrap();
        self.site.write("pg2dhis2.toml", &(site + &tables.concat()));
    }

    pub(super) fn mail(&self) -> String {
        format!(
            "\n[[alert]]\nmail = {{ server = \"smtps://alerts@health.example@localhost:{}\", password-file = \"mail.password\", ca-file = \"smtps.pem\", from = \"pg2dhis2@health.example\", to = [\"a@health.example\", \"B <b@health.example>\"] }}\n",
            self.smtps.port()
        )
    }

    /// By an address that is this machine's, but does not say so: TLS must be asked for.
    pub(super) fn starttls(&self) -> String {
        format!(
            "\n[[alert]]\nmail = {{ server = \"smtp://0.0.0.0:{}\", ca-file = \"starttls.pem\", from = \"pg2dhis2@health.example\", to = [\"c@health.example\"] }}\n",
            self.starttls.port()
        )
    }

    pub(super) fn webhook(&self, path: &str) -> String {
        let url = self.sink.url();
        format!("\n[[alert]]\nwebhook = {{ url = \"{url}{path}\" }}\n")
    }

    fn secret_webhook() -> String {
        "\n[[alert]]\nwebhook = { url-file = \"hook.url\", template-file = \"template.json\" }\n"
            .to_owned()
    }

    fn command(&self) -> String {
        let path = |file: &str| self.site.path(file).display().to_string();
        format!(
            "\n[[alert]]\ncommand = [\"{}\", \"{}\"]\n",
            path("tell"),
            path("told.jsonl")
        )
    }

    fn messages() -> String {
        "\n[[alert]]\ndhis2-messages = { user-group = \"VYy11YtcQMI\" }\n".to_owned()
    }

    /// One of each.
    pub(super) fn channels(&self) -> Vec<String> {
        vec![
            self.mail(),
            self.webhook("hook"),
            Scene::secret_webhook(),
            self.command(),
            Scene::messages(),
        ]
    }

    /// A column that the mapping does not declare.
    pub(super) fn break_query(&self) {
        let broken = self.query.replace("value FROM", "value, 1 AS more FROM");
        self.site.write("mappings/query.sql", &broken);
    }

    pub(super) fn mend_query(&self) {
        self.site.write("mappings/query.sql", &self.query);
    }

    /// A row of a unit that the map does not have.
    pub(super) fn unknown_key(&self) {
        let map = format!("column = \"unit\"\nmap = {{ known = \"{}\" }}", UNITS[0]);
        let file = "mappings/small.toml";
        self.site.replace(file, "column = \"unit\"", &map);
        let guards = "guards.max-unmapped = \"100%\"\nabsent = ";
        self.site.replace(file, "absent = ", guards);
        self.site.database.execute(&format!(
            "UPDATE t SET unit = 'known'; INSERT INTO t VALUES ('{NUMBER}', 'Ward of Marie', '202503', '1')"
        ));
    }

    /// A value that the element's type refuses.
    pub(super) fn blocked_value(&self) {
        self.site.database.execute(&format!(
            "INSERT INTO t VALUES ('{POSITIVE}', 'known', '202503', '-1')"
        ));
    }

    /// As if run 1 had been killed before its end.
    pub(super) fn forget_end(&self) {
        rewrite(&self.site, |entries| {
            entries.retain(|entry| entry.kind != "finished");
        });
    }

    /// What was posted since it was last asked for, in order of the alphabet.
    pub(super) fn posted(&self) -> Vec<String> {
        let mut posts: Vec<String> = self.sink.take().into_iter().map(|post| post.what).collect();
        posts.sort();
        posts
    }

    /// The one message that was posted.
    pub(super) fn message(&self) -> Value {
        let posts = self.sink.take();
        assert_eq!(posts.len(), 1, "{posts:?}");
        serde_json::from_str(&posts[0].body).unwrap()
    }

    /// What each of the five channels heard since it was last asked for.
    pub(super) fn heard(&self) -> [Vec<String>; 5] {
        let mails = self.smtps.take().into_iter();
        // Long headers go on in the next line.
        let mails = mails.map(|mail| mail.text.replace("\n ", " "));
        let posts = self.sink.take();
        let posted = |path: &str| {
            let posts = posts.iter().filter(|post| post.what == path);
            posts.map(|post| post.body.clone()).collect()
        };
        let file = self.site.path("told.jsonl");
        let told = fs::read_to_string(&file).unwrap_or_default();
        let _ = fs::remove_file(file);
        let messages = self.site.dhis2.messages();
        let heard = [
            mails.collect(),
            posted("POST /hook"),
            posted("POST /secret-hook"),
            told.lines().map(str::to_owned).collect(),
            messages.iter().map(Value::to_string).collect(),
        ];
        self.site.dhis2.forget_messages();
        heard
    }

    #[track_caller]
    pub(super) fn each_heard(&self, words: &str) {
        for heard in self.heard() {
            assert_eq!(heard.len(), 1, "{heard:?}");
            assert!(heard[0].contains(words), "{heard:?}");
        }
    }

    #[track_caller]
    pub(super) fn heard_nothing(&self) {
        for heard in self.heard() {
            assert!(heard.is_empty(), "{heard:?}");
        }
    }
}

struct Row {
    run: i64,
    at: String,
    kind: String,
    rest: [String; 4],
}

/// Lets hours pass: everything in the history is so much older, as if it had been written then.
pub(super) fn later(site: &SmallSite, hours: i64) {
    let earlier = |at: &str| {
        let at: Timestamp = at.parse().unwrap();
        format!("{:.6}", at - SignedDuration::from_hours(hours))
    };
    rewrite(site, |entries| {
        for entry in entries {
            entry.at = earlier(&entry.at);
        }
    });
    let database = Connection::open(site.path(crate::history::FILE)).unwrap();
    let problems: Vec<(String, String, String)> = {
        let sql = "SELECT DISTINCT mapping, first_seen, last_seen FROM problem";
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.unwrap().map(Result::unwrap).collect()
    };
    for (mapping, first, last) in problems {
        let sql = "UPDATE problem SET first_seen = ?, last_seen = ? WHERE mapping = ? AND first_seen = ? AND last_seen = ?";
        let new = (earlier(&first), earlier(&last));
        let all = params![new.0, new.1, mapping, first, last];
        database.execute(sql, all).unwrap();
    }
}

/// Writes the whole history again, as the program would have.
fn rewrite(site: &SmallSite, change: impl FnOnce(&mut Vec<Row>)) {
    let mut database = Connection::open(site.path(crate::history::FILE)).unwrap();
    let mut entries: Vec<Row> = {
        let sql = "SELECT run, at, kind, mapping, period, subject, body FROM entry ORDER BY seq";
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| {
            Ok(Row {
                run: row.get(0)?,
                at: row.get(1)?,
                kind: row.get(2)?,
                rest: [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?],
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    };
    change(&mut entries);
    let transaction = database.transaction().unwrap();
    transaction.execute("DELETE FROM entry", []).unwrap();
    let mut before = String::new();
    for (index, row) in entries.iter().enumerate() {
        let seq = index as i64 + 1;
        let [mapping, period, subject, body] = &row.rest;
        let (number, run) = (seq.to_string(), row.run.to_string());
        let mut hash = Sha256::new();
        for field in [
            &before, &number, &run, &row.at, &row.kind, mapping, period, subject, body,
        ] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        let digest = hash.finalize();
        before = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let all = params![
            seq, row.run, row.at, row.kind, mapping, period, subject, body, before
        ];
        let sql = "INSERT INTO entry (seq, run, at, kind, mapping, period, subject, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        transaction.execute(sql, all).unwrap();
    }
    let head = params![entries.len() as i64, before];
    transaction
        .execute("UPDATE head SET seq = ?, hash = ?", head)
        .unwrap();
    transaction.commit().unwrap();
}

/// As if the time of all acknowledgements had just ended.
pub(super) fn let_acknowledgements_end(site: &SmallSite) {
    let now = format!("{:.6}", Timestamp::now());
    rewrite(site, |entries| {
        let acknowledged = entries
            .iter_mut()
            .filter(|entry| entry.kind == "acknowledged");
        for entry in acknowledged {
            let mut body: Value = serde_json::from_str(&entry.rest[3]).unwrap();
            body["until"] = now.clone().into();
            entry.rest[3] = body.to_string();
        }
    });
}
