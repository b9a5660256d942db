//! The GPUs of the host of a registry.

use crate::diag::{Line, Literal};
use crate::import::raise::{GpuUse, Raised};
use crate::import::source::{Program, Server, Sources};

/// All GPUs that the engine finds.
const AUTO: &str = "auto";

/// The GPUs of the host.
#[derive(Debug, Default)]
pub(super) struct HostGpus {
    /// Their names. Empty without GPUs.
    names: Vec<String>,
    /// The number of NUMA nodes that placements name.
    nodes: u32,
    /// True if some server surely computes on GPUs. Then those without an option about GPUs do so too, by the engine's default.
    is_used: bool,
}

/// The properties of a role that decide about its GPUs.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoleKind {
    /// True if the engine fits the context.
    pub(super) fits_context: bool,
    /// True for an engine of the family `ik_llama.cpp`.
    pub(super) is_ik: bool,
}

/// The variables that select GPUs, with the name of their back end.
const VISIBLE: &[(&str, &str)] = &[
    ("CUDA_VISIBLE_DEVICES", "CUDA"),
    ("NVIDIA_VISIBLE_DEVICES", "CUDA"),
    ("HIP_VISIBLE_DEVICES", "ROCm"),
    ("ROCR_VISIBLE_DEVICES", "ROCm"),
    ("GGML_VK_VISIBLE_DEVICES", "Vulkan"),
];

impl HostGpus {
    pub(super) fn new(sources: &Sources, raised: &[Option<Raised>]) -> Self {
        let mut named: Vec<String> = Vec::new();
        let mut is_given = false;
        let mut is_used = false;
        let mut nodes = 0;
        for (server, raised) in sources.servers.iter().zip(raised) {
            let Some(raised) = raised else { continue };
            let gpu = &raised.placement.gpu;
            is_given |= gpu.is_given();
            is_used |= gpu.is_used() || server.gpus.is_some() || selects_gpus(server);
            nodes = nodes.max(raised.placement.highest_node.map_or(0, |node| node.saturating_add(1)));
            let of_draft = gpu.draft.iter().filter(|line| line.name == "gpu");
            let of_draft =
                of_draft.flat_map(|line| line.values.iter().map(|value| value.clone().into_text()));
            let of_draft = of_draft.flat_map(|names| names.split(',').map(str::to_owned).collect::<Vec<_>>());
            let of_draft = of_draft.filter(|name| name != "none");
            let devices = gpu.devices.iter().cloned().chain(of_draft).chain(container_gpus(server));
            for name in devices {
                if !named.contains(&name) {
                    named.push(name);
                }
            }
        }
        // CUDA2 comes before CUDA10.
        named.sort_by_key(|name| {
            (name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned(), name.len(), name.clone())
        });
        let names = match (named.is_empty(), is_given || is_used) {
            (false, _) => named,
            (true, true) => vec![AUTO.to_owned()],
            (true, false) => Vec::new(),
        };
        Self { names, nodes, is_used }
    }

    /// The host, if something is known of it.
    pub(super) fn host(&self, name: &str) -> Option<Line> {
        let gpus = self.names.iter().map(|gpu| Line::of("gpu", gpu.as_str()).principal("name"));
        let nodes = (0..self.nodes).filter(|_| self.nodes > 1);
        let nodes = nodes.map(|node| Line::of("numa", u64::from(node)).principal("node"));
        let fields: Vec<Line> = nodes.chain(gpus).collect();
        (!fields.is_empty()).then(|| Line::of("host", name).with_each(fields))
    }

    /// The fields of a placement about GPUs.
    pub(super) fn placement(&self, server: &Server, gpu: &GpuUse, role: RoleKind) -> Vec<Line> {
        let devices = self.devices(server, gpu, role);
        if devices.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![Line::of("gpu", devices.join(","))];
        match &gpu.layers {
            Some(layers) => lines.push(word_line("layers", layers)),
            // The engine's default fits the layers, unless it cannot.
            None if !role.fits_context
                && gpu.cpu_experts.is_none()
                && gpu.split.is_none()
                && !gpu.never_fits =>
            {
                lines.push(Line::of("layers", "fit"));
            }
            None => {}
        }
        if let Some(split) = &gpu.split {
            lines.push(Line::of("split", split.as_str()));
        }
        if let Some(mode) = &gpu.split_mode {
            lines.push(Line::of("split-mode", mode.as_str()));
        }
        if let Some(experts) = &gpu.cpu_experts {
            lines.push(word_line("cpu-experts", experts));
        }
        if gpu.has_host_cache {
            lines.push(Line::of("kv", "host"));
        }
        lines
    }

    fn devices(&self, server: &Server, gpu: &GpuUse, role: RoleKind) -> Vec<String> {
        if gpu.is_off || self.names.is_empty() {
            return Vec::new();
        }
        let own: Vec<String> = container_gpus(server).collect();
        if !gpu.devices.is_empty() {
            return gpu.devices.clone();
        }
        if !own.is_empty() {
            return own;
        }
        let is_container = matches!(server.program, Program::Image { .. });
        // `ik_llama.cpp` computes on the CPU by default (`common/common.h` of 8337e4cd3).
        let follows = self.is_used && !hides_gpus(server) && !is_container && !role.is_ik;
        if gpu.is_given() || follows {
            return self.names.clone();
        }
        Vec::new()
    }
}

/// True if a variable selects at least one GPU.
fn selects_gpus(server: &Server) -> bool {
    let selected = server.env.iter().filter(|(name, _)| VISIBLE.iter().any(|(known, _)| known == name));
    selected.into_iter().any(|(_, value)| !matches!(value.text.as_str(), "" | "-1" | "none"))
}

/// True if a variable hides all GPUs.
fn hides_gpus(server: &Server) -> bool {
    let selected = server.env.iter().filter(|(name, _)| VISIBLE.iter().any(|(known, _)| known == name));
    selected.into_iter().any(|(_, value)| matches!(value.text.as_str(), "" | "-1" | "none"))
}

/// The GPUs of a container: those that a variable selects, else the first of its kind.
fn container_gpus(server: &Server) -> impl Iterator<Item = String> {
    let kind = server.gpus.filter(|_| matches!(server.program, Program::Image { .. }));
    let numbers = kind.map(|kind| {
        let visible = |(name, value): &(String, crate::import::source::Word)| {
            VISIBLE.iter().any(|(known, of)| known == name && *of == kind).then(|| value.text.clone())
        };
        let listed = server.env.iter().find_map(visible).unwrap_or_default();
        let numbers: Vec<u32> = listed.split(',').filter_map(|number| number.trim().parse().ok()).collect();
        let numbers = if numbers.is_empty() { vec![0] } else { numbers };
        numbers.into_iter().map(|number| format!("{kind}{number}")).collect::<Vec<_>>()
    });
    numbers.into_iter().flatten()
}

/// True for a variable that numbers or hides the GPUs of a container, which orchgen replaces.
pub(super) fn is_visibility(server: &Server, name: &str) -> bool {
    let is_container = matches!(server.program, Program::Image { .. });
    is_container && server.gpus.is_some() && VISIBLE.iter().any(|(known, _)| *known == name)
}

/// A field with a number or a word.
fn word_line(name: &str, text: &str) -> Line {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = if is_number { Literal::Number(text.to_owned()) } else { Literal::Text(text.to_owned()) };
    Line { values: vec![value], ..Line::new(name) }
}
