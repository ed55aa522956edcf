//! What functions take and give, and how many fields a struct has.

use super::items::{functions, structs, tuples};
use super::source::Source;

const PARAMETERS: usize = 5;
const FIELDS: usize = 10;
/// One of these words stands in the comment of a struct that has more fields.
const REASONS: [&str; 3] = ["because", "Because", "so that"];

/// Functions with more than five parameters, a `bool` among them, or a tuple of more than two that goes in or out.
pub(super) fn faults_of_signatures(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        for function in functions(source.product().unwrap_or_default()) {
            let mut fault =
                |what: &str| faults.push(format!("{}: `{}` {what}", source.path, function.name));
            let parameters = &function.parameters;
            if parameters.len() > PARAMETERS {
                fault("has too many parameters");
            }
            if parameters
                .iter()
                .any(|kind| ["bool", "&bool"].contains(&kind.as_str()))
            {
                fault("takes a bool");
            }
            let types = parameters.iter().chain([&function.returns]);
            if types.flat_map(|kind| tuples(kind)).any(|length| length > 2) {
                fault("has a tuple of more than two");
            }
        }
    }
    faults
}

/// Structs of more than ten fields whose comment does not say why.
pub(super) fn faults_of_structs(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        for (name, fields) in structs(source.product().unwrap_or_default()) {
            if fields.len() > FIELDS && !is_explained(&source.text, name) {
                faults.push(format!(
                    "{}: `{name}` does not say why it has so many fields",
                    source.path
                ));
            }
        }
    }
    faults
}

/// Whether the comment before a struct gives a reason. It may be a plain comment, as a doc comment of an argument is
/// shown to the user.
fn is_explained(text: &str, name: &str) -> bool {
    let declares = |line: &str| {
        let name = line
            .split_once("struct ")
            .map(|(_, rest)| rest.strip_prefix(name));
        name.flatten()
            .is_some_and(|rest| rest.starts_with([' ', '<', '(']))
    };
    let lines: Vec<&str> = text.lines().collect();
    let place = lines
        .iter()
        .position(|line| declares(line))
        .unwrap_or_default();
    let before = lines[..place]
        .iter()
        .rev()
        .take_while(|line| !line.trim().is_empty());
    let mut comment = before.filter(|line| line.trim_start().starts_with("//"));
    comment.any(|line| REASONS.iter().any(|reason| line.contains(reason)))
}
