//! A folder that goes away with the demo, also when Ctrl-C ends it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// Removed on drop. A shell that reads a pipe of ours removes it, so that it is gone, too, when we
/// are killed.
pub(crate) struct Folder {
    path: PathBuf,
    remover: Child,
}

impl Folder {
    pub(crate) fn temporary() -> Result<Self> {
        let path = tempfile::Builder::new()
            .prefix("st-lucia-")
            .tempdir()?
            .keep();
        let remover = Command::new("/bin/sh")
            .args(["-c", "cat >/dev/null; rm -rf \"$1\"", "remover"])
            .arg(&path)
            // Ctrl-C goes to our process group; the shell must outlive us.
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()
            .context("starting a shell")?;
        Ok(Self { path, remover })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.remover.stdin.take());
        let _ = self.remover.wait();
    }
}
