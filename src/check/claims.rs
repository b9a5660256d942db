//! Who was first to claim which numbers: shared by the checks that look for two claims on one CPU or port.

use std::collections::BTreeMap;

/// Ranges of numbers, each with its first claimant; none overlap.
#[derive(Default)]
pub(super) struct Claims {
    /// By the first number: the last one and the claimant.
    taken: BTreeMap<u32, (u32, usize)>,
}

impl Claims {
    /// Those who have claimed something of a range, each with the first number that it has there; in rising order of numbers.
    pub(super) fn meeting(&self, (first, last): (u32, u32)) -> impl Iterator<Item = (u32, usize)> + '_ {
        let before = self.taken.range(..first).next_back().filter(move |(_, (end, _))| *end >= first);
        let within = self.taken.range(first..=last);
        before.into_iter().chain(within).map(move |(start, (_, who))| ((*start).max(first), *who))
    }

    /// Claims what is free of a range.
    pub(super) fn claim(&mut self, (first, last): (u32, u32), who: usize) {
        let mut free = Vec::new();
        let mut from = first;
        let before = self.taken.range(..first).next_back();
        for (start, (end, _)) in before.into_iter().chain(self.taken.range(first..=last)) {
            if *start > from {
                free.push((from, start - 1));
            }
            from = from.max(end.saturating_add(1));
        }
        if from <= last {
            free.push((from, last));
        }
        self.taken.extend(free.into_iter().map(|(first, last)| (first, (last, who))));
    }
}
