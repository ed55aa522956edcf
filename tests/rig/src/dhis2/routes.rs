//! From a request to the part of the server that answers it.

use super::access::Account;
use super::answer::{Answer, Refusal};
use super::books::Books;
use super::http::Incoming;
use super::import_options::ImportOptions;
use super::properties::View;
use super::request::{Query, unpacked};
use super::summary::Summary;
use super::{
    Dialect, approvals, collections, completeness, data_store, entry, jobs, lock_exceptions,
    new_engine, old_engine, read_values, server_info,
};

/// Content types the import of data values reads, or at least knows.
const IMPORTABLE: [&str; 5] = [
    "application/json",
    "application/xml",
    "application/adx+xml",
    "application/csv",
    "application/pdf",
];

/// A call of the Web API by an account that has been let in.
pub(crate) struct Call<'a> {
    pub(crate) view: View<'a>,
    pub(crate) request: &'a Incoming,
    pub(crate) query: &'a Query,
    /// Everybody, for jobs of others.
    pub(crate) accounts: &'a [Account],
}

/// Whether a request imports data values; `parts` are those after `api`.
pub(crate) fn is_import(method: &str, parts: &[&str]) -> bool {
    matches!((method, parts), ("POST", ["dataValueSets"]))
}

/// The parts of the path after `api` and a version the server knows; `None` outside the Web API.
pub(crate) fn below_api<'p>(parts: &'p [&'p str], dialect: Dialect) -> Option<&'p [&'p str]> {
    let ["api", rest @ ..] = parts else {
        return None;
    };
    let newest = match dialect {
        Dialect::V2_42 => 42,
        Dialect::V2_43 => 43,
    };
    match rest {
        [version, rest @ ..]
            if version
                .parse()
                .is_ok_and(|version| (28..=newest).contains(&version)) =>
        {
            Some(rest)
        }
        rest => Some(rest),
    }
}

impl Call<'_> {
    pub(crate) fn answer(&self, books: &mut Books, parts: &[&str]) -> Answer {
        let routed = match parts {
            [
                "dataValueSets"
                | "dataValues"
                | "dataApprovals"
                | "lockExceptions"
                | "completeDataSetRegistrations",
                ..,
            ] => self.data(books, parts),
            [
                "dataStore"
                | "sharing"
                | "messageConversations"
                | "resourceTables"
                | "jobConfigurations",
                ..,
            ] => self.services(books, parts),
            ["system" | "systemSettings", ..] => self.system(books, parts),
            ["me", rest @ ..] if self.is("GET") => {
                server_info::me(&self.view, self.query, rest).map(Ok)
            }
            _ => self.metadata(parts),
        };
        let answer = match routed {
            Some(Ok(answer)) => answer,
            Some(Err(refusal)) => return refusal.into(),
            None => {
                let path = parts.join("/");
                return Answer::page(
                    404,
                    &format!("No endpoint {} /api/{path}.", self.request.method),
                );
            }
        };
        if answer.is_json() && !self.accepts_json() {
            let message = "Acceptable representations: [application/json, application/xml, application/csv, application/adx+xml, application/gzip].";
            return Answer::page(406, message);
        }
        answer
    }

    fn is(&self, method: &str) -> bool {
        self.request.method == method
    }

    fn accepts_json(&self) -> bool {
        let accepted = self.request.header("accept").unwrap_or("*/*").split(',');
        let mut kinds = accepted.map(|kind| kind.split(';').next().unwrap_or_default().trim());
        kinds.any(|kind| matches!(kind, "*/*" | "application/*" | "application/json"))
    }

    fn data(&self, books: &mut Books, parts: &[&str]) -> Option<Result<Answer, Refusal>> {
        let (view, query) = (&self.view, self.query);
        let body = || unpacked(self.request);
        Some(match (self.request.method.as_str(), parts) {
            ("POST", ["dataValueSets"]) => self.import(books),
            ("GET", ["dataValueSets"]) => read_values::read(view, books, query),
            ("POST", ["dataValues"]) => self
                .entering()
                .and_then(|()| entry::enter(view, books, query)),
            ("DELETE", ["dataValues"]) => self
                .entering()
                .and_then(|()| entry::delete(view, books, query)),
            ("PUT", ["dataValues", "followup"]) => self
                .entering()
                .and_then(|()| entry::mark(view, books, &body())),
            ("GET", ["dataApprovals"]) => approvals::state(view, books, query),
            ("POST", ["dataApprovals"]) => approvals::approve(view, books, query),
            ("DELETE", ["dataApprovals"]) => approvals::withdraw(view, books, query),
            ("GET", ["lockExceptions"]) => lock_exceptions::list(view, books, query),
            ("POST", ["lockExceptions"]) => lock_exceptions::add(view, books, query),
            ("DELETE", ["lockExceptions"]) => lock_exceptions::remove(view, books, query),
            ("GET", ["completeDataSetRegistrations"]) => Ok(completeness::read(view, books, query)),
            ("POST", ["completeDataSetRegistrations"]) => {
                Ok(completeness::register(view, books, query, &body()))
            }
            ("DELETE", ["completeDataSetRegistrations"]) => {
                completeness::remove(view, books, query)
            }
            _ => return None,
        })
    }

    fn services(&self, books: &mut Books, parts: &[&str]) -> Option<Result<Answer, Refusal>> {
        let view = &self.view;
        let body = || unpacked(self.request);
        Some(match (self.request.method.as_str(), parts) {
            ("GET", ["dataStore", rest @ ..]) => data_store::read(view, books, rest),
            (method @ ("POST" | "PUT" | "DELETE"), ["dataStore", rest @ ..]) => {
                data_store::write(view, books, method, rest, &body())
            }
            (method @ ("GET" | "POST" | "PUT"), ["sharing"]) => {
                data_store::sharing(view, books, method, self.query, &body())
            }
            ("POST", ["messageConversations"]) => data_store::send_message(view, books, &body()),
            ("POST" | "PUT", ["resourceTables", "analytics"]) => {
                jobs::start_analytics(view, books, self.query)
            }
            ("GET", ["jobConfigurations", id]) => {
                self.run_due(books, id);
                jobs::configuration(&self.view, books, self.query, id)
            }
            _ => return None,
        })
    }

    fn system(&self, books: &mut Books, parts: &[&str]) -> Option<Result<Answer, Refusal>> {
        Some(match (self.request.method.as_str(), parts) {
            ("GET", ["system", "info"]) => {
                Ok(server_info::system_info(&self.view, books.analytics))
            }
            ("GET", ["system", "ping"]) => Ok(Answer::empty(200)),
            ("GET", ["systemSettings", key]) => server_info::setting(key),
            ("GET", ["system", "taskSummaries", _, id]) => {
                self.run_due(books, id);
                Ok(jobs::task_summary(books, id))
            }
            ("GET", ["system", "tasks", kind]) => Ok(jobs::all_tasks(&self.view, books, kind)),
            ("GET", ["system", "tasks", _, id]) => {
                self.run_due(books, id);
                Ok(jobs::tasks(&self.view, books, id))
            }
            _ => return None,
        })
    }

    fn metadata(&self, parts: &[&str]) -> Option<Result<Answer, Refusal>> {
        let [kind, rest @ ..] = parts else {
            return None;
        };
        if !self.is("GET") || !collections::exists(&self.view, kind) {
            return None;
        }
        match rest {
            [] => Some(collections::list(&self.view, kind, self.query)),
            [id] => Some(collections::one(&self.view, kind, id, self.query)),
            _ => None,
        }
    }

    /// Entering single values needs the same authority as importing many.
    fn entering(&self) -> Result<(), Refusal> {
        match self.view.account.has("F_DATAVALUE_ADD") {
            true => Ok(()),
            false => Err(Refusal::needs("F_DATAVALUE_ADD")),
        }
    }

    fn import(&self, books: &mut Books) -> Result<Answer, Refusal> {
        self.entering()?;
        // A request without a body needs no content type.
        let given = self
            .request
            .header("content-type")
            .filter(|_| !self.request.body.is_empty());
        let given = given.unwrap_or("application/json");
        let kind = given.split(';').next().unwrap_or_default().trim();
        if !IMPORTABLE.contains(&kind.to_ascii_lowercase().as_str()) {
            return Err(Refusal::new(
                415,
                format!("Content-Type '{given}' is not supported"),
            ));
        }
        if kind != "application/json" {
            return Err(Refusal::new(
                500,
                format!("the stand-in does not read {kind}"),
            ));
        }
        let options = ImportOptions::bind(self.query)?;
        let body = unpacked(self.request);
        if options.asynchronous {
            return Ok(jobs::start_import(&self.view, books, &options, body));
        }
        let summary = run(&self.view, books, &options, &body)?;
        Ok(summary.answer(self.view.dialect))
    }

    /// Does the import a job has been waiting with, in the name of who asked for it.
    fn run_due(&self, books: &mut Books, id: &str) {
        let Some(due) = jobs::look(books, id) else {
            return;
        };
        let owner = self
            .accounts
            .iter()
            .find(|account| account.username == due.username);
        let view = View {
            account: owner.unwrap_or(self.view.account),
            ..self.view
        };
        let summary = run(&view, books, &due.options, &due.body).unwrap_or_else(|_| Summary {
            failed: true,
            ..Summary::default()
        });
        jobs::finish(books, &due.id, &summary);
    }
}

fn run(
    view: &View,
    books: &mut Books,
    options: &ImportOptions,
    body: &[u8],
) -> Result<Summary, Refusal> {
    match view.dialect {
        Dialect::V2_42 => Ok(old_engine::import(view, books, options, body)),
        Dialect::V2_43 => new_engine::import(view, books, options, body),
    }
}
