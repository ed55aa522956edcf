//! What README and docs show is what the program does.

use std::fs;
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use rig::dhis2::Dialect;

use crate::small_site::SmallSite;
use crate::st_lucia::{StLucia, T0, repository};

pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap()
}

/// The contents of the fenced blocks of a language, in order.
pub(crate) fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("```{language}\n");
    let after = text.split(&fence).skip(1);
    after
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[test]
fn the_help_in_the_readme_is_the_programs_own() {
    let site = SmallSite::new(Dialect::V2_43);
    let help = site.program(&["--help"]).code(0).stdout;
    let readme = read("README.md");
    let shown = blocks(&readme, "text")
        .into_iter()
        .find_map(|block| block.strip_prefix("$ pg2dhis2 --help\n"))
        .expect("the README shows the help");
    assert_eq!(shown.trim_end(), help.trim_end());
}

#[test]
fn the_readme_is_short_and_its_links_lead_somewhere() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 200);
    let docs = fs::read_dir(repository().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = docs.map(|name| format!("docs/{name}")).collect();
    files.extend(["README.md", "tests/README.md", "CHANGELOG.md"].map(str::to_owned));
    for file in &files {
        let text = read(file);
        for link in text
            .split("](")
            .skip(1)
            .map(|rest| rest.split(')').next().unwrap())
        {
            let folder = repository().join(file);
            let target = folder
                .parent()
                .unwrap()
                .join(link.split('#').next().unwrap());
            assert!(
                link.starts_with("http") || target.exists(),
                "{file}: {link}"
            );
        }
    }
}

/// To refresh the session in the README, copy what this test prints when it fails, and shorten it with lines of `…`.
#[test]
fn the_session_in_the_readme_is_what_happens() {
    let site = StLucia::at(Dialect::V2_43, T0);
    let readme = read("README.md");
    let session = blocks(&readme, "console")[0];
    let calls = session.split("$ pg2dhis2 ").skip(1);
    let mut count = 0;
    for call in calls {
        let (command, shown) = call.split_once('\n').unwrap();
        let mut args: Vec<&str> = command.split(' ').collect();
        args.extend(["--as-of", T0]);
        let run = site.program(&args).code(3);
        assert_eq!(run.stdout, "");
        let missing = missing(shown, &run.stderr);
        assert!(
            missing.is_none(),
            "the README shows, and the program does not:\n{}\n--- $ pg2dhis2 {command}\n{}",
            missing.unwrap_or_default(),
            run.stderr
        );
        count += 1;
    }
    assert!(count >= 2, "a preview and a run");
}

/// The first part of a shortened output that does not stand in the whole, in its order; `…` is for lines left out.
fn missing(shown: &str, whole: &str) -> Option<String> {
    let shown: Vec<&str> = shown.trim_end().lines().map(str::trim_end).collect();
    let whole: Vec<&str> = whole.trim_end().lines().map(str::trim_end).collect();
    let parts: Vec<&[&str]> = shown.split(|line| line.trim() == "…").collect();
    let last = parts.len() - 1;
    let mut from = 0;
    for (index, part) in parts.into_iter().enumerate() {
        let rest = &whole[from..];
        let found = match index {
            _ if part.is_empty() => Some(0),
            0 => rest.starts_with(part).then_some(0),
            _ if index == last => rest.ends_with(part).then(|| rest.len() - part.len()),
            _ => rest.windows(part.len()).position(|lines| lines == part),
        };
        let Some(place) = found else {
            return Some(part.join("\n"));
        };
        from += place + part.len();
    }
    let cut = shown.last().is_some_and(|line| line.trim() == "…");
    (from < whole.len() && !cut).then(|| "its end".to_owned())
}

