//! A host: memory, CPUs, NUMA nodes and GPUs of a machine.

use super::{Bytes, CpuList, Gpu, Head, Shape, Share, Text};
use crate::source::Spanned;

declare! {
    /// A machine that runs roles.
    pub item Host {
        /// Total memory of the host, such as `1130 GB`. Without it, sums of memory are not checked.
        memory: Option<Spanned<Bytes>> = optional("memory", Shape::Size),
        /// Memory that is reserved for the system, such as `40 GB`; default 5 percent.
        reserve: Share = optional("reserve", Shape::Share).default("5 percent"),
        /// The CPUs of the host, such as `0-47,96-143`, unless they are declared by NUMA node.
        cpus: Option<Spanned<CpuList>> = optional("cpus", Shape::Cpus),
        /// Hardware threads per core, 1 to 8; default 1.
        smt: u32 = optional("smt", Shape::Count(1, 8)).default("1").example("2").unit("hardware threads"),
        /// A NUMA node. A host without `numa` has a single node.
        numa: Vec<NumaNode> = distinct("numa", Shape::Block(&NumaNode::TABLE)),
        /// A named set of CPUs.
        cpusets: Vec<CpuSet> = distinct("cpuset", Shape::Block(&CpuSet::TABLE)),
        /// A GPU.
        gpus: Vec<Gpu> = distinct("gpu", Shape::Block(&Gpu::TABLE)),
        /// The address at which other machines reach the host: an IP address, or a DNS name such as `big.example.org`.
        address: Option<Text> = optional("address", Shape::HostAddress),
        /// The version of systemd on the host; default 252.
        systemd: Spanned<u32> =
            optional("systemd", Shape::Count(230, 999)).default("252").example("262").unit("version number"),
        /// The user under which the services run; default: a separate dynamic user for each.
        user: Option<Text> = optional("user", Shape::Account),
        /// The group under which the services run; default: the group of the user.
        group: Option<Text> = optional("group", Shape::Account).example("models"),
    }
}

/// The version of systemd that a host has by default.
const OLDEST_SYSTEMD: u32 = 252;

declare! {
    /// A NUMA node.
    pub block NumaNode = with_principal("node") {
        /// The number of the node in the kernel, from 0.
        node: Spanned<u32> = required("node", Shape::Count(0, 1023)).example("0").unit("node number"),
        /// The CPUs of the node.
        cpus: Option<Spanned<CpuList>> = optional("cpus", Shape::Cpus),
        /// The memory of the node, such as `565 GB`.
        memory: Option<Spanned<Bytes>> = optional("memory", Shape::Size),
    }
}

declare! {
    /// A named set of CPUs.
    pub block CpuSet = with_principal("name") {
        /// The name of the set, for `placement.cpus` of a role.
        name: Text = required("name", Shape::Text).example("fast"),
        /// The CPUs of the set, such as `0-7`.
        cpus: Spanned<CpuList> = required("cpus", Shape::Cpus),
        /// True if no other role, service or cpuset may use its CPUs; default false.
        exclusive: bool = optional("exclusive", Shape::Flag).default("false"),
    }
}

impl Host {
    /// The name of the host if none is declared.
    pub const IMPLIED: &str = "localhost";

    /// True if the name is not that of a machine: no host is declared.
    pub fn is_implied(&self) -> bool {
        *self.head.name.value == *Self::IMPLIED
    }

    /// A host of which nothing is known, for a registry that declares none.
    pub fn unknown(head: Head) -> Self {
        let systemd = Spanned::new(OLDEST_SYSTEMD, head.span);
        Self {
            head,
            memory: None,
            reserve: Share::Percent(5),
            cpus: None,
            smt: 1,
            numa: Vec::new(),
            cpusets: Vec::new(),
            gpus: Vec::new(),
            address: None,
            systemd,
            user: None,
            group: None,
        }
    }

    /// The GPU of this name.
    pub fn gpu(&self, name: &str) -> Option<&Gpu> {
        self.gpus.iter().find(|gpu| &*gpu.name.value == name)
    }

    /// The memory for roles and services: all of it without the reserve. `None` if it is not declared.
    pub fn room(&self) -> Option<Bytes> {
        let memory = self.memory?.value;
        Some(memory.minus(self.reserve.of(memory)))
    }

    /// All declared CPUs, of the nodes and of the host. `None` if no CPUs are declared.
    pub fn all_cpus(&self) -> Option<CpuList> {
        let nodes = self.numa.iter().filter_map(|node| node.cpus.as_ref());
        let all = CpuList::union(nodes.chain(&self.cpus).map(|cpus| &cpus.value));
        (!all.is_empty()).then_some(all)
    }

    /// True if the number of physical cores of a CPU list is known: each CPU is a core (no SMT), or the list consists
    /// of whole nodes.
    pub fn counts_cores(&self, cpus: &CpuList) -> bool {
        if self.smt == 1 {
            return true;
        }
        let of_nodes = self.numa.iter().filter_map(|node| node.cpus.as_ref()).map(|cpus| &cpus.value);
        let wholes: Vec<&CpuList> = if self.numa.iter().any(|node| node.cpus.is_some()) {
            of_nodes.collect()
        } else {
            self.cpus.iter().map(|cpus| &cpus.value).collect()
        };
        let overlapping = wholes.into_iter().filter(|whole| !whole.intersection(cpus).is_empty());
        let union = CpuList::union(overlapping);
        union == *cpus && cpus.count().is_multiple_of(u64::from(self.smt.max(1)))
    }

    /// The number of physical cores of a CPU list.
    pub fn cores(&self, cpus: &CpuList) -> u64 {
        (cpus.count() / u64::from(self.smt.max(1))).max(1)
    }
}
