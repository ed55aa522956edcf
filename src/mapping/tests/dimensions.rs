//! The four ways in which a dimension becomes a UID, and what they allow.

use super::{BASE, accepted, edited, read, refused, uid};
use crate::domain::{Dimension, OrgUnitScope};
use crate::mapping::{SourceKey, UidsFrom};

const MAP: &str = "map = { BCG = \"ElementAaa0\", \"OPV 1\" = \"ElementAaa1\" }";

#[test]
fn a_dimension_is_resolved_in_one_of_four_ways() {
    let way = |to: &str| {
        let text = edited(MAP, to).replace("\"zero\"", "\"leave\"");
        let files = [("e.csv", "indicator,uid\nBCG,ElementAaa0\n")];
        let mapping = accepted(&text, &files);
        let dimension = &mapping.dimensions[&Dimension::DataElement];
        assert_eq!(dimension.columns, ["indicator"]);
        match &dimension.uids_from {
            UidsFrom::Constant(constant) => constant.to_string(),
            UidsFrom::Map(map) => {
                let key = SourceKey::new(["BCG"]);
                format!("{} of {}", map[&key], map.len())
            }
            UidsFrom::Rules(sql) => sql.file.clone(),
            UidsFrom::Options(_) => "options".to_owned(),
            UidsFrom::Column => "the column".to_owned(),
        }
    };
    assert_eq!(way("uid = \"ElementAaa0\""), "ElementAaa0");
    assert_eq!(way(MAP), "ElementAaa0 of 2");
    assert_eq!(way("map-file = \"e.csv\""), "ElementAaa0 of 1");
    assert_eq!(way("rules = \"e.sql\""), "e.sql");
    assert_eq!(way(""), "the column");
}

#[test]
fn two_answers_none_and_answers_without_a_column_are_refused() {
    let both = format!("{MAP}\nuid = \"ElementAaa0\"");
    refused(MAP, &both, (9, 7), "has another answer beside it");
    let both = format!("{MAP}\nmap-file = \"e.csv\"");
    refused(MAP, &both, (10, 12), "not also `map-file`");
    let lines =
        "column = \"indicator\"\nmap = { BCG = \"ElementAaa0\", \"OPV 1\" = \"ElementAaa1\" }";
    refused(lines, "", (7, 1), "says nowhere where the UID comes from");
    refused(
        "column = \"indicator\"",
        "",
        (7, 1),
        "`column` (or `columns`) is missing",
    );
    refused(
        "column = \"indicator\"",
        "column = \"i\"\ncolumns = [\"i\"]",
        (8, 10),
        "exclude each other",
    );
    refused(
        "column = \"indicator\"",
        "columns = [\"a\", \"a\"]",
        (8, 11),
        "names a column twice",
    );
    refused(
        "column = \"indicator\"",
        "columns = [\"a\", \"b\"]",
        (9, 7),
        "takes one column",
    );
    refused(MAP, "map = {}", (9, 7), "has no key");
    refused(
        MAP,
        "map = { BCG = \"short\" }",
        (9, 15),
        "a UID has 11 characters",
    );
    refused(
        MAP,
        "mapfile = \"e.csv\"",
        (9, 1),
        "did you mean `map-file`?",
    );
}

#[test]
fn several_columns_make_one_key() {
    let text = edited(
        "column = \"indicator\"",
        "columns = [\"vaccine\", \"dose\"]",
    );
    let text = text.replace(MAP, "map-file = \"e.csv\"");
    let files = [("e.csv", "uid,dose,vaccine\nElementAaa0,1,OPV\n")];
    let mapping = accepted(&text, &files);
    let dimension = &mapping.dimensions[&Dimension::DataElement];
    assert_eq!(dimension.columns, ["vaccine", "dose"]);
    let UidsFrom::Map(map) = &dimension.uids_from else {
        panic!("not a map");
    };
    assert_eq!(map[&SourceKey::new(["OPV", "1"])], uid("ElementAaa0"));
    assert!(!map.contains_key(&SourceKey::new(["1", "OPV"])));
}

