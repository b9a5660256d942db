//! `orchgen memory`: prints the memory of each role by part, and the sums of residencies and hosts.
//!
//! With `--output-format json`, the result is one JSON object. Later versions only add fields:
//!
//! | field | |
//! |---|---|
//! | `roles` | `name`, `residency`, `host`, `processes`, `bytes` of one process in the memory of the host, `may_grow_to`, `gpus` (`name` and `bytes`), `is_whole` (true if all parts are known), `parts` |
//! | `parts` | `of` (model, draft, projector or program), `kind` (`mapped` parts count once per host), `gpu` (absent for the memory of the host), and either `bytes` with its certainty (`within_percent`, `at_most` or `declared`), or `may_grow_to`, or `not_checked` |
//! | `residencies` | `residency`, `host`, `bytes`, `may_grow_to`, `budget` (null without one), `over` (the bytes above the budget) |
//! | `hosts` | `gpus` (`name`, `bytes`, `memory` and `reserve` (null if not declared), `over`), `host`, `bytes` of its roles, `may_grow_to`, `services` (declared memory of its services), `memory`, `reserve`, `over` (the bytes above the memory without its reserve) |
//! | `gateways` | `gateway`, `at_once` (the most models that it keeps in memory), `sets` (of llama-swap: the roles that may be in memory together, each with all its subsets), `is_stricter` (true if the sets are stricter than the memory requires), `alone` (the roles on demand that are alone in a set because not all memory of the host is known). Absent without gateways |
//!
//! `may_grow_to` of a part is the size up to which the engine fills it by its own default, which the registry does not state.
//! Sums and `over` do not count it. Elsewhere it is `bytes` and these sizes.

mod fit;
mod table;

use super::RunStatus;
use super::args::{DataFormat, OutputArgs};
use super::folders::RegistryFolder;
use super::session;
use crate::check::{NotCheckedPolicy, check};
use crate::compile::lower;
use crate::derive::memory::{PROGRAM, is_file, kind_words};
use crate::derive::{
    Derived, MemoryScope, RoleGroup, ServedGateway, ServedProcess, ServedProgram, ServedRole, SwapSets,
};
use crate::diag::report::human::human;
use crate::diag::{Diagnostics, words};
use crate::engine::memory::{Amount, Owner, Part, PartKind, Place};
use crate::hir::{Bytes, Host, Id, Role, Serving};
use clap::Args as Arguments;
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Serialize)]
struct MemoryReport<'r> {
    format_version: u32,
    roles: Vec<ReportedRole<'r>>,
    residencies: Vec<ReportedResidency<'r>>,
    hosts: Vec<ReportedHost<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gateways: Vec<ReportedGateway<'r>>,
}

/// The models that a gateway keeps in memory.
#[derive(Serialize)]
struct ReportedGateway<'r> {
    gateway: &'r str,
    at_once: u32,
    sets: Vec<Vec<&'r str>>,
    is_stricter: bool,
    alone: Vec<&'r str>,
}

#[derive(Serialize)]
struct ReportedRole<'r> {
    name: &'r str,
    residency: &'r str,
    host: &'r str,
    processes: usize,
    bytes: u64,
    may_grow_to: u64,
    gpus: Vec<GpuBytes<'r>>,
    is_whole: bool,
    parts: Vec<ReportedPart<'r>>,
}

/// The memory of a process on a GPU.
#[derive(Serialize)]
struct GpuBytes<'r> {
    name: &'r str,
    bytes: u64,
}

#[derive(Serialize)]
struct ReportedPart<'r> {
    of: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpu: Option<&'r str>,
    /// The title in the table.
    #[serde(skip)]
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(flatten)]
    certainty: Certainty<'r>,
}

/// The certainty of a number of bytes.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Certainty<'r> {
    WithinPercent(u8),
    AtMost(bool),
    Declared(bool),
    MayGrowTo(u64),
    NotChecked(&'r str),
}

