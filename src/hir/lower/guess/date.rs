//! Dates in other orders.

use super::plain_text;
use crate::hir::Date;

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The dates that a text may mean, and true if it names a day that does not exist.
#[derive(Default, PartialEq, Eq, Debug)]
pub(in crate::hir::lower) struct DateGuess {
    pub(in crate::hir::lower) dates: Vec<String>,
    /// The reason why a date in the right form is not valid.
    pub(in crate::hir::lower) fault: Option<String>,
}

/// Guesses the date of a text. `None` if the text does not look like a date.
pub(in crate::hir::lower) fn guess(text: &str) -> Option<DateGuess> {
    let plain = plain_text(text);
    let day = plain.split(['T', 't']).next().filter(|day| day.len() == 10).unwrap_or(&plain);
    let day = day.split_once(' ').map_or(day, |(first, _)| if first.len() == 10 { first } else { day });
    let orders = named_month(day).map(|one| vec![one]).or_else(|| orders(day))?;
    let valid: Vec<String> = orders.iter().filter_map(|order| valid_date(*order)).collect();
    if !valid.is_empty() {
        return Some(DateGuess { dates: valid, fault: None });
    }
    let first = orders.first().copied()?;
    Some(nearest_date(first))
}

/// The possible years, months and days of three numbers.
fn orders(day: &str) -> Option<Vec<(u32, u32, u32)>> {
    let is_compact = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    if is_compact {
        let number = |from: usize, to: usize| day.get(from..to)?.parse().ok();
        let year: u32 = number(0, 4)?;
        return (1970..2200).contains(&year).then_some(vec![(year, number(4, 6)?, number(6, 8)?)]);
    }
    let mark = ['-', '.', '/'].into_iter().find(|mark| day.matches(*mark).count() == 2)?;
    let parts: Vec<&str> = day.split(mark).map(str::trim).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let is_number = |part: &&&str| part.bytes().all(|byte| byte.is_ascii_digit()) && !part.is_empty();
    if !parts.iter().all(|part| is_number(&part)) {
        return None;
    }
    let number = |part: &str| part.parse::<u32>().ok();
    let (a, b, c) = (number(first)?, number(second)?, number(third)?);
    match (first.len(), third.len(), mark) {
        (4, 1..=2, _) => Some(vec![(a, b, c)]),
        (1..=2, 4, '.') => Some(vec![(c, b, a)]),
        // Both orders are usual.
        (1..=2, 4, _) if a == b => Some(vec![(c, b, a)]),
        (1..=2, 4, _) => Some(vec![(c, b, a), (c, a, b)]),
        _ => None,
    }
}

/// A date with the name of its month: `3 Feb 2026`, `Feb 3, 2026`.
fn named_month(day: &str) -> Option<(u32, u32, u32)> {
    let parts = day.split([' ', ',', '-', '.', '/']).filter(|part| !part.is_empty());
    let (mut month, mut numbers) = (None, Vec::new());
    for part in parts {
        let lower = part.to_ascii_lowercase();
        let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        match MONTHS.iter().zip(1..).find(|(name, _)| lower.starts_with(*name)) {
            Some((_, number)) => month = Some(number),
            None => numbers.push(digits.parse::<u32>().ok()?),
        }
    }
    match numbers.as_slice() {
        [year @ 1970..=9999, day] | [day, year @ 1970..=9999] => Some((*year, month?, *day)),
        _ => None,
    }
}

fn valid_date((year, month, day): (u32, u32, u32)) -> Option<String> {
    let text = format!("{year:04}-{month:02}-{day:02}");
    Date::parse(&text).map(|_| text)
}

/// The last day of the month for a day that does not exist.
fn nearest_date((year, month, day): (u32, u32, u32)) -> DateGuess {
    if !(1..=12).contains(&month) {
        let fault = format!("but {month} is not a month");
        return DateGuess { dates: valid_date((year, day, month)).into_iter().collect(), fault: Some(fault) };
    }
    let last = (1..=31).rev().find_map(|day| Some((day, valid_date((year, month, day))?)));
    match last {
        Some((days, date)) => {
            let fault = format!("but {year:04}-{month:02} has only the days 1 to {days}");
            let dates = if day > days { vec![date] } else { Vec::new() };
            DateGuess { dates, fault: Some(fault) }
        }
        None => DateGuess {
            dates: Vec::new(),
            fault: Some(format!("but {year} is not a year from 1970 to 9999")),
        },
    }
}
