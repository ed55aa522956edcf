//! What stands in Rust code from which comments and quoted text were taken: functions, types, imports.

use std::ops::Range;

use super::source::{first_name, is_of_name};

pub(super) struct Function {
    pub(super) name: String,
    /// The types of the parameters, `self` apart.
    pub(super) parameters: Vec<String>,
    pub(super) returns: String,
}

/// One name that a `use` brings into a file.
pub(super) struct Import {
    pub(super) path: Vec<String>,
    pub(super) name: String,
}

/// The functions of the code, but for those whose form a trait decides that they implement.
pub(super) fn functions(code: &str) -> Vec<Function> {
    let foreign = implementations(code);
    let free =
        places(code, "fn").filter(|place| !foreign.iter().any(|range| range.contains(place)));
    free.filter_map(|place| function(code.get(place + "fn ".len()..)?))
        .collect()
}

fn function(rest: &str) -> Option<Function> {
    let name = first_name(rest);
    let after = &rest[name.len()..];
    let generics = if after.starts_with('<') {
        inside(after)?.len() + 2
    } else {
        0
    };
    let after = after[generics..]
        .strip_prefix('(')
        .is_some()
        .then(|| &after[generics..])?;
    let inputs = inside(after)?;
    let output = &after[inputs.len() + 2..];
    let end = output.find(['{', ';']).unwrap_or(output.len());
    let returns = output[..end].split(" where").next().unwrap_or_default();
    let parameters = parts(inputs, ',').into_iter().filter_map(|parameter| {
        let typed = parts(parameter, ':');
        let (name, rest) = typed.split_first()?;
        let is_self = name.trim().trim_start_matches("mut ") == "self" || rest.is_empty();
        (!is_self).then(|| parameter[name.len() + 1..].trim().to_owned())
    });
    Some(Function {
        name: name.to_owned(),
        parameters: parameters.collect(),
        returns: returns.to_owned(),
    })
}

/// Each tuple in a type, by its length. What stands in parentheses after a name are the parameters of a closure.
pub(super) fn tuples(kind: &str) -> impl Iterator<Item = usize> {
    let opens = kind.match_indices('(').map(|(place, _)| place);
    let tuples = opens.filter(|place| !kind[..*place].ends_with(is_of_name));
    tuples.filter_map(|place| Some(parts(inside(&kind[place..])?, ',').len()))
}

/// The name of each struct, and what stands in its fields.
pub(super) fn structs(code: &str) -> Vec<(&str, Vec<&str>)> {
    blocks(code, "struct")
}

/// The name of each enum, and its variants.
pub(super) fn enums(code: &str) -> Vec<(&str, Vec<&str>)> {
    blocks(code, "enum")
}

fn blocks<'c>(code: &'c str, kind: &str) -> Vec<(&'c str, Vec<&'c str>)> {
    let block = |place: usize| {
        let rest = code.get(place + kind.len() + 1..)?;
        let open = rest.find(['{', '(', ';'])?;
        let parts = inside(&rest[open..]).map(|fields| parts(fields, ','));
        Some((first_name(rest), parts.unwrap_or_default()))
    };
    places(code, kind).filter_map(block).collect()
}

/// The names of structs, enums, traits and types that the code makes.
pub(super) fn types(code: &str) -> Vec<&str> {
    let mut within = implementations(code);
    within.extend(places(code, "trait").filter_map(|place| braced(code, place)));
    let is_free = |place: &usize| !within.iter().any(|range| range.contains(place));
    let kinds = ["struct", "enum", "trait"].into_iter();
    let own = kinds.flat_map(|kind| places(code, kind).map(move |place| (kind, place)));
    let short = places(code, "type")
        .filter(is_free)
        .map(|place| ("type", place));
    let named = own
        .chain(short)
        .filter_map(|(kind, place)| code.get(place + kind.len() + 1..));
    named
        .map(first_name)
        .filter(|name| name.starts_with(char::is_uppercase))
        .collect()
}

/// What the code's `use` items name.
pub(super) fn imports(code: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    for item in places(code, "use").filter_map(|place| code.get(place + "use ".len()..)) {
        let tree = item.split(';').next().unwrap_or_default();
        flatten(tree, &[], &mut imports);
    }
    imports
}

fn flatten(tree: &str, before: &[String], imports: &mut Vec<Import>) {
    let tree = tree.trim();
    if let Some(list) = tree.strip_prefix('{').and_then(|_| inside(tree)) {
        parts(list, ',')
            .into_iter()
            .for_each(|tree| flatten(tree, before, imports));
        return;
    }
    let name = first_name(tree);
    let path = if name == "self" && !before.is_empty() {
        before.to_vec()
    } else {
        [before, &[name.to_owned()]].concat()
    };
    match tree[name.len()..].strip_prefix("::") {
        Some(rest) => flatten(rest, &path, imports),
        None => {
            let renamed = tree
                .split_once(" as ")
                .map(|(_, name)| name.trim().to_owned());
            let name = renamed.or_else(|| path.last().cloned()).unwrap_or_default();
            imports.push(Import { path, name });
        }
    }
}

/// The code without its `use` items.
pub(super) fn without_imports(code: &str) -> String {
    let mut kept = String::new();
    let mut from = 0;
    for place in places(code, "use") {
        kept.push_str(&code[from..place]);
        from = code[place..]
            .find(';')
            .map_or(code.len(), |end| place + end);
    }
    kept + &code[from..]
}

/// The places of a keyword and a blank.
fn places(code: &str, word: &str) -> impl Iterator<Item = usize> {
    let keyword = format!("{word} ");
    let mut places = Vec::new();
    for (place, _) in code.match_indices(&keyword) {
        if !code[..place].ends_with(is_of_name) {
            places.push(place);
        }
    }
    places.into_iter()
}

/// The blocks that implement a trait.
fn implementations(code: &str) -> Vec<Range<usize>> {
    let starts = places(code, "impl").chain(code.match_indices("impl<").map(|(place, _)| place));
    let items = starts
        .filter(|place| code[..*place].trim_end_matches(' ').ends_with(['\n', '}']) || *place == 0);
    let traits = items.filter(|place| {
        let head = code[*place..].split('{').next().unwrap_or_default();
        head.contains(" for ")
    });
    traits.filter_map(|place| braced(code, place)).collect()
}

/// From a place to the end of the next block in braces.
fn braced(code: &str, place: usize) -> Option<Range<usize>> {
    let open = place + code[place..].find('{')?;
    Some(place..open + inside(&code[open..])?.len() + 2)
}

/// What stands in the bracket that `code` begins with.
fn inside(code: &str) -> Option<&str> {
    let mut depth = 0;
    let angles = code.starts_with('<');
    for (place, character) in code.char_indices() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '<' if angles => depth += 1,
            '>' if angles && !code[..place].ends_with('-') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return code.get(1..place);
        }
    }
    None
}

/// What stands between separators that are in no bracket, if it is not blank.
fn parts(list: &str, separator: char) -> Vec<&str> {
    let mut depth = 0;
    let mut start = 0;
    let mut parts = Vec::new();
    for (place, character) in list.char_indices() {
        match character {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if !list[..place].ends_with('-') => depth -= 1,
            ':' if list[place..].starts_with("::") || list[..place].ends_with(':') => {}
            _ if character == separator && depth == 0 => {
                parts.push(&list[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}
