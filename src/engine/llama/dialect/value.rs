//! Checks the values of options against their placeholders.
//!
//! The engine parses the beginning of a value and silently ignores the rest (`8k` is 8; llama.cpp b11434,
//! `common/arg.cpp`). So a value must be one that the engine parses completely.

use crate::engine::OptionRecord;
use crate::engine::llama::options::{MAX_INT, Numbers};

/// Placeholders of numbers, in all profiles.
const NUMBER_PLACEHOLDERS: &[&str] = &["N", "P", "INDEX", "PORT", "SECONDS", "SIMILARITY", "SEED", "L"];

/// The maximum number of hexadecimal digits of a CPU mask: 512 bits (llama.cpp b11434, `common/common.cpp`).
const MASK_DIGITS: usize = 128;

/// Checks that the engine parses the whole value. The error describes the expected value.
pub(super) fn check(build: Option<u32>, option: &OptionRecord, value: &str) -> Result<(), String> {
    let placeholder = option.value.as_deref().unwrap_or_default();
    if option.lists_value(value) && value != placeholder {
        return Ok(());
    }
    let known = option.choices.iter().chain(&option.accepts).filter(|word| *word != placeholder);
    let mut words: Vec<&str> = Vec::new();
    for word in known.map(String::as_str) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let words = words.join(", ");
    let (fits, expected) = if option.takes_list_of_choices() {
        (value.split(',').all(|word| option.lists_value(word)), format!("one or more of {words}"))
    } else if !option.choices.is_empty() {
        (false, format!("one of {words}"))
    } else if !words.is_empty() {
        (is_whole(value), format!("a whole number or {words}"))
    } else if NUMBER_PLACEHOLDERS.contains(&placeholder) {
        number(build, option, value)
    } else {
        let (fits, expected) = other_value(option, placeholder, value);
        (fits, expected.to_owned())
    };
    if fits { Ok(()) } else { Err(expected) }
}

/// Checks a number. Returns the result and a description of the expected value.
fn number(build: Option<u32>, option: &OptionRecord, value: &str) -> (bool, String) {
    let is_since = |first: u32| build.is_some_and(|build| build >= first);
    let fraction = |fits: fn(f32) -> bool, expected: &str| {
        (is_decimal(value) && value.parse::<f32>().is_ok_and(fits), expected.to_owned())
    };
    match option.row().and_then(|row| row.numbers) {
        Some(Numbers::FractionFromZero) => fraction(|n| n >= 0.0, "a number of at least 0"),
        Some(Numbers::FractionAboveZero(first)) if is_since(first) => {
            fraction(|n| n > 0.0, "a number above 0")
        }
        Some(Numbers::Fraction | Numbers::FractionAboveZero(_)) => fraction(|_| true, "a number"),
        _ if option.value.as_deref() == Some("SEED") => {
            let fits = value == "-1" || (is_digits(value) && value.parse::<u32>().is_ok());
            (fits, "a whole number from -1 to 4294967295".to_owned())
        }
        Some(Numbers::WholeOrNever(..)) if value == "-1" => (true, String::new()),
        Some(Numbers::Whole(low, high, first) | Numbers::WholeOrNever(low, high, first))
            if is_since(first) =>
        {
            let fits = is_whole(value) && value.parse::<i64>().is_ok_and(|n| (low..=high).contains(&n));
            let range =
                if high == MAX_INT { format!("of at least {low}") } else { format!("from {low} to {high}") };
            (fits, format!("a whole number {range}"))
        }
        _ => (is_whole(value), "a 32-bit whole number, digits only".to_owned()),
    }
}

/// Checks a value that is neither a choice nor a number.
fn other_value(option: &OptionRecord, placeholder: &str, value: &str) -> (bool, &'static str) {
    let each = |fits: fn(&str) -> bool| value.split(',').all(fits);
    match placeholder {
        "<0|1>" => (matches!(value, "0" | "1"), "0 or 1"),
        "<0...100>" => (is_digits(value) && value.parse::<u8>().is_ok_and(|n| n <= 100), "0 to 100"),
        "lo-hi" => (is_range(value), "a range of CPUs below 512 such as `0-7`"),
        "M" => (is_mask(value), "a mask of up to 128 hexadecimal digits"),
        "JSON" | "SCHEMA" => (is_object(value), "a JSON object"),
        _ if option.row().is_some_and(|row| row.is_object) => (is_object(value), "a JSON object"),
        "N0,N1,N2,..." => (value.split([',', '/']).all(is_decimal), "numbers separated by commas"),
        "P0,P1,..." => (each(is_decimal), "numbers separated by commas"),
        "MiB0,MiB1,MiB2,..." => (each(is_whole), "whole numbers separated by commas"),
        "TOKEN_ID(+/-)BIAS" => (is_bias(value), "a token id and its bias such as `15043+1`"),
        "FNAME:SCALE,..." => (each(is_scaled), "files with scales such as `a.gguf:0.5`"),
        "FNAME" | "PATH" | "FILE" | "DIR" | "JINJA_TEMPLATE_FILE" => (!value.is_empty(), "a path"),
        _ => (true, ""),
    }
}

/// The digits of a whole number that is written with a fraction, such as `1.0`.
pub(super) fn as_whole(option: &OptionRecord, value: &str) -> Option<String> {
    let (whole, fraction) = value.split_once('.')?;
    let is_zero = fraction.bytes().all(|b| b == b'0') && is_whole(whole);
    (is_zero && NUMBER_PLACEHOLDERS.contains(&option.value.as_deref()?)).then(|| whole.to_owned())
}

/// True if all arguments of an option with several arguments are whole numbers.
pub(super) fn are_whole_numbers(parts: &[&str]) -> bool {
    parts.iter().all(|part| is_whole(part))
}

fn is_digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit())
}

/// True for a 32-bit whole number with an optional minus sign, without unit and exponent.
fn is_whole(value: &str) -> bool {
    is_digits(value.strip_prefix('-').unwrap_or(value)) && value.parse::<i32>().is_ok()
}

/// True for a finite 32-bit float with an optional fraction and exponent, without unit.
fn is_decimal(value: &str) -> bool {
    let begins = value.strip_prefix('-').unwrap_or(value).bytes().next().is_some_and(|b| b.is_ascii_digit());
    begins && value.parse::<f32>().is_ok_and(f32::is_finite)
}

fn is_range(value: &str) -> bool {
    let Some((low, high)) = value.split_once('-') else { return false };
    let cpu = |text: &str| text.parse::<u16>().ok().filter(|cpu| is_digits(text) && *cpu < 512);
    matches!((cpu(low), cpu(high)), (Some(low), Some(high)) if low <= high)
}

fn is_mask(value: &str) -> bool {
    let digits = value.strip_prefix("0x").unwrap_or(value);
    (1..=MASK_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_object(value: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(value).is_ok_and(|value| value.is_object())
}

fn is_bias(value: &str) -> bool {
    let Some((token, bias)) = value.split_once(['+', '-']) else { return false };
    is_digits(token) && is_decimal(bias)
}

fn is_scaled(value: &str) -> bool {
    value.rsplit_once(':').is_some_and(|(file, scale)| !file.is_empty() && is_decimal(scale))
}
