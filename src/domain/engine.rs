//! The two generations of DHIS2's import of data values, which take, store and answer differently.

/// Which import engine a server has; 2.43 replaced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// 2.38 to 2.42.
    Old,
    /// 2.43 and later.
    New,
}
