//! Writes a string as KDL, in the quoting style of the text that it replaces.

use std::fmt::Write;

/// The KDL text of `word` as a replacement for `written`. Keeps the quotes of `written`; if it has none, adds quotes
/// only if the word needs them. None if `written` is not a string.
pub(in crate::syntax) fn quote_like(written: &str, word: &str) -> Option<String> {
    let hashes = written.len() - written.trim_start_matches('#').len();
    let is_quoted = written.get(hashes..).is_some_and(|rest| rest.starts_with('"'));
    match written.chars().next()? {
        '#' if is_quoted && may_be_raw(word) => {
            let fence = "#".repeat(hashes);
            Some(format!("{fence}\"{word}\"{fence}"))
        }
        '#' if !is_quoted => None,
        '"' | '#' => Some(quoted(word)),
        _ if is_bare(word) => Some(word.to_owned()),
        _ => Some(quoted(word)),
    }
}

fn may_be_raw(word: &str) -> bool {
    !word.contains(|c: char| c == '"' || is_escaped(c))
}

/// True if the word needs no quotes: it is not a number or a keyword, and has only plain ASCII characters.
fn is_bare(word: &str) -> bool {
    let begins = word.trim_start_matches('-').starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    begins && word.chars().all(is_known) && !["true", "false", "null", "inf", "-inf", "nan"].contains(&word)
}

fn quoted(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 2);
    out.push('"');
    for c in word.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_escaped(c) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:X}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// True if the character must be escaped in a string.
fn is_escaped(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
}
