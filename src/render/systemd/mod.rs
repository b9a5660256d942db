//! systemd units: targets, slices, and for each process either a service, or a socket, a proxy and a backend service.

mod paths;
mod proxy;
mod sandbox;
mod server;
mod stack;

use serde::Serialize;

use super::names::Names;
use super::template::Template;
use super::{ArtifactCollector, OutputTarget};
use crate::plan::{Group, Host, Plan, Process, Role, Start};

use sandbox::{Sandbox, SandboxTexts};

static SERVER: Template = crate::template!("systemd/server.service.j2");
static PROXY: Template = crate::template!("systemd/proxy.service.j2");
static SANDBOX: Template = crate::template!("systemd/sandbox.service.j2");
static KERNEL: Template = crate::template!("systemd/kernel.service.j2");
static SOCKET: Template = crate::template!("systemd/role.socket.j2");
static STACK: Template = crate::template!("systemd/stack.target.j2");
static SLICE: Template = crate::template!("systemd/stack.slice.j2");

pub(super) static TARGET: OutputTarget =
    OutputTarget::new(&[&SERVER, &PROXY, &SANDBOX, &KERNEL, &SOCKET, &STACK, &SLICE], artifacts);

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
    name: String,
    /// The role with the number of the instance.
    title: String,
    model: &'p str,
    target: String,
    slice: String,
    user: Option<&'p str>,
    /// The path that answers as soon as the model is loaded.
    health_path: &'static str,
    /// The port that the server listens on, or the proxy forwards to.
    port: u16,
}

impl<'p> ProcessContext<'p> {
    fn names(&self) -> Names<'p> {
        Names { stack: &self.plan.stack }
    }

    fn unit(&self) -> UnitView<'p> {
        let Self { host, group, role, process, .. } = *self;
        UnitView {
            name: self.names().process(role, process),
            title: match process.instance {
                Some(n) => format!("{} {n}", role.name),
                None => role.name.to_string(),
            },
            model: &role.model,
            target: self.names().group_target(group),
            slice: self.names().group_slice(group),
            user: host.user.as_deref(),
            health_path: role.family.health_path(),
            port: process.backend.unwrap_or(process.port),
        }
    }
}

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    let mut sandboxes = SandboxTexts::default();
    for host in plan.hosts.iter().filter(|host| !host.groups.is_empty()) {
        let folder = if host.is_only { "systemd".to_owned() } else { format!("systemd/{}", host.name) };
        stack::add_units(plan, host, &folder, collector);
        for group in &host.groups {
            for role in group.roles.iter().filter_map(|n| plan.roles.get(*n)) {
                for process in &role.processes {
                    let context = ProcessContext { plan, host, group, role, process };
                    add_units(context, &folder, &mut sandboxes, collector);
                }
            }
        }
    }
}

/// Adds the units of one process.
fn add_units<'p>(
    context: ProcessContext<'p>,
    folder: &str,
    sandboxes: &mut SandboxTexts<'p>,
    collector: &mut ArtifactCollector<'p>,
) {
    let server = sandboxes.of(Sandbox::server(context), collector);
    let path = format!("{folder}/{}", context.names().process(context.role, context.process));
    match context.role.start {
        Start::Boot => {
            collector.file(path + ".service", &SERVER, move || Ok(server::view(context, &server)));
        }
        Start::OnDemand => {
            let proxy = sandboxes.of(Sandbox::proxy(context), collector);
            let socket = proxy.clone();
            collector.file(format!("{path}.socket"), &SOCKET, move || Ok(proxy::view(context, &socket)));
            collector.file(format!("{path}.service"), &PROXY, move || Ok(proxy::view(context, &proxy)));
            collector.file(path + "-backend.service", &SERVER, move || Ok(server::view(context, &server)));
        }
    }
}
