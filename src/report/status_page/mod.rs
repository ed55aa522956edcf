//! The status page: one file that says how the mappings stand, what is open and what to do, and how the last weeks went.
//! It needs no script, no other file and no network to be read.

mod advice;
mod charts;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::status::{Age, MappingStatus, SiteStatus};
use crate::domain::Uid;
use crate::exit::Exit;
use crate::history::RunsOfDay;

/// Problems that are listed of a mapping; a page is read on telephones too.
const LISTED: usize = 50;
const STYLE: &str = include_str!("style.css");

/// Everything that the page shows.
pub(crate) struct StatusPage<'p> {
    /// What the site is called.
    pub(crate) site: &'p str,
    pub(crate) dhis2: &'p str,
    pub(crate) made: Timestamp,
    pub(crate) time_zone: &'p TimeZone,
    pub(crate) status: &'p SiteStatus,
    /// Those of the last weeks on which a run began.
    pub(crate) days: &'p BTreeMap<Date, RunsOfDay>,
    /// What people call the units and elements of open problems.
    pub(crate) names: &'p BTreeMap<Uid, String>,
}

impl StatusPage<'_> {
    /// Days that are shown, today among them.
    pub(crate) const DAYS: i32 = charts::DAYS;

    pub(crate) fn html(&self) -> String {
        let exit = self.status.exit();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (advice::state(exit)) " – " (self.site) " to DHIS2" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        h1 { (self.site) " to DHIS2" }
                        p.state data-state=(advice::kind(exit)) { (advice::verdict(exit)) }
                        p { "As of " span.nobr { (self.local(self.made)) } ". Values go to " (self.dhis2) "." }
                    }
                    main {
                        (self.mappings())
                        (self.problems())
                        (self.dashboards())
                        (self.weeks())
                    }
                    footer {
                        p {
                            "Written by pg2dhis2 " (env!("CARGO_PKG_VERSION")) " after each run that may send something. If the \
                             time above is hours ago, no run has come to its end since."
                        }
                    }
                }
            }
        };
        page.into_string()
    }

    fn mappings(&self) -> Markup {
        html! {
            section aria-labelledby="mappings" {
                h2 id="mappings" { "Mappings" }
                @if let Some((run, at)) = &self.status.interrupted {
                    p { "Run " (run) ", begun " (self.at(at)) ", never came to its end. The next one sends what is left." }
                }
                @for mapping in &self.status.mappings {
                    article {
                        h3 { (mapping.name) }
                        p.state data-state=(advice::kind(mapping.exit())) { (advice::state(mapping.exit())) }
                        p { (self.sentence(mapping)) }
                    }
                }
            }
        }
    }

    /// How a mapping stands, in a sentence or two.
    fn sentence(&self, mapping: &MappingStatus) -> String {
        let standing = &mapping.standing;
        let success = standing.success.as_deref().map(|at| self.at(at));
        let success = success.unwrap_or_default();
        let mut words = match mapping.age {
            Age::Never => {
                "No run has ended well yet: DHIS2 has nothing of it from here.".to_owned()
            }
            Age::Stale(_) => format!("No run has ended well since {success}: DHIS2 may be behind."),
            Age::Fresh(_) => match mapping.exit() {
                Exit::Ok => format!("On {success} DHIS2 had all that the registry says."),
                _ => format!("The last run that ended well was on {success}; something is open."),
            },
        };
        if let Some((at, exit)) = standing.last.as_ref().filter(|(_, exit)| *exit != 0) {
            let meaning = Exit::ALL.into_iter().find(|known| known.code() == *exit);
            let meaning = meaning.map(Exit::meaning).unwrap_or_default();
            words += &format!(
                " The last run, on {}, ended with {exit}: {meaning}.",
                self.at(at)
            );
        }
        if standing.is_nothing_accepted {
            words += " Nothing was accepted of what that run was due to send: all of it was closed, blocked, rejected or held.";
        }
        if let Some((at, count)) = &standing.values {
            words += &format!(" Values were last changed on {}: {count}.", self.at(at));
        }
        if !standing.gaps.is_empty() {
            let gaps: Vec<String> = standing.gaps.iter().map(ToString::to_string).collect();
            words += &format!(" Never confirmed: {}.", gaps.join(", "));
        }
        if standing.older > 0 {
            words += &format!(
                " {} more problems are in periods that no run looks at by itself.",
                standing.older
            );
        }
        words
    }

    fn problems(&self) -> Markup {
        let open = |mapping: &&MappingStatus| !mapping.standing.open.is_empty();
        html! {
            section aria-labelledby="open" {
                h2 id="open" { "Open problems" }
                @if !self.status.mappings.iter().any(|mapping| open(&mapping)) {
                    p { "None: every row has its place and every value its outcome." }
                }
                @for mapping in self.status.mappings.iter().filter(open) {
                    @let groups = mapping.groups();
                    div.wide tabindex="0" role="region" aria-label={ "Open problems of " (mapping.name) } {
                        table {
                            caption { (mapping.name) ": " (groups.len()) " open" }
                            thead { tr { th scope="col" { "What" } th scope="col" { "Of" } th scope="col" { "Periods" }
                                th scope="col" { "Since" } th scope="col" { "What to do" } } }
                            tbody {
                                @for group in groups.iter().take(LISTED) {
                                    tr {
                                        th scope="row" { (advice::what(group.problem)) }
                                        td data-label="Of" { (advice::of(group.problem, self.names)) }
                                        td data-label="Periods" { (group.range()) }
                                        td data-label="Since" { span.nobr { (self.at(group.first)) } }
                                        td data-label="What to do" { (advice::advice(group.problem)) }
                                    }
                                }
                            }
                        }
                    }
                    @if groups.len() > LISTED {
                        p { "… and " (groups.len() - LISTED) " more: " code { "pg2dhis2 status" } }
                    }
                }
            }
        }
    }

    /// Whether dashboards show the values yet.
    fn dashboards(&self) -> Markup {
        let values = self.status.mappings.iter();
        let values = values.filter_map(|mapping| mapping.standing.values.as_ref());
        let last: Option<Timestamp> = values.filter_map(|(at, _)| at.parse().ok()).max();
        let built: Option<Timestamp> = self
            .status
            .analytics
            .as_ref()
            .and_then(|(at, _)| at.parse().ok());
        let words = match (built, last) {
            (None, _) => "DHIS2 has not said when its analytics tables were last built, on which dashboards and charts rest.".to_owned(),
            (Some(built), Some(last)) if built < last => format!(
                "Not yet: values were last changed on {}, and DHIS2 last built its analytics tables on {}. Its next build shows them.",
                self.local(last),
                self.local(built)
            ),
            (Some(built), _) => format!(
                "Yes: DHIS2 built its analytics tables on {}, after the last change of values.",
                self.local(built)
            ),
        };
        html! {
            section aria-labelledby="dashboards" {
                h2 id="dashboards" { "Do dashboards show the values?" }
                p { (words) }
            }
        }
    }

    fn weeks(&self) -> Markup {
        let today = self.time_zone.to_datetime(self.made).date();
        let days = charts::last(today, self.days);
        html! {
            section aria-labelledby="weeks" {
                h2 id="weeks" { "The last " (StatusPage::DAYS) " days" }
                (charts::calendar(&days))
                h3 { "Values changed in DHIS2" }
                (charts::values(&days))
            }
        }
    }

    /// A moment of the history, on the site's clock.
    fn at(&self, text: &str) -> String {
        let at: Result<Timestamp, _> = text.parse();
        at.map_or_else(|_| text.to_owned(), |at| self.local(at))
    }

    fn local(&self, at: Timestamp) -> String {
        let at = self.time_zone.to_datetime(at);
        at.strftime("%Y-%m-%d %H:%M").to_string()
    }
}
