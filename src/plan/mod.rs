//! The plan: every process with its arguments, files, placement and ports.
//!
//! The input is a checked registry, so planning cannot fail and reports no findings. The plan has one argv per process.
//! Units, scripts and documents are made from it.

mod container;
mod engine;
mod fetch;
mod gateway;
mod group;
mod health;
mod placement;
mod pod;
mod process;
mod program;
mod prompt;
pub mod reference;
pub mod report;
mod resources;
mod route;
mod scrape;
mod service;
mod swap;

pub use crate::derive::sandbox::{DeviceClass, DeviceClasses};
pub use crate::derive::{
    ClientAddress, MemoryPolicy, Mount, MountSource, NO_CACHE, POD_USER, base_url, client_address,
    client_addresses,
};
pub use crate::derive::{uncarried_path, uncarried_value, uncarried_word};
pub use crate::engine::dialect::{OptionPath, PresetEntry, PresetValue};
pub use crate::engine::{Access, Family, PortPart, Word, llama_swap};
pub use crate::hir::kubernetes;
pub use crate::hir::{
    Bytes, CpuList, Date, ForbiddenFeature, Hardening, PortRange, Seconds, Start, TargetName, UnitScope,
};
pub use container::Container;
pub use engine::Engine;
pub use fetch::{Fetch, FetchPlace, FetchedFile};
pub use gateway::{Gateway, Models};
pub use group::{Group, Host};
pub use health::is_loopback;
pub use placement::Placement;
pub use pod::Pod;
pub use process::{EngineServer, Process, ProgramServer, Role, RouterServer, Server, SwapServer};
pub use prompt::{ModelKind, Prompt};
pub use reference::Reference;
pub use report::Report;
pub use resources::{MemoryPlace, MemoryUse, Resources};
pub use route::Route;
pub use scrape::Scrape;
pub use service::Service;
pub use swap::{Swap, SwapPeer, SwappedModel, Variant};

use crate::check::Checked;
use crate::hir::{GatewayKind, Registry};
use std::sync::Arc;

/// The complete plan of a stack. All lists are in the order of declaration. In the list of roles, those of engines are first,
/// then those of other programs, then the servers of gateways.
#[derive(Debug)]
pub struct Plan {
    /// The name of the stack, which is the first part of every unit name.
    pub stack: Arc<str>,
    /// The title of the stack.
    pub title: Option<Arc<str>>,
    /// Date of the last manual verification.
    pub verified: Option<Date>,
    /// The service manager that runs the units.
    pub scope: UnitScope,
    /// The output targets.
    pub targets: Vec<TargetName>,
    /// The engines.
    pub engines: Vec<Engine>,
    /// The machines, with the groups of roles that start together.
    pub hosts: Vec<Host>,
    /// The roles that are served, and the servers of gateways.
    pub roles: Vec<Role>,
    /// The resources of the processes of each role, in the order of `roles`.
    pub resources: Vec<Resources>,
    /// The pods for Kubernetes. Empty if the stack does not have this output target.
    pub pods: Vec<Pod>,
    /// The gateways.
    pub gateways: Vec<Gateway>,
    /// Every role that clients can use, including roles that share the processes of another role.
    pub routes: Vec<Route>,
    /// The processes that the stack does not start.
    pub services: Vec<Service>,
    /// The one-shot command of each served model that generates text.
    pub prompts: Vec<Prompt>,
    /// The downloads of models from their repositories.
    pub fetches: Vec<Fetch>,
    /// The distinct placements of roles and one-shot commands.
    pub placements: Vec<Placement>,
    /// Further data for the documents.
    pub reference: Reference,
    /// The data of the report. `None` if the stack does not have this output target.
    pub report: Option<Report>,
}

