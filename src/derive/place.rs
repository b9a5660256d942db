//! Places of memory, and the portion of a role's memory that is at each.

use super::memory::{MemoryKind, MemoryPart};
use crate::hir::{Bytes, Host, NumaPolicy, ProcessSettings};

/// A place of memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// All memory of the host.
    Host,
    /// The NUMA node with this number.
    Node(u32),
    /// The GPU with this index in the list of the host.
    Gpu(usize),
}

/// The memory that a sum counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryScope {
    place: Place,
    /// True if only locked memory counts.
    is_locked: bool,
}

/// A fraction of a file, `copies / parts`: each of `copies` processes has one of `parts` equal parts in the scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Portion {
    /// The number of processes with a part in the scope.
    pub(super) copies: u64,
    /// The number of parts into which the file is divided, at least 1.
    pub(super) parts: u64,
}

impl Portion {
    const NOTHING: Self = Self { copies: 0, parts: 1 };

    /// The size of this portion of a file.
    pub(super) fn of(self, file: Bytes) -> Bytes {
        let bytes = u128::from(file.0) * u128::from(self.copies) / u128::from(self.parts.max(1));
        Bytes(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}

impl MemoryScope {
    /// All memory of the host.
    pub const HOST: Self = Self { place: Place::Host, is_locked: false };

    /// The memory on a NUMA node.
    pub fn node(node: u32) -> Self {
        Self { place: Place::Node(node), is_locked: false }
    }

    /// The locked memory on a NUMA node.
    pub fn locked_on(node: u32) -> Self {
        Self { place: Place::Node(node), is_locked: true }
    }

    /// The memory of the GPU with this index in the list of the host.
    pub fn gpu(index: usize) -> Self {
        Self { place: Place::Gpu(index), is_locked: false }
    }

    /// True for the memory of a GPU.
    pub fn is_gpu(self) -> bool {
        matches!(self.place, Place::Gpu(_))
    }

    /// The portion of a role's file or private memory that is in this scope. `None` if its location is unknown.
    ///
    /// The pages of a mapped file exist once. The memory policy of the process that touches a page first decides its
    /// node. If the instances of a role are bound to different nodes, the location is unknown.
    pub(super) fn portion(
        self,
        process: &ProcessSettings,
        host: &Host,
        part: &MemoryPart,
    ) -> Option<Portion> {
        let (kind, gpu) = (part.kind, part.gpu);
        let copies = if kind == MemoryKind::Mapped { 1 } else { process.ports.len() as u64 };
        match (self.place, gpu) {
            _ if self.is_locked && kind != MemoryKind::Locked => Some(Portion::NOTHING),
            (Place::Gpu(wanted), Some(gpu)) if wanted == gpu => Some(Portion { copies, parts: 1 }),
            (Place::Gpu(_), _) | (Place::Host | Place::Node(_), Some(_)) => Some(Portion::NOTHING),
            (Place::Host, None) => Some(Portion { copies, parts: 1 }),
            (Place::Node(node), None) => on_node(node, copies, process, host),
        }
    }
}

impl MemoryScope {
    /// The portion of a part of one process of a role that is in this scope. `None` if its location is unknown. Unlike
    /// [`MemoryScope::portion`], a mapped file is where this process puts it if it reads it first.
    pub(super) fn portion_of_process(
        self,
        process: &ProcessSettings,
        host: &Host,
        (part, instance): (&MemoryPart, usize),
    ) -> Option<Portion> {
        let is_here = |here: bool| Portion { copies: u64::from(here), parts: 1 };
        match (self.place, part.gpu) {
            (Place::Gpu(wanted), gpu) => Some(is_here(gpu == Some(wanted))),
            (Place::Host | Place::Node(_), Some(_)) => Some(Portion::NOTHING),
            (Place::Host, None) => Some(is_here(true)),
            (Place::Node(node), None) => match &process.placement.numa.as_ref()?.value {
                NumaPolicy::Spread => {
                    let index = host.numa.iter().position(|known| known.node.value == node)?;
                    Some(is_here(instance % host.numa.len().max(1) == index))
                }
                NumaPolicy::Distribute | NumaPolicy::Bind(_) | NumaPolicy::Interleave(_) => {
                    on_node(node, 1, process, host)
                }
            },
        }
    }
}

fn on_node(node: u32, copies: u64, process: &ProcessSettings, host: &Host) -> Option<Portion> {
    let all = host.numa.len().max(1) as u64;
    match &process.placement.numa.as_ref()?.value {
        // The thread that touches a page first decides its node.
        NumaPolicy::Distribute => None,
        NumaPolicy::Bind(bound) if *bound == node => Some(Portion { copies, parts: 1 }),
        NumaPolicy::Interleave(nodes) if nodes.is_empty() => Some(Portion { copies, parts: all }),
        NumaPolicy::Interleave(nodes) if nodes.contains(&node) => {
            Some(Portion { copies, parts: nodes.len() as u64 })
        }
        NumaPolicy::Bind(_) | NumaPolicy::Interleave(_) => Some(Portion::NOTHING),
        NumaPolicy::Spread => {
            let instances = process.ports.len() as u64;
            if copies < instances && all > 1 {
                return None;
            }
            // Instances are assigned round robin, so the first nodes may have one instance more.
            let index = host.numa.iter().position(|known| known.node.value == node).unwrap_or(0) as u64;
            Some(Portion { copies: copies / all + u64::from(index < copies % all), parts: 1 })
        }
    }
}
