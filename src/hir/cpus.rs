//! CPU lists in the syntax of the kernel.

use super::quantity::whole;
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
            let cpu = |text: &str| whole::<u32>(text.trim()).filter(|cpu| *cpu <= MAX_CPU);
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
        self.filtered(|cpu| other.contains(cpu))
    }

    /// The CPUs of this list that are not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.filtered(|cpu| !other.contains(cpu))
    }

    fn filtered(&self, is_wanted: impl Fn(u32) -> bool) -> Self {
        let cpus = self.0.iter().flat_map(|(first, last)| *first..=*last);
        Self::merged(cpus.filter(|cpu| is_wanted(*cpu)).map(|cpu| (cpu, cpu)).collect())
    }

    fn contains(&self, cpu: u32) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < cpu);
        self.0.get(at).is_some_and(|(first, _)| *first <= cpu)
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
