//! One server: all it holds, and its way from a request to an answer and the list of what it answered.

use serde_json::Value;

use super::access::Account;
use super::answer::Answer;
use super::books::Books;
use super::clock::Clock;
use super::http::Incoming;
use super::metadata::Metadata;
use super::properties::View;
use super::request::{Query, unpacked};
use super::routes::{Call, below_api, is_import};
use super::sessions::Sessions;
use super::{Apply, Dialect, Request, auth, control};

pub(crate) struct World {
    pub(crate) dialect: Dialect,
    /// Empty, or a slash and a name.
    pub(crate) context_path: String,
    pub(crate) accounts: Vec<Account>,
    pub(crate) metadata: Metadata,
    pub(crate) books: Books,
    pub(crate) clock: Clock,
    /// Exports to merge just before the next POST of values.
    pub(crate) merges_at_post: Vec<Value>,
    /// What to answer to the next POST of values, whatever it is.
    pub(crate) next_post: Option<NextPost>,
    pub(crate) sessions: Sessions,
    pub(crate) requests: Vec<Request>,
    /// The bodies of imports, once somebody wants to see them.
    pub(crate) imports: Option<Vec<Vec<u8>>>,
}

pub(crate) struct NextPost {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) apply: Apply,
}

impl World {
    pub(crate) fn respond(&mut self, request: &Incoming) -> Answer {
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        let query = Query::parse(query);
        let path = super::request::decode(&path.replace('+', "%2B"));
        let below = path
            .strip_prefix(self.context_path.as_str())
            .unwrap_or(&path);
        if let Some(call) = below.strip_prefix("/stand-in/") {
            return control::answer(self, request, call, &query);
        }
        let session = self.sessions.user(request).map(str::to_owned);
        let (mut answer, account) = match path.strip_prefix(self.context_path.as_str()) {
            Some(below) => self.route(request, below, &query),
            None => (Answer::page(404, "Not here"), None),
        };
        if let Some(user) = account.as_ref().filter(|_| account != session) {
            for cookie in self.sessions.begin(user, self.dialect) {
                answer = answer.with("Set-Cookie", cookie);
            }
        }
        self.requests.push(Request {
            method: request.method.clone(),
            path: request.target.clone(),
            is_login: request.header("authorization").is_some()
                && (session.is_none() || session != account),
            account,
            status: answer.status,
            bytes: (request.body.len(), answer.body.len()),
        });
        answer
    }

    /// Answers a request below the context path; also says who asked.
    fn route(&mut self, request: &Incoming, path: &str, query: &Query) -> (Answer, Option<String>) {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let base = self.base(request);
        match parts.as_slice() {
            ["api", "ping"] => return (Answer::empty(200), None),
            ["api", ..] | [] => {}
            // Pages of the web apps, the one to log in at among them.
            _ if path.ends_with('/') => return (Answer::web_app(), None),
            _ => {}
        }
        let user = self.sessions.user(request);
        let accounts = &self.accounts;
        let mut account = match auth::account(request, user, accounts, self.dialect, &base) {
            Ok(account) => account.clone(),
            Err(refused) => return (refused, None),
        };
        let groups = self.metadata.model.groups_of.get(&account.id);
        account
            .user_groups
            .extend(groups.into_iter().flatten().cloned());
        let answer = match below_api(&parts, self.dialect) {
            Some(parts) => self.call(request, query, parts, &account, &base),
            None if parts.is_empty() => Answer::redirect(302, format!("{base}apps/")),
            None => Answer::redirect(301, format!("{}{path}/", self.context_path)),
        };
        (answer, Some(account.username))
    }

    fn call(
        &mut self,
        request: &Incoming,
        query: &Query,
        parts: &[&str],
        account: &Account,
        base: &str,
    ) -> Answer {
        let mut next = None;
        if is_import(&request.method, parts) {
            if let Some(imports) = &mut self.imports {
                imports.push(unpacked(request));
            }
            for export in std::mem::take(&mut self.merges_at_post) {
                // It was checked when it was handed in.
                let _ = control::merge_parsed(self, &export);
            }
            next = self.next_post.take();
        }
        let call = Call {
            view: View {
                metadata: &self.metadata,
                account,
                dialect: self.dialect,
                now: self.clock.now(),
                base,
            },
            request,
            query,
            accounts: &self.accounts,
        };
        match next {
            Some(next) => {
                if next.apply == Apply::All {
                    call.answer(&mut self.books, parts);
                }
                Answer::json_with_status(next.status, &next.body)
            }
            None => call.answer(&mut self.books, parts),
        }
    }

    /// The server's address as this client has it.
    fn base(&self, request: &Incoming) -> String {
        let host = request.header("host").unwrap_or("localhost");
        format!("http://{host}{}/", self.context_path)
    }
}
