//! The data of the report: one page with everything that an operator wants to see of a stack.
//!
//! It follows from [`Derived`], so that a registry with errors has a report too. The findings are added after the checks. The data
//! has no wording except short labels. All lists have a limit, so that the page of a large registry stays readable.

mod finding;
mod gateway;
mod memory;
mod role;
mod start;
mod topology;

pub use finding::{ExcerptLine, Finding, FindingPlace, Findings, MAX_LISTED, Subject, UncheckedItem};
pub use gateway::{ReportGateway, ReportPeer};
pub use memory::{HostMemory, MemoryBar, MemoryLine, PlaceKind};
pub use role::{ReportRole, ReportTier, Served};
pub use start::{HostStart, StartRow};
pub use topology::{MapGateway, MapGroup, MapHost, MapRole};

use super::reference::{Constraints, Quirk, constraints_and_quirks};
use super::{Bytes, Date};
use crate::derive::{Derived, ServedProcess};
use crate::hir::{self, Id, Registry, Role};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The maximum number of roles that the page lists.
pub const MAX_ROLES: usize = 500;

/// The maximum number of hosts that the page shows.
pub const MAX_HOSTS: usize = 40;

/// The data of the report.
#[derive(Debug)]
pub struct Report {
    /// The name of the stack.
    pub stack: Arc<str>,
    /// Its title.
    pub title: Option<Arc<str>>,
    /// Date of the last manual verification.
    pub verified: Option<Date>,
    /// The engines.
    pub engines: Vec<ReportEngine>,
    /// The hosts, at most [`MAX_HOSTS`], as in all other lists.
    pub hosts: Vec<ReportHost>,
    /// The number of hosts beyond [`MAX_HOSTS`].
    pub omitted_hosts: usize,
    /// The number of roles that clients can use.
    pub role_count: usize,
    /// The number of server processes, without those of gateways.
    pub process_count: usize,
    /// The number of models in use, with draft models.
    pub model_count: usize,
    /// The roles by tier, at most [`MAX_ROLES`].
    pub tiers: Vec<ReportTier>,
    /// The number of roles beyond [`MAX_ROLES`].
    pub omitted_roles: usize,
    /// The gateways.
    pub gateways: Vec<ReportGateway>,
    /// The memory of each host.
    pub memory: Vec<HostMemory>,
    /// The topology of each host.
    pub topology: Vec<MapHost>,
    /// The starts on each host.
    pub starts: Vec<HostStart>,
    /// Known problems of models.
    pub quirks: Vec<Quirk>,
    /// The constraints of models.
    pub constraints: Constraints,
    /// The findings of the checks.
    pub findings: Findings,
}

/// An engine.
#[derive(Debug, Serialize)]
pub struct ReportEngine {
    /// Its name.
    pub name: Arc<str>,
    /// The build of its profile. `None` if the profile is unknown.
    pub build: Option<String>,
}

/// A host.
#[derive(Debug, Serialize)]
pub struct ReportHost {
    /// Its name.
    pub name: Arc<str>,
    /// Its address for other machines.
    pub address: Option<Arc<str>>,
    /// Its declared memory.
    pub memory: Option<Bytes>,
    /// The number of its NUMA nodes.
    pub nodes: usize,
    /// The names of its GPUs.
    pub gpus: Vec<Arc<str>>,
}

impl Report {
    /// The report with the findings of a run.
    #[must_use]
    pub fn with_findings(self, findings: Findings) -> Self {
        Self { findings, ..self }
    }
}

/// Collects the data, without findings.
pub fn report(derived: &Derived) -> Report {
    let registry = &derived.registry;
    let index = Index::new(derived);
    let (constraints, quirks) = constraints_and_quirks(derived);
    let (tiers, role_count) = role::tiers(&index);
    let models: BTreeSet<_> = derived
        .roles
        .iter()
        .flat_map(|role| {
            let draft = role.serving.draft_model().map(|(_, draft)| draft.value);
            std::iter::once(role.serving.model.value).chain(draft)
        })
        .collect();
    let hosts = registry.hosts.iter().take(MAX_HOSTS);
    let listed = tiers.iter().map(|tier| tier.roles.len()).sum::<usize>();
    Report {
        stack: registry.stack.head.name.value.clone(),
        title: registry.stack.title.as_ref().map(|title| title.value.clone()),
        verified: registry.stack.verified.map(|date| date.value),
        engines: engines(derived),
        hosts: hosts.map(host).collect(),
        omitted_hosts: registry.hosts.len().saturating_sub(MAX_HOSTS),
        role_count,
        process_count: index.processes.iter().map(|process| process.settings.ports.len()).sum(),
        model_count: models.len(),
        omitted_roles: role_count.saturating_sub(listed),
        tiers,
        gateways: gateway::gateways(derived),
        memory: memory::memory(derived),
        topology: topology::topology(&index),
        starts: start::starts(&index),
        quirks,
        constraints,
        findings: Findings::default(),
    }
}

/// The processes of a registry, by role.
struct Index<'d> {
    derived: &'d Derived,
    processes: Vec<ServedProcess<'d>>,
    /// The position in the list of engine roles, for each of them.
    engines: BTreeMap<Id<Role>, usize>,
    /// The position in the list of other programs.
    programs: BTreeMap<Id<Role>, usize>,
}

impl<'d> Index<'d> {
    fn new(derived: &'d Derived) -> Self {
        Self {
            derived,
            processes: derived.processes().collect(),
            engines: derived.roles.iter().map(|role| role.id).zip(0..).collect(),
            programs: derived.programs.iter().map(|role| role.id).zip(0..).collect(),
        }
    }

    fn registry(&self) -> &'d Registry {
        &self.derived.registry
    }

    fn engine(&self, role: Id<Role>) -> Option<&'d crate::derive::ServedRole> {
        self.derived.roles.get(*self.engines.get(&role)?)
    }

    fn program(&self, role: Id<Role>) -> Option<&'d crate::derive::ServedProgram> {
        self.derived.programs.get(*self.programs.get(&role)?)
    }

    /// The GPUs of a role, each once. Empty if it has none, or if they are unknown.
    fn gpus(&self, role: Id<Role>) -> Vec<Arc<str>> {
        let of_engine = || self.engine(role)?.used_gpus();
        let of_program = || self.program(role)?.used_gpus();
        of_engine().or_else(of_program).unwrap_or_default()
    }

    /// The gateway of a process, if it serves any role.
    fn gateway(&self, process: &ServedProcess<'_>) -> Option<&'d crate::derive::ServedGateway> {
        let id = process.settings.gateway?.value;
        self.derived.gateways.iter().find(|gateway| gateway.id == id)
    }
}

fn engines(derived: &Derived) -> Vec<ReportEngine> {
    let registry = &derived.registry;
    let engines = registry.engines.entries().map(|(id, engine)| ReportEngine {
        name: engine.head.name.value.clone(),
        build: derived.profile(id).map(|profile| profile.build().to_owned()),
    });
    engines.collect()
}

fn host(host: &hir::Host) -> ReportHost {
    ReportHost {
        name: host.head.name.value.clone(),
        address: host.address.as_ref().map(|address| address.value.clone()),
        memory: host.memory.map(|memory| memory.value),
        nodes: host.numa.len(),
        gpus: host.gpus.iter().map(|gpu| gpu.name.value.clone()).collect(),
    }
}

/// The name of a role.
fn name_of(registry: &Registry, role: Id<Role>) -> Arc<str> {
    registry.roles.get(role).head.name.value.clone()
}
