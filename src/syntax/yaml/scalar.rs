//! Resolves bare words by the core schema of YAML 1.2, and computes exact spans of values.

use crate::syntax::Value;
use crate::syntax::number::whole_number;
use std::borrow::Cow;
use std::ops::Range;

/// The value of a bare word. By YAML 1.2, `yes`, `1_000` and `12:30:45` are strings, and `014` is 14.
pub(in crate::syntax) fn resolve(word: Cow<'_, str>) -> Value<'_> {
    match word.as_bytes() {
        [] | b"~" | b"null" | b"Null" | b"NULL" => Value::Null,
        b"true" | b"True" | b"TRUE" => Value::Bool(true),
        b"false" | b"False" | b"FALSE" => Value::Bool(false),
        [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => number(&word).unwrap_or(Value::String(word)),
        _ => Value::String(word),
    }
}

fn number(word: &str) -> Option<Value<'static>> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = word.strip_prefix(prefix) {
            return is_number(digits, radix).then(|| whole_number("", digits, radix));
        }
    }
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let sign = word.strip_suffix(unsigned).unwrap_or_default();
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            Some(Value::Float(if sign == "-" { f64::NEG_INFINITY } else { f64::INFINITY }))
        }
        ".nan" | ".NaN" | ".NAN" if sign.is_empty() => Some(Value::Float(f64::NAN)),
        _ if is_number(unsigned, 10) => Some(whole_number(sign, unsigned, 10)),
        // Rust parses the same numbers as YAML, and also words such as `infinity`.
        _ if word.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) => {
            word.parse().map(Value::Float).ok()
        }
        _ => None,
    }
}

fn is_number(digits: &str, radix: u32) -> bool {
    !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix))
}

/// The range of a block scalar, from its `|` or `>` to the end of its content. `from` is a position before the header;
/// only a colon, a dash and comments can be between them. `content` is the range of the lines, as the parser library
/// reports it.
pub(super) fn block_range(text: &str, from: usize, content: Range<usize>) -> Range<usize> {
    let start = header(text, from, content.start);
    let lines = text.get(content.clone()).unwrap_or_default();
    let trimmed = lines.trim_end_matches([' ', '\t', '\r', '\n']);
    if trimmed.is_empty() {
        let marks = text.get(start..content.start).unwrap_or_default();
        let length =
            marks.find(|c: char| !matches!(c, '|' | '>' | '+' | '-' | '0'..='9')).unwrap_or(marks.len());
        return start..start + length;
    }
    let tail = lines.get(trimmed.len()..).unwrap_or_default();
    let kept = tail.find(['\r', '\n']).unwrap_or(tail.len());
    start..content.start + trimmed.len() + kept
}

fn header(text: &str, from: usize, until: usize) -> usize {
    let between = text.get(from..until).unwrap_or_default();
    let mut comment = false;
    for (n, byte) in between.bytes().enumerate() {
        match byte {
            b'\n' => comment = false,
            b'#' => comment = true,
            b'|' | b'>' if !comment => return from + n,
            _ => {}
        }
    }
    until
}

/// The position of a missing value: after the colon of its key, or after the key if there is no colon.
pub(super) fn missing_value(text: &str, key_end: usize) -> usize {
    let rest = text.get(key_end..).unwrap_or_default();
    let colon = rest.trim_start_matches([' ', '\t']);
    if colon.starts_with(':') { key_end + (rest.len() - colon.len()) + 1 } else { key_end }
}