#[test]
fn lines_may_be_left_out_of_a_session_but_not_changed() {
    let whole = "a\nb\nc\nd\n";
    for shown in [
        "a\nb\nc\nd",
        "a\n…\nd",
        "a\n…\nc\n  …\nd",
        "…\nc\nd",
        "a\n…",
    ] {
        assert_eq!(missing(shown, whole), None, "{shown}");
    }
    for shown in [
        "a\nb",
        "b\n…\nd",
        "a\n…\nc",
        "a\n…\nc\n…\nb\n…",
        "a\nc\n…",
        "",
    ] {
        assert!(missing(shown, whole).is_some(), "{shown}");
    }
}

#[test]
fn every_command_in_the_readme_can_be_typed() {
    let site = shown_site();
    site.dhis2.set_now(&Timestamp::now().to_string());
    let readme = read("README.md");
    let typed = blocks(&readme, "sh").concat();
    let bin = Path::new(env!("CARGO_BIN_EXE_pg2dhis2")).parent().unwrap();
    let mut count = 0;
    for line in typed.lines() {
        if let Some((_, example)) = line.split_once("--example ") {
            let name = example.split_whitespace().next().unwrap();
            assert!(repository().join("examples").join(name).exists(), "{line}");
        }
        if !line.starts_with("pg2dhis2 ") {
            continue;
        }
        let output = Command::new("/bin/sh")
            .args(["-c", line])
            .current_dir(site.folder.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{line}\n{told}");
        count += 1;
    }
    assert_eq!(count, 4);
    let crontab = read("examples/crontab");
    for line in blocks(&readme, "crontab")[0].lines() {
        assert!(crontab.lines().any(|each| each == line), "{line}");
    }
}

#[test]
fn the_changelog_knows_this_version() {
    let heading = format!("## {}", env!("CARGO_PKG_VERSION"));
    assert!(read("CHANGELOG.md").contains(&heading));
}

/// The site of the README's own files, with a registry that its query fits.
pub(crate) fn shown_site() -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    site.database.execute(
        "CREATE TABLE dose (municipality text, given_on date, vaccine text, sex text);
         INSERT INTO dose VALUES ('BEXON', '2025-03-14', 'BCG_1', 'F'), ('BEXON', '2025-03-15', 'BCG_1', 'F');",
    );
    let readme = read("README.md");
    let toml = blocks(&readme, "toml");
    let [site_file, mapping, watchers] = toml.as_slice() else {
        panic!("the README shows a site file, a mapping, and who is told");
    };
    let site_file = format!("{site_file}{watchers}")
        .replace(
            "postgresql://sluhis_sync@db.health.example/sluhis?sslrootcert=ca.pem",
            &site.database.url(),
        )
        .replace("https://dhis2.health.example/", &site.dhis2.url())
        .replace("/var/lib/pg2dhis2", "state");
    site.write("pg2dhis2.toml", &site_file);
    site.write("source.password", "unused");
    // Nobody listens there.
    site.write("heartbeat.url", "http://127.0.0.1:9/");
    fs::remove_dir_all(site.path("mappings")).unwrap();
    site.write("mappings/epi-monthly.toml", mapping);
    site.write(
        "mappings/epi-indicators.csv",
        "indicator,uid\nDOSES_BCG_1,lO7ecd1fAsI\n",
    );
    site.write(
        "mappings/epi-disaggregations.csv",
        "disaggregation,uid\nF,NKJg49KgSdp\n",
    );
    site.write(
        "queries/mapping_rules.sql",
        "SELECT 'BEXON' AS key, 'rXjYDMSHEYd' AS uid",
    );
    site.write("queries/doses_administered.sql", blocks(&readme, "sql")[0]);
    site
}

#[test]
fn the_files_in_the_readme_are_files_that_the_program_takes() {
    let site = shown_site();
    let rows = site
        .program(&["extract", "-m", "epi-monthly", "-p", "202503"])
        .code(0)
        .stdout;
    assert!(
        rows.contains(r#"["BEXON","202503","DOSES_BCG_1","F","2"]"#),
        "{rows}"
    );
    site.write("rows", &rows);
    let document = site.program(&["map", "rows"]).code(0).stdout;
    assert!(document.contains(r#""value":"2""#));
}
