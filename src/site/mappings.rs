//! Which mappings a command works on, read with all the files they name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::files::{self, folder};
use super::tables::Site;
use crate::exit::{Exit, Problem};
use crate::mapping::{
    self, Codes, FileError, Mapping, is_of_one_line, nearest, overlap, overlap_of,
};

impl Site {
    /// The mappings that were asked for, by name or path; all of the site where none was. Ordered as asked, or by name.
    pub(crate) fn mappings(&self, asked: &[String]) -> anyhow::Result<Vec<Mapping>> {
        let pin = self.pin()?;
        self.mappings_by(asked, Codes::Pinned(pin.as_ref()))
    }

    /// The mappings, with codes found in another way than by the pin of the site.
    pub(crate) fn mappings_by(
        &self,
        asked: &[String],
        codes: Codes<'_>,
    ) -> anyhow::Result<Vec<Mapping>> {
        let files = match asked {
            [] => self.mapping_files()?,
            asked => once(
                asked
                    .iter()
                    .map(|name| self.mapping_file(name))
                    .collect::<anyhow::Result<_>>()?,
            ),
        };
        let mappings = files
            .iter()
            .map(|file| read(file, codes))
            .collect::<Result<Vec<Mapping>, FileError>>()?;
        self.ensure_names_differ(&mappings)?;
        self.ensure_no_overlap(&mappings, codes)?;
        Ok(mappings)
    }

    /// No two mappings of the site may answer for one cell, whichever of them are asked for.
    fn ensure_no_overlap(&self, asked: &[Mapping], codes: Codes<'_>) -> Result<(), FileError> {
        let is_asked = |file: &Path| {
            let file = same(file);
            asked.iter().any(|each| same(Path::new(&each.file)) == file)
        };
        let files = self.mapping_files()?.into_iter();
        let others = files.filter(|file| !is_asked(file));
        // What is wrong in a mapping that nobody asked for is told when somebody does.
        let others: Vec<Mapping> = others.filter_map(|file| read(&file, codes).ok()).collect();
        let between = asked
            .iter()
            .flat_map(|one| others.iter().map(move |other| (other, one)));
        if let Some((first, second)) = overlap(asked).or_else(|| overlap_of(between)) {
            let message = format!(
                "answers for cells that {} answers for too: the same period type, data elements, combos and organisation units; \
                 two mappings would overwrite each other",
                first.file
            );
            return Err(FileError::whole(&second.file, message));
        }
        Ok(())
    }

    /// Every mapping file of the site, ordered by name.
    pub(super) fn mapping_files(&self) -> Result<Vec<PathBuf>, FileError> {
        let site = self.file.display().to_string();
        let mut found = Vec::new();
        for pattern in &self.mappings {
            let full = self.path(pattern).to_string_lossy().into_owned();
            let paths = glob::glob(&full).map_err(|error| {
                FileError::whole(
                    &site,
                    format!(
                        "`mappings`: {pattern} is not a pattern of file names ({})",
                        error.msg
                    ),
                )
            })?;
            let known = found.len();
            for path in paths {
                found.push(path.map_err(|error| {
                    let folder = error.path().display().to_string();
                    let why = files::problem(error.path(), error.error());
                    FileError::whole(&folder, format!("a folder of `mappings` {why}"))
                })?);
            }
            if found.len() == known {
                let message = match pattern.contains(['*', '?', '[']) {
                    true => format!(
                        "no mapping file matches {pattern}; write one there, or mend `mappings`"
                    ),
                    false => {
                        format!("there is no mapping file {pattern}; write it, or mend `mappings`")
                    }
                };
                return Err(FileError::whole(&site, message));
            }
        }
        found.iter().try_for_each(|file| ensure_name_fits(file))?;
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// A mapping by its name, the stem of its file, or by its path.
    fn mapping_file(&self, asked: &str) -> anyhow::Result<PathBuf> {
        if asked.contains('/')
            || Path::new(asked)
                .extension()
                .is_some_and(|ending| ending == "toml")
        {
            return Ok(PathBuf::from(asked));
        }
        let files = self.mapping_files()?;
        let found = files.iter().find(|file| name(file) == asked);
        if let Some(file) = found {
            return Ok(file.clone());
        }
        let names: Vec<String> = files.iter().map(|file| name(file)).collect();
        let known = names.iter().map(String::as_str);
        let hint = match nearest(asked, known) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("there are {}", names.join(", ")),
        };
        Err(Problem::new(
            Exit::Usage,
            format!("there is no mapping `{asked}`; {hint}"),
        )
        .into())
    }

    fn ensure_names_differ(&self, mappings: &[Mapping]) -> Result<(), FileError> {
        for (index, mapping) in mappings.iter().enumerate() {
            let earlier = mappings
                .iter()
                .take(index)
                .find(|each| each.name == mapping.name);
            if let Some(earlier) = earlier {
                let message = format!("has the same name as {}; rename one", earlier.file);
                return Err(FileError::whole(&mapping.file, message));
            }
        }
        Ok(())
    }
}

/// Each file once, however often and by whatever path it was asked for.
fn once(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let mut files = files;
    files.retain(|file| seen.insert(same(file)));
    files
}

/// One path for a file, by whatever path it is called.
fn same(file: &Path) -> PathBuf {
    file.canonicalize().unwrap_or_else(|_| file.to_owned())
}

/// A mapping is called by its file's name in lines of logs, reports and files.
fn ensure_name_fits(file: &Path) -> Result<(), FileError> {
    let name = name(file);
    match is_of_one_line(&name) {
        true => Ok(()),
        false => Err(FileError::whole(
            &file.to_string_lossy().escape_debug().to_string(),
            "the name of this mapping file holds characters that cannot be written in a line; rename it",
        )),
    }
}

fn name(file: &Path) -> String {
    file.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn read(file: &Path, codes: Codes<'_>) -> Result<Mapping, FileError> {
    ensure_name_fits(file)?;
    let shown = file.display().to_string();
    let text = files::read_for("the mapping file", file)?;
    let folder = folder(file);
    let mut read_file = |named: &str| files::read(&folder.join(named));
    mapping::parse(&name(file), &shown, &text, &mut read_file, codes)
}
