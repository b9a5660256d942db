//! Which part of what a role has in memory lies in a part of its host.

use super::{Bytes, Held, Host, Numa, Serving};

/// The part of a host whose memory is summed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All of it.
    Host,
    /// What is placed on the NUMA node of that number.
    Node(u32),
    /// What is placed on that node and locked.
    LockedOn(u32),
}

/// So many times one of `of` equal parts of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Portion {
    /// How many processes have their part there.
    pub(super) times: u64,
    /// Into how many parts the file is divided, at least 1.
    pub(super) of: u64,
}

impl Portion {
    const NOTHING: Self = Self { times: 0, of: 1 };

    /// That portion of a file.
    pub(super) fn of(self, file: Bytes) -> Bytes {
        let bytes = u128::from(file.0) * u128::from(self.times) / u128::from(self.of.max(1));
        Bytes(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}

impl Extent {
    /// The portion of a file that lies here because a role reads it; none where nothing says where it lies.
    ///
    /// A mapped file has its pages once, where the policy of the process that touched them first has put them. So the
    /// instances of a role that are bound to different nodes do not tell where it lies.
    pub(super) fn portion(self, serving: &Serving, host: &Host, held: Held) -> Option<Portion> {
        let times = if held == Held::Mapped { 1 } else { serving.ports.len() as u64 };
        match self {
            Self::Host => Some(Portion { times, of: 1 }),
            Self::LockedOn(_) if held != Held::Locked => Some(Portion::NOTHING),
            Self::Node(node) | Self::LockedOn(node) => on_node(node, times, serving, host),
        }
    }
}

fn on_node(node: u32, times: u64, serving: &Serving, host: &Host) -> Option<Portion> {
    let all = host.numa.len().max(1) as u64;
    match &serving.placement.numa.as_ref()?.value {
        Numa::Bind(bound) if *bound == node => Some(Portion { times, of: 1 }),
        Numa::Interleave(nodes) if nodes.is_empty() => Some(Portion { times, of: all }),
        Numa::Interleave(nodes) if nodes.contains(&node) => Some(Portion { times, of: nodes.len() as u64 }),
        Numa::Bind(_) | Numa::Interleave(_) => Some(Portion::NOTHING),
        Numa::Spread => {
            let instances = serving.ports.len() as u64;
            if times < instances && all > 1 {
                return None;
            }
            // Instances go round the nodes, so the first ones have one more.
            let place = host.numa.iter().position(|known| known.node.value == node).unwrap_or(0) as u64;
            Some(Portion { times: times / all + u64::from(place < times % all), of: 1 })
        }
    }
}
