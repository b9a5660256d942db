//! Where a process runs: memory policy and CPUs.

use super::{CpuList, MemoryPolicy};
use crate::derive::ProcessPlacement;
use std::sync::Arc;

/// A memory policy and a set of CPUs, with the name of its wrapper.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// A descriptive name: `interleave-all`, `bind-0`.
    pub name: Arc<str>,
    /// The memory policy. `None` leaves it to the kernel.
    pub memory: Option<MemoryPolicy>,
    /// The CPUs. `None` leaves them to the kernel, or to the node that memory is bound to.
    pub cpus: Option<CpuList>,
}

impl Placement {
    /// A placement with its descriptive name.
    pub(super) fn of(placement: &ProcessPlacement) -> Self {
        let ProcessPlacement { memory, cpus } = placement.clone();
        Self { name: name(memory.as_ref(), cpus.as_ref()).into(), memory, cpus }
    }

    /// The long options for numactl.
    pub fn numactl(&self) -> Vec<String> {
        let mut options = Vec::new();
        match &self.memory {
            Some(policy @ MemoryPolicy::Interleave(_)) => {
                options.push(format!("--interleave={}", policy.nodes(",")));
            }
            Some(MemoryPolicy::Bind(node)) => {
                // Without an explicit list use the CPUs of the node, which are the nearest ones.
                options.extend(self.cpus.is_none().then(|| format!("--cpunodebind={node}")));
                options.push(format!("--membind={node}"));
            }
            None => {}
        }
        options.extend(self.cpus.as_ref().map(|cpus| format!("--physcpubind={cpus}")));
        options
    }
}

/// The distinct placements, in the order of their first use.
#[derive(Default)]
pub(super) struct Placements {
    pub(super) all: Vec<Placement>,
}

impl Placements {
    /// The index of a placement. `None` if it leaves memory and CPUs to the kernel.
    pub(super) fn index_of(&mut self, placement: &ProcessPlacement) -> Option<usize> {
        let ProcessPlacement { memory, cpus } = placement;
        if memory.is_none() && cpus.is_none() {
            return None;
        }
        let found = self.all.iter().position(|known| known.memory == *memory && known.cpus == *cpus);
        found.or_else(|| Some(self.add(memory.clone(), cpus.clone())))
    }

    fn add(&mut self, memory: Option<MemoryPolicy>, cpus: Option<CpuList>) -> usize {
        let plain = name(memory.as_ref(), cpus.as_ref());
        // Truncated names of long CPU lists can be equal.
        let numbered = (2..).map(|n| format!("{plain}-{n}"));
        let mut free = std::iter::once(plain.clone()).chain(numbered);
        let name = free.find(|name| !self.all.iter().any(|known| *known.name == **name)).unwrap_or(plain);
        self.all.push(Placement { name: name.into(), memory, cpus });
        self.all.len() - 1
    }
}

/// Maximum length of a wrapper name in bytes: CPU lists can be long, but file names cannot.
const MAX_NAME_LENGTH: usize = 100;

fn name(memory: Option<&MemoryPolicy>, cpus: Option<&CpuList>) -> String {
    let mut parts = Vec::new();
    parts.extend(memory.map(|policy| match policy {
        MemoryPolicy::Interleave(_) => format!("interleave-{}", policy.nodes("-")),
        MemoryPolicy::Bind(node) => format!("bind-{node}"),
    }));
    parts.extend(cpus.map(|cpus| format!("cpus-{}", cpus.to_string().replace(',', "_"))));
    let mut name = parts.join("-");
    name.truncate(MAX_NAME_LENGTH);
    name
}
