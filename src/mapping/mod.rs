//! What a site writes about one mapping, as types that cannot be wrong. Pure: files are read by `site`.

mod code;
mod dimension;
mod extract_lines;
mod file_error;
mod look_alike;
mod map_file;
mod mapping_file;
mod nearest;
mod object_in_file;
mod options;
mod overlap;
mod parse;
mod parse_dimension;
mod parse_guards;
mod pin_check;
mod result_columns;
mod scope;
mod section;
mod source_key;
mod spreadsheet;
mod sql;
#[cfg(test)]
mod tests;
mod toml_value;
mod values;

pub(crate) use code::{Codes, PIN, PinFile, coded};
pub(crate) use dimension::{DimensionMapping, UidsFrom};
pub(crate) use extract_lines::{End, EndLine, ExtractHeader, ExtractLine, ResultLine};
pub(crate) use file_error::{FileError, Unreadable};
pub(crate) use look_alike::is_of_one_line;
pub(crate) use mapping_file::Mapping;
pub(crate) use nearest::nearest;
pub(crate) use object_in_file::ObjectInFile;
pub(crate) use options::Options;
pub(crate) use overlap::{overlap, overlap_of};
pub(crate) use parse::{digest, parse};
pub(crate) use result_columns::{ColumnFault, Columns, RowColumns, ValueColumn};
pub(crate) use section::Section;
pub(crate) use source_key::SourceKey;
pub(crate) use sql::{ParameterValues, PlainStrings, Sql, Statement};
pub(crate) use toml_value::Entry;
pub(crate) use values::{Values, WideColumn};
