//! Whether a command writes to DHIS2, as the command line says.

use crate::cli::{DryRun, DryRunArgs};
use crate::site;

/// Whether DHIS2 is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Send,
    DryRun,
    /// A dry run for which DHIS2 is asked too.
    AskServer,
}

impl Mode {
    /// Where the secret behind the fingerprints of keys is kept.
    pub(crate) fn secret(self) -> site::NewSecret {
        match self {
            Mode::Send => site::NewSecret::Kept,
            Mode::DryRun | Mode::AskServer => site::NewSecret::ThrownAway,
        }
    }
}

impl DryRunArgs {
    pub(crate) fn mode(&self) -> Mode {
        match self.by {
            None => Mode::Send,
            Some(DryRun::Local) => Mode::DryRun,
            Some(DryRun::Server) => Mode::AskServer,
        }
    }
}
