//! What we ever registered as complete, kept in the state folder: where DHIS2 shows such a registration no more, a
//! person withdrew it, and DHIS2 itself keeps no trace of that.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::{reason, write_private};
use crate::domain::Registration;
use crate::exit::{Exit, Problem};

/// The file in the state folder has a line for each, of DHIS2's address and what `Registration` has, with how it is known.
const FILE: &str = "complete.tsv";
const HEADER: &str = "dhis2\tdata-set\tperiod\torg-unit\tattribute-option-combo\tknown";

/// The record of one DHIS2 server. Another server, such as one to rehearse with, has its own lines in the same file.
pub(crate) struct Registrations {
    file: PathBuf,
    /// The server's address.
    server: String,
}

/// How far a registration is known to have been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegistrationState {
    /// DHIS2 was asked for it, or was about to be, and has not shown it.
    Asked,
    /// DHIS2 showed it.
    Shown,
}

impl Registrations {
    pub(super) fn new(state: &Path, server: &str) -> Registrations {
        Registrations {
            file: state.join(FILE),
            server: server.trim_end_matches('/').to_owned(),
        }
    }

    /// None have been made where there is no file.
    pub(crate) fn read(&self) -> Result<BTreeMap<Registration, RegistrationState>, Problem> {
        let mut known = BTreeMap::new();
        for line in self.lines()? {
            if line.server == self.server {
                known.insert(line.registration, line.known);
            }
        }
        Ok(known)
    }

    /// Keeps these for the server, beside those of other servers. Returns once they are on the disk.
    pub(crate) fn write(
        &self,
        known: &BTreeMap<Registration, RegistrationState>,
    ) -> Result<(), Problem> {
        let mut lines = self.lines()?;
        lines.retain(|line| line.server != self.server);
        lines.extend(known.iter().map(|(registration, known)| RegistrationLine {
            server: self.server.clone(),
            registration: *registration,
            known: *known,
        }));
        write_private(&self.file, |file| {
            writeln!(file, "{HEADER}")?;
            lines.iter().try_for_each(|line| line.write(file))
        })
        .map_err(|error| self.unusable("written", &reason(&error)))
    }

    fn lines(&self) -> Result<Vec<RegistrationLine>, Problem> {
        let text = match fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.unusable("read", &reason(&error))),
        };
        let lines = text.lines().enumerate().skip(1);
        lines
            .map(|(index, line)| {
                let wrong = || self.unusable("read", &format!("line {}", index + 1));
                RegistrationLine::parse(line).ok_or_else(wrong)
            })
            .collect()
    }

    fn unusable(&self, what: &str, why: &str) -> Problem {
        Problem::new(
            Exit::State,
            format!(
                "{}, the record of what was registered as complete, cannot be {what} ({why}); mend it, or make room",
                self.file.display()
            ),
        )
    }
}

struct RegistrationLine {
    server: String,
    registration: Registration,
    known: RegistrationState,
}

impl RegistrationLine {
    fn parse(line: &str) -> Option<RegistrationLine> {
        let mut fields = line.split('\t');
        let server = fields.next()?.to_owned();
        let registration = Registration {
            data_set: fields.next()?.parse().ok()?,
            period: fields.next()?.parse().ok()?,
            org_unit: fields.next()?.parse().ok()?,
            attribute_option_combo: fields.next()?.parse().ok()?,
        };
        let known = match fields.next()? {
            "asked" => RegistrationState::Asked,
            "shown" => RegistrationState::Shown,
            _ => return None,
        };
        fields.next().is_none().then_some(RegistrationLine {
            server,
            registration,
            known,
        })
    }

    fn write(&self, file: &mut dyn io::Write) -> io::Result<()> {
        let Registration {
            data_set,
            period,
            org_unit,
            attribute_option_combo,
        } = self.registration;
        let known = match self.known {
            RegistrationState::Asked => "asked",
            RegistrationState::Shown => "shown",
        };
        writeln!(
            file,
            "{}\t{data_set}\t{period}\t{org_unit}\t{attribute_option_combo}\t{known}",
            self.server
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::{FILE, RegistrationState, Registrations};
    use crate::domain::{DEFAULT_COMBO, Registration};
    use crate::exit::Exit;

    fn registration(period: &str) -> Registration {
        Registration {
            data_set: "YE8SgpSMBQ9".parse().unwrap(),
            period: period.parse().unwrap(),
            org_unit: "VsF9dWr6arv".parse().unwrap(),
            attribute_option_combo: DEFAULT_COMBO,
        }
    }

    #[test]
    fn what_is_written_is_read_again_by_the_same_server_alone() {
        let state = tempfile::tempdir().unwrap();
        let ours = Registrations::new(state.path(), "https://host/dhis/");
        let rehearsal = Registrations::new(state.path(), "http://127.0.0.1:8080");
        assert_eq!(ours.read().unwrap(), BTreeMap::new());
        let known = BTreeMap::from([
            (registration("202503"), RegistrationState::Shown),
            (registration("2025W10"), RegistrationState::Asked),
        ]);
        ours.write(&known).unwrap();
        assert_eq!(rehearsal.read().unwrap(), BTreeMap::new());
        let other = BTreeMap::from([(registration("202503"), RegistrationState::Asked)]);
        rehearsal.write(&other).unwrap();
        let with_slash = Registrations::new(state.path(), "https://host/dhis");
        assert_eq!(with_slash.read().unwrap(), known);
        assert_eq!(rehearsal.read().unwrap(), other);
        let file = fs::metadata(state.path().join(FILE)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told_and_never_overwritten() {
        let state = tempfile::tempdir().unwrap();
        let ours = Registrations::new(state.path(), "https://host/dhis");
        ours.write(&BTreeMap::from([(
            registration("202503"),
            RegistrationState::Shown,
        )]))
        .unwrap();
        let path = state.path().join(FILE);
        let whole = fs::read_to_string(&path).unwrap();
        for broken in [
            whole.trim_end().trim_end_matches("shown"),
            &whole.replace("VsF9dWr6arv", "VsF9dWr6ar"),
            &whole.replace("shown", "shown\tmore"),
            &whole.replace("shown", "seen"),
        ] {
            fs::write(&path, broken).unwrap();
            let problem = ours.read().unwrap_err();
            assert_eq!(problem.exit, Exit::State);
            assert!(problem.message.contains("line 2"), "{problem}");
            assert!(ours.write(&BTreeMap::new()).is_err());
            assert_eq!(fs::read_to_string(&path).unwrap(), broken);
        }
    }
}
