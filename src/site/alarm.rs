//! Who was told that nothing can be recorded, and when, for the time in which nothing can be recorded: a file of fixed size
//! that is there beforehand and written over, which a full disk still allows.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;

use super::files;

const FILE: &str = "alarm";
const SIZE: usize = 4096;

/// Channels by name.
pub(crate) type ToldChannels = Vec<(String, Timestamp)>;

/// What cannot be read is as if nobody had been told.
pub(crate) fn read(state: &Path) -> ToldChannels {
    let text = fs::read_to_string(state.join(FILE)).unwrap_or_default();
    let lines = text.lines();
    lines
        .filter_map(|line| {
            let (at, channel) = line.split_once('\t')?;
            Some((channel.to_owned(), at.parse().ok()?))
        })
        .collect()
}

/// Writes it over; what does not fit is left out.
pub(crate) fn write(state: &Path, told: &ToldChannels) -> io::Result<()> {
    let mut text = String::new();
    for (channel, at) in told {
        let line = format!("{at}\t{channel}\n");
        if text.len() + line.len() < SIZE {
            text += &line;
        }
    }
    let mut bytes = text.into_bytes();
    bytes.resize(SIZE - 1, b' ');
    bytes.push(b'\n');
    let mut file = OpenOptions::new().write(true).open(state.join(FILE))?;
    file.write_all(&bytes)?;
    file.sync_all()
}

/// Sees to it that the file is there.
pub(crate) fn reserve(state: &Path) -> io::Result<()> {
    match state.join(FILE).exists() {
        true => Ok(()),
        false => files::write_private(&state.join(FILE), |file| file.write_all(&[b' '; SIZE])),
    }
}
