//! Quoting of words in bash scripts: exact for bash, and without shellcheck warnings.

use std::borrow::Cow;
use std::fmt::Write;

/// Words that shellcheck parses as syntax everywhere (SC1010, SC1083), or bash at the position of a command.
const RESERVED: &[&str] = &[
    "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "select",
    "then", "time", "until", "while",
];

/// Unicode quotes that shellcheck reports within single quotes (SC1112) and within double quotes (SC1111).
const UNICODE_SINGLE_QUOTES: &[char] = &['\u{2018}', '\u{2019}'];
const UNICODE_DOUBLE_QUOTES: &[char] = &['\u{201c}', '\u{201d}', '\u{2033}', '\u{2036}'];

/// One word of a bash script: unquoted if all characters are safe in any position, otherwise in the simplest possible
/// quotes. Exact for any text without NUL. Assign the word with `readonly` or `local`: for a bare `x=test`, shellcheck
/// warns that the output of the program `test` may be intended.
pub fn shell(word: &str) -> Cow<'_, str> {
    if is_bare(word) {
        return Cow::Borrowed(word);
    }
    // shellcheck warns about a tilde at the start of a quoted word (SC2088).
    let quotable = !word.starts_with('~') && !word.contains(char::is_control);
    let is_literal = |c| matches!(c, '\'' | '$' | '`' | '\\') || UNICODE_SINGLE_QUOTES.contains(&c);
    Cow::Owned(if quotable && !word.contains(is_literal) {
        format!("'{word}'")
    } else if quotable && !word.contains(UNICODE_DOUBLE_QUOTES) {
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

/// True if bash would parse the word as an assignment before a command, or shellcheck in an array (SC2191). In an
/// array, shellcheck also reports words with `=` that contain `@` or `+`.
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

/// `$'…'`, which can express any text. Control characters are escaped as bytes, which works in every locale.
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
