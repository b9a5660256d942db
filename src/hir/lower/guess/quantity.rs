//! Sizes, rates, durations and factors in other spellings.

use super::{date, list, number, plain_text};
use crate::hir::{Seconds, Shape};

/// The forms that a text may mean, each of them valid, best first.
#[derive(Default, PartialEq, Eq, Debug)]
pub(in crate::hir::lower) struct Guess {
    pub(in crate::hir::lower) forms: Vec<String>,
    /// The fault as the end of a sentence: `with a blank at the end`.
    pub(in crate::hir::lower) fault: Option<String>,
}

/// Units in other spellings, in lower case and without a plural, with the unit of the registry language.
const UNIT_SPELLINGS: &[(&[&str], &str)] = &[
    (&["t", "tb", "tbyte", "terabyte"], "TB"),
    (&["g", "gb", "gbyte", "gigabyte", "gig"], "GB"),
    (&["gi", "gib", "gibibyte", "gibyte"], "GiB"),
    (&["ti", "tib"], "TiB"),
    (&["m", "mb", "mbyte", "megabyte"], "MB"),
    (&["mi", "mib", "mebibyte", "mibyte"], "MiB"),
    (&["k", "kb", "kbyte", "kilobyte"], "kB"),
    (&["ki", "kib"], "KiB"),
    (&["byte", "bytes", "b"], "B"),
    (&["gb/s", "gb/sec", "gbp", "gb/second", "gb"], "GB/s"),
    (&["mb/s", "mb/sec", "mbp", "mb/second", "mb"], "MB/s"),
    (&["gib/s", "gib"], "GiB/s"),
    (&["mib/s", "mib"], "MiB/s"),
    (&["sec", "second", "s"], "s"),
    (&["m", "min", "minute"], "min"),
    (&["h", "hour", "hr"], "h"),
    (&["d", "day"], "d"),
    (&["tok/s", "token/s", "tokens/s", "tp", "t/s", "tok/sec", "tokens/sec", "token/second"], "t/s"),
    (&["x", "time", "fold"], "x"),
    (&["percent", "%", "pct", "per cent"], "percent"),
];

/// The usual units of a number without a unit.
fn implied_units(shape: &Shape, number: &str) -> &'static [&'static str] {
    let value: f64 = number.parse().unwrap_or_default();
    let units: &[(Shape, f64, &'static [&'static str])] = &[
        (Shape::Size, 1.0, &["B"]),
        (Shape::Size, 10_000.0, &["GB"]),
        (Shape::Size, 10_000_000.0, &["MB"]),
        (Shape::Size, f64::INFINITY, &["B"]),
        // The engine counts its caches in MiB.
        (Shape::SizeOrZero, f64::INFINITY, &["MiB"]),
        (Shape::ByteRate, 100.0, &["GB/s"]),
        (Shape::ByteRate, f64::INFINITY, &["MB/s"]),
        (Shape::Share, 100.0, &["percent", "GB"]),
        (Shape::Share, f64::INFINITY, &["MiB"]),
        (Shape::Duration, f64::INFINITY, &["s", "min"]),
        (Shape::TokenRate, f64::INFINITY, &["t/s"]),
        (Shape::Factor, f64::INFINITY, &["x"]),
    ];
    let found = units.iter().find(|(known, below, _)| known == shape && value < *below);
    found.map_or(&[], |(_, _, units)| units)
}

/// Guesses the forms of one kind of text.
type Guesser = fn(&str) -> Vec<String>;

/// The quantities without a unit.
const LISTS: &[(Shape, Guesser)] = &[
    (Shape::Cpus, list::cpus),
    (Shape::Ports, list::ports),
    (Shape::Numa, list::numa),
    (Shape::Address, list::address),
    (Shape::HostAddress, list::host_address),
];

/// Guesses the forms of a quantity that is not valid.
pub(in crate::hir::lower) fn guess(text: &str, shape: &Shape, is_valid: impl Fn(&str) -> bool) -> Guess {
    let list = LISTS.iter().find(|(known, _)| known == shape);
    let mut guess = match list {
        Some((_, forms)) => Guess { forms: forms(text), fault: None },
        None if *shape == Shape::Date => date::guess(text)
            .map_or_else(Guess::default, |guess| Guess { forms: guess.dates, fault: guess.fault }),
        None => with_unit(text, shape),
    };
    let fault = || if *shape == Shape::HostAddress { list::host_fault(text) } else { None };
    guess.fault = guess.fault.or_else(|| blank(text).or_else(fault).map(str::to_owned));
    guess.forms.insert(0, text.trim().to_owned());
    guess.forms.retain(|form| is_valid(form));
    guess.forms.dedup();
    let is_written = guess.forms.first().is_some_and(|form| form == text.trim());
    guess.forms.truncate(if is_written { 1 } else { 2 });
    guess
}

/// The fault of a blank around a text.
pub(in crate::hir::lower) fn blank(text: &str) -> Option<&'static str> {
    match (text.starts_with(char::is_whitespace), text.ends_with(char::is_whitespace)) {
        (true, true) => Some("with blanks around it"),
        (true, false) => Some("with a blank at the start"),
        (false, true) => Some("with a blank at the end"),
        (false, false) => None,
    }
}