/// Plans a checked registry.
pub fn plan(checked: Checked) -> Plan {
    let targets = targets(checked.registry());
    let report = targets.contains(&TargetName::Report).then(|| report::report(checked.derived()));
    let numbers = process::numbers(&checked);
    let mut placements = process::placements(&checked);
    let prompts = prompt::prompts(&checked, &mut placements);
    let reference = reference::reference(checked.derived(), &prompts);
    let (engines, hosts) = (engine::engines(&checked), group::hosts(&checked, &numbers));
    let resources = resources::resources(&checked, &numbers);
    let has_pods = targets.contains(&TargetName::Kubernetes);
    let pods = if has_pods { pod::pods(&checked, &numbers) } else { Vec::new() };
    let routes = route::routes(checked.registry(), &numbers);
    let mut sharers = checked.registry().sharers();
    let mut others = program::roles(&checked, &mut sharers, &mut placements);
    let gateways = gateway::gateways(&checked, &numbers, numbers.len());
    others.extend(gateway::servers(&checked, &mut placements));
    let (registry, served) = checked.into_roles();
    let mut roles = process::roles(&registry, served, sharers, &mut placements);
    roles.extend(others);
    for (gateway, number) in gateways.iter().zip(0..) {
        for role in gateway.roles() {
            roles.get_mut(role).into_iter().for_each(|role| role.gateway = Some(number));
        }
    }
    let stack = &registry.stack;
    Plan {
        stack: stack.head.name.value.clone(),
        title: stack.title.as_ref().map(|title| title.value.clone()),
        verified: stack.verified.map(|date| date.value),
        scope: stack.scope,
        targets,
        engines,
        hosts,
        routes,
        roles,
        resources,
        pods,
        gateways,
        services: service::services(&registry),
        reference,
        report,
        prompts,
        fetches: fetch::fetches(&registry),
        placements: placements.all,
    }
}

impl Plan {
    /// True if processes run only as pods: no other target starts servers.
    pub fn has_only_pods(&self) -> bool {
        kubernetes::are_only_pods(self.targets.iter().copied())
    }
}

/// The declared output targets and those that they need, or the default ones if none is declared.
pub fn targets(registry: &Registry) -> Vec<TargetName> {
    let declared = &registry.stack.targets;
    if declared.is_empty() {
        return TargetName::ALL.iter().copied().filter(|name| *name != TargetName::OPT_IN).collect();
    }
    let mut named = with_needed(declared.iter().map(|target| target.value));
    let has_presets = |target: &TargetName| {
        let is_declared = || declared.iter().any(|declared| declared.value == *target);
        let has_kind = |kind| registry.gateways.iter().any(|gateway| gateway.kind == kind);
        match target {
            TargetName::Router => has_kind(GatewayKind::Router) || is_declared(),
            TargetName::LlamaSwap => has_kind(GatewayKind::LlamaSwap) || is_declared(),
            TargetName::Systemd
            | TargetName::Quadlet
            | TargetName::Compose
            | TargetName::Bin
            | TargetName::Numactl
            | TargetName::Docs
            | TargetName::StackJson
            | TargetName::Prometheus
            | TargetName::Report
            | TargetName::Deploy
            | TargetName::Kubernetes => true,
        }
    };
    named.retain(has_presets);
    named
}

/// These output targets and those that they need: scripts call the numactl wrappers, scripts and units of gateways read the
/// files that configure them, and units are installed by their description.
pub fn with_needed(named: impl IntoIterator<Item = TargetName>) -> Vec<TargetName> {
    let mut named: Vec<TargetName> = named.into_iter().collect();
    if named.contains(&TargetName::Bin) {
        named.push(TargetName::Numactl);
    }
    if named.contains(&TargetName::Systemd) || named.contains(&TargetName::Quadlet) {
        named.push(TargetName::Deploy);
    }
    if named.contains(&TargetName::Bin) || named.contains(&TargetName::Systemd) {
        named.extend([TargetName::Router, TargetName::LlamaSwap]);
    }
    named.sort_unstable();
    named.dedup();
    named
}
