//! What every command that sends has: its site, its turn, its record and its report, begun once and concluded once.

mod clock_check;
mod mode;
mod never_begun;
mod older_source;
mod record;
mod relaxed;
mod saved_plan;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

pub(crate) use mode::Mode;
pub(crate) use never_begun::never_begun;
pub(crate) use record::{Intent, Record};
pub(crate) use saved_plan::read as read_saved_plan;

use crate::aftermath;
use crate::cli::{ApplyArgs, Format, PushArgs, ReportArgs, RunArgs, SendArgs, SiteArgs};
use crate::domain::{Account, Clocks, KeyMask, PeriodType, Releasable, Server};
use crate::exit::{Exit, Problem};
use crate::history::Past;
use crate::read::ReadParts;
use crate::report::{self, Dhis2Facts, KeptChanges, MappingReport, Report};
use crate::site::{self, Dhis2Access, Memory, Site, SourceAccess};
use crate::watchdog::{Watch, Work};
use turn::{Pace, Turn};

/// What the command line says to any command that may send.
#[derive(Clone, Copy)]
pub(crate) struct Orders<'a> {
    pub(crate) command: &'static str,
    pub(crate) site: &'a SiteArgs,
    pub(crate) mode: Mode,
    /// Digests of held plans that a person lets pass.
    pub(crate) releases: &'a [String],
    pub(crate) save_plan: Option<&'a Path>,
    pub(crate) report: &'a ReportArgs,
}

impl Orders<'_> {
    /// Scripts and plans get every change, people the ones worth looking at.
    pub(crate) fn keep(&self) -> KeptChanges {
        match (self.save_plan, self.report.format) {
            (None, Format::Text) => KeptChanges::Highlights,
            _ => KeptChanges::Everything,
        }
    }
}

impl<'a> From<&'a RunArgs> for Orders<'a> {
    fn from(args: &'a RunArgs) -> Orders<'a> {
        sending("run", &args.site, &args.send)
    }
}

impl<'a> From<&'a PushArgs> for Orders<'a> {
    fn from(args: &'a PushArgs) -> Orders<'a> {
        sending("push", &args.site, &args.send)
    }
}

impl<'a> From<&'a ApplyArgs> for Orders<'a> {
    fn from(args: &'a ApplyArgs) -> Orders<'a> {
        Orders {
            command: "apply",
            site: &args.site,
            mode: args.dry_run.mode(),
            releases: &args.release,
            save_plan: None,
            report: &args.report,
        }
    }
}

fn sending<'a>(command: &'static str, site: &'a SiteArgs, send: &'a SendArgs) -> Orders<'a> {
    Orders {
        command,
        site,
        mode: send.dry_run.mode(),
        releases: &send.release,
        save_plan: send.save_plan.as_deref(),
        report: &send.report,
    }
}

/// A command that has read its site file and has not begun yet: what is wrong until it does is wrong before a record.
pub(crate) struct Preparation<'a> {
    pub(crate) orders: Orders<'a>,
    pub(crate) site: Site,
    pub(crate) watch: Watch,
    pub(crate) report: Report,
    turn: Option<Turn>,
}

/// A command that is recorded: whatever happens from now on, it is concluded.
pub(crate) struct Session<'a> {
    pub(crate) orders: Orders<'a>,
    pub(crate) site: Site,
    pub(crate) watch: Watch,
    pub(crate) record: Record,
    pub(crate) report: Report,
    turn: Option<Turn>,
    /// Why nothing may be sent that was read from this source.
    older_source: Option<Problem>,
    /// What a person lets pass until a day, by its name.
    pub(crate) released: BTreeSet<Releasable>,
    /// The digests of the files of each mapping, for the plan that is saved.
    digests: BTreeMap<String, BTreeMap<String, String>>,
}