#[test]
fn a_column_that_holds_uids_can_only_be_left_where_the_source_is_silent() {
    let words = "must be \"leave\"";
    refused(MAP, "", (5, 10), words);
    refused(MAP, "rules = \"e.sql\"", (5, 10), words);
    refused("rules = \"rules.sql\"", "", (5, 10), words);
    for from in [MAP, "rules = \"rules.sql\""] {
        let text = edited(from, "").replace("\"zero\"", "\"leave\"");
        accepted(&text, &[]);
    }
    // One data element that withdraws is enough.
    let text = edited(MAP, "map-file = \"e.csv\"").replace("\"zero\"", "\"leave\"");
    let text = text.replace("rules = \"rules.sql\"\n", "");
    let files = [("e.csv", "indicator,uid,absent\nBCG,ElementAaa0,delete\n")];
    assert!(read(&text, &files).unwrap_err().message.contains(words));
}

#[test]
fn the_scope_is_what_the_files_can_produce() {
    let scope = accepted(BASE, &[]).scope();
    let triples = scope.triples.unwrap();
    assert_eq!(triples.len(), 1);
    assert_eq!(
        triples[0].data_elements,
        [uid("ElementAaa0"), uid("ElementAaa1")].into()
    );
    assert_eq!(
        scope.org_units,
        OrgUnitScope::OfDataSet { below: Vec::new() }
    );
    let units = |to: &str| {
        let text = edited("rules = \"rules.sql\"", to).replace("\"zero\"", "\"leave\"");
        accepted(&text, &[]).scope().org_units
    };
    let narrowed = "rules = \"rules.sql\"\nscope-org-units = [\"UnitAaaaaa0\"]";
    assert_eq!(
        units(narrowed),
        OrgUnitScope::OfDataSet {
            below: vec![uid("UnitAaaaaa0")]
        }
    );
    let constant = OrgUnitScope::Listed([uid("UnitAaaaaa1")].into());
    assert_eq!(units("uid = \"UnitAaaaaa1\""), constant);
    assert_eq!(units("map = { a = \"UnitAaaaaa1\" }"), constant);
    assert_eq!(units(""), OrgUnitScope::Seen);
    let text = edited(MAP, "").replace("\"zero\"", "\"leave\"");
    assert_eq!(accepted(&text, &[]).scope().triples, None);
}

#[test]
fn only_units_from_rules_are_narrowed() {
    let constant = "uid = \"UnitAaaaaa1\"\nscope-org-units = [\"UnitAaaaaa0\"]";
    refused(
        "rules = \"rules.sql\"",
        constant,
        (14, 19),
        "narrows units that come from `rules` only",
    );
    let elsewhere = format!("{MAP}\nscope-org-units = []");
    refused(
        MAP,
        &elsewhere,
        (10, 1),
        "unknown key `[data-element] scope-org-units`",
    );
}

#[test]
fn a_pattern_of_keys_that_may_be_shown_fits_whole_keys_only() {
    let shows = |pattern: &str, key: &str| {
        let text = edited(MAP, &format!("{MAP}\nshow-keys = '{pattern}'"));
        let mapping = accepted(&text, &[]);
        let shown = mapping.dimensions[&Dimension::DataElement]
            .show_keys
            .as_ref();
        shown.unwrap().is_match(key)
    };
    assert!(shows("[A-Z]+", "BCG"));
    assert!(!shows("[A-Z]+", "BCG of Mary"));
    assert!(!shows("[A-Z]+", "BCG\n"));
    assert!(shows("BCG|OPV.*", "OPV 3"));
    assert!(!shows("BCG|OPV.*", "BCG 3"));
    let bad = format!("{MAP}\nshow-keys = '(a'");
    refused(MAP, &bad, (10, 13), "is not a regular expression");
    // Brackets that close ours would open the pattern to everything that begins with a letter.
    let sly = format!("{MAP}\nshow-keys = 'A)|(?:B'");
    refused(MAP, &sly, (10, 13), "is not a regular expression");
}
