//! NUMA nodes with too little memory. The checks of placed memory and of locked memory use this module.

use super::sum::{HostLoad, MemorySum};
use crate::derive::{LoadChange, MemoryLoad, MemoryScope, RoleGroup};
use crate::diag::{Code, Diagnostic, words};
use crate::hir::{Bytes, Id, NumaNode, Registry, Role};

/// Maximum number of nodes per host whose help names the roles to move. Finding these roles takes many sums.
const MAX_WITH_ADVICE: usize = 16;

/// A node whose roles take more than its memory.
pub(super) struct OverfullNode<'f> {
    registry: &'f Registry,
    group: &'f RoleGroup<'f>,
    node: &'f NumaNode,
    memory: Bytes,
    scope: MemoryScope,
    load: MemoryLoad,
    has_advice: bool,
}

/// True if the host has nodes with known memory, and roles that are placed on nodes.
pub(super) fn can_be_checked(registry: &Registry, group: &RoleGroup) -> bool {
    let host = registry.hosts.get(group.host);
    host.numa.iter().any(|node| node.memory.is_some()) && group.is_placed()
}

/// The nodes of a host that are over their memory, unless the cause is the host as a whole or a budget. `services` is
/// the memory of the host's services.
pub(super) fn overfull_nodes<'f>(
    registry: &'f Registry,
    group: &'f RoleGroup<'f>,
    services: Bytes,
    scope: fn(u32) -> MemoryScope,
) -> Vec<OverfullNode<'f>> {
    let mut overfull: Vec<OverfullNode> = Vec::new();
    let mut host_load: Option<HostLoad> = None;
    for node in &registry.hosts.get(group.host).numa {
        let Some(memory) = node.memory.map(|memory| memory.value) else { continue };
        let scope = scope(node.node.value);
        let load = group.load(scope);
        if load.total <= memory {
            continue;
        }
        let host_load = host_load.get_or_insert_with(|| HostLoad::new(registry, group, services));
        if host_load.exceeds_host() {
            return Vec::new();
        }
        if load.total.minus(host_load.overrun) > memory {
            let has_advice = overfull.len() < MAX_WITH_ADVICE;
            overfull.push(OverfullNode { registry, group, node, memory, scope, load, has_advice });
        }
    }
    overfull
}

impl OverfullNode<'_> {
    /// True if another part of the node's memory alone exceeds the node.
    pub(super) fn is_over(&self, scope: fn(u32) -> MemoryScope) -> bool {
        self.group.load(scope(self.node.node.value)).total > self.memory
    }

    /// The finding: the sum, and a help that names the smallest set of roles to move.
    pub(super) fn finding(
        &self,
        code: &'static Code,
        what: &str,
        help: impl Fn(&str) -> String,
    ) -> Diagnostic {
        let host = &self.registry.hosts.get(self.group.host).head.name;
        let total = self.load.total;
        let over = total.minus(self.memory);
        let message = format!(
            "{what} on NUMA node {} of host {} take {total}, {over} over its memory of {}",
            self.node.node.value,
            words::quoted(host),
            self.memory
        );
        let place = self.node.memory.map_or(self.node.node.span, |memory| memory.span);
        let finding = code.at(place, format!("{total} needed"), message).about(("host", &*host.value));
        let limit = [("memory of the node", self.memory)];
        let sum =
            MemorySum { registry: self.registry, other_users: &[], load: &self.load, limit: &limit, over };
        let after =
            |gone: &[Id<Role>]| self.group.load_after(self.scope, LoadChange { gone, at_once: None }).total;
        let smallest = if self.has_advice { sum.smallest_removal(after) } else { None };
        let (roles, frees) = match smallest {
            Some((roles, freed)) => (roles, format!(", which frees {freed} here")),
            None => ("several roles".to_owned(), String::new()),
        };
        sum.add_to(finding).help(format!("{}{frees}", help(&roles)))
    }
}
