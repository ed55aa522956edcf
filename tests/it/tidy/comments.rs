//! Comments are sentences: they do not begin as a fragment does.

use super::source::Source;

/// No sentence of ours begins with it; what begins so lacks its subject ("Of each empty row its cell.").
const NEVER: [&str; 1] = ["Of"];
/// A sentence that begins so has a comma before its subject: "Without it, nobody knows", but not "Without a cell."
const WITH_A_COMMA: [&str; 7] = [
    "Without", "With", "For", "Beside", "Than", "Like", "Whereas",
];

/// Comments whose first sentence is none.
pub(super) fn faults_of_comments(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        for comment in comments(source) {
            let sentence = comment
                .split_inclusive(". ")
                .next()
                .unwrap_or_default()
                .trim();
            let first = sentence.split(' ').next().unwrap_or_default();
            let lacks_comma = WITH_A_COMMA.contains(&first) && !sentence.contains(',');
            if NEVER.contains(&first) || lacks_comma {
                faults.push(format!("{}: “{sentence}” is no sentence", source.path));
            }
        }
    }
    faults
}

/// The comments of a file, each in one line.
fn comments(source: &Source) -> Vec<String> {
    let mut comments: Vec<String> = Vec::new();
    let mut mark_before = "";
    for (line, code) in source.text.lines().zip(source.code.split('\n')) {
        let stands_alone = code.trim().is_empty() && line.trim_start().starts_with("//");
        let (mark, words) = match line.trim_start().split_once(' ') {
            Some((mark, words)) if stands_alone && ["//", "///", "//!"].contains(&mark) => {
                (mark, words)
            }
            _ => ("", ""),
        };
        match comments.last_mut() {
            Some(comment) if mark == mark_before && !mark.is_empty() => {
                comment.push(' ');
                comment.push_str(words);
            }
            _ if !mark.is_empty() => comments.push(words.to_owned()),
            _ => {}
        }
        mark_before = mark;
    }
    comments
}
