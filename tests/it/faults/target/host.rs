//! The machine that the program runs on, and whoever runs it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rig::dhis2::Dialect::{V2_42, V2_43};

use super::super::{Fault, Holds, Met};
use super::{ALWAYS, Bed, FIRST, IMPORT, limits, none, observed, site};
use crate::bounded::{HEAD, endless, run_within};
use crate::one_at_a_time::Hanging;
use crate::program::{Finished, command, program_with_output};
use crate::small_site::{NOW, SmallSite};

const RUN: [&str; 5] = ["run", "-p", "202503", "--as-of", NOW];

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        number: "F80",
        what: "a file where the state folder must be",
        met: || changed(|site| site.replace("pg2dhis2.toml", "\"state\"", "\"dhis2.token\"")),
        code: 16,
        says: "nothing was sent; make it, owned by the user who runs pg2dhis2",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F80",
        what: "a state folder to which nothing can be written",
        met: || shelled("trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""),
        code: 16,
        says: "nothing was sent; make it, owned by the user who runs pg2dhis2",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F82",
        what: "a second run",
        met: || second(|_| ()),
        code: 11,
        says: "another run is active (pid ",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F82",
        what: "a second run, after every file of the first is gone",
        met: || second(without_files),
        code: 11,
        says: "another run is active (unknown); this one did nothing",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F83",
        what: "no site file",
        met: || changed(|site| fs::remove_file(site.path("pg2dhis2.toml")).expect("it was there")),
        code: 10,
        says: "pg2dhis2.toml",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F83",
        what: "a key that nobody knows",
        met: || changed(|site| site.replace("pg2dhis2.toml", "wait = ", "wiat = ")),
        code: 10,
        says: "unknown key `[limits] wiat`, did you mean `wait`?",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F83",
        what: "a site file that is no TOML",
        met: || changed(|site| site.replace("pg2dhis2.toml", "\"state\"", "state")),
        code: 10,
        says: "a text must stand in \"quotes\"",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F83",
        what: "a secret that everybody may read",
        met: || {
            changed(|site| {
                fs::set_permissions(site.path("dhis2.token"), Permissions::from_mode(0o644))
                    .expect("permissions")
            })
        },
        code: 10,
        says: "is open to others (0644); run: chmod 600",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F84",
        what: "SIGTERM before DHIS2 hears of the import",
        met: || killed("-TERM", false),
        code: 143,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F84",
        what: "SIGKILL before DHIS2 hears of the import",
        met: || killed("-KILL", false),
        code: 137,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F84",
        what: "SIGTERM after the import, before its answer",
        met: || killed("-TERM", true),
        code: 143,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F84",
        what: "SIGKILL after the import, before its answer",
        met: || killed("-KILL", true),
        code: 137,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F84",
        what: "nothing to read from and nothing to write to",
        met: || shelled("exec \"$0\" \"$@\" <&- >&- 2>&-"),
        code: 0,
        says: "",
        asked: 0,
        holds: Holds::All,
    },
    Fault {
        number: "F84",
        what: "a reader of the report who has left",
        met: nobody_reads,
        code: 0,
        says: "",
        asked: 0,
        holds: Holds::All,
    },
    Fault {
        number: "F84",
        what: "a full disk for the report",
        met: full_stdout,
        code: 16,
        says: "standard output cannot be written (the disk is full)",
        asked: 0,
        holds: Holds::All,
    },
    Fault {
        number: "F84",
        what: "a full disk for what is told of a failure",
        met: full_stderr,
        code: 14,
        says: "",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F84",
        what: "an environment with nothing in it, not even a home",
        met: || shelled("exec env -i \"$0\" \"$@\""),
        code: 0,
        says: "",
        asked: 0,
        holds: Holds::All,
    },
    Fault {
        number: "F84",
        what: "a clock that goes back a day",
        met: yesterday,
        code: 0,
        says: "",
        asked: 0,
        holds: Holds::All,
    },
    Fault {
        number: "F84",
        what: "no memory to begin with",
        met: no_memory_to_begin,
        code: 5,
        says: "nothing was sent; the next run tries again",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F84",
        what: "no memory for an answer",
        met: no_memory_for_an_answer,
        code: 5,
        says: "no memory for the answer; the next run tries again",
        asked: 2,
        holds: Holds::NothingSent,
    },
];

