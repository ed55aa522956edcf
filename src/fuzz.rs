//! What must hold of everything that others write, whatever stands in it: one function for each kind of text. The
//! fuzz targets call them with invented bytes, and the tests here with the findings and seeds in `tests/fuzz/`.

use std::collections::BTreeMap;
use std::io::{self, Read};

use crate::dhis2::error::Dhis2Error;
use crate::dhis2::import::OutgoingValue;
use crate::dhis2::live;
use crate::dhis2::summary::summary;
use crate::dhis2::verdict::{Offenders, Rest, verdict};
use crate::domain::{Cell, Triple, Uid};
use crate::map::{Document, read};
use crate::mapping::{
    Codes, ExtractHeader, ExtractLine, ParameterValues, PlainStrings, Sql, Statement, Unreadable,
    overlap, parse,
};

/// A SQL file. The lexer changes nothing but parameters and the closing `;`, a value is read back as a part of one
/// string and nothing else, and every place it tells is in the file.
pub(crate) fn sql(input: &[u8]) {
    const VALUES: [(&str, &str); 4] = [
        ("period_start", "2025-03-01"),
        ("as_of", "' || $$;\n:'x' --"),
        ("period_end", "\\' /* \\"),
        ("x", ""),
    ];
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let lines = text.lines().count().max(1);
    let sql = match Sql::parse("query.sql", text, &VALUES.map(|(name, _)| name)) {
        Err(error) => {
            let in_file = (1..=lines + 1).contains(&error.line) && error.column >= 1;
            return assert!(in_file, "{error}");
        }
        Ok(sql) => sql,
    };
    let values = VALUES.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let values = ParameterValues::from(values);
    assert!(sql.parameters.iter().all(|name| values.contains_key(name)));
    for plain_strings in [PlainStrings::Standard, PlainStrings::Backslashes] {
        if let Ok(statement) = sql.with(&values, plain_strings) {
            sql_statement(text, &statement, plain_strings);
        }
    }
}

fn sql_statement(written: &str, statement: &Statement<'_>, plain_strings: PlainStrings) {
    assert!(!statement.text.contains('\0'));
    // What came in is no parameter, opens nothing and ends nothing.
    let again = Sql::parse("again.sql", &statement.text, &[]).expect("one statement");
    let again = again.with(&ParameterValues::new(), plain_strings);
    assert_eq!(again.expect("one statement").text, statement.text);
    let lines = written.lines().count().max(1);
    let (length, longest) = (statement.text.chars().count(), written.chars().count());
    // All places of a long text would take its square.
    for before in (0..=length).step_by(1 + length / 64) {
        let (line, column) = statement.place(before);
        assert!(line <= lines + 1 && column <= longest + 1);
    }
    if statement.sql.parameters.is_empty() {
        let written = written.strip_prefix('\u{feff}').unwrap_or(written);
        assert_eq!(statement.text.len(), written.len());
        let differ = |(now, then): &(u8, u8)| now != then;
        let mut changed = statement.text.bytes().zip(written.bytes()).filter(differ);
        assert!(changed.all(|change| change == (b' ', b';')));
    }
}

/// The answer to an import of five values. No verdict names a value that was not sent, none twice, and none is taken
/// for stored against the server's own counts.
pub(crate) fn import_summary(input: &[u8]) {
    let Some(summary) = summary(input) else {
        return;
    };
    let sent: Vec<OutgoingValue<'_>> = CELLS.iter().map(|cell| value(cell)).collect();
    let verdict = verdict(&summary, &sent);
    let rejected: Vec<usize> = verdict.rejected.iter().map(|value| value.index).collect();
    ascending_below(&rejected, sent.len());
    if let Some(refused) = &verdict.refused {
        if let Offenders::Named(named) = &refused.offenders {
            ascending_below(named, sent.len());
            assert!(!named.is_empty() && named.len() < sent.len());
        }
        assert!(rejected.is_empty());
    }
    if verdict.rest == Rest::Stored {
        assert!(!summary.broke);
        let counts = [summary.imported, summary.updated, summary.deleted];
        let counted: u128 = counts.into_iter().map(u128::from).sum();
        assert_eq!(counted, (sent.len() - rejected.len()) as u128);
    }
}

fn ascending_below(indexes: &[usize], end: usize) {
    assert!(indexes.is_sorted_by(|one, next| one < next));
    assert!(indexes.iter().all(|index| *index < end));
}

/// Five cells of different units and elements, as text: element, period, unit, combo.
const CELLS: [[&str; 4]; 5] = [
    ["M1eFRJpEkoO", "202503", "VsF9dWr6arv", "HllvX50cXC0"],
    ["M1eFRJpEkoO", "202503", "iztChCalPg5", "HllvX50cXC0"],
    ["FQAQ3PqLsVK", "202503", "VsF9dWr6arv", "HllvX50cXC0"],
    ["FQAQ3PqLsVK", "202503", "iztChCalPg5", "vRXzaVCWYsn"],
    ["NaIvsjCYa37", "202503", "VsF9dWr6arv", "vRXzaVCWYsn"],
];

