//! Units: targets, slices, and for each process a service, or a socket, a proxy and the service behind it.

mod names;
mod proxy;
mod sandbox;
mod server;
mod stack;

use std::sync::Arc;

use super::artifact::RenderError;
use super::template::skeleton::Skeletons;
use super::template::{Template, Templates};
use super::{Claims, Target};
use crate::plan::{Group, Host, Plan, Process, Role, Start, TargetName};

use names::Names;

static SERVER: Template = crate::template!("systemd/server.service.j2");
static PROXY: Template = crate::template!("systemd/proxy.service.j2");
static SANDBOX: Template = crate::template!("systemd/sandbox.service.j2");
static SOCKET: Template = crate::template!("systemd/role.socket.j2");
static STACK: Template = crate::template!("systemd/stack.target.j2");
static SLICE: Template = crate::template!("systemd/stack.slice.j2");

pub(super) static TARGET: Target = Target {
    name: TargetName::Systemd,
    templates: &[&SERVER, &PROXY, &SANDBOX, &SOCKET, &STACK, &SLICE],
    artifacts,
};

/// What all units of a run share.
struct Shared<'p> {
    plan: &'p Plan,
    templates: &'p Templates,
    /// The variables of each engine, as `UnsetEnvironment=` lists them.
    variables: Vec<String>,
    servers: Skeletons<server::ServerView>,
    proxies: Skeletons<proxy::ProxyView>,
    sockets: Skeletons<proxy::SocketView>,
}

/// One process and everything that it belongs to.
#[derive(Clone)]
struct Place<'p> {
    shared: Arc<Shared<'p>>,
    host: &'p Host,
    group: &'p Group,
    role: &'p Role,
    process: &'p Process,
}

impl Place<'_> {
    fn names(&self) -> Names<'_> {
        Names { stack: &self.shared.plan.stack }
    }

    /// The name of the process, the first part of its units'.
    fn name(&self) -> String {
        self.names().process(self.role, self.process)
    }

    /// What people read of it.
    fn description(&self, part: &str) -> String {
        let Role { name, model, .. } = self.role;
        match self.process.instance {
            Some(n) => format!("{name} {n}{part}: {model}"),
            None => format!("{name}{part}: {model}"),
        }
    }
}

fn artifacts<'p>(plan: &'p Plan, templates: &'p Templates, claims: &mut Claims<'_, 'p>) {
    let variables = plan.engines.iter().map(|engine| engine.variables.join(" ")).collect();
    let shared = Arc::new(Shared {
        plan,
        templates,
        variables,
        servers: Skeletons::new(&SERVER),
        proxies: Skeletons::new(&PROXY),
        sockets: Skeletons::new(&SOCKET),
    });
    for host in plan.hosts.iter().filter(|host| !host.groups.is_empty()) {
        let folder = if host.is_only { "systemd".to_owned() } else { format!("systemd/{}", host.name) };
        stack::claim(&shared, host, &folder, claims);
        for group in &host.groups {
            for role in group.roles.iter().filter_map(|n| plan.roles.get(*n)) {
                for process in &role.processes {
                    let place = Place { shared: shared.clone(), host, group, role, process };
                    claim(&place, &folder, claims);
                }
            }
        }
    }
}

/// The units of one process.
fn claim<'p>(place: &Place<'p>, folder: &str, claims: &mut Claims<'_, 'p>) {
    let name = place.name();
    let mut claim = |suffix: &str, text: fn(&Place<'_>) -> Result<String, RenderError>| {
        let place = place.clone();
        claims.file(format!("{folder}/{name}{suffix}"), move || text(&place));
    };
    match place.role.start {
        Start::Boot => claim(".service", server::text),
        Start::OnDemand => {
            claim(".socket", proxy::socket);
            claim(".service", proxy::text);
            claim("-backend.service", server::text);
        }
    }
}
