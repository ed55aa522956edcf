//! Words that a person cannot tell apart, or takes for each other.

use unicode_normalization::UnicodeNormalization;

/// How one word differs from another that it is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LookAlike {
    /// The same letters in another encoding of Unicode.
    Encoding,
    Case,
    /// Blanks, also those that do not break a line.
    Blanks,
    /// Characters that are not shown.
    Invisible,
    /// Several of those.
    Looks,
    OneLetter,
}

/// A word with nothing in it but what a person reads.
pub(crate) fn folded(word: &str) -> String {
    let seen = word.chars().filter(|each| !is_invisible(*each));
    let one_case = seen.collect::<String>().to_lowercase();
    // Capital letters without a small one of their own, such as those of a ligature, are told apart by their folding alone.
    let composed: String = one_case.nfkc().collect();
    composed
        .chars()
        .filter(|each| !each.is_whitespace())
        .collect()
}

/// Shorter words differ by a letter from too many others.
pub(crate) const LETTERS: usize = 5;

impl LookAlike {
    /// How `word` differs from `known`, if a person could take it for that; None also where they are the same.
    pub(crate) fn between(word: &str, known: &str) -> Option<LookAlike> {
        if word == known {
            return None;
        }
        if folded(word) == folded(known) {
            return Some(LookAlike::unseen(word, known));
        }
        let (word, known) = (folded(word), folded(known));
        let is_long = known.chars().count() >= LETTERS;
        let is_near = || strsim::damerau_levenshtein(&word, &known) <= 1;
        (is_long && is_near()).then_some(LookAlike::OneLetter)
    }

    fn unseen(word: &str, known: &str) -> LookAlike {
        let without = |text: &str, drop: fn(char) -> bool| -> String {
            text.chars().filter(|each| !drop(*each)).collect()
        };
        let composed = |text: &str| text.nfc().collect::<String>();
        if composed(word) == composed(known) {
            LookAlike::Encoding
        } else if without(word, char::is_whitespace) == without(known, char::is_whitespace) {
            LookAlike::Blanks
        } else if without(word, is_invisible) == without(known, is_invisible) {
            LookAlike::Invisible
        } else if word.to_lowercase() == known.to_lowercase() {
            LookAlike::Case
        } else {
            LookAlike::Looks
        }
    }

    /// What it differs in, to end "differs in …".
    pub(crate) fn words(self) -> &'static str {
        match self {
            LookAlike::Encoding => "how its accents are encoded (Unicode NFC)",
            LookAlike::Case => "capital letters",
            LookAlike::Blanks => "blanks",
            LookAlike::Invisible => "characters that are not shown",
            LookAlike::Looks => "capital letters, blanks or characters that are not shown",
            LookAlike::OneLetter => "one letter",
        }
    }
}

/// Whether a name can be written in a line of text and is then what it seems to be.
pub(crate) fn is_of_one_line(name: &str) -> bool {
    let fits = |each: char| !each.is_control() && !is_invisible(each);
    name.chars()
        .all(|each| fits(each) && !matches!(each, '\u{2028}' | '\u{2029}' | '\u{fffd}'))
}

/// Control characters, and those that join, hide or turn what is written.
fn is_invisible(character: char) -> bool {
    let is_blank = character.is_whitespace();
    !is_blank && character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}
