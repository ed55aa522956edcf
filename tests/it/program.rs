//! Runs the built program in a clean environment and says what came out of it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A finished run of the program.
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program in a folder, with nothing in its environment and nothing to read.
pub(crate) fn program(folder: &Path, args: &[&str]) -> Finished {
    finish(command(folder, args).stdin(Stdio::null()).output())
}

/// Runs it with something on its standard input.
pub(crate) fn program_fed(folder: &Path, args: &[&str], input: &[u8]) -> Finished {
    let mut child = command(folder, args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a standard input");
    let input = input.to_vec();
    // Fed from a thread, for the program may answer before it has read everything.
    let feeding = std::thread::spawn(move || {
        use std::io::Write;
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output();
    feeding.join().expect("the input was written");
    finish(output)
}

/// Runs a command of the program to its end; what it does not send elsewhere is kept.
pub(crate) fn program_with_output(command: &mut Command) -> Finished {
    finish(command.stdin(Stdio::null()).output())
}

/// The program as a command, for tests that need more than arguments.
pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pg2dhis2"));
    command.current_dir(folder).env_clear().args(args);
    command
}

fn finish(output: std::io::Result<Output>) -> Finished {
    let output = output.expect("the program ran");
    Finished {
        code: output.status.code().expect("it ended by itself"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
    }
}

impl Finished {
    #[track_caller]
    pub(crate) fn code(self, expected: i32) -> Finished {
        assert_eq!(
            self.code, expected,
            "exit code\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn stderr_has(self, text: &str) -> Finished {
        assert!(
            self.stderr.contains(text),
            "standard error lacks {text:?}:\n{}",
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn silent(self) -> Finished {
        assert_eq!((self.stdout.as_str(), self.stderr.as_str()), ("", ""));
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("JSON on standard output")
    }
}
