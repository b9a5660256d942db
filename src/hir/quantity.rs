//! Quantities with their units: sizes, durations, rates, factors, dates, ports.

use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
pub struct Bytes(pub u64);

/// A number of whole seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Seconds(pub u64);

/// A percentage of a whole, or a fixed amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Share {
    /// A percentage of the whole, 0 to 100.
    Percent(u8),
    /// A fixed number of bytes.
    Amount(Bytes),
}

/// A measured rate in tokens per second, as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rate(pub Arc<str>);

/// A speedup factor, as written: `5.4x`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Factor(pub Arc<str>);

/// A date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Date {
    /// The year, 1970 to 9999.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, 1 to 31.
    pub day: u8,
}

/// The ports from `first` to `last`, both included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct PortRange {
    /// The lowest port.
    pub first: u16,
    /// The highest port.
    pub last: u16,
}

/// Units of size in bytes, largest first for each base.
pub(super) const SIZE_UNITS: &[(&str, u64)] = &[
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Units of time in seconds.
pub(super) const TIME_UNITS: &[(&str, u64)] = &[("s", 1), ("min", 60), ("h", 3600), ("d", 86400)];

impl Bytes {
    /// True if this size differs from the size of a file by at most 2 percent.
    pub fn is_near(self, file: Self) -> bool {
        u128::from(self.0.abs_diff(file.0)) * 50 <= u128::from(file.0)
    }

    /// Parses `17.5 GB` or `640 GiB`. The space is optional. Fractions of a byte are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let (amount, scale) = with_unit(text, SIZE_UNITS)?;
        u64::try_from(amount / scale).ok().map(Self)
    }

    /// The sum, saturated at the maximum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, at least 0.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The amount, rounded up to a value that [`Display`](fmt::Display) prints exactly, so that a printed limit is
    /// sufficient.
    #[must_use]
    pub fn rounded_up(self) -> Self {
        let step: u64 = match self.0 {
            10_000_000_000.. => 100_000_000,
            10_000_000.. => 10_000_000,
            10_000.. => 10_000,
            _ => 1,
        };
        Self(self.0.checked_next_multiple_of(step).unwrap_or(self.0))
    }

    /// The amount, rounded down to a value that [`Display`](fmt::Display) prints exactly.
    #[must_use]
    pub fn rounded_down(self) -> Self {
        let up = self.rounded_up();
        let step = match up.0 {
            10_000_000_000.. => 100_000_000,
            10_000_000.. => 10_000_000,
            10_000.. => 10_000,
            _ => 1,
        };
        if up == self { self } else { up.minus(Self(step)) }
    }

    /// The amount in gigabytes (10^9), rounded to a whole number: `54 GB`.
    pub fn whole_gb(self) -> String {
        format!("{} GB", self.0.saturating_add(500_000_000) / 1_000_000_000)
    }
}

/// Prints gigabytes (10^9) with one decimal, or two below 10 GB: `17.5 GB`, `0.64 GB`. Prints megabytes below 10 MB and
/// bytes below 10 kB.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = match self.0 {
            10_000_000.. => ("GB", 1_000_000_000_u64),
            10_000.. => ("MB", 1_000_000),
            _ => return write!(f, "{} B", self.0),
        };
        // Hundredths of the unit, or tenths from ten units on.
        let step = u128::from(size / if self.0 >= 10 * size { 10 } else { 100 });
        let steps = (u128::from(self.0) + step / 2) / step;
        let hundredths = steps * step * 100 / u128::from(size);
        let (whole, part) = (hundredths / 100, hundredths % 100);
        match part {
            0 => write!(f, "{whole} {unit}"),
            _ if part % 10 == 0 => write!(f, "{whole}.{} {unit}", part / 10),
            _ => write!(f, "{whole}.{part:02} {unit}"),
        }
    }
}

impl Seconds {
    /// Parses `15 min`, `90 s` or `1.5 h`. The result must be a whole number of seconds.
    pub fn parse(text: &str) -> Option<Self> {
        let (amount, scale) = with_unit(text, TIME_UNITS)?;
        let whole = amount.is_multiple_of(scale).then_some(amount / scale)?;
        u64::try_from(whole).ok().map(Self)
    }
}

/// Prints a whole number of the largest possible unit in the syntax of systemd: `15min`, `90s`.
impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, size): &&(&str, u64)| self.0 > 0 && self.0.is_multiple_of(*size);
        let (unit, size) = TIME_UNITS.iter().rev().find(whole).unwrap_or(&("s", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl Share {
    /// Parses `5 percent`, `5%` or a size.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix("percent").or_else(|| text.strip_suffix('%'));
        match number {
            Some(number) => whole(number.trim_end()).filter(|n| *n <= 100).map(Self::Percent),
            None => Bytes::parse(text).map(Self::Amount),
        }
    }

    /// This share of a whole.
    pub fn of(self, whole: Bytes) -> Bytes {
        match self {
            Self::Percent(n) => Bytes(whole.0 / 100 * u64::from(n) + whole.0 % 100 * u64::from(n) / 100),
            Self::Amount(bytes) => bytes,
        }
    }
}

impl Rate {
    /// Parses `6.3 t/s` or `~15 t/s`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_prefix('~').unwrap_or(text).trim_start().strip_suffix("t/s")?.trim_end();
        decimal(number).map(|_| Self(text.into()))
    }
}

impl Factor {
    /// Parses `5.4x`.
    pub fn parse(text: &str) -> Option<Self> {
        decimal(text.strip_suffix('x')?).map(|_| Self(text.into()))
    }
}

impl Date {
    /// Parses `2026-02-03`. The day must exist.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-').map(|part| (part.len(), part.parse::<u16>().ok()));
        let (Some((4, Some(year))), Some((2, Some(month))), Some((2, Some(day))), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u16::from(leap),
            _ => return None,
        };
        let is_valid = year >= 1970
            && (1..=days).contains(&day)
            && text.bytes().all(|b| b == b'-' || b.is_ascii_digit());
        is_valid.then_some(Self { year, month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()? })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PortRange {
    /// A range of one port.
    pub fn single(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// Parses `8090-8095` or `8090`.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| whole::<u16>(text.trim()).filter(|port| *port > 0);
        let range = Self { first: port(first)?, last: port(last)? };
        (range.first <= range.last).then_some(range)
    }

    /// The number of ports.
    pub fn len(self) -> usize {
        usize::from(self.last - self.first) + 1
    }

    /// Always false: a range has at least one port.
    pub fn is_empty(self) -> bool {
        false
    }

    /// The ports in ascending order.
    pub fn ports(self) -> impl Iterator<Item = u16> {
        self.first..=self.last
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// Parses digits only. `str::parse` also accepts a plus sign.
pub(super) fn whole<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Parses a decimal number with a unit. Returns the number times the unit's size, as an integer numerator and its
/// denominator.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<(u128, u128)> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at_checked(split)?;
    let (_, size) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    let (digits, scale) = decimal(number)?;
    Some((digits.checked_mul(u128::from(*size))?, scale))
}

/// Parses a decimal number. Returns an integer numerator and its denominator, a power of ten.
fn decimal(number: &str) -> Option<(u128, u128)> {
    let (whole, part) = number.split_once('.').map_or((number, ""), |(whole, part)| (whole, part));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_valid =
        !whole.is_empty() && digits(whole) && digits(part) && number.len() <= 24 && !number.ends_with('.');
    if !is_valid {
        return None;
    }
    let value = format!("{whole}{part}").parse().ok()?;
    Some((value, 10_u128.pow(u32::try_from(part.len()).ok()?)))
}
