//! "Did you mean": the known word that a mistyped one most resembles.

/// The candidate nearest to `word`, or none when nothing is near enough to be a slip of the hand: more than one edit for every three
/// characters, and always more than three.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let allowed = (word.chars().count().div_ceil(3)).min(3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_hand_is_recognised_and_another_word_is_not() {
        let known = ["period_start", "period_end", "as_of"];
        assert_eq!(nearest("perid_start", known), Some("period_start"));
        assert_eq!(nearest("asof", known), Some("as_of"));
        assert_eq!(nearest("municipality", known), None);
        assert_eq!(nearest("x", []), None);
    }
}
