//! What the checks find in code that is still being mended. Each list of `still/` may only become shorter: a line that
//! no longer holds fails, and must be deleted. The lines of a list are sorted, one fault a line, as the check begins it;
//! between names there are lines of `#` that stay, so that two people may delete neighbours.

use std::fs;

use crate::st_lucia::repository;

/// Lines of the lists, without those that only hold their neighbours apart.
pub(super) struct Still(Vec<String>);

impl Still {
    /// The faults of one check that the lists have.
    pub(super) fn of(check: &str) -> Still {
        let folder = repository().join("tests/it/tidy/still");
        let files = fs::read_dir(folder).expect("the folder of lists");
        let files =
            files.map(|file| fs::read_to_string(file.expect("an entry").path()).expect("a list"));
        let lines: Vec<String> = files
            .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|line| Some(line.strip_prefix(check)?.strip_prefix(": ")?.to_owned()))
            .collect();
        Still(lines)
    }

    /// The faults that the lists do not have, and the lines that are no faults any more.
    pub(super) fn unknown(&self, check: &str, faults: Vec<String>) -> Vec<String> {
        let begins = |fault: &str, line: &str| {
            let rest = fault.strip_prefix(line);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(": "))
        };
        let mended = self
            .0
            .iter()
            .filter(|line| !faults.iter().any(|fault| begins(fault, line)));
        let mut unknown: Vec<String> = mended
            .map(|line| {
                format!("mended; delete this line in tests/it/tidy/still/: {check}: {line}")
            })
            .collect();
        unknown.extend(
            faults
                .iter()
                .filter(|fault| !self.0.iter().any(|line| begins(fault, line)))
                .cloned(),
        );
        unknown
    }
}

#[test]
fn a_list_may_only_become_shorter() {
    let list = Still(vec!["src/a.rs: f".to_owned(), "src/b.rs".to_owned()]);
    let unknown =
        |faults: &[&str]| list.unknown("c", faults.iter().map(ToString::to_string).collect());
    assert_eq!(unknown(&["src/a.rs: f: 6 parameters", "src/b.rs"]), [""; 0]);
    assert_eq!(
        unknown(&["src/a.rs: f", "src/b.rs", "src/b.rs2"]),
        ["src/b.rs2"]
    );
    let mended = unknown(&["src/a.rs: f"]);
    assert!(mended.len() == 1 && mended[0].ends_with("c: src/b.rs"));
}
