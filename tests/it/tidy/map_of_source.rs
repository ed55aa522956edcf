//! The map of the source (`docs/architecture.md`) is true: no module is missing, each stands above what it uses, and
//! the files that are named are there.

use std::fs;

use super::arrows::USES;
use crate::docs::{doc, quoted, table};
use crate::st_lucia::repository;

#[test]
fn the_map_has_the_modules_in_their_layers() {
    let map = doc("architecture");
    let rows = table(&map, "| module | what it is for |\n");
    let told: Vec<&str> = rows.iter().flat_map(|row| quoted(row[0])).collect();
    for (module, uses) in USES {
        let place = told.iter().position(|told| *told == module);
        let place = place.unwrap_or_else(|| panic!("`{module}` is not in the map"));
        let above: Vec<&&str> = told[..place]
            .iter()
            .filter(|above| uses.contains(above))
            .collect();
        assert!(
            above.is_empty(),
            "`{module}` stands below {above:?}, which it uses"
        );
    }
    assert_eq!(told.len(), USES.len());
}

#[test]
fn the_map_names_files_that_are_there() {
    let map = doc("architecture");
    let names = quoted(&map).into_iter();
    let files: Vec<&str> = names
        .filter(|name| name.contains('/') || name.ends_with(".rs"))
        .collect();
    for name in &files {
        let is_there = |folder: &str| fs::exists(repository().join(folder).join(name)).unwrap();
        assert!(is_there("src") || is_there(""), "{name}");
    }
    assert!(files.len() > 50, "only {} files are named", files.len());
    let places = table(&map, "| what | where |\n");
    assert!(places.len() >= 15 && places.iter().all(|row| row[1].contains('`')));
}
