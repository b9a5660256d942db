//! Words as YAML writes them: in the style of the word whose place they take.

use super::scalar::resolve;
use crate::syntax::Value;
use std::borrow::Cow;
use std::fmt::Write;

/// How a word is written where another one stands, whose quotes are kept; one without quotes gets them only where it needs
/// them. None where no word stands, or one of several lines.
pub(in crate::syntax) fn spell(written: &str, word: &str) -> Option<String> {
    let steers = word.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'));
    match written.chars().next()? {
        '\'' if !steers => Some(format!("'{}'", word.replace('\'', "''"))),
        '\'' | '"' => Some(quoted(word)),
        '|' | '>' | '*' | '&' | '!' | '[' | '{' => None,
        _ if is_plain(word) => Some(word.to_owned()),
        _ => Some(quoted(word)),
    }
}

/// Whether a word without quotes is itself, wherever it stands: as a key or a value, between braces or not.
fn is_plain(word: &str) -> bool {
    let may_begin = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.');
    let begins = word.trim_start_matches('-').starts_with(may_begin);
    let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+' | '@');
    begins
        && !word.starts_with("---")
        && !word.starts_with("...")
        && word.chars().all(is_known)
        && matches!(resolve(Cow::Borrowed(word)), Value::String(_))
}

fn quoted(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 2);
    out.push('"');
    for c in word.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
