//! The NUMA nodes, CPUs, threads and GPUs of a role.

use super::gpu::{CPU_EXPERTS, GPU_LAYERS};
use super::shape::{Field, Shape, Table};
use super::{CachePlace, CpuList, GpuPlacement, SplitMode};
use crate::source::Spanned;
use std::fmt;
use std::sync::Arc;

/// The NUMA nodes, CPUs, threads and GPUs of a role.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Placement {
    /// The NUMA memory policy.
    pub numa: Option<Spanned<NumaPolicy>>,
    /// The CPUs.
    pub cpus: Option<Box<Spanned<Cpus>>>,
    /// The number of compute threads.
    pub threads: Option<Spanned<u32>>,
    /// True if the weights are locked in memory (mlock).
    pub lock: Option<Spanned<bool>>,
    /// The GPUs. `None` without fields about them: the role is then kept off the GPUs of its host.
    pub gpu: Option<Box<GpuPlacement>>,
}

/// The NUMA memory policy of a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NumaPolicy {
    /// Interleaved page by page over these nodes. Empty means all nodes.
    Interleave(Vec<u32>),
    /// Bound to the memory and CPUs of one node.
    Bind(u32),
    /// Each instance bound to one node, round robin.
    Spread,
    /// The engine distributes its threads over all nodes.
    Distribute,
}

/// The text of the registry.
impl fmt::Display for NumaPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interleave(nodes) if nodes.is_empty() => f.write_str("interleave"),
            Self::Interleave(nodes) => {
                let nodes: Vec<String> = nodes.iter().map(u32::to_string).collect();
                write!(f, "interleave {}", nodes.join(","))
            }
            Self::Bind(node) => write!(f, "bind {node}"),
            Self::Spread => f.write_str("spread"),
            Self::Distribute => f.write_str("distribute"),
        }
    }
}

/// The CPUs of a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cpus {
    /// The CPUs.
    pub list: CpuList,
    /// The name of the cpuset, if the role names one.
    pub set: Option<Arc<str>>,
}

/// The fields of a placement.
pub(super) const PLACEMENT: Table = Table::of(&[
    Field::optional(
        "numa",
        Shape::Numa,
        "The NUMA policy: `interleave`, `interleave 0,1`, `bind 0`, `spread` (round robin), or `distribute` (by the engine).",
    ),
    Field::optional(
        "cpus",
        Shape::CpuSet,
        "The CPUs: a list such as `0-47`, or the name of a cpuset of the host.",
    ),
    Field::optional(
        "threads",
        Shape::Count(1, 8192),
        "Number of compute threads; default: the number of physical cores of the role's CPUs.",
    )
    .example("48")
    .unit("threads"),
    Field::optional("lock", Shape::Flag, "True if the weights are locked in memory (mlock); default false.")
        .default("false"),
    Field::repeated(
        "gpu",
        Shape::Text,
        "GPUs of the host, such as `CUDA0` or `CUDA0,CUDA1`, `auto` if the host has it, or `none`; default: no GPU.",
    )
    .example("CUDA0"),
    Field::optional(
        "layers",
        GPU_LAYERS,
        "Number of layers on the GPUs, from the last one, `all`, or `fit` (the engine decides at each start); default `all`, or `fit` with `context fit`.",
    )
    .example("40")
    .unit("layers")
    .needs("gpu", "CUDA0"),
    Field::optional(
        "split",
        Shape::Shares,
        "The shares of several GPUs, such as `2:1`; default: their memory without the reserve, or their free memory if it is not declared.",
    )
    .needs("gpu", "CUDA0,CUDA1"),
    Field::optional(
        "split-mode",
        Shape::Word(SplitMode::WORDS),
        "How several GPUs divide the model; default `layer`.",
    )
    .default("layer")
    .needs("gpu", "CUDA0,CUDA1"),
    Field::optional(
        "cpu-experts",
        CPU_EXPERTS,
        "Number of leading layers whose experts stay in the memory of the host, or `all`; default: none.",
    )
    .example("20")
    .unit("layers")
    .needs("gpu", "CUDA0"),
    Field::optional(
        "kv",
        Shape::Word(CachePlace::WORDS),
        "Where the KV cache is: `gpu` (with its layers) or `host`; default `gpu`.",
    )
    .default("gpu")
    .example("host")
    .needs("gpu", "CUDA0"),
]);
