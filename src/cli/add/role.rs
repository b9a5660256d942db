//! `orchgen add role`.

use super::{Added, Target, TargetArgs};
use crate::cli::args::OutputArgs;
use crate::cli::{RunStatus, session};
use crate::compile::lower;
use crate::derive::HIDDEN_DISTANCE;
use crate::diag::{Diagnostics, Line, Literal, nearest, words};
use crate::hir::{ItemKind, Registry, Role};
use clap::Args as Arguments;
use std::collections::BTreeSet;

pub(super) const EXAMPLES: &str = "Examples:
  orchgen add role chat --model qwen3-8b
  orchgen add role code --model qwen3-8b --port 8090 --context 32768 --gpu CUDA0
  orchgen add role fast --model qwen3-32b --draft qwen3-0.6b --residency warm";

/// The first port of new roles, which is the default of llama-server (b11669, `common/common.h`).
const FIRST_PORT: u16 = 8080;

#[derive(Arguments, Debug)]
pub(super) struct AddRoleArgs {
    /// Name of the role, which clients use as `model`
    #[arg(value_name = "NAME")]
    name: String,
    /// Model of the role
    #[arg(long, value_name = "MODEL")]
    model: String,
    /// Port of the role. The default is the first free one from 8080 on, unless a gateway serves the role
    #[arg(long, value_name = "PORT", conflicts_with = "gateway")]
    port: Option<String>,
    /// Gateway whose address serves the role
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<String>,
    /// Maximum number of tokens of one request, or `trained` or `fit`
    #[arg(long, value_name = "TOKENS")]
    context: Option<String>,
    /// Number of requests at the same time
    #[arg(long, value_name = "NUMBER")]
    slots: Option<String>,
    /// Load policy, such as `hot` (at boot) or `warm` (on demand)
    #[arg(long, value_name = "RESIDENCY")]
    residency: Option<String>,
    /// Tier: a heading of the documents
    #[arg(long, value_name = "TIER")]
    tier: Option<String>,
    /// Draft model for speculative decoding
    #[arg(long, value_name = "MODEL")]
    draft: Option<String>,
    /// GPU of the host, such as `CUDA0`, or several: `CUDA0,CUDA1`
    #[arg(long, value_name = "GPU")]
    gpu: Option<String>,
    /// Pooling of a model that computes embeddings, such as `mean`, `cls`, `last`, or `model`: as its file states
    #[arg(long, value_name = "POOLING")]
    pooling: Option<String>,
    /// Further name of the role for clients. Can be repeated
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,
    /// Host of the role, if there are several
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) fn run(command: &AddRoleArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    let target = Target::read(&command.target)?;
    let registry = target.registry();
    for model in std::iter::once(&command.model).chain(&command.draft) {
        known_model(&registry, model).map_err(session::fail)?;
    }
    let added = added(command, &target, &registry)?;
    target.finish(&added, output)?;
    let new = lower(&added.loaded, &mut Diagnostics::default()).registry;
    if !output.quiet {
        session::print_stderr(&gpu_note(command, &new));
        if !command.target.dry_run {
            let operand = target.operand();
            session::print_stderr(&format!(
                "added role {}\nnext: run `orchgen lock{operand}` where the model files are, then `orchgen build{operand}`\n",
                words::quoted(&command.name)
            ));
        }
    }
    Ok(RunStatus::Clean)
}

/// An error for a model that the registry does not have, with the most similar one.
fn known_model(registry: &Registry, name: &str) -> Result<(), String> {
    let names = || registry.models.iter().map(|model| &*model.head.name.value);
    if names().any(|known| known == name) {
        return Ok(());
    }
    let quoted = words::quoted(name);
    let list: Vec<String> = names().take(MAX_LISTED).map(words::quoted).collect();
    Err(match (nearest(name, names()), list.is_empty()) {
        (Some(near), _) => format!("no model is named {quoted}: did you mean {}?", words::quoted(near)),
        (None, true) => format!("no model is named {quoted}: run `orchgen add model FILE` first"),
        (None, false) => format!(
            "no model is named {quoted}: the registry has {}; `orchgen add model FILE` adds one",
            words::all_of(&list)
        ),
    })
}

