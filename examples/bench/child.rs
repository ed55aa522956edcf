//! Runs the program and watches what it takes: time, work of its own, memory.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::site::Site;

pub(crate) struct Measured {
    pub(crate) seconds: f64,
    /// Processor time of the program alone, without PostgreSQL's and the stand-in's.
    pub(crate) own_seconds: f64,
    /// The most memory that was resident, as Linux counts it.
    pub(crate) peak_mib: u64,
}

/// Runs the program to its end, which must be a good one.
pub(crate) fn measured(site: &Site, args: &[&str]) -> Measured {
    let started = Instant::now();
    let mut child = Command::new(&site.program)
        .current_dir(site.folder.path())
        .env_clear()
        .args(args)
        .stdin(Stdio::null())
        .spawn()
        .expect("the program starts");
    let (mut peak_kib, mut ticks) = (0, 0);
    let status = loop {
        peak_kib = peak_kib.max(high_water(child.id()));
        ticks = ticks.max(processor_ticks(child.id()));
        if let Some(status) = child.try_wait().expect("the program can be waited for") {
            break status;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    };
    assert!(status.success(), "{args:?} ended with {status}");
    Measured {
        seconds: started.elapsed().as_secs_f64(),
        own_seconds: ticks as f64 / TICKS_PER_SECOND,
        peak_mib: peak_kib / 1024,
    }
}

/// What Linux counts processor time in, on every architecture (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Time in user and kernel mode: fields 14 and 15 of proc_pid_stat(5), the second being a name in brackets.
fn processor_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let times = after_name.split(' ').skip(11).take(2);
    times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// The high-water mark that the kernel keeps; 0 once the process is gone.
fn high_water(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
