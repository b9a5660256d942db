//! A host: memory, CPUs, NUMA nodes and GPUs of a machine.

use super::shape::{Field, Shape, Table};
use super::{Bytes, CpuList, Head, Named, Share, Text};
use crate::source::Spanned;

/// A machine that runs roles.
#[derive(Clone, PartialEq, Debug)]
pub struct Host {
    /// Its name.
    pub head: Head,
    /// Its total memory.
    pub memory: Spanned<Bytes>,
    /// The memory that is reserved for the system.
    pub reserve: Share,
    /// Its CPUs, unless they are declared by node.
    pub cpus: Option<Spanned<CpuList>>,
    /// Hardware threads per core.
    pub smt: u32,
    /// Its NUMA nodes. Empty means a single node.
    pub numa: Vec<NumaNode>,
    /// Named sets of CPUs.
    pub cpusets: Vec<CpuSet>,
    /// Its GPUs.
    pub gpus: Vec<Gpu>,
    /// The address at which other machines reach it.
    pub address: Option<Text>,
    /// The version of its systemd.
    pub systemd: Spanned<u32>,
    /// The user under which the services run. `None` means a separate dynamic user for each service.
    pub user: Option<Text>,
    /// The group under which the services run.
    pub group: Option<Text>,
}

/// A NUMA node.
#[derive(Clone, PartialEq, Debug)]
pub struct NumaNode {
    /// Its number in the kernel.
    pub node: Spanned<u32>,
    /// Its CPUs.
    pub cpus: Option<Spanned<CpuList>>,
    /// Its memory.
    pub memory: Option<Spanned<Bytes>>,
}

/// A named set of CPUs.
#[derive(Clone, PartialEq, Debug)]
pub struct CpuSet {
    /// The name.
    pub name: Text,
    /// The CPUs.
    pub cpus: Spanned<CpuList>,
    /// True if no other role, service or set may use its CPUs.
    pub exclusive: bool,
}

/// A GPU.
#[derive(Clone, PartialEq, Debug)]
pub struct Gpu {
    /// The name.
    pub name: Text,
    /// Its memory.
    pub memory: Spanned<Bytes>,
}

impl Host {
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

impl Named for Host {
    fn name(&self) -> &str {
        &self.head.name
    }
}

/// The fields of a host.
pub(super) static TABLE: Table = Table::of(&[
    Field::required("memory", Shape::Size, "Total memory of the host, such as `1130 GB`."),
    Field::optional(
        "reserve",
        Shape::Share,
        "Memory that is reserved for the system, such as `40 GB`; default 5 percent.",
    )
    .default("5 percent"),
    Field::optional(
        "cpus",
        Shape::Cpus,
        "The CPUs of the host, such as `0-47,96-143`, unless they are declared by NUMA node.",
    ),
    Field::optional("smt", Shape::Count(1, 8), "Hardware threads per core, 1 to 8; default 1.")
        .default("1")
        .example("2")
        .unit("hardware threads"),
    Field::distinct(
        "numa",
        Shape::Block(&Table::with_principal(
            "node",
            &[
                Field::required(
                    "node",
                    Shape::Count(0, 1023),
                    "The number of the node in the kernel, from 0.",
                )
                .example("0")
                .unit("node number"),
                Field::optional("cpus", Shape::Cpus, "The CPUs of the node."),
                Field::optional("memory", Shape::Size, "The memory of the node, such as `565 GB`."),
            ],
        )),
        "A NUMA node. A host without `numa` has a single node.",
    ),
    Field::distinct(
        "cpuset",
        Shape::Block(&Table::with_principal(
            "name",
            &[
                Field::required("name", Shape::Text, "The name of the set, for `placement.cpus` of a role.")
                    .example("fast"),
                Field::required("cpus", Shape::Cpus, "The CPUs of the set, such as `0-7`."),
                Field::optional(
                    "exclusive",
                    Shape::Flag,
                    "True if no other role, service or cpuset may use its CPUs; default false.",
                )
                .default("false"),
            ],
        )),
        "A named set of CPUs.",
    ),
    Field::distinct(
        "gpu",
        Shape::Block(&Table::with_principal(
            "name",
            &[
                Field::required("name", Shape::Text, "The name of the GPU.").example("rtx-6000"),
                Field::required("memory", Shape::Size, "The memory of the GPU, such as `48 GB`."),
            ],
        )),
        "A GPU.",
    ),
    Field::optional("address", Shape::Address, "The IP address at which other machines reach the host."),
    Field::optional("systemd", Shape::Count(230, 999), "The version of systemd on the host; default 252.")
        .default("252")
        .example("262")
        .unit("version number"),
    Field::optional(
        "user",
        Shape::Account,
        "The user under which the services run; default: a separate dynamic user for each.",
    ),
    Field::optional(
        "group",
        Shape::Account,
        "The group under which the services run; default: the group of the user.",
    )
    .example("models"),
]);