/// The most names in a message.
const MAX_LISTED: usize = 12;

/// The registry with the role: without a port if it is served anyway, else with the given or the first free port.
fn added(command: &AddRoleArgs, target: &Target<'_>, registry: &Registry) -> Result<Added, RunStatus> {
    let kind = ItemKind::of_word("role").ok_or(RunStatus::CannotRun)?;
    if command.port.is_none() {
        let added = target.add(kind, &line(command, None))?;
        let new = lower(&added.loaded, &mut Diagnostics::default()).registry;
        let is_served = |role: &Role| *role.head.name.value == *command.name && role.process().is_some();
        if new.roles.iter().any(is_served) || command.gateway.is_some() {
            return Ok(added);
        }
    }
    let port = command.port.clone().or_else(|| Some(free_port(registry)?.to_string()));
    target.add(kind, &line(command, port.as_deref()))
}

/// The first port that no role, gateway or service has, and whose hidden port is free too.
fn free_port(registry: &Registry) -> Option<u16> {
    let hidden = |port: u16| u16::try_from(u32::from(port) + HIDDEN_DISTANCE).ok();
    let mut used: BTreeSet<u16> = BTreeSet::new();
    for (_, process) in registry.processes() {
        used.extend(process.ports.value.ports());
        used.extend(process.backend.map(|port| port.value));
        used.extend(process.ports.value.ports().filter_map(hidden));
    }
    used.extend(registry.gateways.iter().map(|gateway| gateway.port.value));
    used.extend(registry.services.iter().filter_map(|service| Some(service.port?.value)));
    let is_free =
        |port: &u16| !used.contains(port) && hidden(*port).is_none_or(|hidden| !used.contains(&hidden));
    (FIRST_PORT..=u16::MAX).find(is_free)
}

/// The item of the role.
fn line(command: &AddRoleArgs, port: Option<&str>) -> Line {
    let text = |name: &'static str, given: &Option<String>| given.as_deref().map(|text| Line::of(name, text));
    let number =
        |name: &'static str, given: Option<&str>| given.map(|text| Line::new(name).value(value(text)));
    let mut line = Line::of("role", command.name.as_str());
    line = line.with_each(text("tier", &command.tier));
    line = line.with(Line::of("model", command.model.as_str()));
    line = line.with_each(text("draft", &command.draft));
    line = line.with_each(text("gateway", &command.gateway)).with_each(number("port", port));
    line = line.with_each(text("residency", &command.residency)).with_each(text("host", &command.host));
    line = line.with_each(number("context", command.context.as_deref()));
    line = line.with_each(number("slots", command.slots.as_deref()));
    line = line.with_each(text("pooling", &command.pooling));
    if !command.alias.is_empty() {
        let aliases = command.alias.iter().fold(Line::new("alias"), |line, alias| line.value(alias.as_str()));
        line = line.with(aliases);
    }
    let gpu = text("gpu", &command.gpu).map(|gpu| Line::new("placement").with(gpu));
    line.with_each(gpu)
}

/// The note that a role on a host with GPUs uses them only if its placement names them.
fn gpu_note(command: &AddRoleArgs, registry: &Registry) -> String {
    let role = registry.roles.iter().find(|role| *role.head.name.value == *command.name);
    let Some((serving, process)) = role.and_then(|role| Some((role.serving()?, role.process()?))) else {
        return String::new();
    };
    let host = registry.hosts.get(process.host.value);
    let is_placed = process.placement.gpu.as_ref().is_some_and(|gpu| !gpu.devices.is_empty());
    match host.gpus.first().filter(|_| !is_placed && !registry.is_container(serving)) {
        Some(gpu) => format!(
            "note: the role does not use the GPUs of {}; `--gpu {}` places it there\n",
            host.head,
            words::printable(&gpu.name.value)
        ),
        None => String::new(),
    }
}

/// A number or a word as a value.
fn value(text: &str) -> Literal {
    text.parse::<u64>().map_or_else(|_| text.into(), Into::into)
}
