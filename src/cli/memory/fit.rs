//! `orchgen memory --fit`: the settings of a role with which it fits into its GPUs, next to the other roles there.
//!
//! With `--output-format json`, the result is one JSON object: `role`, `layers` of its model, `fits` (as declared; null if the
//! engine decides), `not_counted` (`gpu`, `role` and `why` of each role whose memory on the same GPUs is not completely known),
//! and `settings` with `field`, `value`, `bytes` of the host and `gpus` (`name`, `bytes`, `free`: what is left to the role).

use super::super::RunStatus;
use super::super::args::DataFormat;
use super::super::session;
use super::size_text;
use crate::derive::{
    Alternative, Derived, FittingRole, MemoryKind, MemoryScope, RoleGroup, RoleMemory, ServedRole,
};
use crate::diag::suggest;
use crate::diag::words::{printable, quoted};
use crate::hir::{Bytes, Gpu, Host};
use serde::Serialize;
use std::fmt::Write;

#[derive(Serialize)]
struct FitReport<'r> {
    format_version: u32,
    role: &'r str,
    layers: u32,
    /// `None` if the engine decides at each start.
    fits: Option<bool>,
    not_counted: Vec<NotCounted<'r>>,
    settings: Vec<FittingSetting<'r>>,
}

/// A role whose memory on a GPU is not completely known.
#[derive(Serialize)]
struct NotCounted<'r> {
    gpu: &'r str,
    role: &'r str,
    why: &'r str,
}

#[derive(Serialize)]
struct FittingSetting<'r> {
    field: &'static str,
    value: String,
    bytes: u64,
    gpus: Vec<GpuRoom<'r>>,
}

/// The memory that a role takes of a GPU.
#[derive(Serialize)]
struct GpuRoom<'r> {
    name: &'r str,
    bytes: u64,
    free: u64,
}

/// A role on the GPUs of its host.
struct OnGpus<'d> {
    group: &'d RoleGroup<'d>,
    served: &'d ServedRole,
    /// Its GPUs with their indexes and their memory for roles.
    gpus: Vec<(usize, &'d Gpu, Bytes)>,
}

impl<'d> OnGpus<'d> {
    /// Fails with the reason if the memory of a GPU is unknown, as a clause.
    fn new(host: &'d Host, group: &'d RoleGroup<'d>, served: &'d ServedRole) -> Result<Self, String> {
        let names = served.gpus.iter().flat_map(|gpus| gpus.all()).collect::<Vec<_>>();
        let is_used = |gpu: &Gpu| names.iter().any(|name| ***name == *gpu.name.value);
        let gpus = host.gpus.iter().enumerate().filter(|(_, gpu)| is_used(gpu)).map(|(index, gpu)| {
            let unknown = || format!("the memory of GPU {} is not declared", quoted(&gpu.name));
            Ok((index, gpu, gpu.room().ok_or_else(unknown)?))
        });
        Ok(Self { group, served, gpus: gpus.collect::<Result<_, String>>()? })
    }

    fn not_counted(&self, derived: &'d Derived) -> Vec<NotCounted<'d>> {
        let unknown = |&(_, gpu, _): &(usize, &'d Gpu, Bytes)| {
            let name = |role| &*derived.registry.roles.get(role).head.name.value;
            let roles = derived.unknown_on_gpu(self.group.host, gpu);
            roles.map(|(role, why)| NotCounted { gpu: &gpu.name, role: name(role), why }).collect::<Vec<_>>()
        };
        self.gpus.iter().flat_map(unknown).collect()
    }

    fn total(&self, index: usize, memory: &RoleMemory) -> Bytes {
        self.group.total_with(MemoryScope::gpu(index), (self.served.id, memory))
    }

    /// The memory of all processes of the role on a GPU, or on the host.
    fn own(&self, memory: &RoleMemory, gpu: Option<usize>) -> Bytes {
        let parts = memory.counted.iter().filter(|part| part.gpu == gpu);
        let copies = self.served.serving.ports.value.len() as u64;
        let of_part = |bytes: Bytes, kind| {
            if kind == MemoryKind::Mapped { bytes.0 } else { bytes.0.saturating_mul(copies) }
        };
        Bytes(parts.fold(0, |sum: u64, part| sum.saturating_add(of_part(part.bytes, part.kind))))
    }

    fn fits(&self, memory: &RoleMemory) -> bool {
        self.gpus.iter().all(|(index, _, room)| self.total(*index, memory) <= *room)
    }

    fn rooms(&self, memory: &RoleMemory) -> Vec<GpuRoom<'d>> {
        let room = |&(index, gpu, room): &(usize, &'d Gpu, Bytes)| {
            let own = self.own(memory, Some(index));
            let others = self.total(index, memory).minus(own);
            GpuRoom { name: &gpu.name, bytes: own.0, free: room.minus(others).0 }
        };
        self.gpus.iter().map(room).collect()
    }
}

