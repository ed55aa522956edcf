//! A program of the site, which is given the message as JSON on its standard input.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::message::AlertMessage;

/// A program by its whole path, and its arguments.
#[derive(Clone, Debug)]
pub(crate) struct AlertCommand {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// What is all of its environment.
    pub(crate) path: Option<String>,
}

/// Between two looks whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

impl AlertCommand {
    pub(super) fn send(&self, message: &AlertMessage, until: Instant) -> Result<(), String> {
        let mut command = std::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        let started = command.spawn();
        let mut child =
            started.map_err(|error| format!("it cannot be started ({})", error.kind()))?;
        if let Some(mut stdin) = child.stdin.take() {
            let json = message.json().to_string() + "\n";
            // A program that reads nothing must not hold us up; one that closes its input has heard enough.
            let feeding = thread::Builder::new().spawn(move || stdin.write_all(json.as_bytes()));
            if feeding.is_err() {
                log::info!("the system has no thread to tell an alert with");
            }
        }
        match wait(&mut child, until) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("it failed ({status})")),
            None => {
                // It may have ended just now.
                let _ = child.kill();
                let _ = child.wait();
                Err("it did not end in time, and was killed".to_owned())
            }
        }
    }
}

/// None: it is still running at that moment, or nobody can tell.
fn wait(child: &mut Child, until: Instant) -> Option<ExitStatus> {
    // Nobody ever tells anything here: it is a wait that ends by itself.
    let (_nobody, pause) = mpsc::channel::<()>();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() + LOOK * 2 < until => _ = pause.recv_timeout(LOOK),
            _ => return None,
        }
    }
}
