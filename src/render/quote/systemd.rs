//! Quoting of values in unit files, exact for systemd 252. Each kind of setting has its own syntax.

use std::borrow::Cow;
use std::fmt::Write;

/// One word of a command line after the program: `%` and `$` are doubled, control characters become C escapes.
pub fn systemd_word(word: &str) -> Cow<'_, str> {
    let bare = |b: u8| matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'+'..=b':' | b'=' | b'@' | b'_');
    if !word.is_empty() && word.bytes().all(bare) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(quoted(word, &['%', '$']))
}

/// The program of a command line, quoted only if it contains spaces. `$` is not special in the path that systemd runs.
/// systemd replaces `$$` and `${…}` only in `argv[0]`, which the program sees.
///
/// systemd rejects a program with a quote, a backslash or a control character, quoted or not. Quoting does not protect
/// a leading `@`, `-`, `:`, `+` or `!`, but programs are absolute paths.
pub fn systemd_program(path: &str) -> Cow<'_, str> {
    let needs_quotes =
        |c: char| c.is_ascii_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\\' | ';');
    if path.is_empty() || path.contains(needs_quotes) {
        return Cow::Owned(quoted(path, &['%']));
    }
    percent(path)
}

/// The value of a setting without quoting rules, such as `Description=` or the path of `LoadCredential=`. Only `%` is
/// special. Such a value cannot contain control characters, or spaces at its ends.
pub fn systemd_value(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| matches!(b, b' '..=b'$' | b'&'..=b'[' | b']'..=b'~')) {
        return Cow::Borrowed(text);
    }
    let text = percent(text);
    let text =
        if text.contains(char::is_control) { Cow::Owned(text.replace(char::is_control, " ")) } else { text };
    // A backslash at the end would continue the line. systemd drops the space after it.
    if text.ends_with('\\') { Cow::Owned(format!("{text} ")) } else { text }
}

/// One entry of `Environment=`, quoted as a whole. `$` is not special here.
pub fn systemd_assignment(name: &str, value: &str) -> String {
    quoted(&format!("{name}={value}"), &['%'])
}

/// One path of a list such as `BindReadOnlyPaths=` or `RequiresMountsFor=`, exact for systemd 252 and 262. Within
/// quotes, systemd 262 splits at a `:` unless a backslash precedes it, and a backslash does not escape `"`. These
/// settings have no C escapes, so they can express every path except one with a line break.
pub fn systemd_path(path: &str) -> Cow<'_, str> {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b"_-./@+=,".contains(&b);
    if !path.is_empty() && path.bytes().all(bare) {
        return Cow::Borrowed(path);
    }
    let mut out = String::with_capacity(path.len() + 8);
    out.push('"');
    for c in path.chars() {
        match c {
            '"' => out.push_str("\"'\"'\""),
            ':' | '\\' => out.extend(['\\', c]),
            '%' => out.push_str("%%"),
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out.push('"');
    Cow::Owned(out)
}

fn percent(text: &str) -> Cow<'_, str> {
    if text.contains('%') { Cow::Owned(text.replace('%', "%%")) } else { Cow::Borrowed(text) }
}

/// In double quotes with C escapes. The characters in `doubled` are written twice.
fn quoted(text: &str, doubled: &[char]) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            _ if c.is_ascii_control() => {
                write!(out, "\\x{:02x}", u32::from(c)).ok();
            }
            _ if doubled.contains(&c) => out.extend([c, c]),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}