fn changed(change: impl FnOnce(&SmallSite)) -> Met {
    let site = site(V2_43);
    change(&site);
    observed(&site, || site.run(), none)
}

/// A run that a shell starts so.
fn shelled(script: &str) -> Met {
    let site = site(V2_43);
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", script, env!("CARGO_BIN_EXE_pg2dhis2")])
        .args(RUN)
        .current_dir(site.folder.path())
        .env_clear();
    observed(&site, || program_with_output(&mut shell), none)
}

/// A second run while the first one hangs in its query.
fn second(meanwhile: impl FnOnce(&SmallSite)) -> Met {
    let mut hanging = Hanging::new();
    let first = hanging.run();
    meanwhile(&hanging.site);
    let met = observed(&hanging.site, || hanging.beside(&["run"]), none);
    hanging.lock.batch_execute("ROLLBACK").expect("a lock");
    let ended = first.wait_with_output().expect("the first ends");
    assert_eq!(ended.status.code(), Some(0));
    met
}

/// The lock is on the folder itself.
fn without_files(site: &SmallSite) {
    for path in site.files().into_keys() {
        if path.starts_with(site.path("state")) {
            fs::remove_file(path).expect("it was there");
        }
    }
}

/// As a shell tells it: 128 and the signal.
fn ended(child: Child) -> Finished {
    let output = child.wait_with_output().expect("it ends");
    let signal = output.status.signal().map(|signal| 128 + signal);
    Finished {
        code: output.status.code().or(signal).expect("code or signal"),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn spawned(command: &mut Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// A run that is ended while its import is under way; the next one needs no word from anybody.
fn killed(signal: &'static str, applied: bool) -> Met {
    let pid: Arc<Mutex<Option<u32>>> = Arc::new(Mutex::new(None));
    let victim = Arc::clone(&pid);
    let bed = Bed::meeting(V2_42, IMPORT, 1, move |asked, _| {
        if applied {
            asked.answer()?;
        }
        let pid = victim.lock().unwrap().expect("it runs");
        let sent = Command::new("kill")
            .args([signal, &pid.to_string()])
            .status()?;
        assert!(sent.success());
        Ok(())
    });
    let site = &bed.site;
    let run = || {
        let child = {
            let mut pid = pid.lock().unwrap();
            let child = spawned(&mut command(site.folder.path(), &RUN));
            *pid = Some(child.id());
            child
        };
        let killed = ended(child);
        site.run().code(0).silent();
        killed
    };
    observed(site, run, |_| bed.met())
}

fn nobody_reads() -> Met {
    let site = site(V2_43);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut run = command(site.folder.path(), &RUN);
    run.args(["--format", "json"]).stdout(writer);
    observed(&site, || program_with_output(&mut run), none)
}

fn dev_full() -> File {
    File::options()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full")
}

fn full_stdout() -> Met {
    let site = site(V2_43);
    let mut run = command(site.folder.path(), &RUN);
    run.args(["--format", "json"]).stdout(dev_full());
    observed(&site, || program_with_output(&mut run), none)
}

fn full_stderr() -> Met {
    let site = site(V2_43);
    site.replace("mappings/small.toml", "YE8SgpSMBQ9", "Aaaaaaaaaa1");
    let mut run = command(site.folder.path(), &RUN);
    observed(&site, || program_with_output(run.stderr(dev_full())), none)
}

/// The second run is a day before the first.
fn yesterday() -> Met {
    let site = site(V2_43);
    site.run().code(0).silent();
    let before = "2026-11-22T12:00:00Z";
    let run = || site.program(&["run", "-p", "202503", "--as-of", before]);
    let met = observed(&site, run, none);
    assert_eq!(met.posts, 0);
    met
}

/// Before it has begun: not even the thread that watches the time fits.
fn no_memory_to_begin() -> Met {
    let site = site(V2_43);
    let run = || program_with_output(&mut run_within(&site, 2 << 10));
    observed(&site, run, none)
}

fn no_memory_for_an_answer() -> Met {
    let bed = Bed::meeting(V2_43, FIRST, ALWAYS, |_, client| {
        endless(client, &format!("{HEAD}\r\n"), " ")
    });
    limits(&bed.site, "attempts = 2");
    let run = || program_with_output(&mut run_within(&bed.site, 16 << 10));
    observed(&bed.site, run, |_| bed.met())
}
