//! One name, one meaning: of types, of files, and of the files of `commands/`.

use std::collections::{BTreeMap, BTreeSet};

use super::items::{enums, types};
use super::source::{Source, first_name, is_of_name};

/// Modules whose name may stand in several places, with the reason. Where it is one subject in several layers, the
/// layer says what is done with it.
const MAY_REPEAT: [(&str, &str); 15] = [
    (
        "analytics",
        "asked for after a run, spoken about with DHIS2",
    ),
    ("completeness", "judged in `plan`, spoken about with DHIS2"),
    ("data_store", "filled after a run, spoken about with DHIS2"),
    ("drift", "the type of the core, and how it is found"),
    ("error", "each stage has its own errors"),
    ("history", "kept in one module, shown by the other"),
    ("json", "a report of its own kind, written as JSON"),
    (
        "live",
        "live values as DHIS2 tells them, and as `plan` packs them",
    ),
    ("mail", "set in a site file, sent by `notify`"),
    (
        "metadata",
        "the types of the core, and how DHIS2 tells them",
    ),
    ("metrics", "worded by the report, written after a run"),
    ("page", "worded by the report, written after a run"),
    ("parse", "the reader of what its folder is about"),
    (
        "read",
        "the stage that reads the source, and the reader of a document",
    ),
    ("text", "a report of its own kind, written for people"),
];

const IMPORTS_OF_COMMANDS: usize = 15;

/// Types of the program that share their name.
pub(super) fn faults_of_types(sources: &[Source]) -> Vec<String> {
    let mut homes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in sources {
        for name in types(source.product().unwrap_or_default()) {
            homes.entry(name).or_default().push(&source.path);
        }
    }
    homes.retain(|_, homes| homes.len() > 1);
    let repeated = homes.into_iter();
    repeated
        .map(|(name, homes)| format!("`{name}` is several types: {}", homes.join(", ")))
        .collect()
}

/// Modules of the program that share their name. The files of `commands/` have the names of the subcommands, which
/// are those of what they work on.
pub(super) fn faults_of_modules(sources: &[Source]) -> Vec<String> {
    let mut homes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in sources {
        let (Some(_), Some(path)) = (source.product(), source.module_path()) else {
            continue;
        };
        let named_by_command = path.first() == Some(&"commands") && path.len() == 2;
        if let (Some(name), false) = (path.last(), named_by_command) {
            homes.entry(name).or_default().push(&source.path);
        }
    }
    homes.retain(|name, homes| homes.len() > 1 && !MAY_REPEAT.iter().any(|(may, _)| may == name));
    let repeated = homes.into_iter();
    repeated
        .map(|(name, homes)| format!("`{name}` is several modules: {}", homes.join(", ")))
        .collect()
}

/// Files of `commands/` that are not named after a subcommand, and imports among them that are too many.
pub(super) fn faults_of_commands(sources: &[Source]) -> Vec<String> {
    let subcommands = subcommands(sources);
    let mut faults = Vec::new();
    let mut imports = BTreeSet::new();
    for source in sources {
        let (Some(product), Some(path)) = (source.product(), source.module_path()) else {
            continue;
        };
        let Some((&"commands", below)) = path.split_first() else {
            continue;
        };
        if let Some(name) = below.first()
            && !subcommands.contains(*name)
        {
            faults.push(format!("{} is not a subcommand", source.path));
        }
        let crossing = ["super::", "crate::commands::"]
            .into_iter()
            .flat_map(|way| product.split(way).skip(1));
        let names = crossing.map(|rest| rest.split(|c: char| !is_of_name(c)).next());
        imports.extend(
            names
                .flatten()
                .map(|name| (source.path.clone(), name.to_owned())),
        );
    }
    if imports.len() > IMPORTS_OF_COMMANDS {
        faults.push(format!(
            "src/commands has too many imports within: {}",
            imports.len()
        ));
    }
    faults
}

/// The variants of the command line's `Command`, as modules are spelled.
fn subcommands(sources: &[Source]) -> BTreeSet<String> {
    let cli = sources
        .iter()
        .filter(|source| source.module() == Some("cli"));
    let enums = cli.flat_map(|source| enums(source.product().unwrap_or_default()));
    let commands = enums.filter(|(name, _)| *name == "Command");
    let variants = commands.flat_map(|(_, variants)| variants);
    // An attribute stands in a line of its own.
    let lines = variants.filter_map(|variant| variant.lines().last());
    lines
        .map(|line| first_name(line.trim()).to_lowercase())
        .collect()
}
