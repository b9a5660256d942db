//! Writes a string as YAML, in the quoting style of the text that it replaces.

use super::scalar::resolve;
use crate::syntax::Value;
use std::borrow::Cow;
use std::fmt::Write;

/// The YAML text of `word` as a replacement for `written`. Keeps the quotes of `written`; if it has none, adds quotes
/// only if the word needs them. None if `written` is not a string, or is a multi-line block scalar.
pub(in crate::syntax) fn quote_like(written: &str, word: &str) -> Option<String> {
    let has_control =
        word.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'));
    match written.chars().next()? {
        '\'' if !has_control => Some(format!("'{}'", word.replace('\'', "''"))),
        '\'' | '"' => Some(quoted(word)),
        '|' | '>' | '*' | '&' | '!' | '[' | '{' => None,
        _ if is_plain(word) => Some(word.to_owned()),
        _ => Some(quoted(word)),
    }
}

/// True if the word needs no quotes in any position: as a key or a value, in block or flow style.
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
