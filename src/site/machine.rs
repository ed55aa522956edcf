//! Where the program runs, and as whom: what the history tells runs of different machines apart by.

use rustix::process::{Pid, geteuid, test_kill_process};
use rustix::system::uname;

/// The name of this machine.
pub(crate) fn host() -> String {
    uname().nodename().to_string_lossy().into_owned()
}

/// The number of the system's user.
pub(crate) fn user() -> u32 {
    geteuid().as_raw()
}

/// Whether there is a process of this number, whosever it is.
pub(super) fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}