pub(super) fn run(derived: &Derived, name: &str, format: DataFormat) -> RunStatus {
    let registry = &derived.registry;
    let served = derived.roles.iter().find(|role| *registry.roles.get(role.id).head.name.value == *name);
    let Some(served) = served else {
        let roles = derived.roles.iter().map(|role| &*registry.roles.get(role.id).head.name.value);
        let near = suggest(name, roles).map(|near| format!(": did you mean {}?", quoted(near.name)));
        session::print_stderr(&format!(
            "no engine serves a role {}{}\n",
            quoted(name),
            near.unwrap_or_default()
        ));
        return RunStatus::CannotRun;
    };
    let loads = derived.loads();
    let groups = loads.of_hosts();
    let Some(group) = groups.iter().find(|group| group.host == served.serving.host.value) else {
        return RunStatus::Clean;
    };
    let role = FittingRole::new(&derived.registry, &derived.lock, served);
    let of_host = |role| Ok((role, OnGpus::new(registry.hosts.get(group.host), group, served)?));
    let (role, on_gpus) = match role.and_then(of_host) {
        Ok(found) => found,
        Err(why) => {
            session::print_stderr(&format!("role {} has nothing to fit: {why}\n", quoted(name)));
            return RunStatus::Findings;
        }
    };
    let settings = role.largest(|memory| on_gpus.fits(memory)).into_iter().map(|(setting, memory)| {
        let (field, value) = words_of(setting, role.layers);
        let bytes = on_gpus.own(&memory, None).0;
        FittingSetting { field, value, bytes, gpus: on_gpus.rooms(&memory) }
    });
    let report = FitReport {
        format_version: 1,
        role: name,
        layers: role.layers,
        fits: (!role.leaves_layers()).then(|| on_gpus.fits(&served.memory)),
        not_counted: on_gpus.not_counted(derived),
        settings: settings.collect(),
    };
    let text = match format {
        DataFormat::Human => human(&report, &on_gpus.rooms(&served.memory)),
        DataFormat::Json => session::json_line(&report),
    };
    let printed = session::print_stdout(&text);
    if printed == RunStatus::Clean && report.fits == Some(false) { RunStatus::Findings } else { printed }
}

/// The field of the registry and its value.
fn words_of(setting: Alternative, layers: u32) -> (&'static str, String) {
    match setting {
        Alternative::Layers(count) if count > layers => ("placement.layers", "all".to_owned()),
        Alternative::Layers(count) => ("placement.layers", count.to_string()),
        Alternative::CpuExperts(count) => ("placement.cpu-experts", count.to_string()),
        Alternative::Context(tokens) => ("context", tokens.to_string()),
        Alternative::CacheType(name) => ("cache-type", name.to_owned()),
    }
}

fn human(report: &FitReport, declared: &[GpuRoom]) -> String {
    let verdict = match report.fits {
        Some(true) => "fits as declared",
        Some(false) => "does not fit as declared",
        None => "leaves its layers to the engine",
    };
    let mut out = format!("{} {verdict}; its model has {} layers\n", quoted(report.role), report.layers);
    for gpu in declared {
        // Writing to a string cannot fail.
        let (name, bytes, free) = (quoted(gpu.name), size_text(gpu.bytes), size_text(gpu.free));
        let _ = writeln!(out, "  GPU {name}: needs {bytes}; other roles leave {free}");
    }
    for NotCounted { gpu, role, why } in &report.not_counted {
        let _ =
            writeln!(out, "  GPU {}: not counted: role {}: {}", quoted(gpu), quoted(role), printable(why));
    }
    if report.settings.is_empty() {
        out.push_str("no single change of layers, experts, context or cache type makes it fit\n");
        return out;
    }
    out.push_str("the largest value of each setting that fits, without another change\n");
    let field = report.settings.iter().map(|setting| setting.field.len()).max().unwrap_or(0);
    let value = report.settings.iter().map(|setting| setting.value.len()).max().unwrap_or(0);
    for setting in &report.settings {
        let places = setting.gpus.iter().map(|gpu| format!("{} {}", gpu.name, size_text(gpu.bytes)));
        let places =
            places.chain([format!("RAM {}", size_text(setting.bytes))]).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "  {:field$}  {:>value$}  {places}", setting.field, setting.value);
    }
    out
}