fn value(cell: &[&'static str; 4]) -> OutgoingValue<'static> {
    let [element, period, unit, combo] = cell;
    let uid = |text: &str| text.parse::<Uid>().expect("a UID");
    OutgoingValue {
        cell: Cell {
            period: period.parse().expect("a period"),
            org_unit: uid(unit),
            triple: Triple {
                data_element: uid(element),
                category_option_combo: uid(combo),
                attribute_option_combo: uid("HllvX50cXC0"),
            },
        },
        value: "5",
        comment: None,
        follow_up: false,
        deleted: false,
    }
}

/// The live values of DHIS2. How the bytes arrive makes no difference, and an answer that was cut is never a whole one.
pub(crate) fn live_values(input: &[u8]) {
    let whole = shown(input);
    assert_eq!(whole, shown(Dripping(input)));
    let end = input.trim_ascii_end().len();
    let cut = input.get(..end.saturating_sub(1)).unwrap_or_default();
    assert!(whole.is_err() || shown(cut).is_err());
}

fn shown(body: impl Read) -> Result<Vec<String>, Dhis2Error> {
    let mut rows = Vec::new();
    let mut visit = |row: crate::domain::LiveRow<'_>| rows.push(format!("{row:?}"));
    live::rows(body, "reading", &mut visit)?;
    Ok(rows)
}

/// One byte at a time.
struct Dripping<'b>(&'b [u8]);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(1);
        let place = buffer.get_mut(..length).unwrap_or_default();
        self.0.read(place)
    }
}

/// What parts the files of a mapping in one input.
const NEXT_FILE: &str = "\n====\n";

/// A mapping file, and after a line `====` the map file of all its dimensions. What is wrong is told with a place in
/// one of the two; what is right has a scope.
pub(crate) fn mapping(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (toml, map_file) = text.split_once(NEXT_FILE).unwrap_or((text, ""));
    let mut read_file = |path: &str| match path {
        path if path.ends_with(".sql") => Ok("SELECT 1".to_owned()),
        path if path.ends_with(".csv") => Ok(map_file.to_owned()),
        _ => Err(Unreadable {
            place: None,
            problem: "cannot be read".to_owned(),
        }),
    };
    match parse("m", "m.toml", toml, &mut read_file, Codes::Pinned(None)) {
        Err(error) => {
            let lines = text.lines().count() + 1;
            let in_file = |(line, column)| (1..=lines).contains(&line) && column >= 1;
            assert!(error.place.is_none_or(in_file), "{error}");
        }
        Ok(mapping) => {
            assert!(!mapping.queries.is_empty() && mapping.look_back <= 10_000);
            mapping.scope();
            // It would write every cell that it writes.
            let twins = [mapping];
            assert!(overlap(&twins).is_none());
        }
    }
}

/// What `map` reads: what is read from a line is what was meant by writing it.
pub(crate) fn lines(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let mut lines = text.lines();
    if let Some(Ok(header)) = lines.next().map(ExtractHeader::parse) {
        let written = serde_json::to_string(&header).expect("JSON");
        assert_eq!(ExtractHeader::parse(&written), Ok(header));
    }
    for line in text.lines() {
        match ExtractLine::parse(line) {
            Ok(ExtractLine::Row(row)) => {
                let written = serde_json::to_string(&row).expect("JSON");
                let again = ExtractLine::parse(&written).expect("a row");
                assert!(matches!(again, ExtractLine::Row(again) if again == row));
            }
            Ok(ExtractLine::Result(result)) => {
                let written = serde_json::to_string(&result).expect("JSON");
                let again = ExtractLine::parse(&written).expect("a result");
                assert!(matches!(again, ExtractLine::Result(again) if again == result));
            }
            Ok(ExtractLine::End(_)) | Err(_) => {}
        }
    }
}

/// What `push` reads: a document that is taken balances, and is the same when it is written and read again.
pub(crate) fn document(input: &[u8]) {
    let Ok((desired, created)) = read(input) else {
        return;
    };
    assert!(desired.rows.balances());
    let mut keys = desired.cells.iter().map(|cell| cell.key);
    assert!(keys.by_ref().is_sorted());
    let written = |desired| {
        let document = Document {
            desired,
            created: created.to_string(),
        };
        serde_json::to_string(&document).expect("JSON")
    };
    let first = written(&desired);
    let (again, _) = read(first.as_bytes()).expect("what we write we read");
    assert_eq!(written(&again), first);
}

/// Panics if what must hold of an input does not.
pub(crate) type Target = fn(&[u8]);

/// The function for each folder of `tests/fuzz/`.
pub(crate) fn targets() -> BTreeMap<&'static str, Target> {
    let targets: [(_, Target); 6] = [
        ("sql", sql),
        ("import-summary", import_summary),
        ("live-values", live_values),
        ("mapping", mapping),
        ("lines", lines),
        ("document", document),
    ];
    targets.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::targets;

    #[test]
    fn every_input_that_was_kept_holds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
        let listed = fs::read_dir(&folder).expect("the folder of inputs");
        let names: BTreeSet<String> = listed
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.into_string().expect("UTF-8"))
            .collect();
        let targets = targets();
        assert!(names.iter().eq(targets.keys()), "{names:?}");
        for (name, target) in targets {
            let inputs = fs::read_dir(folder.join(name)).expect("a folder of inputs");
            let mut count = 0;
            for input in inputs {
                let path = input.expect("an entry").path();
                let bytes = fs::read(&path).expect("an input");
                let held = std::panic::catch_unwind(|| target(&bytes));
                assert!(held.is_ok(), "{}", path.display());
                count += 1;
            }
            assert!(count > 0, "{name} has no input");
        }
    }
}
