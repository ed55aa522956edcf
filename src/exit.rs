//! The exit codes: their meaning, their gravity, and which error has which.

use std::fmt;

use crate::dhis2::error::{Dhis2Error, Kind};
use crate::extract::{ExtractError, ExtractErrorKind};
use crate::map::{DocumentError, MapFault};
use crate::mapping::{ColumnFault, FileError};

/// How a command ended, as scripts rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok,
    Internal,
    Usage,
    Partial,
    Held,
    Temporary,
    Config,
    Busy,
    Credentials,
    Source,
    Target,
    Privacy,
    State,
}

/// The first of several counts.
const BY_GRAVITY: [Exit; 13] = [
    Exit::Internal,
    Exit::State,
    Exit::Privacy,
    Exit::Credentials,
    Exit::Config,
    Exit::Usage,
    Exit::Source,
    Exit::Target,
    Exit::Held,
    Exit::Temporary,
    Exit::Partial,
    Exit::Busy,
    Exit::Ok,
];

impl Exit {
    pub(crate) const ALL: [Exit; 13] = [
        Exit::Ok,
        Exit::Internal,
        Exit::Usage,
        Exit::Partial,
        Exit::Held,
        Exit::Temporary,
        Exit::Config,
        Exit::Busy,
        Exit::Credentials,
        Exit::Source,
        Exit::Target,
        Exit::Privacy,
        Exit::State,
    ];

    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Internal => 1,
            Exit::Usage => 2,
            Exit::Partial => 3,
            Exit::Held => 4,
            Exit::Temporary => 5,
            Exit::Config => 10,
            Exit::Busy => 11,
            Exit::Credentials => 12,
            Exit::Source => 13,
            Exit::Target => 14,
            Exit::Privacy => 15,
            Exit::State => 16,
        }
    }

    /// None: no run ends so.
    pub(crate) fn of_code(code: u8) -> Option<Exit> {
        Exit::ALL.into_iter().find(|exit| exit.code() == code)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Exit::Ok => "ok",
            Exit::Internal => "internal",
            Exit::Usage => "usage",
            Exit::Partial => "partial",
            Exit::Held => "held",
            Exit::Temporary => "temporary",
            Exit::Config => "config",
            Exit::Busy => "busy",
            Exit::Credentials => "credentials",
            Exit::Source => "source",
            Exit::Target => "target",
            Exit::Privacy => "privacy",
            Exit::State => "state",
        }
    }

    /// One line for help and README; short enough for any terminal.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Exit::Ok => "every row accounted for, every change read back; or none to do",
            Exit::Internal => "a bug of pg2dhis2; the next run repairs",
            Exit::Usage => "wrong command line or input; nothing sent",
            Exit::Partial => "rows unmapped or invalid, cells blocked or rejected; rest done",
            Exit::Held => "a person must look before anything of the mapping is sent",
            Exit::Temporary => "network, time-out, overload; the next run sends what is left",
            Exit::Config => "site file, mapping, SQL file or permissions; nothing sent",
            Exit::Busy => "another run is active; nothing sent by this one",
            Exit::Credentials => "PostgreSQL or DHIS2 refused us; never retried",
            Exit::Source => "query, rules or role are not what the mapping promises",
            Exit::Target => "not the DHIS2 we expect: address, rights or metadata",
            Exit::Privacy => "a result has an undeclared column; no row of it was read",
            Exit::State => "the run cannot be recorded; nothing (more) sent",
        }
    }

    pub(crate) fn graver(self, other: Exit) -> Exit {
        BY_GRAVITY
            .into_iter()
            .find(|exit| *exit == self || *exit == other)
            .unwrap_or(Exit::Internal)
    }

    /// The exit code of an error, whatever context was added to it.
    pub(crate) fn of(error: &anyhow::Error) -> Exit {
        if let Some(problem) = error.downcast_ref::<Problem>() {
            problem.exit
        } else if let Some(error) = error.downcast_ref::<ExtractError>() {
            of_source(error.kind)
        } else if let Some(error) = error.downcast_ref::<Dhis2Error>() {
            Exit::of_dhis2(error)
        } else if let Some(fault) = error.downcast_ref::<MapFault>() {
            of_map(fault)
        } else if error.is::<FileError>() {
            Exit::Config
        } else if error.is::<DocumentError>() {
            Exit::Usage
        } else {
            Exit::Internal
        }
    }

    pub(crate) fn of_dhis2(error: &Dhis2Error) -> Exit {
        match error.kind {
            Kind::Credentials => Exit::Credentials,
            Kind::Target => Exit::Target,
            Kind::Temporary { .. } => Exit::Temporary,
        }
    }
}

fn of_source(kind: ExtractErrorKind) -> Exit {
    match kind {
        ExtractErrorKind::Unreachable
        | ExtractErrorKind::Overloaded
        | ExtractErrorKind::Lost
        | ExtractErrorKind::TimedOut
        | ExtractErrorKind::Locked
        | ExtractErrorKind::Recovery
        | ExtractErrorKind::NotThisServer => Exit::Temporary,
        ExtractErrorKind::Credentials => Exit::Credentials,
        ExtractErrorKind::NoSuchDatabase | ExtractErrorKind::Tls | ExtractErrorKind::Source => {
            Exit::Source
        }
    }
}

fn of_map(fault: &MapFault) -> Exit {
    match fault {
        MapFault::Columns {
            fault: ColumnFault::Undeclared { .. },
            ..
        } => Exit::Privacy,
        MapFault::Columns { .. }
        | MapFault::Rules { .. }
        | MapFault::Period { .. }
        | MapFault::RepeatedRow { .. }
        | MapFault::Meet { .. } => Exit::Source,
    }
}

/// What a command found wrong itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) exit: Exit,
    /// What we were doing, what is wrong, what to do next; one line.
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(exit: Exit, message: impl fmt::Display) -> Problem {
        Problem {
            exit,
            message: message.to_string(),
        }
    }

    /// An error with the exit code that belongs to it.
    pub(crate) fn of(error: &anyhow::Error) -> Problem {
        Problem::new(Exit::of(error), format!("{error:#}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_graver_of_two_counts_in_whatever_order_they_come() {
        // The order that the documentation promises: 1 16 15 12 10 13 14 4 5 3 11 0.
        let promised = [1, 16, 15, 12, 10, 13, 14, 4, 5, 3, 11, 0];
        let exit = |code| {
            Exit::ALL
                .into_iter()
                .find(|exit| exit.code() == code)
                .unwrap()
        };
        for (index, graver) in promised.into_iter().enumerate() {
            for lighter in promised.into_iter().skip(index) {
                assert_eq!(exit(graver).graver(exit(lighter)).code(), graver);
                assert_eq!(exit(lighter).graver(exit(graver)).code(), graver);
            }
        }
    }
}