#[derive(Serialize)]
struct ReportedResidency<'r> {
    residency: &'r str,
    host: &'r str,
    /// `None` if the memory of a model or program is unknown.
    bytes: Option<u64>,
    may_grow_to: Option<u64>,
    budget: Option<u64>,
    over: u64,
}

#[derive(Serialize)]
struct ReportedHost<'r> {
    host: &'r str,
    /// `None` if the memory of a model or program is unknown.
    bytes: Option<u64>,
    may_grow_to: Option<u64>,
    /// The declared memory of its services.
    services: u64,
    /// `None` if it is not declared.
    memory: Option<u64>,
    reserve: Option<u64>,
    over: u64,
    gpus: Vec<ReportedGpu<'r>>,
}

#[derive(Serialize)]
struct ReportedGpu<'r> {
    name: &'r str,
    bytes: u64,
    /// False if the memory of a role on it is not completely known.
    is_whole: bool,
    /// `None` if it is not declared.
    memory: Option<u64>,
    reserve: Option<u64>,
    over: u64,
}

#[derive(Arguments, Debug)]
pub(in crate::cli) struct MemoryArgs {
    #[command(flatten)]
    registry: RegistryFolder,
    /// Print the largest layers, experts, context and cache type of this role that fit its GPUs
    #[arg(long, value_name = "ROLE")]
    fit: Option<String>,
    /// Output format
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    format: DataFormat,
}

pub(super) fn run(command: &MemoryArgs, output: OutputArgs) -> RunStatus {
    let loaded = match session::load_registry(command.registry.path()) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    let mut findings = Diagnostics::default();
    let lowered = lower(&loaded, &mut findings);
    if findings.has_errors() {
        // Do not print sums: roles and models that could not be read would be missing.
        findings.sort();
        session::print_stderr(&human(&findings, &loaded.map, session::style(output, &std::io::stderr())));
        return RunStatus::Findings;
    }
    let derived = lowered.derive(None, &mut findings);
    if let Some(role) = &command.fit {
        return fit::run(&derived, role, command.format, output);
    }
    let report = memory_report(&derived);
    let text = match command.format {
        DataFormat::Human => table::human(&report, session::style(output, &std::io::stdout())),
        DataFormat::Json => session::json_line(&report),
    };
    let printed = session::print_stdout(&text);
    // Print the sums despite errors: users look here if a budget is exceeded. Only mention the number of errors.
    if check(derived, NotCheckedPolicy::Count, &mut findings).is_ok() {
        return printed;
    }
    if !output.quiet {
        let errors = words::count(findings.summary().errors, "error");
        let operand = command.registry.operand();
        session::print_stderr(&format!("the registry has {errors}: run `orchgen check{operand}`\n"));
    }
    if printed == RunStatus::Clean { RunStatus::Findings } else { printed }
}

