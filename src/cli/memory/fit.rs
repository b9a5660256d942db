//! `orchgen memory --fit`: the settings of a role with which it fits into its GPUs, next to the other roles there.
//!
//! With `--output-format json`, the result is one JSON object: `role`, `layers` of its model, `fits` (as declared; null if the
//! engine decides), `not_counted` (`gpu`, `role` and `why` of each role whose memory on the same GPUs is not completely known),
//! and `settings` with `field`, `value`, `bytes` of the host and `gpus` (`name`, `bytes`, `free`: what is left to the role).

use super::super::RunStatus;
use super::super::args::{DataFormat, OutputArgs};
use super::super::session;
use super::super::table::{Column, Section, Table, Text, Tone, hanging};
use crate::derive::{
    Alternative, Derived, FittingRole, MemoryKind, MemoryScope, RoleGroup, RoleMemory, ServedRole,
};
use crate::diag::report::Style;
use crate::diag::suggest;
use crate::diag::words::{printable, quoted};
use crate::hir::{Bytes, Gpu, Host};
use crate::render::deployment::size_text;
use serde::Serialize;

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

pub(super) fn run(derived: &Derived, name: &str, format: DataFormat, output: OutputArgs) -> RunStatus {
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
        DataFormat::Human => {
            let style = session::style(output, &std::io::stdout());
            human(&report, &on_gpus.rooms(&served.memory), style)
        }
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

fn human(report: &FitReport, declared: &[GpuRoom], style: Style) -> String {
    let verdict = match report.fits {
        Some(true) => Text::new(Tone::Good, "fits as declared"),
        Some(false) => Text::new(Tone::Bad, "does not fit as declared"),
        None => Text::new(Tone::Open, "leaves its layers to the engine"),
    };
    let title = Text::new(Tone::Strong, quoted(report.role)).and(Tone::Plain, " ").join(verdict);
    let title = title.and(Tone::Plain, format!("; its model has {} layers", report.layers));
    let gpu = |gpu: &str| Text::from(format!("  GPU {}: ", quoted(gpu)));
    let mut out = hanging(&"".into(), &title, style);
    for GpuRoom { name, bytes, free } in declared {
        let text = format!("needs {}; other roles leave {}", size_text(*bytes), size_text(*free));
        out.push_str(&hanging(&gpu(name), &text.into(), style));
    }
    for one in &report.not_counted {
        let why = format!(": role {}: {}", quoted(one.role), printable(one.why));
        let text = Text::new(Tone::Open, "not counted").and(Tone::Plain, why);
        out.push_str(&hanging(&gpu(one.gpu), &text, style));
    }
    if report.settings.is_empty() {
        let none = "no single change of layers, experts, context or cache type makes it fit";
        return out + &hanging(&"".into(), &Text::new(Tone::Bad, none), style);
    }
    out + &Table::new(vec![settings(report)]).print(style)
}

/// The settings that fit, with the memory that the role then needs at each place.
fn settings(report: &FitReport) -> Section {
    let first = report.settings.first().into_iter().flat_map(|setting| &setting.gpus);
    let places = first.map(|gpu| Column::numbers(&printable(gpu.name))).chain([Column::numbers("RAM")]);
    let columns = [Column::words("field"), Column::numbers("value")].into_iter().chain(places);
    let rows = report.settings.iter().map(|setting| {
        let sizes = setting.gpus.iter().map(|gpu| gpu.bytes).chain([setting.bytes]);
        let value = Text::new(Tone::Strong, &*setting.value);
        [setting.field.into(), value].into_iter().chain(sizes.map(|size| size_text(size).into())).collect()
    });
    Section {
        title: Some("the largest value of each setting that fits, without another change".into()),
        columns: columns.chain([Column::words("")]).collect(),
        rows: rows.collect(),
    }
}
