//! NUMA nodes that hold more than they have: shared by the checks of what is placed on them and of what is locked there.

use super::sum::{Bill, Burden};
use crate::diag::{Code, Diagnostic, words};
use crate::hir::{Bytes, Change, Extent, Id, Load, NumaNode, Registry, Role, Together};

/// How many full nodes of a host are told the fewest roles that must leave; finding those takes many sums.
const ADVISED: usize = 16;

/// A node that is over its memory.
pub(super) struct Full<'f> {
    registry: &'f Registry,
    together: &'f Together<'f>,
    node: &'f NumaNode,
    memory: Bytes,
    extent: Extent,
    load: Load,
    is_advised: bool,
}

/// Whether a host has nodes whose memory is known, and roles that are placed on them.
pub(super) fn are_checked(registry: &Registry, together: &Together) -> bool {
    let host = registry.hosts.get(together.host);
    host.numa.iter().any(|node| node.memory.is_some()) && together.is_placed()
}

/// The nodes of a host that are over their memory, where neither the host as a whole nor a budget is the cause. `services` is
/// what the host's services take.
pub(super) fn over<'f>(
    registry: &'f Registry,
    together: &'f Together<'f>,
    services: Bytes,
    extent: fn(u32) -> Extent,
) -> Vec<Full<'f>> {
    let mut full: Vec<Full> = Vec::new();
    let mut held: Option<Burden> = None;
    for node in &registry.hosts.get(together.host).numa {
        let Some(memory) = node.memory.map(|memory| memory.value) else { continue };
        let extent = extent(node.node.value);
        let load = together.load(extent);
        if load.total <= memory {
            continue;
        }
        let held = held.get_or_insert_with(|| Burden::on(registry, together, services));
        if held.is_too_much() {
            return Vec::new();
        }
        if load.total.minus(held.overrun) > memory {
            let is_advised = full.len() < ADVISED;
            full.push(Full { registry, together, node, memory, extent, load, is_advised });
        }
    }
    full
}

impl Full<'_> {
    /// Whether the node would be over its memory by another part of what lies on it alone.
    pub(super) fn is_over(&self, extent: fn(u32) -> Extent) -> bool {
        self.together.load(extent(self.node.node.value)).total > self.memory
    }

    /// What is said of it: what takes its memory, and how the fewest roles that must leave can.
    pub(super) fn finding(
        &self,
        code: &'static Code,
        what: &str,
        cure: impl Fn(&str) -> String,
    ) -> Diagnostic {
        let host = &self.registry.hosts.get(self.together.host).head.name;
        let total = self.load.total;
        let over = total.minus(self.memory);
        let message = format!(
            "{what} on NUMA node {} of host {} take {total}, {over} over its memory of {}",
            self.node.node.value,
            words::quoted(host),
            self.memory
        );
        let place = self.node.memory.map_or(self.node.node.span, |memory| memory.span);
        let finding = code.at(place, format!("{total} are needed"), message).about("host", &*host.value);
        let limit = [("memory of the node", self.memory)];
        let bill = Bill { registry: self.registry, besides: &[], load: &self.load, limit: &limit, over };
        let after =
            |gone: &[Id<Role>]| self.together.load_after(self.extent, Change { gone, at_once: None }).total;
        let smallest = if self.is_advised { bill.smallest(after) } else { None };
        let (roles, frees) = match smallest {
            Some((roles, freed)) => (roles, format!(", which frees {freed} here")),
            None => ("several roles".to_owned(), String::new()),
        };
        bill.on(finding).help(format!("{}{frees}", cure(&roles)))
    }
}
