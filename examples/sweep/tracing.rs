//! Runs the program under strace: once to see its system calls, then again and again to spoil one of them.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use rig::drill::Ran;

use crate::scene::{ARGUMENTS, Scene};

/// The calls by which the program touches anything outside itself, or waits for it.
const CALLS: [&str; 20] = [
    "clone3",
    "close",
    "connect",
    "epoll_wait",
    "fdatasync",
    "flock",
    "fsync",
    "getdents64",
    "mkdir",
    "openat",
    "poll",
    "read",
    "recvfrom",
    "renameat",
    "sendto",
    "socket",
    "statx",
    "unlink",
    "write",
    "writev",
];

/// Not before the program reads its site file does it do anything; until then the system loads it.
const BEGINNING: &str = "pg2dhis2.toml";

/// One system call of the program's main thread.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) call: String,
    /// Among the calls of its name, from 1, as strace counts.
    nth: usize,
    /// As strace shows it.
    shown: String,
    pub(crate) is_before_first_import: bool,
    /// SQLite goes on without it, and nothing is lost.
    is_passed_over: bool,
}

impl Point {
    /// Whether the state folder is locked or written by it. A file there that cannot be read is another matter: of some
    /// the program can do without.
    pub(crate) fn records(&self) -> bool {
        let reads = self.shown.contains("O_RDONLY")
            && (self.shown.contains("/state/") || self.shown.contains("O_DIRECTORY"));
        self.shown.contains("/state") && !reads && !self.is_passed_over
    }

    /// Whether it opens, writes or moves a file rather than a socket or an event.
    pub(crate) fn is_of_files(&self) -> bool {
        let files = [
            "write",
            "writev",
            "fsync",
            "fdatasync",
            "renameat",
            "openat",
            "mkdir",
        ];
        let others = ["<socket:", "<anon_inode:"];
        files.contains(&self.call.as_str())
            && !others.iter().any(|other| self.shown.contains(other))
    }

    pub(crate) fn told(&self) -> String {
        format!("{} number {}: {}", self.call, self.nth, self.shown)
    }
}

/// Why this machine lets no process be traced, if it does not.
pub(crate) fn hindrance() -> Option<String> {
    let output = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "--", "true"])
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(format!("strace: {error}")),
    }
}

/// The system calls of one whole run.
pub(crate) fn points(scene: &Scene) -> Vec<Point> {
    scene.rewind();
    let log = scene.drill.folder().join("calls");
    let set = format!("trace={}", CALLS.join(","));
    let words = ["-f", "-y", "-s", "60", "-o", "calls", "-e", &set].map(str::to_owned);
    let command = scene.drill.command_under("strace", &words, &ARGUMENTS);
    let ran = scene.drill.finish(command);
    assert_eq!(ran.code, Some(0), "the run to be swept: {}", ran.stderr);
    let text = fs::read_to_string(log).expect("what strace saw");
    let main = text.split(' ').next().unwrap_or_default();
    let (mut counted, mut points) = (BTreeMap::new(), Vec::new());
    let (mut has_begun, mut has_sent) = (false, false);
    for line in text.lines() {
        let Some((process, shown)) = line.split_once(' ') else {
            continue;
        };
        let shown = shown.trim_start();
        let Some((call, _)) = shown.split_once('(').filter(|_| process == main) else {
            continue;
        };
        let nth: &mut usize = counted.entry(call.to_owned()).or_default();
        *nth += 1;
        has_begun |= shown.contains(BEGINNING);
        if has_begun && CALLS.contains(&call) {
            points.push(Point {
                call: call.to_owned(),
                nth: *nth,
                shown: shown.to_owned(),
                is_before_first_import: !has_sent,
                is_passed_over: false,
            });
        }
        has_sent |= shown.contains("\"POST ");
    }
    pass_over(&mut points);
    pass_over_readers(&mut points);
    points
}

/// Marks where the history is opened only to be read: SQLite opens a file for reading that it may not write, so that such a run
/// goes on with what it read. What the record itself opens comes right before its first commit, and must not fail.
fn pass_over_readers(points: &mut [Point]) {
    let opens = |point: &Point| point.call == "openat" && point.shown.contains("/state/history.db");
    let commits =
        |point: &Point| point.call.contains("sync") && point.shown.contains("history.db-wal>");
    let Some(first) = points.iter().position(commits) else {
        return;
    };
    let before = points.get(..first).unwrap_or_default();
    let begins = |point: &Point| opens(point) && point.shown.contains("/state/history.db\"");
    let Some(record) = before.iter().rposition(begins) else {
        return;
    };
    for (index, point) in points.iter_mut().enumerate() {
        point.is_passed_over |= opens(point) && !(record..first).contains(&index);
    }
}

/// Marks what SQLite does beside its commits, which are synced before anything is sent. The folder, when the log of writes
/// is new in it: the program syncs it again with its own files, and that must not fail. The checkpoint when it closes: what
/// cannot be copied from the log stays in the log, and the next run copies it.
fn pass_over(points: &mut [Point]) {
    let of_history = |point: &Point| point.shown.contains("/state/history.db");
    let is_folder =
        |point: &Point| point.shown.contains("/state\"") || point.shown.contains("/state>)");
    for index in 1..points.len() {
        let (done, rest) = points.split_at_mut(index);
        let (Some(before), Some(point)) = (done.last(), rest.first_mut()) else {
            continue;
        };
        let opens = point.call == "openat" && is_folder(point) && of_history(before);
        let syncs = point.call == "fsync" && is_folder(point) && before.is_passed_over;
        let copies = point.call == "fsync" && point.shown.contains("/state/history.db>");
        point.is_passed_over = opens || syncs || copies;
        if copies {
            let mut earlier = done.iter_mut().rev();
            let log =
                earlier.find(|each| each.call == "fsync" && each.shown.contains("history.db-wal>"));
            log.into_iter().for_each(|log| log.is_passed_over = true);
        }
    }
}

/// A run in which one call ends so: `signal=KILL`, `error=EIO`.
pub(crate) fn spoiled(scene: &Scene, point: &Point, ending: &str) -> Ran {
    scene.rewind();
    let Point { call, nth, .. } = point;
    let inject = format!("inject={call}:{ending}:when={nth}");
    // Not with `--seccomp-bpf`, under which strace 6.1 delivers hardly any of the signals.
    let words = ["-f", "-o", "/dev/null", "-e", &inject].map(str::to_owned);
    let command = scene.drill.command_under("strace", &words, &ARGUMENTS);
    scene.drill.finish(command)
}
