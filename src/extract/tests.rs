//! Facts about connection settings.
