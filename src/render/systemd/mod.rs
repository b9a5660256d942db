//! systemd units: targets, slices, and for each process either a service, or a socket, a proxy and a backend service.

mod paths;
mod proxy;
mod sandbox;
mod server;
mod stack;

use serde::Serialize;

use super::names::Names;
use super::template::{Field, Quoted, Template};
use super::{ArtifactCollector, OutputTarget};
use crate::plan::{Group, Host, Plan, Process, Role, Server, Start, TargetName, UnitScope};

use sandbox::{Sandbox, SandboxTexts};

static SERVER: Template = crate::template!("systemd/server.service.j2").repeated();
static PROXY: Template = crate::template!("systemd/proxy.service.j2").repeated();
static SANDBOX: Template = crate::template!("systemd/sandbox.service.j2");
static KERNEL: Template = crate::template!("systemd/kernel.service.j2");
static SOCKET: Template = crate::template!("systemd/role.socket.j2").repeated();
static STACK: Template = crate::template!("systemd/stack.target.j2");
static SLICE: Template = crate::template!("systemd/stack.slice.j2");

pub(super) static TARGET: OutputTarget =
    OutputTarget::new("systemd", &[&SERVER, &PROXY, &SANDBOX, &KERNEL, &SOCKET, &STACK, &SLICE], artifacts);

/// One process with its role, residency group and host.
#[derive(Clone, Copy)]
struct ProcessContext<'p> {
    plan: &'p Plan,
    host: &'p Host,
    group: &'p Group,
    role: &'p Role,
    process: &'p Process,
}

/// The template data of all units of a process.
#[derive(Serialize)]
struct UnitView<'p> {
    /// The first part of the names of its units.
    name: Field<'p>,
    /// The title of the role, with the number of the instance and the model.
    title: Field<'p>,
    /// The title of its proxy.
    proxy_title: Field<'p>,
    /// The command that controls the units.
    systemctl: &'static str,
    target: Field<'p>,
    slice: Field<'p>,
    user: Option<Field<'p>>,
    /// True if the service manager of a user runs the units.
    of_user: bool,
    /// True if an engine serves the role.
    is_engine: bool,
    /// The program of a gateway: `router`, `llama-swap`, or empty for a role.
    gateway: &'static str,
    /// The content of its memory, for comments.
    content: &'static str,
    /// The path that answers as soon as the model is loaded. `None` if another program has none.
    health_path: Option<Field<'p>>,
    /// The port that the server listens on, or the proxy forwards to.
    port: Field<'p>,
}

impl<'p> ProcessContext<'p> {
    fn names(&self) -> Names<'p> {
        Names { stack: &self.plan.stack }
    }

    /// True if the service manager of a user runs the units.
    fn is_of_user(&self) -> bool {
        self.plan.scope == UnitScope::User
    }

    fn unit(&self) -> UnitView<'p> {
        let Self { host, group, role, process, .. } = *self;
        let instance = process.instance.map(|n| format!(" {n}")).unwrap_or_default();
        UnitView {
            name: self.names().process(role, process).into(),
            title: role.full_title(process).into(),
            proxy_title: format!("{}{instance} (proxy): {}", role.name, role.title).into(),
            systemctl: self.plan.scope.systemctl(),
            target: self.names().group_target(group).into(),
            slice: self.names().group_slice(group).into(),
            user: host.user.as_deref().map(Field::from),
            of_user: self.is_of_user(),
            is_engine: role.engine_family().is_some(),
            gateway: match &role.server {
                Server::Router(_) => "router",
                Server::LlamaSwap(_) => "llama-swap",
                Server::Engine(_) | Server::Program(_) => "",
            },
            content: if role.engine_family().is_some() { "model" } else { "program" },
            health_path: role.health_path().map(Field::from),
            port: self.server_port().to_string().into(),
        }
    }

    /// The port that the server listens on, or the proxy forwards to.
    fn server_port(&self) -> u16 {
        self.process.backend.unwrap_or(self.process.port)
    }
}

/// Texts that many units contain.
struct SharedTexts<'p> {
    sandboxes: SandboxTexts<'p>,
    /// The variables to unset, for each engine.
    variables: Vec<Quoted>,
}

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    let mut shared = SharedTexts {
        sandboxes: SandboxTexts::default(),
        // The engine reads these variables as options.
        variables: plan.engines.iter().map(|engine| engine.variables.join(" ").into()).collect(),
    };
    for host in plan.hosts.iter().filter(|host| host.groups.iter().any(|group| has_units(plan, group))) {
        let folder = if host.is_only { "systemd".to_owned() } else { format!("systemd/{}", host.name) };
        stack::add_units(plan, host, &folder, collector);
        for group in &host.groups {
            for role in roles_with_units(plan, group) {
                for process in &role.processes {
                    let context = ProcessContext { plan, host, group, role, process };
                    add_units(context, &folder, &mut shared, collector);
                }
            }
        }
    }
}

/// The roles of a residency whose programs are on the host.
fn roles_with_units<'p>(plan: &'p Plan, group: &'p Group) -> impl Iterator<Item = &'p Role> {
    let roles = group.roles.iter().filter_map(|n| plan.roles.get(*n));
    roles.filter(|role| role.container.is_none())
}

/// True if a residency has a target and a slice. The containers of the target `quadlet` join them.
fn has_units(plan: &Plan, group: &Group) -> bool {
    plan.targets.contains(&TargetName::Quadlet) || roles_with_units(plan, group).next().is_some()
}

/// Adds the units of one process.
fn add_units<'p>(
    context: ProcessContext<'p>,
    folder: &str,
    shared: &mut SharedTexts<'p>,
    collector: &mut ArtifactCollector<'p>,
) {
    let sandbox = shared.sandboxes.of(Sandbox::server(context), collector);
    let engine = context.role.engine_family().and_then(|(number, _)| shared.variables.get(number));
    let variables = engine.cloned().unwrap_or_else(|| String::new().into());
    let server = move || Ok(server::view(context, (&sandbox, &variables)));
    let path = format!("{folder}/{}", context.names().process(context.role, context.process));
    match context.role.start {
        Start::Boot => {
            collector.file(path + ".service", &SERVER, server);
        }
        Start::OnDemand => {
            let proxy = shared.sandboxes.of(Sandbox::proxy(context), collector);
            let socket = proxy.clone();
            collector.file(format!("{path}.socket"), &SOCKET, move || Ok(proxy::view(context, &socket)));
            collector.file(format!("{path}.service"), &PROXY, move || Ok(proxy::view(context, &proxy)));
            collector.file(path + "-backend.service", &SERVER, server);
        }
    }
}
