//! Parses numbers: decimal, hexadecimal, octal and binary.

use super::KdlParser;
use crate::diag::words::quoted;
use crate::syntax::Value;
use crate::syntax::number::whole_number;

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
        let place = if len == 0 { start..self.pos } else { at..at + len };
        let message = format!("expected a number, found {}", quoted(whole));
        self.error(place, error.reason, message, help);
    }
}

/// Parses a whole word as a number.
fn parse_number_word(word: &str) -> Result<Value<'static>, NumberError> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let (radix, reason) = match unsigned.as_bytes() {
        [b'0', b'x', ..] => (16, "expected a hexadecimal digit"),
        [b'0', b'o', ..] => (8, "expected an octal digit"),
        [b'0', b'b', ..] => (2, "expected a binary digit"),
        _ => return parse_decimal(word, unsigned),
    };
    let digits = unsigned.get(2..).unwrap_or_default();
    let len = digits_len(digits, radix);
    if digits.is_empty() || len < digits.len() {
        return Err(NumberError { offset: word.len() - digits.len() + len, reason });
    }
    Ok(whole_number(word.strip_suffix(unsigned).unwrap_or_default(), digits, radix))
}

fn parse_decimal(word: &str, unsigned: &str) -> Result<Value<'static>, NumberError> {
    let error = |rest: &str, reason| Err(NumberError { offset: word.len() - rest.len(), reason });
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
    if whole {
        return Ok(whole_number(word.strip_suffix(unsigned).unwrap_or_default(), digits, 10));
    }
    Ok(Value::Float(word.replace('_', "").parse().unwrap_or(f64::NAN)))
}

/// The length of the digits at the start of a text. An `_` is allowed between and after digits, but not before.
fn digits_len(text: &str, radix: u32) -> usize {
    if text.starts_with('_') {
        return 0;
    }
    text.bytes().take_while(|byte| *byte == b'_' || char::from(*byte).is_digit(radix)).count()
}
