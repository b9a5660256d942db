//! The sets of roles that llama-swap may have in memory at the same time.

pub use crate::hir::MAX_SETS;
use crate::hir::{Bytes, Gateway, Id, Role, RoleSet};
use std::collections::BTreeSet;

/// The maximum number of roles of one search. Each has one bit of a number.
pub const MAX_CHOICES: usize = 64;

/// The sets of roles of one gateway that may be in memory at the same time, with all their subsets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SwapSets {
    /// The gateway.
    pub gateway: Id<Gateway>,
    /// The roles that are in each set, so no other role unloads them, in the order of declaration: those that start at boot. Empty
    /// if the sets are declared.
    pub kept: Vec<Id<Role>>,
    /// Its other roles, in the order of declaration.
    pub swapped: Vec<Id<Role>>,
    /// For each set, the roles of `swapped` in it. Each role is in at least one.
    pub sets: Vec<BTreeSet<Id<Role>>>,
    /// True if the gateway declares the sets.
    pub is_declared: bool,
    /// True if the sets are stricter than the memory requires: there are more than [`MAX_SETS`], or too many roles to find all.
    pub is_stricter: bool,
    /// The roles of `swapped` that are alone in a set because not all memory of the host is known.
    pub alone: Vec<Id<Role>>,
}

impl SwapSets {
    /// Sets with only one role of `swapped` each.
    pub(super) fn one_at_a_time(gateway: Id<Gateway>, kept: Vec<Id<Role>>, swapped: Vec<Id<Role>>) -> Self {
        let sets = swapped.iter().map(|role| BTreeSet::from([*role])).collect();
        let is_stricter = swapped.len() > 1;
        Self { gateway, kept, swapped, sets, is_declared: false, is_stricter, alone: Vec::new() }
    }

    /// The declared sets. A role in no set runs alone. A set that is part of another one adds nothing.
    pub(super) fn declared(gateway: Id<Gateway>, roles: &[Id<Role>], declared: &[RoleSet]) -> Self {
        let all: BTreeSet<BTreeSet<Id<Role>>> = declared.iter().map(ids).collect();
        let mut sets: Vec<BTreeSet<Id<Role>>> = Vec::new();
        for set in declared.iter().map(ids) {
            let is_part = all.iter().any(|other| other.len() > set.len() && set.is_subset(other));
            if !is_part && !sets.contains(&set) {
                sets.push(set);
            }
        }
        let known: BTreeSet<Id<Role>> = sets.iter().flatten().copied().collect();
        sets.extend(roles.iter().filter(|role| !known.contains(role)).map(|role| BTreeSet::from([*role])));
        let (kept, swapped) = (Vec::new(), roles.to_vec());
        Self { gateway, kept, swapped, sets, is_declared: true, is_stricter: false, alone: Vec::new() }
    }

    /// The number of roles in the largest set, with those that are in each.
    pub fn most(&self) -> usize {
        self.kept.len() + self.sets.iter().map(BTreeSet::len).max().unwrap_or(0)
    }

    /// The roles of `swapped` that are not in the set with the most bytes.
    pub(super) fn outside_largest(&self, bytes: impl Fn(&BTreeSet<Id<Role>>) -> Bytes) -> BTreeSet<Id<Role>> {
        // The first of equal sets, so that messages are the same in every run.
        let largest = self.sets.iter().rev().max_by_key(|set| bytes(set));
        let is_outside = |role: &Id<Role>| largest.is_none_or(|set| !set.contains(role));
        self.swapped.iter().copied().filter(is_outside).collect()
    }
}

/// The roles of a declared set.
fn ids(set: &RoleSet) -> BTreeSet<Id<Role>> {
    set.iter().map(|role| role.value).collect()
}

/// All maximal sets of numbers below `count` that fit, each as a bit mask. `fits` must be true for each subset of a set that
/// fits. `None` if there are more than [`MAX_SETS`], if `count` is above [`MAX_CHOICES`], or if `fits` would be called more often
/// than `calls` allows, which counts down.
pub fn maximal_sets(count: usize, calls: &mut usize, fits: impl FnMut(u64) -> bool) -> Option<Vec<u64>> {
    if count > MAX_CHOICES {
        return None;
    }
    let mut search = Search { found: Vec::new(), calls, fits };
    let all = if count == MAX_CHOICES { u64::MAX } else { (1 << count) - 1 };
    search.visit(Branch { chosen: 0, open: all, excluded: 0 })?;
    Some(search.found)
}

/// The sets with all of `chosen`, some of `open`, and none of `excluded`.
#[derive(Clone, Copy)]
struct Branch {
    chosen: u64,
    open: u64,
    excluded: u64,
}

struct Search<'c, F> {
    found: Vec<u64>,
    calls: &'c mut usize,
    fits: F,
}

impl<F: FnMut(u64) -> bool> Search<'_, F> {
    fn fits(&mut self, set: u64) -> Option<bool> {
        *self.calls = self.calls.checked_sub(1)?;
        Some((self.fits)(set))
    }

    /// Finds the maximal sets of a branch. `None` if there are too many.
    fn visit(&mut self, branch: Branch) -> Option<()> {
        let Branch { chosen, open, excluded } = branch;
        let largest = chosen | open;
        // If a number could be added even to the largest set, then to each set of this branch.
        for bit in bits(excluded) {
            if self.fits(largest | bit)? {
                return Some(());
            }
        }
        if self.fits(largest)? {
            self.found.push(largest);
            return (self.found.len() <= MAX_SETS).then_some(());
        }
        let Some(next) = bits(open).next() else { return Some(()) };
        let open = open & !next;
        if self.fits(chosen | next)? {
            self.visit(Branch { chosen: chosen | next, open, excluded })?;
        }
        self.visit(Branch { chosen, open, excluded: excluded | next })
    }
}

/// The bits of a mask, from the lowest.
fn bits(mask: u64) -> impl Iterator<Item = u64> {
    let mut rest = mask;
    std::iter::from_fn(move || {
        let bit = rest & rest.wrapping_neg();
        rest &= !bit;
        (bit != 0).then_some(bit)
    })
}

/// The numbers of the bits of a mask, in ascending order.
pub fn numbers(mask: u64) -> impl Iterator<Item = usize> {
    bits(mask).map(|bit| bit.trailing_zeros() as usize)
}
