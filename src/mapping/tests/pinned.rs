//! What a mapping finds by a pin: objects by their codes, combos by their options; and what it names that is not there.

use super::{BASE, edited, read_by, uid};
use crate::domain::{Dimension, Pin, Uid};
use crate::mapping::{Codes, FileError, Mapping, PinFile, UidsFrom};

/// Two elements: one by age and sex, one by another age in a combo of its own; a unit with a namesake; a root.
const PIN: &str = r#"{
"pg2dhis2": "pin/1",
"dhis2": {"url":"https://dhis2/","version":"2.43.1"},
"dataSets": {
  "fTTHFe1SktZ": {"code":"EPI","name":"EPI","periodType":"Monthly","categoryCombo":"CatComboAa0"}
},
"dataElements": {
  "ElementAaa0": {"code":"BCG","name":"BCG","valueType":"NUMBER","aggregationType":"SUM","zeroIsSignificant":false,"dataSets":{"fTTHFe1SktZ":"CatComboAa1"}},
  "ElementAaa1": {"code":"OPV","name":"OPV","valueType":"NUMBER","aggregationType":"SUM","zeroIsSignificant":false,"dataSets":{"fTTHFe1SktZ":"CatComboAa2"}},
  "ElementAaa2": {"code":"MMR","name":"MMR","valueType":"NUMBER","aggregationType":"SUM","zeroIsSignificant":false,"dataSets":{}}
},
"categoryCombos": {
  "CatComboAa0": {"name":"default","categoryOptionCombos":["HllvX50cXC0"]},
  "CatComboAa1": {"name":"Age and sex","categoryOptionCombos":["ComboAaaaa0","ComboAaaaa1"]},
  "CatComboAa2": {"name":"Age","categoryOptionCombos":["ComboAaaaa2","ComboAaaaa3"]}
},
"categoryOptionCombos": {
  "HllvX50cXC0": {"code":"default","name":"default","categoryOptions":["OptionAaaa9"]},
  "ComboAaaaa0": {"code":"U1_F","name":"U1, F","categoryOptions":["OptionAaaa0","OptionAaaa1"]},
  "ComboAaaaa1": {"code":"U1_M","name":"U1, M","categoryOptions":["OptionAaaa0","OptionAaaa2"]},
  "ComboAaaaa2": {"code":"OLD","name":"Old","categoryOptions":["OptionAaaa3"]},
  "ComboAaaaa3": {"code":"AGED","name":"Old, too","categoryOptions":["OptionAaaa4"]}
},
"categoryOptions": {
  "OptionAaaa0": {"code":"U1","name":"Under one"},
  "OptionAaaa1": {"code":"F","name":"Female"},
  "OptionAaaa2": {"code":"M","name":"Male"},
  "OptionAaaa3": {"code":"A3","name":"Old"},
  "OptionAaaa4": {"name":"Old"},
  "OptionAaaa9": {"code":"default","name":"default"}
},
"organisationUnits": {
  "UnitAaaaaa0": {"code":"TWIN","name":"One","path":"/RootAaaaaa0/UnitAaaaaa0","dataSets":["fTTHFe1SktZ"]},
  "UnitAaaaaa1": {"code":"TWIN","name":"Other","path":"/RootAaaaaa0/UnitAaaaaa1","dataSets":[]},
  "RootAaaaaa0": {"code":"ROOT","name":"Root","path":"/RootAaaaaa0","dataSets":[]}
}
}
"#;

fn file() -> PinFile {
    PinFile {
        shown: "dhis2.pin.json".to_owned(),
        pin: Pin::parse(PIN).unwrap(),
        digest: "digest".to_owned(),
    }
}

fn pinned(text: &str) -> Result<Mapping, FileError> {
    read_by(text, &[], Codes::Pinned(Some(&file())))
}

/// The mapping whose category option combos are found from the options in these columns.
fn by_options(columns: &str) -> Mapping {
    let table = format!("[category-option-combo]\ncolumns = {columns}\noptions = true\n[org-unit]");
    pinned(&edited("[org-unit]", &table)).unwrap()
}

fn combo(mapping: &Mapping, values: &[Option<&str>]) -> Option<Uid> {
    match &mapping.dimensions[&Dimension::CategoryOptionCombo].uids_from {
        UidsFrom::Options(options) => options.find(values.iter().copied(), None),
        other => panic!("{other:?}"),
    }
}

#[test]
fn options_are_named_by_code_or_name_in_any_order() {
    let mapping = by_options("[\"age\", \"sex\"]");
    for key in [
        ["U1", "F"],
        ["F", "U1"],
        ["Under one", "F"],
        ["Female", "U1"],
    ] {
        let key = key.map(Some);
        assert_eq!(combo(&mapping, &key), Some(uid("ComboAaaaa0")), "{key:?}");
    }
    // An empty text is no option.
    assert_eq!(
        combo(&mapping, &[Some("A3"), Some("")]),
        Some(uid("ComboAaaaa2"))
    );
    // One option too few, one too many, one twice, another letter case, NULL, a combo of no element.
    for key in [
        [Some("U1"), Some("")],
        [Some("F"), Some("M")],
        [Some("A3"), Some("A3")],
        [Some("u1"), Some("f")],
        [Some("A3"), None],
        [Some(""), Some("")],
    ] {
        assert_eq!(combo(&mapping, &key), None, "{key:?}");
    }
}

