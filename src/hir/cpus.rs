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

    /// `CPU 3`, `CPUs 0-3,8`: the list after its noun.
    pub fn spoken(&self) -> String {
        format!("{} {self}", if self.count() == 1 { "CPU" } else { "CPUs" })
    }

    /// The ranges, in rising order.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// All CPUs of any.
    pub fn of_all<'c>(lists: impl IntoIterator<Item = &'c Self>) -> Self {
        Self::merged(lists.into_iter().flat_map(|list| &list.0).copied().collect())
    }

    /// The CPUs that are in both.
    #[must_use]
    pub fn common_with(&self, other: &Self) -> Self {
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

    /// The CPUs that are not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        let mut others = other.0.iter().copied().peekable();
        for (first, last) in self.0.iter().copied() {
            let mut from = first;
            while let Some((other_first, other_last)) = others.peek().copied().filter(|other| other.0 <= last)
            {
                if other_first > from {
                    left.push((from, other_first - 1));
                }
                from = from.max(other_last + 1);
                if other_last > last {
                    break;
                }
                others.next();
            }
            if from <= last {
                left.push((from, last));
            }
        }
        Self(left)
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
