//! What a site writes about one mapping, as types that cannot be wrong. Pure: files are read by `site`.

mod nearest;
mod parameter;
mod sql;

pub(crate) use nearest::nearest;
pub(crate) use parameter::Parameter;
pub(crate) use sql::{Sql, SqlError};
