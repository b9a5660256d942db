//! A map from ranges of numbers to their first claimant, for the checks that find CPUs or ports claimed twice.

use crate::hir::CpuList;
use std::collections::BTreeMap;

/// Disjoint ranges of numbers, each with its first claimant.
#[derive(Default)]
pub(in crate::check) struct Claims {
    /// By the first number of a range: its last number and the claimant.
    ranges: BTreeMap<u32, (u32, usize)>,
}

impl Claims {
    /// All claimants of numbers in a range, each with its first number there, in ascending order.
    pub(in crate::check) fn overlapping(
        &self,
        (first, last): (u32, u32),
    ) -> impl Iterator<Item = (u32, usize)> + '_ {
        let before = self.ranges.range(..first).next_back().filter(move |(_, (end, _))| *end >= first);
        let within = self.ranges.range(first..=last);
        before.into_iter().chain(within).map(move |(start, (_, claimant))| ((*start).max(first), *claimant))
    }

    /// The first claimant of a CPU in a list.
    pub(in crate::check) fn first_of(&self, cpus: &CpuList) -> Option<usize> {
        cpus.ranges().iter().find_map(|range| self.overlapping(*range).next()).map(|(_, claimant)| claimant)
    }

    /// Claims the free CPUs of a list.
    pub(in crate::check) fn claim_cpus(&mut self, cpus: &CpuList, claimant: usize) {
        for range in cpus.ranges() {
            self.claim(*range, claimant);
        }
    }

    /// Claims the free numbers of a range.
    pub(in crate::check) fn claim(&mut self, (first, last): (u32, u32), claimant: usize) {
        let mut free = Vec::new();
        let mut from = first;
        let before = self.ranges.range(..first).next_back();
        for (start, (end, _)) in before.into_iter().chain(self.ranges.range(first..=last)) {
            if *start > from {
                free.push((from, start - 1));
            }
            from = from.max(end.saturating_add(1));
        }
        if from <= last {
            free.push((from, last));
        }
        self.ranges.extend(free.into_iter().map(|(first, last)| (first, (last, claimant))));
    }
}
