//! Where a process runs: memory policy and CPUs.

use super::CpuList;
use crate::hir::{Host, Numa, Serving};

/// A memory policy and a set of CPUs, with the name of its wrapper.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// A name that says what it does: `interleave-all`, `bind-0`.
    pub name: Box<str>,
    /// Which memory; none leaves it to the kernel.
    pub memory: Option<Memory>,
    /// Which CPUs; none leaves it to the kernel, or to the node that memory is bound to.
    pub cpus: Option<CpuList>,
}

/// Which memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Memory {
    /// Page by page over these nodes in rising order; over all where there is none.
    Interleave(Vec<u32>),
    /// One node.
    Bind(u32),
}

impl Placement {
    /// What numactl is told, in its long options.
    pub fn numactl(&self) -> Vec<String> {
        let mut options = Vec::new();
        match &self.memory {
            Some(Memory::Interleave(nodes)) if nodes.is_empty() => {
                options.push("--interleave=all".to_owned());
            }
            Some(Memory::Interleave(nodes)) => {
                options.push(format!("--interleave={}", joined(nodes, ",")));
            }
            Some(Memory::Bind(node)) => {
                // A node without a list of CPUs still has CPUs of its own, which are the near ones.
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
    /// The number of an instance's placement; none where it is placed nowhere in particular.
    pub(super) fn of(&mut self, serving: &Serving, host: &Host, instance: usize) -> Option<usize> {
        let memory = match serving.placement.numa.as_ref().map(|numa| &numa.value) {
            Some(Numa::Interleave(nodes)) => Some(Memory::Interleave(nodes.clone())),
            Some(Numa::Bind(_) | Numa::Spread) => serving.bound_node(host, instance).map(Memory::Bind),
            None => None,
        };
        let cpus = serving.cpus(host, instance);
        if memory.is_none() && cpus.is_none() {
            return None;
        }
        let found = self.all.iter().position(|known| known.memory == memory && known.cpus == cpus);
        found.or_else(|| Some(self.add(memory, cpus)))
    }

    fn add(&mut self, memory: Option<Memory>, cpus: Option<CpuList>) -> usize {
        let plain = name(memory.as_ref(), cpus.as_ref());
        // Long lists of CPUs may begin alike.
        let numbered = (2..).map(|n| format!("{plain}-{n}"));
        let mut free = std::iter::once(plain.clone()).chain(numbered);
        let name = free.find(|name| !self.all.iter().any(|known| *known.name == **name)).unwrap_or(plain);
        self.all.push(Placement { name: name.into(), memory, cpus });
        self.all.len() - 1
    }
}

/// The longest name of a wrapper, in bytes: a list of CPUs can be any length, a file name cannot.
const LONGEST: usize = 100;

fn name(memory: Option<&Memory>, cpus: Option<&CpuList>) -> String {
    let mut parts = Vec::new();
    match memory {
        Some(Memory::Interleave(nodes)) if nodes.is_empty() => parts.push("interleave-all".to_owned()),
        Some(Memory::Interleave(nodes)) => parts.push(format!("interleave-{}", joined(nodes, "-"))),
        Some(Memory::Bind(node)) => parts.push(format!("bind-{node}")),
        None => {}
    }
    parts.extend(cpus.map(|cpus| format!("cpus-{}", cpus.to_string().replace(',', "_"))));
    let mut name = parts.join("-");
    name.truncate(LONGEST);
    name
}

fn joined(nodes: &[u32], between: &str) -> String {
    nodes.iter().map(u32::to_string).collect::<Vec<_>>().join(between)
}
