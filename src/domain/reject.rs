//! What DHIS2's error codes of a refused value mean, in our words: one sentence with what to do. Texts of DHIS2 itself
//! are in the language of the account, so that nothing can be read from them.

/// The codes that may meet an import of ours although everything was checked before: somebody changed DHIS2 while we
/// worked, or a version checks what this program does not know of. E76xx: DHIS2 up to 2.42, E80xx and E81xx: from 2.43
/// on (DHIS2's `ErrorCode`).
const SENTENCES: [(&str, &str); 46] = [
    (
        "E7600",
        "the data set is gone, or not shared with our account any more; share it",
    ),
    (
        "E7601",
        "our account may not write data to the data set; change its data sharing",
    ),
    (
        "E7610",
        "the data element is gone, or our account may not see it; share it",
    ),
    ("E7611", "this version of DHIS2 does not know the period"),
    ("E7612", "the organisation unit is gone; mend the mapping"),
    (
        "E7613",
        "the category option combo is gone, or our account may not write data of its category options; share them",
    ),
    (
        "E7614",
        "our account may not write data of a category option of the category option combo; share it",
    ),
    (
        "E7615",
        "the attribute option combo is gone, or our account may not write data of its category options; share them",
    ),
    (
        "E7616",
        "our account may not write data of a category option of the attribute option combo; share it",
    ),
    (
        "E7617",
        "the organisation unit is outside the hierarchy of our account; give the account its unit",
    ),
    ("E7618", "DHIS2 saw neither a value nor a comment"),
    (
        "E7619",
        "the value does not fit the data element's value type",
    ),
    (
        "E7620",
        "the comment on it is longer than this DHIS2 takes; shorten it",
    ),
    (
        "E7621",
        "the value is not a code of the data element's option set",
    ),
    (
        "E7632",
        "no data set of the data element has this period type, or the element is in no data set any more",
    ),
    (
        "E7633",
        "the data element is not in the data set any more; add it again, or mend the mapping",
    ),
    (
        "E7634",
        "the category option combo is not one of the data element's any more; mend the mapping",
    ),
    (
        "E7635",
        "the attribute option combo is not one of the data set's any more; mend the mapping",
    ),
    (
        "E7636",
        "the organisation unit is not assigned to the data set any more; assign it",
    ),
    (
        "E7638",
        "the period is outside the dates of the attribute option",
    ),
    (
        "E7639",
        "the attribute option is not for the organisation unit; add the unit to the option",
    ),
    (
        "E7640",
        "the data set's expiry days are over; a lock exception opens it for a unit",
    ),
    (
        "E7641",
        "the data set does not take values for this period yet",
    ),
    (
        "E7642",
        "approved there or above; take the approval back to change it",
    ),
    (
        "E7643",
        "no data input period of the data set is open for it; open one there",
    ),
    (
        "E7644",
        "no data input period is open for it in any data set of the data element; open one",
    ),
    (
        "E8010",
        "our account may not write data to the data set; change its data sharing",
    ),
    (
        "E8011",
        "the organisation unit is outside the hierarchy of our account; give the account its unit",
    ),
    (
        "E8012",
        "our account may not write data of a category option behind a combo; share it",
    ),
    (
        "E8020",
        "the data element is not in the data set any more, or the data set is gone; mend DHIS2 or the mapping",
    ),
    ("E8021", "the data set has another period type now"),
    (
        "E8022",
        "the organisation unit is not assigned to the data set any more; assign it",
    ),
    (
        "E8023",
        "the attribute option combo is not one of the data set's any more; mend the mapping",
    ),
    (
        "E8024",
        "the category option combo is not one of the data element's any more; mend the mapping",
    ),
    (
        "E8025",
        "the attribute option is not for the organisation unit; add the unit to the option",
    ),
    (
        "E8030",
        "the data set takes no value for the period now: it is expired, too early or has no open data input period; a lock exception opens an expired one for a unit",
    ),
    (
        "E8031",
        "the organisation unit was not open on the first day of the period; mend its dates to reopen it",
    ),
    (
        "E8032",
        "the period is not wholly within the dates of the attribute option",
    ),
    (
        "E8033",
        "approved there; take the approval back to change it",
    ),
    ("E8120", "DHIS2 saw no value"),
    ("E8121", "DHIS2 saw neither a value nor a comment"),
    (
        "E8122",
        "the value does not fit the data element's value type",
    ),
    (
        "E8123",
        "the value is not a code of the data element's option set",
    ),
    (
        "E8124",
        "this DHIS2 takes the data element only with a comment from its option set; choose one in DHIS2, or take the option set for comments off the data element",
    ),
    (
        "E8125",
        "the comment on it is longer than this DHIS2 takes; shorten it",
    ),
    (
        NO_CODE,
        "DHIS2 did not store it and gave no reason; its log may",
    ),
];

/// Stands where DHIS2 gives no code of its own.
pub(crate) const NO_CODE: &str = "none";

/// What a code means, and what to do about it.
pub(crate) fn sentence(code: &str) -> &'static str {
    let known = SENTENCES.iter().find(|(known, _)| *known == code);
    known.map_or(
        "this program does not know the code; DHIS2's log tells more",
        |(_, sentence)| *sentence,
    )
}

#[cfg(test)]
mod tests {
    use super::{NO_CODE, SENTENCES, sentence};

    #[test]
    fn a_code_has_one_sentence_and_any_other_text_one_too() {
        let codes = SENTENCES.map(|(code, _)| code);
        assert!(codes.is_sorted());
        for (code, words) in SENTENCES {
            assert_eq!(sentence(code), words, "{code}");
            assert!(!words.ends_with('.'), "{code}: a clause of a line");
        }
        let unknown = sentence("E9999");
        assert!(SENTENCES.iter().all(|(_, words)| *words != unknown));
        assert_ne!(sentence(NO_CODE), unknown);
    }
}
