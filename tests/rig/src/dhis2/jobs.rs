//! Jobs: imports asked for with `async=true` and runs of the analytics tables, with their tasks and summaries.

use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::books::Books;
use super::clock::without_offset;
use super::fields::Fields;
use super::import_options::ImportOptions;
use super::properties::View;
use super::request::Query;
use super::summary::Summary;

/// A job taken on. An import runs when it is asked about for the second time: the server's scheduler looks
/// every 20 seconds, and no test should wait for that.
pub(crate) struct Job {
    id: String,
    kind: &'static str,
    username: String,
    /// What is still to be imported.
    pending: Option<(ImportOptions, Vec<u8>)>,
    looks: usize,
    summary: Option<Value>,
    begun: DateTime,
    /// The job of a build of the analytics tables.
    built: Option<DateTime>,
}

/// `POST /api/resourceTables/analytics`.
pub(crate) fn start_analytics(
    view: &View,
    books: &mut Books,
    query: &Query,
) -> Result<Answer, Refusal> {
    if !view.account.has("F_PERFORM_MAINTENANCE") {
        return Err(Refusal::needs("F_PERFORM_MAINTENANCE"));
    }
    let mut parameters = json!({
        "skipTableTypes": [],
        "skipPrograms": [],
        "skipResourceTables": query.is_true("skipResourceTables"),
        "skipOutliers": query.is_true("skipOutliers"),
    });
    if let Some(years) = query
        .first("lastYears")
        .and_then(|years| years.parse::<i64>().ok())
    {
        parameters["lastYears"] = json!(years);
    }
    Ok(take_on(view, books, "ANALYTICS_TABLE", parameters, None))
}

/// An import with `async=true`.
pub(crate) fn start_import(
    view: &View,
    books: &mut Books,
    options: &ImportOptions,
    body: Vec<u8>,
) -> Answer {
    let parameters = options.as_job_parameters(view.dialect);
    take_on(
        view,
        books,
        "DATAVALUE_IMPORT",
        parameters,
        Some((options.clone(), body)),
    )
}

fn take_on(
    view: &View,
    books: &mut Books,
    kind: &'static str,
    parameters: Value,
    pending: Option<(ImportOptions, Vec<u8>)>,
) -> Answer {
    let id = books.generate_uid();
    let name = format!("{kind} ({id})");
    let tasks = format!("api/system/tasks/{kind}");
    let body = json!({
        "httpStatus": "OK",
        "httpStatusCode": 200,
        "status": "OK",
        "message": format!("Initiated {name}"),
        "response": {
            "responseType": "JobConfiguration",
            "name": name,
            "id": id,
            "created": without_offset(view.now),
            "jobType": kind,
            "jobStatus": "NOT_STARTED",
            "jobParameters": parameters,
            "relativeNotifierEndpoint": format!("/{tasks}/{id}"),
        },
    });
    books.jobs.push(Job {
        id,
        kind,
        username: view.account.username.clone(),
        pending,
        looks: 0,
        summary: None,
        begun: view.now,
        built: None,
    });
    Answer::json(&body).with("Location", format!("{}{tasks}", view.base))
}

/// What a look at a job needs doing: the import it waited with, and the name it is done in.
pub(crate) struct Due {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) options: ImportOptions,
    pub(crate) body: Vec<u8>,
}

/// Counts a look at a job and hands out its import once it is due.
pub(crate) fn look(books: &mut Books, id: &str) -> Option<Due> {
    let job = books.jobs.iter_mut().find(|job| job.id == id)?;
    job.looks += 1;
    if job.looks < 2 {
        return None;
    }
    let (options, body) = job.pending.take()?;
    Some(Due {
        id: job.id.clone(),
        username: job.username.clone(),
        options,
        body,
    })
}

pub(crate) fn finish(books: &mut Books, id: &str, summary: &Summary) {
    if let Some(job) = books.jobs.iter_mut().find(|job| job.id == id) {
        job.summary = Some(summary.bare());
    }
}

/// `GET /api/system/taskSummaries/<kind>/<id>`: 200 and nothing until there is one.
pub(crate) fn task_summary(books: &Books, id: &str) -> Answer {
    let job = books.jobs.iter().find(|job| job.id == id);
    match job.and_then(|job| job.summary.as_ref()) {
        Some(summary) => Answer::json(summary),
        None => Answer::json(&Value::Null).emptied(),
    }
}

/// Ends every build of the analytics tables that goes on.
pub(crate) fn finish_analytics(books: &mut Books, now: DateTime) {
    let going_on = |job: &&mut Job| job.kind == "ANALYTICS_TABLE" && job.built.is_none();
    for job in books.jobs.iter_mut().filter(going_on) {
        job.built = Some(now);
        books.analytics = Some(job.begun);
    }
}

/// `GET /api/system/tasks/<kind>`: the notes of every job of a kind.
pub(crate) fn all_tasks(view: &View, books: &Books, kind: &str) -> Answer {
    let of_kind = books.jobs.iter().filter(|job| job.kind == kind);
    let notes: serde_json::Map<String, Value> = of_kind
        .map(|job| (job.id.clone(), Value::Array(notes(view, job))))
        .collect();
    Answer::json(&Value::Object(notes))
}

/// `GET /api/system/tasks/<kind>/<id>`: notes, the newest first.
pub(crate) fn tasks(view: &View, books: &Books, id: &str) -> Answer {
    let job = books.jobs.iter().find(|job| job.id == id);
    Answer::json(&Value::Array(
        job.map_or_else(Vec::new, |job| notes(view, job)),
    ))
}

fn notes(view: &View, job: &Job) -> Vec<Value> {
    let note = |message: &str, completed: bool, at: DateTime| {
        json!({
            "uid": job.id,
            "level": "INFO",
            "category": job.kind,
            "time": without_offset(at),
            "message": message,
            "completed": completed,
        })
    };
    let built = job
        .built
        .map(|at| note("Analytics tables updated", true, at));
    match (job.kind, &job.summary) {
        ("ANALYTICS_TABLE", _) => built
            .into_iter()
            .chain([note("Updating analytics tables", false, job.begun)])
            .collect(),
        (_, Some(_)) => vec![
            note("Import done", true, view.now),
            note("Importing data values", false, view.now),
            note("Process started", false, view.now),
        ],
        (_, None) => Vec::new(),
    }
}

/// `GET /api/jobConfigurations/<id>`.
pub(crate) fn configuration(
    view: &View,
    books: &Books,
    query: &Query,
    id: &str,
) -> Result<Answer, Refusal> {
    let Some(job) = books.jobs.iter().find(|job| job.id == id) else {
        let message = format!("JobConfiguration with id {id} could not be found.");
        return Err(Refusal::with_code(404, message, "E1005"));
    };
    let (status, executed) = match job.summary {
        Some(_) => ("DISABLED", "COMPLETED"),
        None => ("SCHEDULED", "NOT_STARTED"),
    };
    let fields = Fields::parse(query.first("fields").unwrap_or("*"));
    let shown = json!({
        "id": job.id,
        "jobType": job.kind,
        "jobStatus": status,
        "lastExecutedStatus": executed,
    });
    let shown = shown.as_object().cloned().unwrap_or_default();
    Ok(Answer::json(&fields.of("jobConfigurations", &shown, view)))
}
