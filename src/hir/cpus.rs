//! Lists of CPUs as the kernel writes them.

use std::fmt;

/// CPUs as ranges in rising order that neither overlap nor touch: `0-47,96-143`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CpuList(Vec<(u32, u32)>);

/// The largest CPU number that is taken: the kernel's own limit is 8192.
const MAX_CPU: u32 = 8191;

impl CpuList {
    /// Reads `0-47,96-143`; ranges may come in any order and overlap.
    pub fn read(text: &str) -> Option<Self> {
        let mut ranges = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let cpu = |text: &str| {
                let text = text.trim();
                let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                text.parse::<u32>().ok().filter(|cpu| digits && *cpu <= MAX_CPU)
            };
            let (first, last) = (cpu(first)?, cpu(last)?);
            if first > last {
                return None;
            }
            ranges.push((first, last));
        }
        Some(Self::merged(ranges))
    }

    fn merged(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(end) if first <= end.1.saturating_add(1) => end.1 = end.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    /// How many CPUs.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges, in rising order.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// All CPUs of either.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self::merged(self.0.iter().chain(&other.0).copied().collect())
    }

    /// The CPUs that are in both.
    #[must_use]
    pub fn common_with(&self, other: &Self) -> Self {
        let mut shared = Vec::new();
        for (first, last) in &self.0 {
            for (other_first, other_last) in &other.0 {
                let (first, last) = ((*first).max(*other_first), (*last).min(*other_last));
                if first <= last {
                    shared.push((first, last));
                }
            }
        }
        Self::merged(shared)
    }

    /// The CPUs that are not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for (first, last) in &self.0 {
            let mut from = *first;
            for (other_first, other_last) in other.0.iter().filter(|(_, end)| end >= first) {
                if *other_first > *last {
                    break;
                }
                if *other_first > from {
                    left.push((from, other_first - 1));
                }
                from = from.max(other_last + 1);
            }
            if from <= *last {
                left.push((from, *last));
            }
        }
        Self::merged(left)
    }
}

impl fmt::Display for CpuList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (first, last)) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            if first == last { write!(f, "{comma}{first}")? } else { write!(f, "{comma}{first}-{last}")? }
        }
        Ok(())
    }
}
