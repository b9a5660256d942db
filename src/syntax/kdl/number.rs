//! Numbers: decimal, hexadecimal, octal and binary.

use super::Reader;
use crate::diag::words::quoted;
use crate::syntax::{Value, codes};

/// What keeps a word that begins like a number from being one: where in the word, and why.
struct Misfit {
    at: usize,
    why: &'static str,
}

impl<'a> Reader<'a> {
    /// Whether a number, or what was meant as one, begins here.
    pub(super) fn at_number(&self) -> bool {
        let sign = usize::from(matches!(self.peek(), Some(b'+' | b'-')));
        let point = usize::from(self.byte(self.pos + sign) == Some(b'.'));
        self.byte(self.pos + sign + point).is_some_and(|byte| byte.is_ascii_digit())
    }

    /// Reads a number; none where the word is not one, which is said.
    pub(super) fn number(&mut self) -> Option<Value<'a>> {
        let start = self.pos;
        self.pos = self.word_end(start);
        let word = self.slice(start, self.pos);
        match read(word) {
            Ok(value) => Some(value),
            Err(misfit) => {
                // A path or a pair of words glued to it is part of the same slip.
                self.pos = self.lump_end(start);
                self.not_a_number(start, word, &misfit);
                let number = word.strip_suffix(',')?;
                self.slice(start, self.pos).ends_with(',').then(|| read(number).ok()).flatten()
            }
        }
    }

    fn not_a_number(&mut self, start: usize, word: &str, misfit: &Misfit) {
        let whole = self.slice(start, self.pos);
        let help = if word.ends_with(',') && read(word.trim_end_matches(',')).is_ok() {
            "separate values by blanks, without a comma".to_owned()
        } else if let Some(digits) = word.strip_prefix('.').filter(|_| misfit.at == 0) {
            format!("write `0.{digits}`, or text in quotes: `\"{whole}\"`")
        } else {
            format!("write text in quotes: `\"{whole}\"`")
        };
        let at = start + misfit.at;
        let len = self.slice(at, self.pos).chars().next().map_or(0, char::len_utf8);
        let span = if len == 0 { self.span(start, self.pos) } else { self.span(at, at + len) };
        let message = format!("expected a number, found {}", quoted(whole));
        self.report(codes::KDL_SYNTAX.at(span, misfit.why, message).help(help));
    }
}

/// The number that a whole word is.
fn read<'a>(word: &str) -> Result<Value<'a>, Misfit> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let offset = word.len() - unsigned.len();
    let sign = if word.starts_with('-') { -1 } else { 1 };
    let radix = match unsigned.as_bytes() {
        [b'0', b'x', ..] => 16,
        [b'0', b'o', ..] => 8,
        [b'0', b'b', ..] => 2,
        _ => return decimal(word, unsigned, offset, sign),
    };
    let digits = unsigned.get(2..).unwrap_or_default();
    let why = match radix {
        16 => "expected a hexadecimal digit",
        8 => "expected an octal digit",
        _ => "expected a binary digit",
    };
    let end = run(digits, radix);
    if digits.is_empty() || end < digits.len() {
        return Err(Misfit { at: offset + 2 + end, why });
    }
    Ok(integer(digits, radix, sign).map_or_else(|| Value::Float(large(digits, radix, sign)), Value::Integer))
}

fn decimal<'a>(word: &str, unsigned: &str, offset: usize, sign: i8) -> Result<Value<'a>, Misfit> {
    let misfit = |rest: &str, why| Err(Misfit { at: offset + unsigned.len() - rest.len(), why });
    let mut whole = true;
    let (digits, mut rest) = unsigned.split_at_checked(run(unsigned, 10)).unwrap_or((unsigned, ""));
    if digits.is_empty() {
        return misfit(rest, "expected a digit before the point");
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        whole = false;
        rest = fraction.get(run(fraction, 10)..).unwrap_or_default();
        if rest.len() == fraction.len() {
            return misfit(rest, "expected a digit after the point");
        }
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        whole = false;
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        rest = exponent.get(run(exponent, 10)..).unwrap_or_default();
        if rest.len() == exponent.len() {
            return misfit(rest, "expected a digit of the exponent");
        }
    }
    if !rest.is_empty() {
        return misfit(rest, "this cannot stand in a number");
    }
    match integer(digits, 10, sign) {
        Some(integer) if whole => Ok(Value::Integer(integer)),
        _ => Ok(Value::Float(float(word))),
    }
}

/// The length of the digits at the start of a text, with `_` between and after them but not before.
fn run(text: &str, radix: u32) -> usize {
    if text.starts_with('_') {
        return 0;
    }
    text.bytes().take_while(|byte| *byte == b'_' || char::from(*byte).is_digit(radix)).count()
}

/// The value of digits; none where it has more than 127 bits.
fn integer(digits: &str, radix: u32, sign: i8) -> Option<i128> {
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

/// The value of digits that no integer holds.
fn large(digits: &str, radix: u32, sign: i8) -> f64 {
    let add = |value: f64, digit: u32| value * f64::from(radix) + f64::from(digit);
    let value = digits.chars().filter_map(|c| c.to_digit(radix)).fold(0.0, add);
    value * f64::from(sign)
}

/// The value of a word that was found to be a decimal number.
fn float(word: &str) -> f64 {
    let parsed = if word.contains('_') { word.replace('_', "").parse() } else { word.parse() };
    parsed.unwrap_or(f64::NAN)
}
