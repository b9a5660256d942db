//! Quoting of texts in YAML.

use std::borrow::Cow;
use std::fmt::Write;

/// A text in double quotes, on one line. Without quotes, parsers of YAML 1.1 read `off` and `8:30` as other types.
pub fn yaml(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Line breaks of YAML 1.1, and the byte order mark.
            _ if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                write!(out, "\\u{:04x}", u32::from(c)).ok();
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    Cow::Owned(out)
}
