//! Which values count as ours: those of our account, and those of a tool which was used before this one.

use jiff::civil::{Date, DateTime};

/// Another account whose values count as ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnUser {
    pub(crate) name: String,
    /// What it stored later, by the server's clock, is somebody else's.
    pub(crate) until: Option<Date>,
}

impl OwnUser {
    /// Whether a value that `user` stored at this time is this account's, and was stored in the time that counts.
    pub(crate) fn stored(&self, user: &str, when: Option<DateTime>) -> bool {
        let in_time = match (self.until, when) {
            (None, _) => true,
            (Some(until), Some(when)) => when.date() <= until,
            (Some(_), None) => false,
        };
        self.name == user && in_time
    }
}

/// Whether a value that `user` stored counts as ours; `when` is asked only where the name does not decide.
pub(crate) fn is_ours(
    account: &str,
    own_users: &[OwnUser],
    user: Option<&str>,
    when: impl Fn() -> Option<DateTime>,
) -> bool {
    let by_another = |user| own_users.iter().any(|own| own.stored(user, when()));
    user.is_some_and(|user| user == account || by_another(user))
}

#[cfg(test)]
mod tests {
    use super::OwnUser;

    #[test]
    fn what_a_former_tool_stored_is_ours_to_its_last_day_and_no_longer() {
        let tool = OwnUser {
            name: "openfn".to_owned(),
            until: Some("2026-06-30".parse().unwrap()),
        };
        let at = |text: &str| Some(text.parse().unwrap());
        assert!(tool.stored("openfn", at("2026-06-30T23:59:59")));
        assert!(!tool.stored("openfn", at("2026-07-01T00:00:00")));
        assert!(!tool.stored("openfn", None));
        assert!(!tool.stored("admin", at("2026-06-01T00:00:00")));
        let always = OwnUser {
            until: None,
            ..tool
        };
        assert!(always.stored("openfn", None));
    }
}
