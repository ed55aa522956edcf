//! Holds the objects that a mapping names against the pin.

use super::code::PinFile;
use super::dimension::UidsFrom;
use super::file_error::FileError;
use super::mapping_file::Mapping;
use super::object_in_file::ObjectInFile;
use super::source_key::SourceKey;
use crate::domain::{DEFAULT_COMBO, Dimension, ObjectKind, Uid};

impl Mapping {
    /// The file and the line that name a UID as the answer for a key; without a key those that name it alone.
    pub(crate) fn line(
        &self,
        kind: ObjectKind,
        key: Option<&SourceKey>,
        uid: Option<Uid>,
    ) -> Option<(&str, usize)> {
        let mut named = self.named.iter();
        let same = |named: &&ObjectInFile| {
            let is_kind = named.kind == kind && !named.is_root;
            is_kind && Some(named.uid) == uid && named.key.as_ref() == key
        };
        named
            .find(same)
            .map(|named| (named.file.as_str(), named.place.0))
    }

    /// The first object that DHIS2, as it was pinned, would not take for this mapping's data set.
    pub(crate) fn check(&self, file: &PinFile) -> Result<(), FileError> {
        let pin = &file.pin;
        if !pin.data_sets.contains_key(&self.data_set) {
            let fault = format!(
                "{} does not know data set {}; run `pg2dhis2 pin`",
                file.shown, self.data_set
            );
            return Err(
                match self
                    .named
                    .iter()
                    .find(|named| named.kind == ObjectKind::DataSet)
                {
                    Some(named) => named.error(fault),
                    None => FileError::whole(&self.file, fault),
                },
            );
        }
        let category = pin.combos_of_elements(self.data_set);
        let attribute = pin.combos_of_data_set(self.data_set);
        for named in &self.named {
            let uid = &named.uid;
            let fault = match named.kind {
                ObjectKind::DataSet => continue,
                ObjectKind::Of(Dimension::DataElement) => {
                    let element = pin.data_elements.get(uid);
                    match element.is_some_and(|each| each.data_sets.contains_key(&self.data_set)) {
                        true => continue,
                        false => "is not in the data set",
                    }
                }
                ObjectKind::Of(Dimension::CategoryOptionCombo) => match category.contains(uid) {
                    true => continue,
                    false => "is not one of any data element's of the mapping",
                },
                ObjectKind::Of(Dimension::AttributeOptionCombo) => match attribute.contains(uid) {
                    true => continue,
                    false => "is not one of the data set's",
                },
                ObjectKind::Of(Dimension::OrgUnit) => match pin.organisation_units.get(uid) {
                    Some(unit) if named.is_root || unit.data_sets.contains(&self.data_set) => {
                        continue;
                    }
                    Some(_) => "is not assigned to the data set",
                    None => "does not exist in DHIS2",
                },
            };
            return Err(named.error(format!(
                "{} {uid} {fault}, says {}; mend it, or run `pg2dhis2 pin` if DHIS2 has changed",
                named.kind, file.shown
            )));
        }
        self.check_defaults(file)
    }

    /// The combos that stand in no file because they are the default.
    fn check_defaults(&self, file: &PinFile) -> Result<(), FileError> {
        let known = [
            (
                Dimension::CategoryOptionCombo,
                file.pin.combos_of_elements(self.data_set),
            ),
            (
                Dimension::AttributeOptionCombo,
                file.pin.combos_of_data_set(self.data_set),
            ),
        ];
        for (dimension, combos) in known {
            let answers = self.dimensions.get(&dimension).map(|each| &each.uids_from);
            let by_default = matches!(answers, Some(UidsFrom::Constant(DEFAULT_COMBO)));
            if by_default && !combos.contains(&DEFAULT_COMBO) {
                let message = format!(
                    "table `[{}]` is missing: the data set takes other combos than the default {DEFAULT_COMBO}, says {}",
                    dimension.table(),
                    file.shown
                );
                return Err(FileError::whole(&self.file, message));
            }
        }
        Ok(())
    }
}