/// The site, and the time that the command has from now on.
pub(crate) fn site(args: &SiteArgs, work: Work) -> anyhow::Result<(Site, Watch)> {
    let mut site = Site::load(args.config.as_deref())?;
    let watch = Watch::begin(site.deadline, work)?;
    site.ends_at = watch.deadline.map(|deadline| deadline.ends_at);
    Ok((site, watch))
}

impl<'a> Preparation<'a> {
    /// Reads the site file, and refuses outputs that could not be written in the end.
    pub(crate) fn of(orders: Orders<'a>, work: Work) -> anyhow::Result<Preparation<'a>> {
        let started = Timestamp::now();
        let (site, watch) = site(orders.site, work)?;
        report::ensure_writable(orders.report.output.output.as_deref())?;
        saved_plan::ensure_writable(orders.save_plan)?;
        Ok(Preparation {
            report: begun(&orders, started),
            orders,
            site,
            watch,
            turn: None,
        })
    }

    /// How to reach the source; the report tells what is not checked there.
    pub(crate) fn source(&mut self) -> anyhow::Result<SourceAccess> {
        let source = self.site.source()?;
        relaxed::transport(&mut self.report, &source.settings);
        Ok(source)
    }

    /// Waits for its turn, if the command sends.
    pub(crate) fn take_turn(&mut self) -> Result<(), Problem> {
        if self.orders.mode == Mode::Send {
            let report = &self.report;
            let pace = match report.in_parts {
                true => Pace::InParts,
                false => Pace::AtOnce,
            };
            let turn = Turn::take(&self.site.state, report.started, &self.watch, pace)?;
            self.turn = Some(turn);
        }
        Ok(())
    }

    /// What hides keys that no mapping knows.
    pub(crate) fn mask(&self) -> Result<KeyMask, Problem> {
        site::key_mask(&self.site.state, self.orders.mode.secret())
    }

    /// What earlier runs found in DHIS2. A dry run does without where it may not read it.
    pub(crate) fn memory(&self, dhis2: &Dhis2Access) -> Result<Memory, Problem> {
        let loaded = Memory::load(&self.site.state, &dhis2.url);
        match self.orders.mode {
            Mode::Send => loaded,
            Mode::DryRun | Mode::AskServer => Ok(loaded.unwrap_or_default()),
        }
    }

    /// What a person lets pass until a day. A dry run does without where it may not read it.
    fn released(&self) -> Result<BTreeSet<Releasable>, Problem> {
        let past = Past::open(&self.site.state, Vec::new());
        let released = past.and_then(|past| {
            let released = past.map(|past| past.released(self.report.started));
            Ok(released.transpose()?.unwrap_or_default())
        });
        match self.orders.mode {
            Mode::Send => released,
            Mode::DryRun | Mode::AskServer => Ok(released.unwrap_or_default()),
        }
    }

    /// Begins the record, and tells those who watch from elsewhere.
    pub(crate) fn begin(mut self, intent: Intent) -> Result<Session<'a>, Problem> {
        let digests = intent.digests();
        let released = self.released()?;
        let mut record = Record::begin(&self.site, self.orders.mode, intent, &mut self.report)?;
        if let Some(recorder) = record.recorder() {
            aftermath::begun(&self.site, recorder);
        }
        Ok(Session {
            orders: self.orders,
            site: self.site,
            watch: self.watch,
            record,
            report: self.report,
            turn: self.turn,
            older_source: None,
            released,
            digests,
        })
    }
}

