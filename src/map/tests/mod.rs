//! Facts about rows and what becomes of them, told through one small mapping.

mod accounts;
mod combining;
mod documents;
mod orders;
mod outcomes;
mod results;
mod rules;

use super::{MapFault, Mapper};
use crate::domain::{Desired, Dimension, Incomplete, KeyMask, Period};
use crate::mapping::{Codes, Columns, Mapping, parse};

/// A mapping whose data elements are added up (`sum`), of which the larger counts (`max`), or which do not combine
/// (`one`); with map, rules and both ways to have a constant.
const MAPPING: &str = r#"
data-set = "DataSetAaa0"
queries = ["rows.sql"]
period = { type = "Monthly", column = "p" }
value = "v"
combine = "sum"
absent = "zero"

[data-element]
column = "i"
map-file = "elements.csv"

[category-option-combo]
columns = ["age", "sex"]
map-file = "combos.csv"

[org-unit]
column = "m"
rules = "rules.sql"
"#;

const ELEMENTS: &str = "i,uid,combine\nsum,ElementSum0,\nmax,ElementMax0,max\nmin,ElementMin0,min\none,ElementOne0,refuse\n";
const COMBOS: &str = "age,sex,uid\n<1,f,ComboAaaaa0\n<1,m,ComboAaaaa1\n,,ComboAaaaa2\n";

/// Rules as `key uid valid_from valid_to priority exclude rule`, `-` for NULL.
const RULES: [&str; 5] = [
    "Castries UnitAaaaaa0 - - - - -",
    "Bexon UnitAaaaaa0 - - - - -",
    "Soufriere UnitAaaaaa1 2025-01-01 2025-02-28 - - -",
    "Cruise - - - - true visitors",
    "Choiseul UnitAaaaaa1 - - - false -",
];

fn mapping(text: &str) -> Mapping {
    let mut read_file = |path: &str| {
        Ok(match path {
            "elements.csv" => ELEMENTS.to_owned(),
            "combos.csv" => COMBOS.to_owned(),
            _ => "SELECT 1".to_owned(),
        })
    };
    let codes = Codes::Pinned(None);
    parse("small", "small.toml", text, &mut read_file, codes).unwrap()
}

fn columns(all: &str) -> Columns {
    let split = |column: &str| {
        let (name, type_name) = column.split_once(' ').unwrap();
        (name.to_owned(), type_name.to_owned())
    };
    Columns(all.split(", ").map(split).collect())
}

/// The values of a line; `-` is NULL, `~` a blank within a value.
fn values(line: &str) -> Vec<Option<String>> {
    let value = |word: &str| (word != "-").then(|| word.replace('~', " "));
    line.split(' ').map(value).collect()
}

fn add(mapper: &mut Mapper<'_>, line: &str) -> Result<(), MapFault> {
    let values = values(line);
    let row: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
    mapper.row(&row)
}

fn periods(all: &[&str]) -> Vec<Period> {
    all.iter().map(|text| text.parse().unwrap()).collect()
}

/// Rules for units, then rows as `p i age sex m v`, for 202501 to 202503; `v` is of the given type.
fn mapped_as(value_type: &str, rules: &[&str], rows: &[&str]) -> Result<Desired, MapFault> {
    let mapping = mapping(MAPPING);
    let periods = periods(&["202501", "202502", "202503"]);
    let mut mapper = Mapper::new(&mapping, periods.clone());
    let of_rules = columns(
        "key text, uid text, valid_from date, valid_to date, priority int4, exclude bool, rule text",
    );
    mapper.begin_rules(Dimension::OrgUnit, &of_rules)?;
    for rule in rules {
        add(&mut mapper, rule)?;
    }
    let of_rows = columns(&format!(
        "p text, i text, age text, sex text, m text, v {value_type}"
    ));
    mapper.begin_rows("rows.sql", &periods, &of_rows)?;
    for row in rows {
        add(&mut mapper, row)?;
    }
    mapper.finish(&KeyMask::new(b"secret".to_vec()))
}

fn mapped(rows: &[&str]) -> Desired {
    mapped_as("numeric", &RULES, rows).unwrap()
}

/// The cells as `period unit element combo = value`, with what is missing in them.
fn cells(desired: &Desired) -> Vec<String> {
    let cell = |cell: crate::domain::Cell| {
        format!(
            "{} {} {} {}",
            cell.period, cell.org_unit, cell.triple.data_element, cell.triple.category_option_combo
        )
    };
    let whole = desired.cells.iter().map(|each| {
        let lacks = match desired.incomplete.get(&each.key) {
            Some(Incomplete::Empty) => " (empty)",
            Some(Incomplete::Invalid) => " (invalid)",
            None => "",
        };
        format!(
            "{} = {}{lacks}",
            cell(desired.space.cell(each.key).unwrap()),
            each.value
        )
    });
    whole.collect()
}

/// What a mapping of these rows is refused for.
#[track_caller]
fn fault(rows: &[&str]) -> String {
    match mapped_as("numeric", &RULES, rows) {
        Ok(desired) => panic!("mapped: {:?}", cells(&desired)),
        Err(fault) => fault.to_string(),
    }
}
