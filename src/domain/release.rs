//! What a person lets pass for a time, by the name of the problem: what a guard holds of one object in one period, or a source
//! that was restored.

use std::fmt;
use std::str::FromStr;

use super::{Period, Uid};

const GUARD: &str = "held-by-guard";
const RESTORED: &str = "database-behind";

/// A problem that can be released, as its name has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Releasable {
    /// `held-by-guard GUARD [UID] [PERIOD]`.
    Guard {
        /// Its key in `[guards]`, or its name where it has none.
        guard: String,
        /// The data element or organisation unit that it is measured on, where it is not the whole period.
        object: Option<Uid>,
        period: Option<Period>,
    },
    /// `database-behind`: the source is older than one that values were sent from, and is meant to be.
    OlderSource,
}

/// Text that is no name of a problem that can be released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotReleasable;

impl FromStr for Releasable {
    type Err = NotReleasable;

    fn from_str(text: &str) -> Result<Releasable, NotReleasable> {
        let mut words = text.split_whitespace();
        match words.next() {
            Some(RESTORED) if words.next().is_none() => Ok(Releasable::OlderSource),
            Some(GUARD) => {
                let guard = words.next().ok_or(NotReleasable)?.to_owned();
                let (mut object, mut period) = (None, None);
                for word in words {
                    // A year is no UID, and no UID is a period.
                    match (word.parse(), word.parse()) {
                        (Ok(uid), _) if object.is_none() && period.is_none() => object = Some(uid),
                        (_, Ok(found)) if period.is_none() => period = Some(found),
                        _ => return Err(NotReleasable),
                    }
                }
                Ok(Releasable::Guard {
                    guard,
                    object,
                    period,
                })
            }
            _ => Err(NotReleasable),
        }
    }
}

impl fmt::Display for Releasable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Releasable::OlderSource => f.write_str(RESTORED),
            Releasable::Guard {
                guard,
                object,
                period,
            } => {
                write!(f, "{GUARD} {guard}")?;
                if let Some(object) = object {
                    write!(f, " {object}")?;
                }
                match period {
                    Some(period) => write!(f, " {period}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for NotReleasable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "write the name of what is held as the run told it, such as: held-by-guard max-decrease fClA2Erf6IO 202609",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Releasable;

    #[test]
    fn a_name_is_read_as_it_is_told() {
        for name in [
            "held-by-guard max-decrease fClA2Erf6IO 202609",
            "held-by-guard max-unmapped 2026W40",
            "held-by-guard min-rows",
            "database-behind",
        ] {
            let read: Releasable = name.parse().unwrap();
            assert_eq!(read.to_string(), name);
        }
        for name in [
            "",
            "max-decrease",
            "held-by-guard",
            "database-behind 202609",
            "held-by-guard max-decrease 202609 fClA2Erf6IO",
            "held-by-guard max-decrease BCG 202609",
            "unmapped-org-unit x",
        ] {
            assert!(name.parse::<Releasable>().is_err(), "{name}");
        }
    }
}