fn memory_report(derived: &Derived) -> MemoryReport<'_> {
    let registry = &derived.registry;
    let engines = derived.roles.iter().map(|role| {
        let host = registry.hosts.get(role.serving.host.value);
        (ServedProcess::from(role), role_parts(host, role))
    });
    let programs = derived.programs.iter().map(|role| (ServedProcess::from(role), program_parts(role)));
    let mut roles: Vec<(ServedProcess<'_>, Vec<ReportedPart<'_>>)> = engines.chain(programs).collect();
    roles.sort_by_key(|(role, _)| role.id);
    let roles = roles.into_iter().map(|(role, parts)| ReportedRole {
        name: &registry.roles.get(role.id).head.name,
        residency: &registry.residencies.get(role.settings.residency.value).head.name,
        host: &registry.hosts.get(role.settings.host.value).head.name,
        processes: role.settings.ports.len(),
        bytes: bytes_of(&parts),
        may_grow_to: bytes_of(&parts).saturating_add(role.memory.growth.0),
        gpus: gpu_bytes(&parts),
        is_whole: !parts.iter().any(|part| matches!(part.certainty, Certainty::NotChecked(_))),
        parts,
    });
    let loads = derived.loads();
    let residencies = registry.residencies.entries().flat_map(|(id, residency)| {
        let budget = residency.budget.map(|budget| budget.value);
        let hosts = loads.of_residency(id).map(|group| {
            let total = group.load(MemoryScope::HOST).total;
            ReportedResidency {
                residency: &residency.head.name,
                host: &registry.hosts.get(group.host).head.name,
                bytes: group.known_total().map(|bytes| bytes.0),
                may_grow_to: group.known_total().map(|bytes| bytes.plus(group.growth()).0),
                budget: budget.map(|budget| budget.0),
                over: budget.map_or(0, |budget| total.minus(budget).0),
            }
        });
        hosts.collect::<Vec<_>>()
    });
    let hosts = loads.of_hosts().into_iter().zip(registry.memory_of_services()).map(|(group, services)| {
        let host = registry.hosts.get(group.host);
        let (total, memory) = (group.load(MemoryScope::HOST).total, host.memory.map(|memory| memory.value));
        ReportedHost {
            host: &host.head.name,
            bytes: group.known_total().map(|bytes| bytes.0),
            may_grow_to: group.known_total().map(|bytes| bytes.plus(group.growth()).0),
            services: services.0,
            memory: memory.map(|memory| memory.0),
            reserve: memory.map(|memory| host.reserve.of(memory).0),
            over: host.room().map_or(0, |room| total.plus(services).minus(room).0),
            gpus: reported_gpus(derived, &group),
        }
    });
    MemoryReport {
        format_version: 1,
        roles: roles.collect(),
        residencies: residencies.collect(),
        hosts: hosts.collect(),
        gateways: derived.gateways.iter().map(|served| reported_gateway(derived, served)).collect(),
    }
}

fn reported_gateway<'r>(derived: &'r Derived, served: &ServedGateway) -> ReportedGateway<'r> {
    let registry = &derived.registry;
    let name = |id: &Id<Role>| -> &'r str { &registry.roles.get(*id).head.name.value };
    let found = derived.swap_sets.iter().find(|sets| sets.gateway == served.id);
    let set = |sets: &'r SwapSets, set: &'r BTreeSet<Id<Role>>| {
        let together = served.roles.iter().filter(move |id| sets.kept.contains(id) || set.contains(id));
        together.map(name).collect::<Vec<_>>()
    };
    ReportedGateway {
        gateway: &registry.gateways.get(served.id).head.name.value,
        at_once: served.most,
        sets: found.map_or_else(Vec::new, |sets| sets.sets.iter().map(|one| set(sets, one)).collect()),
        is_stricter: found.is_some_and(|sets| sets.is_stricter),
        alone: found.into_iter().flat_map(|sets| sets.alone.iter().map(name)).collect(),
    }
}

/// The parts of a role. For files without facts, their declared sizes.
fn role_parts<'r>(host: &'r Host, role: &'r ServedRole) -> Vec<ReportedPart<'r>> {
    let computed = &role.memory.parts;
    let is_read = |owner| {
        let is_known = |part: &Part| !matches!(part.amount, Amount::Unknown(_));
        computed.iter().any(|part| part.owner == owner && is_file(part) && is_known(part))
    };
    let declared = role.memory.counted.iter().filter(|part| part.is_declared && !is_read(part.owner));
    let declared = declared.filter(|part| part.bytes > Bytes(0)).map(|part| ReportedPart {
        of: owner_name(part.owner),
        kind: "file",
        gpu: part.gpu.and_then(|index| Some(&*host.gpus.get(index)?.name.value)),
        title: title_of(part.owner, "file"),
        bytes: Some(part.bytes.0),
        certainty: Certainty::Declared(true),
    });
    let (model, others): (Vec<ReportedPart>, Vec<ReportedPart>) =
        declared.partition(|part| part.of == "model");
    let computed = computed.iter().map(|part| reported_part(part, &role.serving));
    model.into_iter().chain(computed).chain(others).collect()
}

