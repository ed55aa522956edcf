//! Whether a command writes to DHIS2, and how much its report keeps, as the command line says.

use crate::cli::{DryRun, DryRunArgs, Format, ReportArgs, SendArgs};
use crate::report::Keep;
use crate::site;

/// Whether DHIS2 is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Send,
    DryRun,
    /// A dry run for which DHIS2 is asked too.
    AskServer,
}

impl Mode {
    /// Where the secret behind the fingerprints of keys is kept.
    pub(super) fn secret(self) -> site::NewSecret {
        match self {
            Mode::Send => site::NewSecret::Kept,
            Mode::DryRun | Mode::AskServer => site::NewSecret::ThrownAway,
        }
    }
}

impl DryRunArgs {
    pub(super) fn mode(&self) -> Mode {
        match self.by {
            None => Mode::Send,
            Some(DryRun::Local) => Mode::DryRun,
            Some(DryRun::Server) => Mode::AskServer,
        }
    }
}

impl SendArgs {
    pub(super) fn mode(&self) -> Mode {
        self.dry_run.mode()
    }

    /// Scripts and plans get every change, people the ones worth looking at.
    pub(super) fn keep(&self) -> Keep {
        match self.save_plan {
            Some(_) => Keep::Everything,
            None => self.report.keep(),
        }
    }
}

impl ReportArgs {
    pub(super) fn keep(&self) -> Keep {
        match self.format {
            Format::Json => Keep::Everything,
            Format::Text => Keep::Highlights,
        }
    }
}
