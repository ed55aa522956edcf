//! All others who tell how runs went: the history, `status`, the status page, metrics, the heartbeat, DHIS2's data store.
//! Whatever happened, they tell the same.

use std::fs;

use rig::pings::{Mood, Pings};
use serde_json::Value;

use super::scene::Scene;

pub(super) struct Witnesses {
    pings: Pings,
    /// What the heartbeat has heard so far.
    heard: usize,
    runs: usize,
}

impl Witnesses {
    /// Has the site tell all of them.
    pub(super) fn of(scene: &Scene) -> Witnesses {
        let pings = Pings::start(Mood::Well);
        scene.site.replace(
            "pg2dhis2.toml",
            "token-file = \"dhis2.token\"\n",
            &format!(
                "token-file = \"dhis2.token\"\ndata-store = \"pg2dhis2\"\n[history]\nheartbeat = \"{}\"\nmetrics = \"metrics.prom\"\npage = \"page.html\"\n",
                pings.url()
            ),
        );
        Witnesses {
            pings,
            heard: 0,
            runs: 0,
        }
    }

    /// After a run that ended so, a day after the one before. One with 10 never began, and is told by the heartbeat alone.
    #[track_caller]
    pub(super) fn tell(&mut self, scene: &Scene, code: i32) {
        let begun = code != 10;
        let pings = self.pings.heard().split_off(self.heard);
        self.heard += pings.len();
        let paths: Vec<&str> = pings
            .iter()
            .map(|ping| ping.path.split('?').next().expect("a path"))
            .collect();
        let end = match code {
            0 | 3 => "/ping/key".to_owned(),
            code => format!("/ping/key/{code}"),
        };
        let begin = begun.then_some("/ping/key/start");
        let told: Vec<&str> = begin.into_iter().chain([end.as_str()]).collect();
        assert_eq!(paths, told);

        let history = scene.site.program(&["history", "--format", "json"]).code(0);
        let runs = history.json()["runs"].as_array().expect("runs").clone();
        self.runs += usize::from(begun);
        assert_eq!(runs.len(), self.runs.min(30));
        let status = ["status", "-p", "202503", "--format", "json"];
        // The last success was just now, or a day ago and more.
        let state = match code {
            0 | 3 => code,
            _ => 5,
        };
        if !begun {
            return;
        }
        assert_eq!(runs.last().expect("a run")["finished"]["exit"], code);
        let status = scene.site.program(&status).code(state).json();
        assert_eq!(status["mappings"][0]["last-run"]["exit"], code);
        let read = |file: &str| fs::read_to_string(scene.site.path(file)).expect("it is written");
        let metrics = read("metrics.prom");
        let line = format!("\npg2dhis2_last_exit_code {code}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
        let page = read("page.html");
        match code {
            0 => assert!(!page.contains("ended with "), "{page}"),
            code => assert!(page.contains(&format!(", ended with {code}: ")), "{page}"),
        }
        let kept = scene.site.dhis2.data_store().into_values();
        let told = |value: &Value| value["exits"].get(code.to_string()).is_some();
        assert!(kept.into_iter().any(|value| told(&value)), "{code}");
    }
}
