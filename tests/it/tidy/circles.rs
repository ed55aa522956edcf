//! Circles between the files of one module.
//!
//! A file uses another one where it names something that the other one defines. A name that is only passed on (`pub use`,
//! or an import that is named from outside) leads to the file that defines it, and to declare a child is no use of it. So
//! the file of a folder may gather what stands in it and its children may name each other through it; but what it
//! defines for its children to use, it may not make of what they define.

use std::collections::{BTreeMap, BTreeSet};

use super::items::{Import, imports, without_imports};
use super::source::{Source, has_word, is_of_name};

struct File<'s> {
    path: &'s str,
    code: String,
    imports: Vec<Import>,
}

type Module = Vec<String>;

/// Files that use each other, each once, with the shortest way around.
pub(super) fn faults_of_circles(sources: &[Source]) -> Vec<String> {
    let mut files: BTreeMap<Module, File> = BTreeMap::new();
    for source in sources {
        let (Some(product), Some(module)) = (source.product(), source.module_path()) else {
            continue;
        };
        let (code, imports) = (without_imports(product), imports(product));
        let module = module.into_iter().map(str::to_owned).collect();
        files.insert(
            module,
            File {
                path: &source.path,
                code,
                imports,
            },
        );
    }
    let uses: BTreeMap<&Module, BTreeSet<Module>> = files
        .iter()
        .map(|(module, file)| (module, uses_of(module, file, &files)))
        .collect();
    let mut faults = Vec::new();
    for module in files.keys() {
        if let Some(way) = way_back(module, &uses) {
            let names: Vec<&str> = way.iter().map(|each| files[each].path).collect();
            faults.push(format!(
                "{} is in a circle: {}",
                files[module].path,
                names.join(" → ")
            ));
        }
    }
    faults
}

/// The other files of the same top module that one file uses.
fn uses_of(module: &Module, file: &File, files: &BTreeMap<Module, File>) -> BTreeSet<Module> {
    let mut used = BTreeSet::new();
    let named = file.imports.iter().filter(|import| {
        // What is imported and not named is passed on, or is a trait whose methods are called.
        has_word(&file.code, &import.name) || !has_children(module, files)
    });
    let named = named.map(|import| import.path.clone());
    for path in named.chain(paths_in(&file.code)) {
        used.extend(resolve(module, &path, files, 0));
    }
    used.retain(|other| other != module && other.first() == module.first());
    used
}

fn has_children(module: &Module, files: &BTreeMap<Module, File>) -> bool {
    files
        .keys()
        .any(|other| other.len() > module.len() && other.starts_with(module))
}

/// The file that defines what a path names, seen from a module.
fn resolve(
    from: &Module,
    path: &[String],
    files: &BTreeMap<Module, File>,
    depth: usize,
) -> Option<Module> {
    let mut names = path.iter().peekable();
    let mut module = from.clone();
    let mut child = from.clone();
    child.push(path.first()?.clone());
    match names.peek()?.as_str() {
        "crate" => {
            names.next();
            module.clear();
        }
        "self" => _ = names.next(),
        "super" => {
            while names.next_if(|name| *name == "super").is_some() {
                module.pop();
            }
        }
        _ if files.contains_key(&child) => {}
        _ => return None,
    }
    for name in names {
        let mut inner = module.clone();
        inner.push(name.clone());
        if files.contains_key(&inner) {
            module = inner;
            continue;
        }
        let passed_on = files
            .get(&module)?
            .imports
            .iter()
            .find(|import| import.name == *name);
        return match passed_on {
            Some(import) if depth < 8 => resolve(&module, &import.path, files, depth + 1),
            _ => Some(module),
        };
    }
    Some(module)
}

/// The paths that stand in code beside its imports.
fn paths_in(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find(|character: char| is_of_name(character)) {
        let path = &rest[start..];
        let end = path.find(|character: char| !is_of_name(character) && character != ':');
        let (path, after) = path.split_at(end.unwrap_or(path.len()));
        let names: Vec<String> = path.split("::").map(str::to_owned).collect();
        if names.len() > 1 {
            paths.push(names);
        }
        rest = after;
    }
    paths
}

/// The shortest way from a file back to itself.
fn way_back(module: &Module, uses: &BTreeMap<&Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
    let mut ways = vec![vec![module.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in uses.get(way.last()?)? {
                let mut way = way.clone();
                way.push(next.clone());
                if next == module {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}
