//! How a key that has no answer may be shown: whole to the person at a terminal, masked to everybody else.

use hmac::{Hmac, KeyInit, Mac};
use regex::Regex;
use sha2::Sha256;

use super::fingerprint::hex;

/// A key in the two forms in which it may leave the program.
///
/// A key that no mapping knows is free text, typed beside a patient: it can be anything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShownKey {
    /// What mail, logs and documents show: `key #3f9a02c1, 22 characters`, or the key where its pattern allows it.
    pub(crate) masked: String,
    /// What a terminal shows: at most 60 characters, control characters escaped.
    pub(crate) plain: String,
}

/// What turns keys into a short fingerprint that stays the same from run to run and cannot be guessed back.
pub(crate) struct KeyMask {
    secret: Vec<u8>,
}

/// Characters of a key that are shown on a terminal.
const SHOWN: usize = 60;

impl KeyMask {
    pub(crate) fn new(secret: Vec<u8>) -> KeyMask {
        KeyMask { secret }
    }

    /// Shows a key, given as the values of its columns; `pattern` tells keys that anybody may see.
    pub(crate) fn show(&self, key: &[Option<String>], pattern: Option<&Regex>) -> ShownKey {
        let text = key
            .iter()
            .map(|value| value.as_deref().unwrap_or("NULL"))
            .collect::<Vec<&str>>()
            .join(", ");
        let plain = escaped(&text);
        let public = key.iter().all(Option::is_none)
            || pattern.is_some_and(|pattern| pattern.is_match(&text));
        let masked = if public {
            plain.clone()
        } else {
            self.fingerprint(key, &text)
        };
        ShownKey { masked, plain }
    }

    /// What stands for a secret of ours; it cannot be guessed back without the mask's.
    pub(crate) fn mark(&self, secret: &[u8]) -> String {
        let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(&self.secret) else {
            return String::new();
        };
        hmac.update(secret);
        let digest = hmac.finalize().into_bytes();
        hex(&digest)
    }

    fn fingerprint(&self, key: &[Option<String>], text: &str) -> String {
        // HMAC takes a key of any length.
        let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(&self.secret) else {
            return "key".to_owned();
        };
        for value in key {
            hmac.update(value.as_deref().unwrap_or("\u{1}").as_bytes());
            hmac.update(b"\0");
        }
        let digest = hmac.finalize().into_bytes();
        let hex = hex(digest.get(..4).unwrap_or(&digest));
        format!("key #{hex}, {} characters", text.chars().count())
    }
}

impl ShownKey {
    /// A key of which only the masked form is known.
    pub(crate) fn masked(text: String) -> ShownKey {
        ShownKey {
            plain: text.clone(),
            masked: text,
        }
    }
}

/// Foreign text as a terminal may show it: at most 60 characters, control characters escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == SHOWN {
            shown.push('…');
            break;
        }
        if character.is_control() || is_invisible(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Characters that turn the direction of writing or hide in a line.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A rule's own label, if it can be nothing but a number with a few letters, such as `R-17` or `v3/rule 17`. Whatever else
/// somebody wrote there may be about a person, and is told by its length.
pub(crate) fn shown_label(label: &str) -> String {
    let is_short = label.len() <= 24 && label.contains(|c: char| c.is_ascii_digit());
    let is_plain = label
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || " ./_-:#".contains(c));
    let is_word = |word: &str| {
        let is_lower = word.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_upper = word.bytes().all(|byte| byte.is_ascii_uppercase());
        word.len() <= 4 && (is_lower || is_upper)
    };
    let mut words = label.split(|c: char| !c.is_ascii_alphabetic());
    match is_short && is_plain && words.all(is_word) {
        true => label.to_owned(),
        false => format!("of a label of {} characters", label.chars().count()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_label_is_shown_only_if_it_cannot_name_anybody() {
        for label in ["R-17", "v3/rule 17", "12"] {
            assert_eq!(super::shown_label(label), label);
        }
        for label in [
            "Jane SENTINEL-1",
            "smith 4",
            "Ann 7",
            "rule",
            "7\u{1b}[1m",
            "",
        ] {
            let length = label.chars().count();
            let told = format!("of a label of {length} characters");
            assert_eq!(super::shown_label(label), told);
        }
    }

    use super::{KeyMask, Regex};

    fn shown(key: &str, pattern: Option<&str>) -> (String, String) {
        let pattern = pattern.map(|pattern| Regex::new(pattern).unwrap());
        let shown =
            KeyMask::new(b"secret".to_vec()).show(&[Some(key.to_owned())], pattern.as_ref());
        (shown.plain, shown.masked)
    }

    #[test]
    fn a_key_is_masked_unless_its_pattern_allows_it() {
        // The digest is from: printf 'BEXON\0' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            shown("BEXON", None),
            ("BEXON".into(), "key #ea64f53d, 5 characters".into())
        );
        assert_eq!(shown("BEXON", Some("^[A-Z]+$")).1, "BEXON");
    }

    #[test]
    fn control_characters_never_reach_a_terminal_and_long_keys_are_cut() {
        assert_eq!(shown("a\u{1b}[2Jb", None).0, "a\\u{1b}[2Jb");
        assert_eq!(shown(&"x".repeat(100), None).0.chars().count(), 61);
    }

    #[test]
    fn the_columns_of_a_key_are_shown_together_and_masked_apart() {
        let mask = KeyMask::new(b"secret".to_vec());
        let show = |key: &[Option<&str>], pattern: Option<&str>| {
            let key: Vec<Option<String>> = key.iter().map(|part| part.map(str::to_owned)).collect();
            let pattern = pattern.map(|pattern| Regex::new(pattern).unwrap());
            mask.show(&key, pattern.as_ref())
        };
        assert_eq!(show(&[Some("<1"), None], None).plain, "<1, NULL");
        // Nothing was typed where there is nothing.
        assert_eq!(show(&[None, None], None).masked, "NULL, NULL");
        let (one, other) = (
            show(&[Some("a"), Some("bc")], None),
            show(&[Some("ab"), Some("c")], None),
        );
        assert_ne!(one.masked, other.masked);
        assert!(one.masked.ends_with(", 5 characters"), "{}", one.masked);
        assert_eq!(
            show(&[Some("<1"), Some("f")], Some("^<1, [fm]$")).masked,
            "<1, f"
        );
        // The same key has another name under another secret.
        let elsewhere = KeyMask::new(b"another".to_vec()).show(&[Some("BEXON".to_owned())], None);
        assert_ne!(elsewhere.masked, show(&[Some("BEXON")], None).masked);
        assert_eq!(elsewhere.plain, "BEXON");
    }

    #[test]
    fn what_turns_or_hides_writing_is_escaped() {
        assert_eq!(
            shown("a\u{202e}b\u{200b}\u{feff}\r\n", None).0,
            "a\\u{202e}b\\u{200b}\\u{feff}\\u{d}\\u{a}"
        );
    }
}
