//! Answers and results without measure: the program ends by itself, with a documented exit code, and never takes more
//! than a few of its usual memory.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use rig::dhis2::Dialect;

use crate::program::{Finished, program_with_output};
use crate::relay::relay_as_it_likes;
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};

/// What a run may take, whatever it is answered. Beyond it the system gives no more, and the program is gone.
const LARGEST_KIB: u32 = 200 << 10;

/// Runs March 2025 with so much memory to write to.
pub(crate) fn run_within(site: &SmallSite, kib: u32) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .current_dir(site.folder.path())
        .env_clear()
        .arg("-c")
        .arg(format!("ulimit -d {kib} && exec \"$0\" \"$@\""))
        .arg(env!("CARGO_BIN_EXE_pg2dhis2"))
        .args(["run", "-p", "202503", "--as-of", NOW]);
    shell
}

/// Runs March 2025 with no more than that.
pub(crate) fn run(site: &SmallSite) -> Finished {
    program_with_output(&mut run_within(site, LARGEST_KIB))
}

/// A site whose DHIS2 answers requests that begin with `request` as `respond` likes.
fn answered(
    request: &'static str,
    respond: impl Fn(&mut TcpStream) -> io::Result<()> + Send + 'static,
) -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    let url = site.dhis2.url();
    let relay = relay_as_it_likes(&url, move |first, answer, client| {
        if first.starts_with(request) {
            respond(client)
        } else {
            client.write_all(&answer)
        }
    });
    site.replace("pg2dhis2.toml", &url, &relay);
    site
}

pub(crate) const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/// A beginning, and then the same again until the program has had enough.
pub(crate) fn endless(client: &mut TcpStream, beginning: &str, again: &str) -> io::Result<()> {
    client.write_all(beginning.as_bytes())?;
    let block = again.repeat((64 << 10) / again.len());
    loop {
        client.write_all(block.as_bytes())?;
    }
}

pub(crate) fn whole(client: &mut TcpStream, headers: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    client.write_all(format!("{HEAD}{headers}Content-Length: {length}\r\n\r\n").as_bytes())?;
    client.write_all(body)
}

#[test]
fn a_program_that_takes_more_than_its_limit_is_found_out() {
    let site = SmallSite::new(Dialect::V2_43);
    let limited = run_within(&site, 1 << 10).output().expect("a shell");
    assert_eq!(limited.status.code().filter(|code| *code < 126), None);
    run(&site).code(0);
}

#[test]
fn a_document_without_end_is_refused() {
    let bodies = [
        ("", " ", "larger than 32 MiB"),
        ("{\"id\":\"", "x", "larger than 32 MiB"),
        ("[", "[", "not what its API promises"),
    ];
    for request in [
        "GET /api/system/info",
        "GET /api/me",
        "GET /api/dataSets",
        "GET /api/dataElements",
    ] {
        for (beginning, again, words) in bodies {
            let beginning = format!("{HEAD}\r\n{beginning}");
            let site = answered(request, move |client| endless(client, &beginning, again));
            // An element of another data set, so that the data elements are asked for.
            site.database
                .execute("INSERT INTO t VALUES ('YADstg5hq3J', 'VsF9dWr6arv', '202503', '1')");
            let run = run(&site).code(14);
            let told = run.stderr.contains(words) || run.stderr.contains("larger than 32 MiB");
            assert!(told, "{request} {again:?}: {}", run.stderr);
        }
    }
}

#[test]
fn live_values_without_end_are_refused() {
    let value = "{\"dataValues\":[{\"value\":\"";
    for (beginning, again, words) in [
        (value, "x", "a text of more than 1 MiB"),
        (value, "\\\"", "a text of more than 1 MiB"),
        ("{\"other\":", "[", "nested more than 64 deep"),
        ("{\"other\":", "{\"a\":", "nested more than 64 deep"),
    ] {
        let beginning = format!("{HEAD}\r\n{beginning}");
        let site = answered("GET /api/dataValueSets", move |client| {
            endless(client, &beginning, again)
        });
        site.refused(run(&site), 14, words);
    }
}

#[test]
fn a_value_of_64_mib_is_refused_whole_or_not() {
    let site = answered("GET /api/dataValueSets", |client| {
        let value = "5".repeat(64 << 20);
        let body = format!(
            "{{\"dataValues\":[{{\"dataElement\":\"{NUMBER}\",\"period\":\"202503\",\"orgUnit\":\"{}\",\
             \"categoryOptionCombo\":\"HllvX50cXC0\",\"attributeOptionCombo\":\"HllvX50cXC0\",\"value\":\"{value}\"}}]}}",
            UNITS[0]
        );
        whole(client, "", body.as_bytes())
    });
    site.refused(run(&site), 14, "a text of more than 1 MiB");
}

