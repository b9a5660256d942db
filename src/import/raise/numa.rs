//! The NUMA policy of a server, from the words of numactl or the settings of its unit.

use crate::import::source::{At, Change, Loss, MemoryPolicy, Server};

/// A NUMA policy, and the differences to that of the source.
#[derive(Debug, Default)]
pub struct Numa {
    /// The policy as the registry has it, such as `bind 0`.
    pub policy: Option<String>,
    /// The nodes that it names.
    nodes: Vec<u32>,
    /// Words without an equivalent.
    pub lost: Vec<Loss>,
    /// Words whose policy does more in the registry.
    pub changed: Vec<Change>,
}

impl Numa {
    /// The policy of a server.
    pub fn of(server: &Server) -> Self {
        let placed = &server.placement;
        let memory = placed.memory.as_ref().map(|(policy, nodes, word)| (*policy, nodes.as_slice(), word));
        let cpus = placed.cpu_nodes.as_ref().map(|(nodes, word)| (nodes.as_slice(), word));
        let mut numa = Self::default();
        match (memory, cpus) {
            (None | Some((MemoryPolicy::Local, ..)), None) => {}
            (Some((MemoryPolicy::Interleave, nodes, _)), cpus) => {
                let list: Vec<String> = nodes.iter().map(u32::to_string).collect();
                let list = if list.is_empty() { String::new() } else { format!(" {}", list.join(",")) };
                numa.set(format!("interleave{list}"), nodes);
                if let Some((_, word)) = cpus {
                    numa.lose(
                        &word.text,
                        word.at,
                        "an interleaved role is not bound to CPUs: write `cpus` in `placement`",
                    );
                }
            }
            (Some((MemoryPolicy::Bind, &[node], _)), Some((&[cpu_node], _))) if node == cpu_node => {
                numa.set(format!("bind {node}"), &[node]);
            }
            (Some((MemoryPolicy::Bind, &[node], word)), None) => {
                numa.set(format!("bind {node}"), &[node]);
                numa.change((&word.text, word.at), node, "it also binds the threads to the CPUs of the node");
            }
            (None | Some((MemoryPolicy::Local, ..)), Some((&[node], word))) => {
                numa.set(format!("bind {node}"), &[node]);
                numa.change((&word.text, word.at), node, "it also binds the memory to the node");
            }
            (memory, cpus) => {
                let why = "`numa` of the field `placement` has `interleave`, or `bind` to one node for memory and CPUs";
                let words = memory.map(|(.., word)| word).into_iter().chain(cpus.map(|(_, word)| word));
                for word in words {
                    numa.lose(&word.text, word.at, why);
                }
            }
        }
        numa
    }

    /// The highest node that it names.
    pub fn highest_node(&self) -> Option<u32> {
        self.nodes.iter().copied().max()
    }

    fn set(&mut self, policy: String, nodes: &[u32]) {
        self.policy = Some(policy);
        self.nodes = nodes.to_vec();
    }

    fn lose(&mut self, word: &str, at: At, why: &str) {
        self.lost.push(Loss { what: format!("numactl {word}"), at, why: why.to_owned() });
    }

    fn change(&mut self, (word, at): (&str, At), node: u32, why: &str) {
        self.changed.push(Change {
            option: "placement".to_owned(),
            was: word.to_owned(),
            is: format!("numa=\"bind {node}\""),
            why: why.to_owned(),
            at,
        });
    }
}
