//! What README and docs show is what the program does.

use std::fs;

use rig::dhis2::Dialect;

use crate::small_site::SmallSite;
use crate::st_lucia::repository;

fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap()
}

/// The contents of the fenced blocks of a language, in order.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
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
    for file in [
        "README.md",
        "tests/README.md",
        "docs/words.md",
        "docs/files.md",
        "docs/formats.md",
    ] {
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

#[test]
fn the_changelog_knows_this_version() {
    let heading = format!("## {}", env!("CARGO_PKG_VERSION"));
    assert!(read("CHANGELOG.md").contains(&heading));
}

#[test]
fn the_files_in_the_readme_are_files_that_the_program_takes() {
    let site = SmallSite::new(Dialect::V2_43);
    site.database.execute(
        "CREATE TABLE dose (municipality text, given_on date, vaccine text, sex text);
         INSERT INTO dose VALUES ('BEXON', '2025-03-14', 'BCG_1', 'F'), ('BEXON', '2025-03-15', 'BCG_1', 'F');",
    );
    let readme = read("README.md");
    let toml = blocks(&readme, "toml");
    let [site_file, mapping] = toml.as_slice() else {
        panic!("the README shows a site file and a mapping");
    };
    let site_file = site_file
        .replace(
            "postgresql://sluhis_sync@db.health.example/sluhis?sslrootcert=ca.pem",
            &site.database.url(),
        )
        .replace("/var/lib/pg2dhis2", "state");
    site.write("pg2dhis2.toml", &site_file);
    site.write("source.password", "unused");
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

#[test]
fn every_key_in_the_docs_is_one_that_the_program_knows() {
    let values = read("docs/files.md");
    let values = blocks(&values, "toml")[0].to_owned();
    let site = SmallSite::new(Dialect::V2_43);
    let mapping = fs::read_to_string(site.path("mappings/small.toml")).unwrap();
    let wide = mapping
        .replace("value = \"value\"\n", "")
        .replace("[data-element]\ncolumn = \"element\"\n", &values);
    site.write("mappings/small.toml", &wide);
    // The query does not have these columns, which is seen once the files are read.
    let run = site
        .program(&["extract", "-m", "small", "-p", "202503"])
        .code(15);
    assert!(run.stderr.contains("is not declared"), "{}", run.stderr);
}
