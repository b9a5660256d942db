//! Resolves bare words by the core schema of YAML 1.2, and computes exact spans of values.

use crate::syntax::Value;
use std::borrow::Cow;
use std::ops::Range;

/// The value of a bare word. By YAML 1.2, `yes`, `1_000` and `12:30:45` are strings, and `014` is 14.
pub(super) fn resolve(word: Cow<'_, str>) -> Value<'_> {
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
            return based(digits, radix);
        }
    }
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.parse().map(Value::Integer).or_else(|_| word.parse().map(Value::Float)).ok();
    }
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            Some(Value::Float(if word.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }))
        }
        ".nan" | ".NaN" | ".NAN" if unsigned.len() == word.len() => Some(Value::Float(f64::NAN)),
        _ if is_float(unsigned) => word.parse().map(Value::Float).ok(),
        _ => None,
    }
}

/// The value of digits in a base. A float if it needs more than 127 bits.
fn based(digits: &str, radix: u32) -> Option<Value<'static>> {
    let mut whole = Some(0_i128);
    let mut float = 0.0_f64;
    for c in digits.chars() {
        let digit = c.to_digit(radix)?;
        whole = whole.and_then(|n| n.checked_mul(i128::from(radix))?.checked_add(i128::from(digit)));
        float = float * f64::from(radix) + f64::from(digit);
    }
    let value = whole.map_or(Value::Float(float), Value::Integer);
    (!digits.is_empty()).then_some(value)
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(word: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match word.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (word, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    exponent_fits && digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
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
