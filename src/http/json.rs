//! JSON that comes as a stream, held to what a reader of it has to keep at a time: one text, and the open brackets.

use std::io::{self, Read};

use super::error::{TransportError, What};

/// A value of DHIS2 or its comment has at most 50,000 characters, each of at most 12 bytes as `\ud83d\ude00`.
const LONGEST_TEXT: usize = 1 << 20;
/// Nothing that DHIS2 answers with is nested so deep.
const DEEPEST: usize = 64;

/// Passes bytes on until a text or the nesting grows beyond all reason.
pub(super) struct Bounded<R> {
    body: R,
    text: Option<usize>,
    escaped: bool,
    depth: usize,
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(body: R) -> Bounded<R> {
        Bounded {
            body,
            text: None,
            escaped: false,
            depth: 0,
        }
    }

    fn see(&mut self, byte: u8) {
        match (self.text, byte) {
            (Some(length), _) if self.escaped => {
                self.escaped = false;
                self.text = Some(length + 1);
            }
            (Some(_), b'"') => self.text = None,
            (Some(length), _) => {
                self.escaped = byte == b'\\';
                self.text = Some(length + 1);
            }
            (None, b'"') => self.text = Some(0),
            (None, b'[' | b'{') => self.depth += 1,
            (None, b']' | b'}') => self.depth = self.depth.saturating_sub(1),
            (None, _) => {}
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.body.read(buffer)?;
        for byte in buffer.iter().take(length) {
            self.see(*byte);
            if self.text.is_some_and(|length| length > LONGEST_TEXT) {
                return Err(too_large(format!(
                    "an answer with a text of more than {} MiB",
                    LONGEST_TEXT >> 20
                )));
            }
            if self.depth > DEEPEST {
                return Err(too_large(format!(
                    "an answer nested more than {DEEPEST} deep"
                )));
            }
        }
        Ok(length)
    }
}

fn too_large(text: String) -> io::Error {
    io::Error::other(TransportError {
        what: What::TooLarge,
        nothing_sent: false,
        text,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::{Bounded, DEEPEST, LONGEST_TEXT};
    use crate::http::error::{TransportError, What};

    fn passes(json: &str) -> bool {
        match io::copy(&mut Bounded::new(json.as_bytes()), &mut io::sink()) {
            Ok(length) => length == json.len() as u64,
            Err(error) => {
                assert_eq!(TransportError::reading(&error).what, What::TooLarge);
                false
            }
        }
    }

    #[test]
    fn many_texts_pass_and_one_without_end_does_not() {
        let text = |length| "x".repeat(length);
        let pair = format!("\"{}\",", text(LONGEST_TEXT));
        assert!(passes(&pair.repeat(3)));
        assert!(!passes(&format!("\"{}", text(LONGEST_TEXT + 1))));
        // An escaped quote does not end a text, an escaped backslash does not escape one.
        assert!(!passes(&format!("\"{}", "\\\"".repeat(LONGEST_TEXT))));
        assert!(passes(&"\"\\\\\",".repeat(LONGEST_TEXT)));
    }

    #[test]
    fn nesting_has_an_end_and_brackets_in_a_text_are_none() {
        let deep = |depth| "[{\"a\":".repeat(depth / 2);
        assert!(passes(&deep(DEEPEST)));
        assert!(!passes(&deep(DEEPEST + 2)));
        assert!(passes(&format!("\"{}\"", "[".repeat(1_000))));
        assert!(passes(&"[]{}".repeat(1_000)));
    }

    #[test]
    fn what_was_read_before_is_passed_on() {
        let mut read = String::new();
        let body = Bounded::new("{\"a\":[1]}".as_bytes());
        body.take(5).read_to_string(&mut read).expect("text");
        assert_eq!(read, "{\"a\":");
    }
}
