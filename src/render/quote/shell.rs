//! Words of bash scripts, exact for bash and silent for shellcheck.

use std::borrow::Cow;
use std::fmt::Write;

/// Words that shellcheck takes for syntax wherever they stand (SC1010, SC1083), or bash where a command may.
const RESERVED: &[&str] = &[
    "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "select",
    "then", "time", "until", "while",
];

/// What shellcheck takes for a mistyped quote within single quotes (SC1112) and within double quotes (SC1111).
const LOOKS_SINGLE: &[char] = &['\u{2018}', '\u{2019}'];
const LOOKS_DOUBLE: &[char] = &['\u{201c}', '\u{201d}', '\u{2033}', '\u{2036}'];

/// One word of a bash script: bare where every character is safe wherever the word stands, else in the plainest quotes
/// that hold it. Exact for any text without NUL. Assign it by `readonly` or `local`: of a bare `x=test` shellcheck asks
/// whether the program was meant.
pub fn shell(word: &str) -> Cow<'_, str> {
    if is_bare(word) {
        return Cow::Borrowed(word);
    }
    // Within quotes shellcheck asks of a leading tilde whether the home folder was meant (SC2088).
    let quotable = !word.starts_with('~') && !word.contains(char::is_control);
    let is_literal = |c| matches!(c, '\'' | '$' | '`' | '\\') || LOOKS_SINGLE.contains(&c);
    Cow::Owned(if quotable && !word.contains(is_literal) {
        format!("'{word}'")
    } else if quotable && !word.contains(LOOKS_DOUBLE) {
        double(word)
    } else {
        ansi(word)
    })
}

fn is_bare(word: &str) -> bool {
    let safe =
        |b: u8| matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'-'..=b':' | b'@' | b'_' | b'%' | b'+' | b'=');
    !word.is_empty()
        && word.bytes().all(safe)
        && !word.starts_with('=')
        && !is_assignment(word)
        && !RESERVED.contains(&word)
}

/// Whether the word would assign to a variable before a command, or shellcheck takes it for that in an array (SC2191),
/// where it also reads a word from any `@` or `+` in it.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        word.contains(['@', '+']) || name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

fn double(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 8);
    out.push('"');
    for c in word.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// `$'…'`, which holds everything; control characters by bytes, which mean the same in every locale.
fn ansi(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 8);
    out.push_str("$'");
    for c in word.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\'' | '\\' => out.extend(['\\', c]),
            _ if c.is_control() => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    write!(out, "\\x{byte:02x}").ok();
                }
            }
            _ => out.push(c),
        }
    }
    out.push('\'');
    out
}
