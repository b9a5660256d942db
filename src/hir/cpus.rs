//! CPU lists in the syntax of the kernel.

use std::fmt;

/// A set of CPUs as ascending ranges that neither overlap nor touch: `0-47,96-143`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CpuList(Vec<(u32, u32)>);

/// The largest accepted CPU number. The kernel supports at most 8192 CPUs.
const MAX_CPU: u32 = 8191;

impl CpuList {
    /// Parses `0-47,96-143`. Ranges may overlap and may be in any order.
    pub fn parse(text: &str) -> Option<Self> {
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

    /// The number of CPUs.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// True if the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The list with its noun: `CPU 3`, `CPUs 0-3,8`.
    pub fn describe(&self) -> String {
        format!("{} {self}", if self.count() == 1 { "CPU" } else { "CPUs" })
    }

    /// The ranges, in ascending order.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// The CPUs that are in any of the lists.
    pub fn union<'c>(lists: impl IntoIterator<Item = &'c Self>) -> Self {
        Self::merged(lists.into_iter().flat_map(|list| &list.0).copied().collect())
    }

    /// The CPUs that are in both lists.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut shared = Vec::new();
        let mut others = other.0.iter().copied().peekable();
        for (first, last) in self.0.iter().copied() {
            while let Some((other_first, other_last)) = others.peek().copied().filter(|other| other.0 <= last)
            {
                if other_last >= first {
                    shared.push((first.max(other_first), last.min(other_last)));
                }
                if other_last > last {
                    break;
                }
                others.next();
            }
        }
        Self(shared)
    }

    /// The CPUs of this list that are not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut rest = Vec::new();
        let mut others = other.0.iter().copied().peekable();
        for (first, last) in self.0.iter().copied() {
            let mut from = first;
            while let Some((other_first, other_last)) = others.peek().copied().filter(|other| other.0 <= last)
            {
                if other_first > from {
                    rest.push((from, other_first - 1));
                }
                from = from.max(other_last + 1);
                if other_last > last {
                    break;
                }
                others.next();
            }
            if from <= last {
                rest.push((from, last));
            }
        }
        Self(rest)
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
