//! Mappings of one site know of each other: none is skipped in silence, and no two write one cell, whichever are asked for.

use std::fs;
use std::os::unix::fs::symlink;

use rig::dhis2::Dialect;

use crate::small_site::{NUMBER, SmallSite, UNITS};

fn site() -> SmallSite {
    SmallSite::new(Dialect::V2_42)
}

#[test]
fn a_mapping_that_is_named_must_be_a_file_that_can_be_read() {
    let named = |site: &SmallSite, names: &str| {
        site.replace("pg2dhis2.toml", "[\"mappings/*.toml\"]", names);
    };
    for (names, words) in [
        (
            "[\"mappings/small.toml\", \"mappings/none.toml\"]",
            "there is no mapping file mappings/none.toml",
        ),
        (
            "[\"mappings/small.toml\", \"other/*.toml\"]",
            "no mapping file matches other/*.toml",
        ),
        (
            "[\"mappings/small.toml\", \"mappings/folder.toml\"]",
            "is a folder",
        ),
        (
            "[\"mappings/small.toml\", \"mappings/link.toml\"]",
            "link.toml",
        ),
    ] {
        let site = site();
        fs::create_dir(site.path("mappings/folder.toml")).unwrap();
        symlink("gone.toml", site.path("mappings/link.toml")).unwrap();
        named(&site, names);
        site.refused(site.run(), 10, words);
    }
    // What a pattern finds is meant too.
    let site = site();
    symlink("gone.toml", site.path("mappings/link.toml")).unwrap();
    site.refused(site.run(), 10, "link.toml");
}

#[test]
fn a_name_that_cannot_be_written_in_a_line_is_refused() {
    for name in ["a\tb", "a\nb", "a\u{202e}b", "a\u{7f}"] {
        let site = site();
        let text = fs::read_to_string(site.path("mappings/small.toml")).unwrap();
        fs::remove_file(site.path("mappings/small.toml")).unwrap();
        site.write(&format!("mappings/{name}.toml"), &text);
        site.refused(site.run(), 10, "cannot be written in a line");
    }
}

#[test]
fn two_mappings_of_one_cell_are_refused_whichever_is_asked_for() {
    let [unit, _] = UNITS;
    let site = site();
    let mapping = |absent: &str| {
        let text = fs::read_to_string(site.path("mappings/small.toml")).unwrap();
        text.replace("absent = \"leave\"", &format!("absent = \"{absent}\""))
            .replace(
                "column = \"element\"",
                &format!("column = \"element\"\nmap = {{ {NUMBER} = \"{NUMBER}\" }}"),
            )
            .replace(
                "column = \"unit\"",
                &format!("column = \"unit\"\nmap = {{ {unit} = \"{unit}\" }}"),
            )
    };
    let (small, other) = (mapping("leave"), mapping("zero"));
    site.write("mappings/small.toml", &small);
    site.write("mappings/other.toml", &other);
    for asked in ["small", "other", "mappings/small.toml"] {
        let run = site.program(&["run", "-m", asked, "-p", "202503"]);
        site.refused(run, 10, "two mappings would overwrite each other");
    }
    site.write("mappings/other.toml", &other.replace("Monthly", "Yearly"));
    site.program(&["run", "-m", "small", "-p", "202503"])
        .code(0);
}
