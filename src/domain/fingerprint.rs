//! SHA-256 of bytes that come piece by piece.

use sha2::{Digest, Sha256};

#[derive(Clone, Default)]
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of one text.
    pub(crate) fn of(text: &str) -> String {
        let mut fingerprint = Fingerprint::default();
        fingerprint.add(text.as_bytes());
        fingerprint.hex()
    }

    /// The digest in hexadecimal digits, as `sha256sum` writes it.
    pub(crate) fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    #[test]
    fn the_pieces_are_one_text() {
        let mut fingerprint = Fingerprint::default();
        fingerprint.add(b"SELECT ");
        fingerprint.add(b"1");
        // printf 'SELECT 1' | sha256sum
        let expected = "e004ebd5b5532a4b85984a62f8ad48a81aa3460c1ca07701f386135d72cdecf5";
        assert_eq!(fingerprint.hex(), expected);
    }
}
