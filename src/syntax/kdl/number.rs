//! Parses numbers: decimal, hexadecimal, octal and binary.

use super::KdlParser;
use crate::diag::words::quoted;
use crate::syntax::{Value, codes};

/// Why a word that begins like a number is not a number: the offset in the word and the reason.
struct NumberError {
    offset: usize,
    reason: &'static str,
}

impl<'a> KdlParser<'a> {
    /// True if a number, or text that looks like a number, begins here.
    pub(super) fn at_number(&self) -> bool {
        let sign = usize::from(matches!(self.peek(), Some(b'+' | b'-')));
        let point = usize::from(self.byte(self.pos + sign) == Some(b'.'));
        self.byte(self.pos + sign + point).is_some_and(|byte| byte.is_ascii_digit())
    }

    /// Parses a number. Reports a word that is not a number and returns none.
    pub(super) fn parse_number(&mut self) -> Option<Value<'a>> {
        let start = self.pos;
        self.pos = self.word_end(start);
        let word = self.slice(start, self.pos);
        match parse_number_word(word) {
            Ok(value) => Some(value),
            Err(error) => {
                // Text directly after the word, such as the rest of a path, is part of the same mistake.
                self.pos = self.loose_word_end(start);
                self.report_not_a_number(start, word, &error);
                let number = word.strip_suffix(',')?;
                self.slice(start, self.pos).ends_with(',').then(|| parse_number_word(number).ok()).flatten()
            }
        }
    }

    fn report_not_a_number(&mut self, start: usize, word: &str, error: &NumberError) {
        let whole = self.slice(start, self.pos);
        let help = if word.ends_with(',') && parse_number_word(word.trim_end_matches(',')).is_ok() {
            "separate values by spaces, without a comma".to_owned()
        } else if let Some(digits) = word.strip_prefix('.').filter(|_| error.offset == 0) {
            format!("write `0.{digits}`, or put the text in quotes: `\"{whole}\"`")
        } else {
            format!("put the text in quotes: `\"{whole}\"`")
        };
        let at = start + error.offset;
        let len = self.slice(at, self.pos).chars().next().map_or(0, char::len_utf8);
        let span = if len == 0 { self.span(start, self.pos) } else { self.span(at, at + len) };
        let message = format!("expected a number, found {}", quoted(whole));
        self.report(codes::KDL_SYNTAX.at(span, error.reason, message).help(help));
    }
}

/// Parses a whole word as a number.
fn parse_number_word<'a>(word: &str) -> Result<Value<'a>, NumberError> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let offset = word.len() - unsigned.len();
    let sign = if word.starts_with('-') { -1 } else { 1 };
    let radix = match unsigned.as_bytes() {
        [b'0', b'x', ..] => 16,
        [b'0', b'o', ..] => 8,
        [b'0', b'b', ..] => 2,
        _ => return parse_decimal(word, unsigned, offset, sign),
    };
    let digits = unsigned.get(2..).unwrap_or_default();
    let reason = match radix {
        16 => "expected a hexadecimal digit",
        8 => "expected an octal digit",
        _ => "expected a binary digit",
    };
    let end = digits_len(digits, radix);
    if digits.is_empty() || end < digits.len() {
        return Err(NumberError { offset: offset + 2 + end, reason });
    }
    Ok(parse_integer(digits, radix, sign)
        .map_or_else(|| Value::Float(parse_large(digits, radix, sign)), Value::Integer))
}

fn parse_decimal<'a>(word: &str, unsigned: &str, offset: usize, sign: i8) -> Result<Value<'a>, NumberError> {
    let error =
        |rest: &str, reason| Err(NumberError { offset: offset + unsigned.len() - rest.len(), reason });
    let mut whole = true;
    let (digits, mut rest) = unsigned.split_at_checked(digits_len(unsigned, 10)).unwrap_or((unsigned, ""));
    if digits.is_empty() {
        return error(rest, "expected a digit before the point");
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        whole = false;
        rest = fraction.get(digits_len(fraction, 10)..).unwrap_or_default();
        if rest.len() == fraction.len() {
            return error(rest, "expected a digit after the point");
        }
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        whole = false;
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        rest = exponent.get(digits_len(exponent, 10)..).unwrap_or_default();
        if rest.len() == exponent.len() {
            return error(rest, "expected a digit of the exponent");
        }
    }
    if !rest.is_empty() {
        return error(rest, "this character cannot be part of a number");
    }
    match parse_integer(digits, 10, sign) {
        Some(integer) if whole => Ok(Value::Integer(integer)),
        _ => Ok(Value::Float(parse_float(word))),
    }
}

/// The length of the digits at the start of a text. An `_` is allowed between and after digits, but not before.
fn digits_len(text: &str, radix: u32) -> usize {
    if text.starts_with('_') {
        return 0;
    }
    text.bytes().take_while(|byte| *byte == b'_' || char::from(*byte).is_digit(radix)).count()
}

/// The value of digits. None if it needs more than 127 bits.
fn parse_integer(digits: &str, radix: u32, sign: i8) -> Option<i128> {
    // Up to 15 digits of any base fit 64 bits, where arithmetic is much cheaper.
    if digits.len() <= 15 {
        let mut small = 0i64;
        for digit in digits.chars().filter_map(|c| c.to_digit(radix)) {
            small = small * i64::from(radix) + i64::from(digit);
        }
        return Some(i128::from(small * i64::from(sign)));
    }
    let mut value = 0i128;
    for digit in digits.chars().filter_map(|c| c.to_digit(radix)) {
        let digit = i128::from(digit);
        value = value.checked_mul(i128::from(radix))?;
        value = value.checked_add(digit * i128::from(sign))?;
    }
    Some(value)
}

/// The value of digits that does not fit an integer, as a float.
fn parse_large(digits: &str, radix: u32, sign: i8) -> f64 {
    let add = |value: f64, digit: u32| value * f64::from(radix) + f64::from(digit);
    let value = digits.chars().filter_map(|c| c.to_digit(radix)).fold(0.0, add);
    value * f64::from(sign)
}

/// The value of a valid decimal number with a fraction, an exponent or too many digits for an integer.
fn parse_float(word: &str) -> f64 {
    let parsed = if word.contains('_') { word.replace('_', "").parse() } else { word.parse() };
    parsed.unwrap_or(f64::NAN)
}
