//! A host: its memory, its CPUs, its NUMA nodes.

use super::shape::{Field, Shape, Table};
use super::{Bytes, CpuList, Head, Named, Share, Text};
use crate::source::Spanned;

/// A machine that serves.
#[derive(Clone, PartialEq, Debug)]
pub struct Host {
    /// Its name.
    pub head: Head,
    /// All its memory.
    pub memory: Spanned<Bytes>,
    /// What the system keeps for itself.
    pub reserve: Share,
    /// Its CPUs, where they are not listed by node.
    pub cpus: Option<Spanned<CpuList>>,
    /// Hardware threads a core.
    pub smt: u32,
    /// Its NUMA nodes; none declared means one that nobody needs to name.
    pub numa: Vec<NumaNode>,
    /// Sets of CPUs with names.
    pub cpusets: Vec<CpuSet>,
    /// Its GPUs.
    pub gpus: Vec<Gpu>,
    /// The address by which other machines reach it.
    pub address: Option<Text>,
    /// The version of its systemd.
    pub systemd: Spanned<u32>,
    /// The user that services run as; none means a user of their own for each.
    pub user: Option<Text>,
    /// The group that services run as.
    pub group: Option<Text>,
}

/// A NUMA node.
#[derive(Clone, PartialEq, Debug)]
pub struct NumaNode {
    /// Its number, as the kernel counts.
    pub node: Spanned<u32>,
    /// Its CPUs.
    pub cpus: Option<Spanned<CpuList>>,
    /// Its memory.
    pub memory: Option<Spanned<Bytes>>,
}

/// CPUs with a name.
#[derive(Clone, PartialEq, Debug)]
pub struct CpuSet {
    /// The name.
    pub name: Text,
    /// The CPUs.
    pub cpus: Spanned<CpuList>,
    /// Whether nothing else may run on them.
    pub exclusive: bool,
}

/// A graphics card.
#[derive(Clone, PartialEq, Debug)]
pub struct Gpu {
    /// The name.
    pub name: Text,
    /// Its memory.
    pub memory: Spanned<Bytes>,
}

impl Host {
    /// All CPUs that are declared, by node or as a whole; none where nothing is.
    pub fn all_cpus(&self) -> Option<CpuList> {
        let nodes = self.numa.iter().filter_map(|node| node.cpus.as_ref());
        let all = CpuList::of_all(nodes.chain(&self.cpus).map(|cpus| &cpus.value));
        (!all.is_empty()).then_some(all)
    }

    /// Whether the physical cores of a list of CPUs can be counted: each CPU is a core, or the list is of whole nodes.
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
        let touched = wholes.into_iter().filter(|whole| !whole.common_with(cpus).is_empty());
        let union = CpuList::of_all(touched);
        union == *cpus && cpus.count().is_multiple_of(u64::from(self.smt.max(1)))
    }

    /// How many physical cores a list of CPUs stands for.
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
    Field::required("memory", Shape::Size, "All its memory, as `1130 GB`."),
    Field::optional(
        "reserve",
        Shape::Share,
        "What the system keeps, as `5 percent` (the default) or `40 GB`.",
    )
    .default("5 percent"),
    Field::optional("cpus", Shape::Cpus, "Its CPUs, as `0-47,96-143`, where they are not listed by node."),
    Field::optional("smt", Shape::Count(1, 8), "Hardware threads a core, 1 to 8; default 1.")
        .default("1")
        .example("2")
        .counting("hardware threads"),
    Field::distinct(
        "numa",
        Shape::Block(&Table::with_principal(
            "node",
            &[
                Field::required(
                    "node",
                    Shape::Count(0, 1023),
                    "The number of the node, as the kernel counts.",
                )
                .example("0")
                .counting("nodes, from 0"),
                Field::optional("cpus", Shape::Cpus, "The CPUs of the node."),
                Field::optional("memory", Shape::Size, "The memory of the node, as `565 GB`."),
            ],
        )),
        "A NUMA node; a host without any is one node.",
    ),
    Field::distinct(
        "cpuset",
        Shape::Block(&Table::with_principal(
            "name",
            &[
                Field::required("name", Shape::Text, "The name that a placement may use.").example("fast"),
                Field::required("cpus", Shape::Cpus, "The CPUs of the set, as `0-7`."),
                Field::optional(
                    "exclusive",
                    Shape::Flag,
                    "Whether nothing else may run on them; default false.",
                )
                .default("false"),
            ],
        )),
        "A set of CPUs with a name.",
    ),
    Field::distinct(
        "gpu",
        Shape::Block(&Table::with_principal(
            "name",
            &[
                Field::required("name", Shape::Text, "The name of the card.").example("rtx-6000"),
                Field::required("memory", Shape::Size, "Its memory, as `48 GB`."),
            ],
        )),
        "A graphics card.",
    ),
    Field::optional("address", Shape::Address, "The address by which other machines reach it."),
    Field::optional("systemd", Shape::Count(230, 999), "The version of its systemd; default 252.")
        .default("252")
        .example("262")
        .counting("versions"),
    Field::optional(
        "user",
        Shape::Account,
        "The user that services run as; default one of their own for each.",
    ),
    Field::optional("group", Shape::Account, "The group that services run as; default the user's.")
        .example("models"),
]);