#[test]
fn options_that_two_combos_have_name_neither() {
    let mapping = by_options("[\"age\"]");
    assert_eq!(combo(&mapping, &[Some("Old")]), None);
    assert_eq!(combo(&mapping, &[Some("A3")]), Some(uid("ComboAaaaa2")));
    let triples = mapping.scope().triples.unwrap();
    // What one column cannot name is not answered for.
    assert_eq!(
        triples[0].category_option_combos,
        [uid("ComboAaaaa2")].into()
    );
}

#[test]
fn an_attribute_option_combo_is_found_among_those_of_the_data_set() {
    let table = "[attribute-option-combo]\ncolumn = \"fund\"\noptions = true\n[org-unit]";
    let mapping = pinned(&edited("[org-unit]", table)).unwrap();
    match &mapping.dimensions[&Dimension::AttributeOptionCombo].uids_from {
        UidsFrom::Options(options) => {
            assert_eq!(options.find([Some("")], None), Some(uid("HllvX50cXC0")));
            assert_eq!(options.find([Some("A3")], None), None);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_code_may_stand_wherever_a_uid_does() {
    let text = BASE
        .replace("\"fTTHFe1SktZ\"", "\"code:EPI\"")
        .replace("\"ElementAaa0\"", "\"code:BCG\"")
        .replace(
            "[org-unit]",
            "[category-option-combo]\nuid = \"code:U1_F\"\n[org-unit]",
        )
        + "scope-org-units = [\"code:ROOT\"]\n";
    let mapping = pinned(&text).unwrap();
    assert_eq!(mapping.data_set, uid("fTTHFe1SktZ"));
    let triples = mapping.scope().triples.unwrap();
    assert!(triples[0].data_elements.contains(&uid("ElementAaa0")));
    assert_eq!(
        triples[0].category_option_combos,
        [uid("ComboAaaaa0")].into()
    );
    let roots = &mapping.dimensions[&Dimension::OrgUnit].scope_org_units;
    assert_eq!(roots, &[uid("RootAaaaaa0")]);
    // What the mapping is depends on the pin.
    assert_eq!(mapping.digests["dhis2.pin.json"], "digest");
    assert!(!pinned(BASE).unwrap().digests.contains_key("dhis2.pin.json"));
    mapping.check(&file()).unwrap();
}

#[test]
fn a_code_that_is_not_one_is_refused_where_it_stands() {
    let refused = |from: &str, to: &str, place: (usize, usize), words: &str| {
        let error = pinned(&edited(from, to)).expect_err(to);
        assert_eq!(error.place, Some(place), "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    let words = "no data element with the code `BGC`, did you mean `code:BCG`?";
    refused("\"ElementAaa0\"", "\"code:BGC\"", (9, 15), words);
    // The code of a data element is not one of a data set.
    let words = "no data set with the code `BCG`";
    refused("\"fTTHFe1SktZ\"", "\"code:BCG\"", (1, 12), words);
    let words = "is the code of more than one organisation unit (UnitAaaaaa0, UnitAaaaaa1)";
    let table = "uid = \"code:TWIN\"";
    refused("rules = \"rules.sql\"", table, (13, 7), words);
    refused("\"ElementAaa0\"", "\"code:\"", (9, 15), "with the code ``");
}

#[test]
fn what_the_pinned_dhis2_would_not_take_is_refused_where_it_stands() {
    let refused = |from: &str, to: &str, place: Option<(usize, usize)>, words: &str| {
        let text = edited(from, to);
        let error = pinned(&text).unwrap().check(&file()).expect_err(&text);
        assert_eq!(error.place, place, "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    let combo = |uid: &str| format!("[category-option-combo]\nuid = \"{uid}\"\n[org-unit]");
    refused(
        "fTTHFe1SktZ",
        "fTTHFe1SktY",
        Some((1, 12)),
        "does not know data set",
    );
    let words = "data element ElementAaa2 is not in the data set";
    let of_elements = combo("ComboAaaaa0");
    refused("ElementAaa0", "ElementAaa2", Some((9, 15)), words);
    let words = "is not one of any data element's";
    refused("[org-unit]", &combo("HllvX50cXC0"), Some((12, 7)), words);
    let table = of_elements.replace(
        "[org-unit]",
        "[attribute-option-combo]\nuid = \"ComboAaaaa0\"\n[org-unit]",
    );
    let words = "attribute option combo ComboAaaaa0 is not one of the data set's";
    refused("[org-unit]", &table, Some((14, 7)), words);
    let unit = |uid: &str| format!("{of_elements}\ncolumn = \"municipality\"\nuid = \"{uid}\"");
    let rest = "[org-unit]\ncolumn = \"municipality\"\nrules = \"rules.sql\"";
    refused(rest, &unit("UnitAaaaaa1"), Some((15, 7)), "is not assigned");
    refused(rest, &unit("UnitAaaaaa7"), Some((15, 7)), "does not exist");
    // The default that nobody wrote is told too.
    refused(
        "BCG",
        "B",
        None,
        "table `[category-option-combo]` is missing",
    );
}