/// The memory of another program, as declared.
fn program_parts(role: &ServedProgram) -> Vec<ReportedPart<'_>> {
    let declared = role.memory.counted.iter().map(|part| (Some(part.bytes.0), Certainty::Declared(true)));
    let unknown = role.memory.parts.iter().filter_map(|part| match &part.amount {
        Amount::Unknown(why) => Some((None, Certainty::NotChecked(why))),
        Amount::Within { .. } | Amount::AtMost(_) | Amount::MayGrow(_) => None,
    });
    let part = |(bytes, certainty)| ReportedPart {
        of: PROGRAM,
        kind: PROGRAM,
        gpu: None,
        title: PROGRAM.to_owned(),
        bytes,
        certainty,
    };
    declared.chain(unknown).map(part).collect()
}

/// The bytes in the memory of the host.
fn bytes_of(parts: &[ReportedPart]) -> u64 {
    parts.iter().filter(|part| part.gpu.is_none()).filter_map(|part| part.bytes).fold(0, u64::saturating_add)
}

/// The bytes on each GPU, in the order in which the parts name them.
fn gpu_bytes<'r>(parts: &[ReportedPart<'r>]) -> Vec<GpuBytes<'r>> {
    let mut gpus: Vec<GpuBytes<'r>> = Vec::new();
    for (part, name) in parts.iter().filter_map(|part| Some((part, part.gpu?))) {
        let bytes = part.bytes.unwrap_or(0);
        match gpus.iter_mut().find(|gpu| gpu.name == name) {
            Some(gpu) => gpu.bytes = gpu.bytes.saturating_add(bytes),
            None => gpus.push(GpuBytes { name, bytes }),
        }
    }
    gpus
}

/// The GPUs of a host, with what its roles need on each.
fn reported_gpus<'r>(derived: &'r Derived, group: &RoleGroup) -> Vec<ReportedGpu<'r>> {
    let gpus = derived.registry.hosts.get(group.host).gpus.iter().enumerate();
    let reported = gpus.map(|(index, gpu)| {
        let total = group.total(MemoryScope::gpu(index));
        ReportedGpu {
            name: &gpu.name,
            bytes: total.0,
            is_whole: derived.unknown_on_gpu(group.host, gpu).next().is_none(),
            memory: gpu.memory.map(|memory| memory.value.0),
            reserve: gpu.memory.zip(gpu.room()).map(|(memory, room)| memory.value.minus(room).0),
            over: gpu.room().map_or(0, |room| total.minus(room).0),
        }
    });
    reported.collect()
}

fn owner_name(owner: Owner) -> &'static str {
    match owner {
        Owner::Model => "model",
        Owner::Draft => "draft",
        Owner::Projector => "projector",
    }
}

fn title_of(owner: Owner, what: &str) -> String {
    if owner == Owner::Model { what.to_owned() } else { format!("{}: {what}", owner_name(owner)) }
}

fn reported_part<'p>(part: &'p Part, serving: &Serving) -> ReportedPart<'p> {
    let (bytes, certainty) = match &part.amount {
        Amount::Within { bytes, percent } => (Some(*bytes), Certainty::WithinPercent(*percent)),
        Amount::AtMost(bytes) => (Some(*bytes), Certainty::AtMost(true)),
        Amount::MayGrow(bytes) => (None, Certainty::MayGrowTo(*bytes)),
        Amount::Unknown(why) => (None, Certainty::NotChecked(why)),
    };
    let (mut kind, mut title) = kind_words(part.kind);
    if part.kind == PartKind::Mapped && serving.is_locked() {
        (kind, title) = ("locked", "weights, locked");
    }
    let gpu = match &part.place {
        Place::Host => None,
        Place::Device(name) => Some(&**name),
    };
    ReportedPart {
        of: owner_name(part.owner),
        kind,
        gpu,
        title: title_of(part.owner, title),
        bytes,
        certainty,
    }
}
