//! Which server answered for the source, how far its data reach, and whether another one's data reached further.

use jiff::{SignedDuration, Timestamp};

/// What the server that answered said about itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SourceServer {
    /// PostgreSQL's own words, such as `15.18 (Debian 15.18-0+deb12u1)`.
    pub(crate) version: String,
    /// Host and port as the site's URL names them.
    pub(crate) host: String,
    /// It follows another server, and holds what that had sent it so far.
    pub(crate) is_standby: bool,
    pub(crate) lag: Lag,
    /// None where the server does not tell: an engine of another make, or one that keeps it from this role.
    pub(crate) position: Option<SourcePosition>,
    /// The server's own clock, and how far it was ahead of this host's.
    pub(crate) time: Timestamp,
    pub(crate) clock_ahead: SignedDuration,
    /// Tables may lie on other servers (Citus), which share neither its settings nor its snapshot.
    pub(crate) is_distributed: bool,
}

/// How far a standby is behind the server that it follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Lag {
    /// A server that follows none; or a standby that has replayed all that it received, and still receives.
    None,
    /// It has received more than it replayed, and what it replayed last is so old.
    Behind(SignedDuration),
    /// It does not receive, so that nobody knows what it lacks.
    Unknown,
}

/// A point in the life of a PostgreSQL: all that was committed before it can be read there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SourcePosition {
    /// The name that PostgreSQL gave the cluster when it was made; copies, standbys and restored backups keep it.
    pub(crate) system: u64,
    /// It rises when a standby is promoted and when a backup is restored.
    pub(crate) timeline: u32,
    /// Bytes of the write-ahead log (LSN).
    pub(crate) log_bytes: u64,
}

/// How the data of one position stand to those of another that were sent from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum SourceAge {
    /// It holds all that was there, and perhaps more.
    NotOlder,
    /// It lacks something that was there.
    Older,
    /// Another cluster: a major upgrade, another registry, a dump that was loaded. Its log has another count.
    OtherSystem,
}

impl SourcePosition {
    /// How this position stands to one that values were sent from.
    pub(crate) fn age(self, sent: SourcePosition) -> SourceAge {
        if self.system != sent.system {
            return SourceAge::OtherSystem;
        }
        // A lower timeline is a server that did not take part in the promotion, whatever it has written since. A higher one begins
        // where its server was promoted or restored: behind that point it holds what was sent from, before it it does not.
        if self.timeline < sent.timeline || self.log_bytes < sent.log_bytes {
            return SourceAge::Older;
        }
        SourceAge::NotOlder
    }
}

#[cfg(test)]
mod tests {
    use super::{SourceAge, SourcePosition};

    const SENT: SourcePosition = SourcePosition {
        system: 7_300_000_000_000_000_001,
        timeline: 3,
        log_bytes: 0x1_0000_0000,
    };

    #[track_caller]
    fn check(timeline: u32, log_bytes: u64, age: SourceAge) {
        let now = SourcePosition {
            timeline,
            log_bytes,
            ..SENT
        };
        assert_eq!(now.age(SENT), age);
    }

    #[test]
    fn an_idle_server_is_no_older_than_it_was() {
        check(3, 0x1_0000_0000, SourceAge::NotOlder);
        check(3, 0x1_0000_0001, SourceAge::NotOlder);
    }

    #[test]
    fn a_standby_that_has_not_replayed_what_was_sent_from_is_older() {
        check(3, 0xffff_ffff, SourceAge::Older);
    }

    #[test]
    fn a_standby_that_was_promoted_with_everything_goes_on() {
        check(4, 0x1_0000_0000, SourceAge::NotOlder);
    }

    #[test]
    fn a_backup_that_was_restored_is_older() {
        check(4, 0x8000_0000, SourceAge::Older);
    }

    #[test]
    fn a_primary_that_comes_back_after_another_took_its_place_is_older() {
        check(2, 0x2_0000_0000, SourceAge::Older);
    }

    #[test]
    fn another_cluster_has_another_count() {
        let upgraded = SourcePosition {
            system: 7_300_000_000_000_000_002,
            timeline: 1,
            log_bytes: 1,
        };
        assert_eq!(upgraded.age(SENT), SourceAge::OtherSystem);
    }
}
