//! systemd units: targets, slices, and for each process either a service, or a socket, a proxy and a backend service.

mod names;
mod proxy;
mod sandbox;
mod server;
mod stack;

use std::sync::Arc;

use super::artifact::RenderError;
use super::template::skeleton::SkeletonCache;
use super::template::{Template, Templates};
use super::{ArtifactCollector, OutputTarget};
use crate::plan::{Group, Host, Plan, Process, Role, Start, TargetName};

use names::Names;

static SERVER: Template = crate::template!("systemd/server.service.j2");
static PROXY: Template = crate::template!("systemd/proxy.service.j2");
static SANDBOX: Template = crate::template!("systemd/sandbox.service.j2");
static SOCKET: Template = crate::template!("systemd/role.socket.j2");
static STACK: Template = crate::template!("systemd/stack.target.j2");
static SLICE: Template = crate::template!("systemd/stack.slice.j2");

pub(super) static TARGET: OutputTarget = OutputTarget {
    name: TargetName::Systemd,
    templates: &[&SERVER, &PROXY, &SANDBOX, &SOCKET, &STACK, &SLICE],
    artifacts,
};

/// The data that all units of a build share.
struct Shared<'p> {
    plan: &'p Plan,
    templates: &'p Templates,
    /// Per engine: the value of `UnsetEnvironment=`.
    variables: Vec<String>,
    servers: SkeletonCache<server::ServerView>,
    proxies: SkeletonCache<proxy::ProxyView>,
    sockets: SkeletonCache<proxy::SocketView>,
}

/// One process with its role, residency group and host.
#[derive(Clone)]
struct ProcessContext<'p> {
    shared: Arc<Shared<'p>>,
    host: &'p Host,
    group: &'p Group,
    role: &'p Role,
    process: &'p Process,
}

impl ProcessContext<'_> {
    fn names(&self) -> Names<'_> {
        Names { stack: &self.shared.plan.stack }
    }

    /// The name of the process, which is the first part of the names of its units.
    fn name(&self) -> String {
        self.names().process(self.role, self.process)
    }

    /// The text of `Description=`.
    fn description(&self, part: &str) -> String {
        let Role { name, model, .. } = self.role;
        match self.process.instance {
            Some(n) => format!("{name} {n}{part}: {model}"),
            None => format!("{name}{part}: {model}"),
        }
    }
}

fn artifacts<'p>(plan: &'p Plan, templates: &'p Templates, collector: &mut ArtifactCollector<'_, 'p>) {
    let variables = plan.engines.iter().map(|engine| engine.variables.join(" ")).collect();
    let shared = Arc::new(Shared {
        plan,
        templates,
        variables,
        servers: SkeletonCache::new(&SERVER),
        proxies: SkeletonCache::new(&PROXY),
        sockets: SkeletonCache::new(&SOCKET),
    });
    for host in plan.hosts.iter().filter(|host| !host.groups.is_empty()) {
        let folder = if host.is_only { "systemd".to_owned() } else { format!("systemd/{}", host.name) };
        stack::add_units(&shared, host, &folder, collector);
        for group in &host.groups {
            for role in group.roles.iter().filter_map(|n| plan.roles.get(*n)) {
                for process in &role.processes {
                    let context = ProcessContext { shared: shared.clone(), host, group, role, process };
                    add_units(&context, &folder, collector);
                }
            }
        }
    }
}

/// Adds the units of one process.
fn add_units<'p>(context: &ProcessContext<'p>, folder: &str, collector: &mut ArtifactCollector<'_, 'p>) {
    let name = context.name();
    let mut add = |suffix: &str, text: fn(&ProcessContext<'_>) -> Result<String, RenderError>| {
        let context = context.clone();
        collector.file(format!("{folder}/{name}{suffix}"), move || text(&context));
    };
    match context.role.start {
        Start::Boot => add(".service", server::text),
        Start::OnDemand => {
            add(".socket", proxy::socket);
            add(".service", proxy::text);
            add("-backend.service", server::text);
        }
    }
}
