//! The memory policy and the CPUs of each process of a role.

use crate::hir::{CpuList, Host, NumaPolicy, ProcessSettings};

/// The memory policy and the CPUs of a process.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ProcessPlacement {
    /// The memory policy. `None` leaves it to the kernel.
    pub memory: Option<MemoryPolicy>,
    /// The CPUs. `None` leaves them to the kernel, or to the node that memory is bound to.
    pub cpus: Option<CpuList>,
}

/// A memory policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MemoryPolicy {
    /// Interleave over these nodes, in rising order. If the list is empty: over all nodes.
    Interleave(Vec<u32>),
    /// Bind to one node.
    Bind(u32),
}

/// A value for each instance of a role. Instances are placed round robin, and those with the same placement have the
/// same value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PerInstance<T> {
    first: T,
    others: Vec<T>,
}

impl MemoryPolicy {
    /// The numbers of the nodes, or `all`.
    pub fn nodes(&self, separator: &str) -> String {
        match self {
            Self::Interleave(nodes) if nodes.is_empty() => "all".to_owned(),
            Self::Interleave(nodes) => nodes.iter().map(u32::to_string).collect::<Vec<_>>().join(separator),
            Self::Bind(node) => node.to_string(),
        }
    }
}

impl ProcessPlacement {
    pub(super) fn new(process: &ProcessSettings, host: &Host, instance: usize) -> Self {
        let memory = match process.placement.numa.as_ref().map(|numa| &numa.value) {
            Some(NumaPolicy::Interleave(nodes)) => Some(MemoryPolicy::Interleave(nodes.clone())),
            Some(NumaPolicy::Bind(_) | NumaPolicy::Spread) => {
                process.bound_node(host, instance).map(MemoryPolicy::Bind)
            }
            Some(NumaPolicy::Distribute) | None => None,
        };
        Self { memory, cpus: process.cpus(host, instance) }
    }
}

impl<T> PerInstance<T> {
    /// The values of the instances with distinct placements.
    pub(super) fn new(process: &ProcessSettings, host: &Host, value: impl Fn(usize) -> T) -> Self {
        let distinct = process.representative_instances(host);
        Self { first: value(0), others: distinct.skip(1).map(value).collect() }
    }

    /// Changes each value.
    pub(super) fn change(&mut self, change: impl FnMut(&mut T)) {
        std::iter::once(&mut self.first).chain(&mut self.others).for_each(change);
    }

    /// The value of the first instance.
    pub fn first(&self) -> &T {
        &self.first
    }

    /// The value of an instance.
    pub fn get(&self, instance: usize) -> &T {
        let other = (instance % (self.others.len() + 1)).checked_sub(1);
        other.and_then(|n| self.others.get(n)).unwrap_or(&self.first)
    }
}