impl Session<'_> {
    /// The report tells which PostgreSQL answered, and what our role may do there beyond reading.
    pub(crate) fn source_answered(&mut self, source: &SourceAccess, read: &ReadParts) {
        relaxed::role(&mut self.report, &source.settings, &read.excess);
        self.report.clocks.source = Some(read.server.clock_ahead);
        self.report.source = Some(read.server.clone());
        self.record.read_from = Some(read.server.clone());
        self.older_source = older_source::forbid(&self.site, self.orders.mode, &read.server);
        for note in &read.notes {
            if !self.report.notes.contains(note) {
                self.report.notes.push(note.clone());
            }
        }
    }

    /// The report tells which DHIS2 answered, and who we are there.
    pub(crate) fn dhis2_answered(&mut self, url: String, server: &Server, account: &Account) {
        self.report.dhis2 = Some(Dhis2Facts {
            url,
            version: server.version.text.clone(),
            time_zone: server.time_zone.clone(),
            system_id: server.system_id.clone(),
            user: account.username.clone(),
            analytics: server.analytics,
        });
        self.report.notes.extend(server.note.clone());
        self.report.clocks.dhis2 = clock_check::ahead(server, Timestamp::now());
        clock_check::tell(&self.site, &mut self.report);
    }

    /// Why nothing of a mapping with such periods may be sent: clocks disagree, or the source is older than one before.
    pub(crate) fn forbidden(&self, period_type: PeriodType) -> Option<Problem> {
        let by_clocks = clock_check::forbid(&self.site, &self.report, period_type);
        by_clocks.or_else(|| self.older_source.clone())
    }

    /// The report tells that the account may do more than import, where the site allows that.
    pub(crate) fn may_do_more(&mut self, account: &Account) {
        relaxed::account(&mut self.report, account);
    }

    /// Between two parts: rests, and lets the run that waits go first.
    pub(crate) fn give_way(&mut self, rest: Duration) -> Result<(), Problem> {
        match &mut self.turn {
            None => self.watch.rest(rest),
            Some(turn) => turn.give_way(&self.site.state, rest, &self.watch),
        }
    }

    /// Ends the command: recorded, told, and only then passed on to those who watch from elsewhere. From here on nothing
    /// that fails changes the exit code, but that the report cannot be written.
    pub(crate) fn conclude(mut self, mappings: Vec<MappingReport>) -> anyhow::Result<Exit> {
        let report = &mut self.report;
        report.mappings = mappings;
        tell_nothing_accepted(report);
        saved_plan::save(self.orders.save_plan, report, &self.digests);
        report.ended = Timestamp::now();
        self.watch
            .doing("asking DHIS2 what happened since the last run");
        if let Some(recorder) = self.record.recorder() {
            aftermath::noticed(&self.site, recorder, report);
        }
        self.record.finish(&self.site, report);
        let exit = report.exit();
        let shown = report::show(report, self.orders.site, self.orders.report);
        self.watch.over(exit);
        aftermath::alerts::tell(&self.site, report, self.orders.site);
        if let Some(recorder) = self.record.recorder() {
            aftermath::ended(&self.site, recorder, report);
        }
        match shown {
            Ok(()) => Ok(exit),
            // The run has ended and is told as it did: only its report is lost.
            Err(error) => {
                report::error(&error);
                Ok(Exit::of(&error))
            }
        }
    }
}

/// Where nothing was accepted of what was due, a person is told, whatever the exit code.
fn tell_nothing_accepted(report: &mut Report) {
    for mapping in &mut report.mappings {
        if mapping.is_nothing_accepted() && matches!(mapping.exit(), Exit::Ok | Exit::Partial) {
            let message = "nothing accepted: all values that are due are closed, blocked or rejected, so that this run is no success; \
                           open their periods in DHIS2 or mend what it refuses";
            mapping.problems.push(Problem::new(Exit::Ok, message));
        }
    }
}

fn begun(orders: &Orders<'_>, started: Timestamp) -> Report {
    Report {
        command: orders.command,
        dry_run: orders.mode != Mode::Send,
        in_parts: false,
        as_of: started,
        is_led_by_clock: false,
        started,
        ended: started,
        source: None,
        dhis2: None,
        clocks: Clocks::default(),
        requests: 0,
        notes: Vec::new(),
        relaxed: Vec::new(),
        problems: Vec::new(),
        mappings: Vec::new(),
    }
}
