//! A pinned key of the source's server: what its certificate must hold, whoever signed it.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::settings_error::SettingsError;

/// SHA-256 of a SubjectPublicKeyInfo in DER (RFC 5280, 4.1), which a certificate keeps when it is renewed for the same key. Written
/// `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TlsPin([u8; LENGTH]);

const LENGTH: usize = 32;
const PREFIX: &str = "sha256:";

impl TlsPin {
    pub(super) fn of_key(subject_public_key_info: &[u8]) -> TlsPin {
        TlsPin(Sha256::digest(subject_public_key_info).into())
    }
}

impl FromStr for TlsPin {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<TlsPin, SettingsError> {
        let wrong = || {
            SettingsError::new(
                "must be sha256: and the 64 hexadecimal digits of the SHA-256 of the server's public key",
            )
        };
        let digits = text.strip_prefix(PREFIX).ok_or_else(wrong)?;
        if digits.len() != 2 * LENGTH || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut bytes = [0; LENGTH];
        for (position, byte) in bytes.iter_mut().enumerate() {
            let pair = digits.get(2 * position..2 * position + 2);
            let pair = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            *byte = pair.ok_or_else(wrong)?;
        }
        Ok(TlsPin(bytes))
    }
}

impl fmt::Display for TlsPin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(PREFIX)?;
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::TlsPin;

    #[test]
    fn a_pin_is_the_sha256_of_a_key_in_digits_of_either_case() {
        // printf key | sha256sum
        let digits = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
        let pin: TlsPin = format!("sha256:{}", digits.to_uppercase()).parse().unwrap();
        assert_eq!(pin, TlsPin::of_key(b"key"));
        assert_eq!(pin.to_string(), format!("sha256:{digits}"));
        for other in [
            digits.to_owned(),
            format!("sha1:{digits}"),
            format!("sha256:{}", &digits[1..]),
            format!("sha256:{digits}0"),
            format!("sha256:{}é", &digits[2..]),
        ] {
            assert!(other.parse::<TlsPin>().is_err(), "{other}");
        }
    }
}
