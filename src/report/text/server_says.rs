//! The part of a report in text that tells what DHIS2's own dry run said.

use crate::domain::ChangeKind;
use crate::report::of_mapping::MappingReport;
use crate::report::phrases::{counted, line, many};

pub(super) fn server_says(text: &mut String, mapping: &MappingReport) {
    let Some(said) = &mapping.server.dry_run else {
        return;
    };
    let asked = said.accepted + said.rejected + said.unknown;
    if asked == 0 {
        return;
    }
    if said.agrees() {
        let all = format!(
            "  DHIS2's own dry run agrees: it accepts {}",
            many(asked, "change")
        );
        line(text, &all);
    } else {
        line(text, "  DHIS2's own dry run differs:");
        line(text, &format!("    accepts {} of {asked}", said.accepted));
        if said.rejected > 0 {
            let cells = format!("    rejects {}, listed above", said.rejected);
            line(text, &cells);
        }
        if said.unknown > 0 {
            line(text, &format!("    says nothing of {}", said.unknown));
        }
    }
    let counts = said.counted;
    let of_server = [
        ("imported", counts.imported),
        ("updated", counts.updated),
        ("deleted", counts.deleted),
        ("ignored", counts.ignored),
    ];
    let of_server = counted(of_server.into_iter());
    let ours = counted(said.predicted.iter().map(|(kind, count)| {
        let name = match kind {
            ChangeKind::Create => "created",
            ChangeKind::Update => "updated",
            ChangeKind::Zero => "zeroed",
            ChangeKind::Delete => "deleted",
        };
        (name, *count)
    }));
    line(
        text,
        &format!("    it counts {of_server}; predicted {ours}"),
    );
    line(text, &format!("    {}", said.cannot_know));
}
