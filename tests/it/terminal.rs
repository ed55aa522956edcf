//! A terminal of which the test is the screen: what the program shows to a person and to nobody else.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;
use std::{ffi::OsStr, fs, thread};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::program::{Finished, command};

/// Runs the program with its standard error on a terminal; `stderr` is what stands on the screen.
pub(crate) fn at_a_terminal(folder: &Path, args: &[&str]) -> Finished {
    let (screen, line) = terminal();
    let child = command(folder, args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(line)
        .spawn()
        .expect("the program starts");
    let screen = thread::spawn(move || shown(screen));
    let output = child.wait_with_output().expect("the program ends");
    Finished {
        code: output.status.code().expect("it ended by itself"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
        stderr: screen.join().expect("the screen was read"),
    }
}

/// Runs the program with all that it writes on a terminal; what stands on the screen.
pub(crate) fn with_everything_at_a_terminal(folder: &Path, args: &[&str]) -> String {
    let (screen, line) = terminal();
    let other = line.try_clone().expect("the line to the terminal");
    let mut child = command(folder, args)
        .stdin(Stdio::null())
        .stdout(line)
        .stderr(other)
        .spawn()
        .expect("the program starts");
    let screen = thread::spawn(move || shown(screen));
    child.wait().expect("the program ends");
    screen.join().expect("the screen was read")
}

/// A screen and the line to it.
fn terminal() -> (File, File) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&screen).expect("the terminal is ours");
    unlockpt(&screen).expect("the terminal can be opened");
    let name = ptsname(&screen, Vec::new()).expect("the terminal has a name");
    let line = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(OsStr::from_bytes(name.as_bytes()))
        .expect("the line to the terminal");
    (File::from(screen), line)
}

/// All that comes until nobody holds the line any more, which reads as an error.
fn shown(mut screen: File) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = screen.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8(seen).expect("UTF-8 on the screen")
}
