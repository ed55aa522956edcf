//! What a site file allows that is refused otherwise, told in every report.

use crate::domain::Account;
use crate::extract::SourceSettings;
use crate::report::Report;

/// Servers that are believed on less than their name and certificate.
pub(crate) fn transport(report: &mut Report, settings: &SourceSettings) {
    for text in settings.relaxed() {
        report.relax("sslmode", text);
    }
}

/// A role that may do more than read.
pub(crate) fn role(report: &mut Report, settings: &SourceSettings, excess: &[String]) {
    if settings.allow_overprivileged_role {
        let text = match excess {
            [] => "the role may do no more than read; the setting can go".to_owned(),
            excess => format!("the role may do more than read: {}", excess.join(", ")),
        };
        report.relax("allow-overprivileged-role", text);
    }
}

/// An account that may do more than import, where that is allowed.
pub(crate) fn account(report: &mut Report, account: &Account) {
    let text = match account.excess() {
        excess if excess.is_empty() => {
            "the account may do no more than import; the setting can go".to_owned()
        }
        excess => format!(
            "the account {} may do more than import: it has the authority {}",
            account.username,
            excess.join(", ")
        ),
    };
    report.relax("allow-overprivileged-account", text);
}