#[test]
fn many_values_that_nobody_asked_for_take_no_memory() {
    let rows: Vec<String> = (0..300_000)
        .map(|number| {
            format!(
                "{{\"dataElement\":\"Element{:04}\",\"period\":\"202503\",\"orgUnit\":\"Unit{number:07}\",\
                 \"categoryOptionCombo\":\"HllvX50cXC0\",\"attributeOptionCombo\":\"HllvX50cXC0\",\"value\":\"5\"}}",
                number % 7_000
            )
        })
        .collect();
    let body = format!("{{\"dataValues\":[{}]}}", rows.join(","));
    let site = answered("GET /api/dataValueSets", move |client| {
        whole(client, "", body.as_bytes())
    });
    // What was sent cannot be read back among them.
    run(&site).code(5);
    assert_eq!(site.dhis2.values().len(), 1);
}

#[test]
fn a_head_without_end_is_no_http() {
    let site = answered("GET /api/system/info", |client| {
        endless(client, HEAD, "X-Again: and again\r\n")
    });
    site.refused(run(&site), 14, "not an HTTP answer");
}

/// Half a GiB of spaces in a few MiB.
pub(crate) static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..512 {
        gzip.write_all(&[b' '; 1 << 20]).expect("half a GiB");
    }
    gzip.finish().expect("a few MiB")
});

#[test]
fn compressed_bytes_that_nobody_asked_for_are_not_expanded() {
    for request in ["GET /api/system/info", "GET /api/dataValueSets"] {
        let site = answered(request, |client| {
            whole(client, "Content-Encoding: gzip\r\n", &BOMB)
        });
        site.refused(run(&site), 14, "not what its API promises");
    }
}

/// The answer to an import with so many conflicts.
fn with_conflicts(count: usize, conflict: &str) -> String {
    let conflicts = vec![conflict; count].join(",");
    format!(
        "{{\"response\":{{\"status\":\"WARNING\",\"importCount\":{{\"imported\":0,\"updated\":0,\"ignored\":0,\"deleted\":0}},\
         \"conflicts\":[{conflicts}]}}}}"
    )
}

#[test]
fn a_million_conflicts_prove_nothing_and_what_was_stored_is_read_back() {
    let short = "{\"errorCode\":\"E1\"}";
    for (count, conflict, code) in [
        // 7 MB are read, 20 MB are not; the value is there either way.
        (390_000, short, 0),
        (500_000, "{\"indexes\":[]}", 0),
        (
            80_000,
            "{\"objects\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":0}}",
            0,
        ),
        (1_000_000, short, 14),
    ] {
        let answer = with_conflicts(count, conflict);
        let site = answered("POST /api/dataValueSets", move |client| {
            whole(client, "", answer.as_bytes())
        });
        run(&site).code(code);
        let values: Vec<String> = site.dhis2.values().into_values().collect();
        assert_eq!(values, ["5"], "{conflict}");
    }
}

#[test]
fn an_answer_to_an_import_without_end_is_refused_and_what_was_stored_is_read_back() {
    for (beginning, again) in [
        ("", " "),
        (
            "{\"response\":{\"status\":\"SUCCESS\",\"rejectedIndexes\":[",
            "1,",
        ),
        (
            "{\"response\":{\"status\":\"SUCCESS\",\"conflicts\":[{\"objects\":{\"args\":\"[",
            "1, ",
        ),
    ] {
        let beginning = format!("{HEAD}\r\n{beginning}");
        let site = answered("POST /api/dataValueSets", move |client| {
            endless(client, &beginning, again)
        });
        run(&site).code(14).stderr_has("larger than 8 MiB");
        assert_eq!(site.dhis2.values().len(), 1);
    }
}

#[test]
fn cells_of_64_mib_stay_in_the_database() {
    let long = "repeat('x', 64 << 20)";
    for (sql, code) in [
        // A value, a key, a period; a column that nobody declared, as data.
        (
            format!("SELECT element, unit, period, {long} AS value FROM t"),
            3,
        ),
        (
            format!("SELECT element, {long} AS unit, period, value FROM t"),
            3,
        ),
        (
            format!("SELECT {long} AS element, unit, period, value FROM t"),
            3,
        ),
        (
            format!("SELECT element, unit, {long} AS period, value FROM t"),
            13,
        ),
        (
            format!("SELECT element, unit, period, value, {long} AS more FROM t"),
            15,
        ),
        (
            format!("SELECT element, unit, period, says({long})::text AS value FROM t"),
            13,
        ),
    ] {
        let site = SmallSite::new(Dialect::V2_43);
        site.replace(
            "mappings/small.toml",
            "absent = ",
            "guards.max-unmapped = \"100%\"\nabsent = ",
        );
        site.database.execute(
            "CREATE FUNCTION says(text) RETURNS int LANGUAGE plpgsql AS $$
             BEGIN RAISE NOTICE '%', $1; RAISE EXCEPTION '%', $1; END $$",
        );
        site.write("mappings/query.sql", &sql);
        let run = run(&site);
        assert_eq!(
            run.code,
            code,
            "{sql}: {}",
            run.stderr.chars().take(2_000).collect::<String>()
        );
        assert!(
            run.stderr.len() < 4_000,
            "{sql}: {} bytes",
            run.stderr.len()
        );
    }
}
