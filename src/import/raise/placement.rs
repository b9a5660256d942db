//! The CPUs, NUMA nodes and GPUs of a server.

use super::Raiser;
use super::numa::Numa;
use super::value::number;
use crate::diag::{Line, Literal};
use crate::import::source::Server;

/// The placement of a server, as far as its command line and the words in front of it determine it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RaisedPlacement {
    /// The NUMA policy as the registry has it, such as `bind 0`.
    pub numa: Option<String>,
    /// The highest NUMA node that it names.
    pub highest_node: Option<u32>,
    /// The CPUs as a list.
    pub cpus: Option<String>,
    /// The number of compute threads.
    pub threads: Option<u64>,
    /// True if the weights are locked in memory.
    pub is_locked: bool,
    /// The GPUs.
    pub gpu: GpuUse,
}

/// The use of GPUs.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate option of the source")]
pub struct GpuUse {
    /// The devices that it names. Empty: all that the engine finds.
    pub devices: Vec<String>,
    /// True for `--device none`.
    pub is_off: bool,
    /// True if the source states that the engine selects the number of layers.
    pub is_auto: bool,
    /// True for `--fit off`: the engine never selects the number of layers.
    pub never_fits: bool,
    /// The number of layers, or `all`.
    pub layers: Option<String>,
    /// The shares of several devices, such as `3:2`.
    pub split: Option<String>,
    /// How several devices divide the model.
    pub split_mode: Option<String>,
    /// The number of layers whose experts stay on the host, or `all`.
    pub cpu_experts: Option<String>,
    /// True if the KV cache stays on the host.
    pub has_host_cache: bool,
    /// The devices of the draft, its layers and its experts on the host.
    pub draft: Vec<Line>,
}

impl GpuUse {
    /// True if the source has an option about GPUs.
    pub fn is_given(&self) -> bool {
        *self != Self { never_fits: self.never_fits, ..Self::default() }
    }

    /// True if the source shows that layers are on GPUs.
    pub fn is_used(&self) -> bool {
        let has_layers = self.layers.as_ref().is_some_and(|layers| layers != "0");
        has_layers || !self.devices.is_empty() || self.split.is_some() || self.cpu_experts.is_some()
    }
}

impl Raiser<'_> {
    pub(super) fn placement(&mut self, server: &Server) {
        self.threads();
        self.numa(server);
        self.gpu();
        self.draft_gpu();
    }

    fn threads(&mut self) {
        let threads = self.number::<i64>("threads").and_then(|threads| u64::try_from(threads).ok());
        self.raised.placement.threads = threads.filter(|threads| *threads > 0);
    }

    fn numa(&mut self, server: &Server) {
        let numa = Numa::of(server);
        self.raised.placement.highest_node = numa.highest_node();
        self.raised.placement.numa = numa.policy;
        self.raised.lost.extend(numa.lost);
        self.raised.changed.extend(numa.changed);
        self.raised.placement.cpus = server.placement.cpus.as_ref().map(|cpus| cpus.text.clone());
        if let Some(given) = self.take("numa") {
            match (given.text().as_str(), &self.raised.placement.numa) {
                ("distribute", None) => self.raised.placement.numa = Some("distribute".to_owned()),
                ("numactl", Some(_)) => {
                    self.reason(&given, "the placement sets it where threads would leave their CPUs");
                }
                ("distribute", Some(policy)) => {
                    let why = format!("the role has the NUMA policy `{policy}`, and threads keep its CPUs");
                    self.reason(&given, why);
                }
                _ => self.reason(&given, "`numa` of the field `placement` has no such policy"),
            }
        }
    }

    fn gpu(&mut self) {
        let mut gpu = GpuUse::default();
        if let Some(given) = self.take("device") {
            let text = given.text();
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            gpu.devices = names.filter(|name| *name != "none").map(str::to_owned).collect();
            gpu.is_off = gpu.devices.is_empty();
        }
        if let Some(given) = self.take("gpu-layers") {
            match given.text().as_str() {
                // The engine's default.
                "auto" | "-1" => {
                    gpu.is_auto = true;
                    self.reason(&given, "it is the default of the engine");
                }
                "all" | "-2" => gpu.layers = Some("all".to_owned()),
                text if text.parse::<u32>().is_ok() => gpu.layers = Some(text.to_owned()),
                _ => self.reason(&given, "its value is no number of layers"),
            }
        }
        if let Some(given) = self.take("tensor-split") {
            match shares(&given.text()) {
                Some(shares) => gpu.split = Some(shares),
                None => self.reason(&given, "`split` of the field `placement` has whole numbers above 0"),
            }
        }
        gpu.split_mode = self.text("split-mode");
        if let Some(given) = self.take("main-gpu") {
            let why = if gpu.split_mode.as_deref() == Some("none") {
                "a registry names the GPU of a role: declare it in the host, and write its name in `gpu` of `placement`"
            } else {
                "a registry names the GPUs of a role, in the order in which the engine fills them"
            };
            self.reason(&given, why);
        }
        gpu.cpu_experts = self.text("n-cpu-moe");
        if self.switch("cpu-moe") == Some(true) {
            gpu.cpu_experts = Some("all".to_owned());
        }
        gpu.never_fits = self.never_fits;
        gpu.has_host_cache = self.switch("kv-offload") == Some(false);
        self.raised.placement.gpu = gpu;
    }

    fn draft_gpu(&mut self) {
        let mut lines = Vec::new();
        if let Some(device) = self.text("device-draft") {
            lines.push(Line::of("gpu", device));
        }
        if let Some(given) = self.take("gpu-layers-draft") {
            match given.text().as_str() {
                "auto" | "-1" => self.reason(&given, "it is the default of the engine"),
                text if text.parse::<u32>().is_ok() => lines.push(value_line("layers", text)),
                "all" | "-2" => lines.push(Line::of("layers", "all")),
                _ => self.reason(&given, "its value is no number of layers"),
            }
        }
        if let Some(layers) = self.text("n-cpu-moe-draft") {
            lines.push(value_line("cpu-experts", &layers));
        }
        if self.switch("cpu-moe-draft") == Some(true) {
            lines.push(Line::of("cpu-experts", "all"));
        }
        self.raised.placement.gpu.draft = lines;
    }
}

/// A field with a number, or with a word.
pub(super) fn value_line(name: &str, text: &str) -> Line {
    let value = number(text).map_or_else(|| Literal::Text(text.to_owned()), Literal::Number);
    Line { values: vec![value], ..Line::new(name) }
}

/// Shares such as `3:2`, from `3,2` or `0.6,0.4`: the engine only uses their ratio (`src/llama-model.cpp` of llama.cpp b11669).
fn shares(text: &str) -> Option<String> {
    let parts: Option<Vec<f64>> = text.split([',', '/']).map(|part| part.trim().parse().ok()).collect();
    let parts = parts?;
    let scale = [1.0, 10.0, 100.0, 1000.0]
        .into_iter()
        .find(|scale| parts.iter().all(|part| (part * scale - (part * scale).round()).abs() < 1e-9))?;
    let shares: Option<Vec<u64>> = parts
        .iter()
        .map(|part| {
            let share = (part * scale).round();
            format!("{share}").parse::<u64>().ok().filter(|share| (1..=1_000_000).contains(share))
        })
        .collect();
    let shares = shares?;
    let divisor =
        if scale > 1.0 { shares.iter().fold(0, |divisor, share| common_divisor(divisor, *share)) } else { 1 };
    Some(shares.iter().map(|share| (share / divisor.max(1)).to_string()).collect::<Vec<_>>().join(":"))
}

fn common_divisor(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { common_divisor(other, one % other) }
}