fn with_unit(text: &str, shape: &Shape) -> Guess {
    let plain = plain_text(text);
    if *shape == Shape::Duration
        && let Some(form) = compound_duration(&plain)
    {
        return Guess { forms: vec![form], fault: None };
    }
    let is_about = plain.starts_with(['~', '≈']);
    let start = plain.trim_start_matches(['~', '≈', '<', '>', '=', 'x', '+']).trim_start();
    let start = &if start.starts_with('.') { format!("0{start}") } else { start.to_owned() };
    let end = number_end(start);
    let (number, unit) = start.split_at_checked(end).unwrap_or((start.as_str(), ""));
    let (number, unit) = (number.trim(), unit.trim().trim_end_matches('.'));
    let numbers = number::decimals(number);
    let fault = match () {
        () if number.contains(',') => Some("with a comma in the number"),
        () if number.contains(['e', 'E']) => Some("with an exponent"),
        () if number.contains(['_', '\'', ' ']) => Some("with a separator in the number"),
        () if numbers.first().is_some_and(|first| first != number) => Some("with several points"),
        () => None,
    };
    let units = units(unit, shape, numbers.first().map_or("", String::as_str));
    let about = if is_about && *shape == Shape::TokenRate { "~" } else { "" };
    let join = |number: &String, unit: &str| {
        let blank = if unit == "x" { "" } else { " " };
        format!("{about}{number}{blank}{unit}")
    };
    let forms = numbers.iter().flat_map(|number| units.iter().map(move |unit| join(number, unit)));
    let mut forms: Vec<String> = forms.collect();
    forms.extend(converted(&numbers, &unit.to_lowercase(), shape));
    Guess { forms, fault: fault.map(str::to_owned) }
}

/// The end of the number at the start of a text: digits with their separators and exponent.
fn number_end(text: &str) -> usize {
    let is_separator = |c: char| matches!(c, '.' | ',' | '_' | '\'' | ' ');
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let continues = match c {
            _ if c.is_ascii_digit() => true,
            'e' | 'E' if at > 0 => {
                is_digit(at + 1) || is_digit(at + 2) && text.get(at + 1..at + 2) != Some(" ")
            }
            '+' | '-' if at > 0 => {
                text.get(at - 1..at).is_some_and(|before| before.eq_ignore_ascii_case("e"))
            }
            _ if is_separator(c) => is_digit(at + 1),
            _ => false,
        };
        if !continues {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

/// The units that a text may mean.
fn units<'u>(unit: &'u str, shape: &Shape, number: &str) -> Vec<&'u str> {
    if unit.is_empty() {
        return if number.trim_matches(['0', '.']).is_empty() {
            Vec::new()
        } else {
            implied_units(shape, number).to_vec()
        };
    }
    let lower = unit.to_lowercase();
    let first = lower.split(' ').next().unwrap_or_default();
    let is_spelling = |spelling: &&str, word: &str| {
        *spelling == word || Some(*spelling) == word.strip_suffix('s').filter(|stem| !stem.is_empty())
    };
    let of = |word: &str| -> Vec<&'static str> {
        let known = UNIT_SPELLINGS.iter();
        let matching = known.filter(|(spellings, _)| spellings.iter().any(|one| is_spelling(one, word)));
        matching.map(|(_, unit)| *unit).collect()
    };
    let (whole, word) = (of(&lower), of(first));
    let mut units = vec![unit];
    units.extend(if whole.is_empty() { word } else { whole });
    units
}

/// A share of 1 as a percentage, a percentage as a factor, and a rate in bits as one in bytes.
fn converted(numbers: &[String], unit: &str, shape: &Shape) -> Option<String> {
    let number: f64 = numbers.first()?.parse().ok()?;
    let rounded = |value: f64| {
        let text = format!("{value:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let is_gigabit = ["gbit/s", "gbit/sec", "gbps", "gbit"].contains(&unit);
    if *shape == Shape::Share && unit.is_empty() && number < 1.0 {
        Some(format!("{} percent", rounded(number * 100.0)))
    } else if *shape == Shape::Factor && unit == "%" {
        Some(format!("{}x", rounded(number / 100.0)))
    } else if *shape == Shape::ByteRate && is_gigabit {
        Some(format!("{} GB/s", rounded(number / 8.0)))
    } else {
        None
    }
}

/// A duration of several parts, such as `1h30m`, `1:30:00` or `PT15M`.
fn compound_duration(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let parts: Vec<&str> = lower.split(':').map(str::trim).collect();
    let number = |part: &&str| part.parse::<u64>().ok();
    let seconds = match parts.as_slice() {
        [hours, minutes, seconds] => {
            number(hours)?.checked_mul(3600)? + number(minutes)?.checked_mul(60)? + number(seconds)?
        }
        _ => sum_of_parts(lower.strip_prefix("pt").or(lower.strip_prefix('p')).unwrap_or(&lower))?,
    };
    let form = Seconds(seconds).to_string();
    let unit = form.find(|c: char| !c.is_ascii_digit())?;
    (seconds > 0)
        .then(|| format!("{} {}", form.get(..unit).unwrap_or_default(), form.get(unit..).unwrap_or_default()))
}

/// The seconds of `1h 30m`. `None` if a part has no known unit.
fn sum_of_parts(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(digits)?;
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let scale: u64 = match unit.trim_end_matches('s') {
            "w" | "week" => 604_800,
            "d" | "day" => 86400,
            "h" | "hr" | "hour" => 3600,
            "m" | "min" | "minute" => 60,
            "" if unit == "s" => 1,
            "sec" | "second" => 1,
            _ => return None,
        };
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(scale)?)?;
        rest = after.trim_start_matches([' ', ',']).trim_start();
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    Some(sum)
}
