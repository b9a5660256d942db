//! The roles to remove from declared sets, so that a sum of memory fits.

use super::loads::{LoadChange, RoleGroup};
use super::place::MemoryScope;
use super::swap_sets::SwapSets;
use crate::hir::{Bytes, Gateway, Id, Role, RoleSet};
use crate::source::Spanned;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of roles that are removed, and of roles that are tried for each.
const MAX_REMOVED: usize = 4;
const MAX_TRIES: usize = 16;

/// The declared sets of a gateway, some without roles that they have in the registry.
struct DeclaredSets {
    gateway: Id<Gateway>,
    sets: Vec<RoleSet>,
}

/// The roles of a group, and those of them that are in a sum.
struct Counted {
    all: BTreeSet<Id<Role>>,
    running: BTreeSet<Id<Role>>,
}

impl RoleGroup<'_> {
    /// The declared sets that are in the sum of a scope: of each gateway the one with the most memory.
    pub fn counted_sets(&self, scope: MemoryScope) -> impl Iterator<Item = &RoleSet> {
        let counted = self.counted(scope);
        self.declaring()
            .filter_map(move |sets| counted.set_of(sets, &self.registry.gateways.get(sets.gateway).sets))
    }

    /// The roles to remove from their sets, with the places of their names there, so that the sum of a scope is within a limit.
    /// `None` if a few are not enough.
    pub fn removals_from_sets(&self, scope: MemoryScope, limit: Bytes) -> Option<Vec<Spanned<Id<Role>>>> {
        self.counted_sets(scope).next()?;
        let mut sets: Vec<SwapSets> = self.sets.iter().filter(|sets| self.is_here(sets)).cloned().collect();
        let mut declared: Vec<DeclaredSets> = self
            .declaring()
            .map(|sets| DeclaredSets {
                gateway: sets.gateway,
                sets: self.registry.gateways.get(sets.gateway).sets.clone(),
            })
            .collect();
        let mut removed = Vec::new();
        while removed.len() < MAX_REMOVED {
            let group = self.with_sets(&sets);
            let (role, total) = group.best_removal(scope, limit, &declared)?;
            removed.push(role);
            if total <= limit {
                return Some(removed);
            }
            for one in &mut declared {
                one.remove(role);
            }
            sets = replaced(&sets, &declared);
        }
        None
    }

    /// The role whose removal from its set leaves the largest sum within the limit, else the smallest sum; and this sum.
    fn best_removal(
        &self,
        scope: MemoryScope,
        limit: Bytes,
        declared: &[DeclaredSets],
    ) -> Option<(Spanned<Id<Role>>, Bytes)> {
        let counted = self.counted(scope);
        let sets = declared.iter().filter_map(|one| {
            let own = self.sets.iter().find(|sets| sets.gateway == one.gateway)?;
            Some((one, counted.set_of(own, &one.sets)?))
        });
        let bytes: BTreeMap<Id<Role>, Bytes> =
            self.roles().map(|role| (role.id, self.bytes_in(scope, &role))).collect();
        let roles = sets.flat_map(|(one, set)| set.iter().map(move |role| (one, *role)));
        let mut largest: Vec<(Bytes, &DeclaredSets, Spanned<Id<Role>>)> =
            roles.filter_map(|(one, role)| Some((*bytes.get(&role.value)?, one, role))).collect();
        largest.retain(|(bytes, _, _)| *bytes > Bytes(0));
        largest.sort_by_key(|(bytes, _, role)| (Reverse(*bytes), role.value));
        let tried = largest.into_iter().take(MAX_TRIES).map(|(_, one, role)| {
            let mut without = DeclaredSets { gateway: one.gateway, sets: one.sets.clone() };
            without.remove(role);
            (role, self.with_sets(&replaced(self.sets, &[without])).total(scope))
        });
        let tried: Vec<(Spanned<Id<Role>>, Bytes)> = tried.collect();
        let within = tried.iter().filter(|(_, total)| *total <= limit).max_by_key(|(_, total)| *total);
        within.or_else(|| tried.iter().min_by_key(|(_, total)| *total)).copied()
    }

    /// The sets of the gateways of the host that declare them.
    fn declaring(&self) -> impl Iterator<Item = &SwapSets> {
        self.sets.iter().filter(|sets| sets.is_declared && self.is_here(sets))
    }

    fn is_here(&self, sets: &SwapSets) -> bool {
        self.registry.gateways.get(sets.gateway).host.value == self.host
    }

    fn counted(&self, scope: MemoryScope) -> Counted {
        let running = self.running_in(scope, LoadChange::default());
        Counted {
            all: self.roles().map(|role| role.id).collect(),
            running: running.iter().map(|role| role.id).collect(),
        }
    }
}

impl Counted {
    /// The declared set with the running roles of a gateway. `None` if only one runs.
    fn set_of<'d>(&self, sets: &SwapSets, declared: &'d [RoleSet]) -> Option<&'d RoleSet> {
        let count = sets.swapped.iter().filter(|role| self.running.contains(role)).count();
        let is_counted = |set: &&RoleSet| {
            let mut here = set.iter().filter(|role| self.all.contains(&role.value));
            here.clone().count() == count && here.all(|role| self.running.contains(&role.value))
        };
        declared.iter().find(is_counted).filter(|_| count > 1)
    }
}

impl DeclaredSets {
    fn remove(&mut self, role: Spanned<Id<Role>>) {
        for set in &mut self.sets {
            set.value.retain(|one| one.span != role.span);
        }
    }
}

/// The sets of all gateways, with those that some of them declare.
fn replaced(all: &[SwapSets], declared: &[DeclaredSets]) -> Vec<SwapSets> {
    let replaced = |sets: &SwapSets| match declared.iter().find(|one| one.gateway == sets.gateway) {
        Some(one) => SwapSets::declared(one.gateway, &sets.swapped, &one.sets),
        None => sets.clone(),
    };
    all.iter().map(replaced).collect()
}
