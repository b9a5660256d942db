//! `deploy.json`: the description of the units, by which `orchgen plan`, `apply` and `status` work.
//!
//! For each host it lists its places of memory and its roles. Each role has its settings in words, and for each process the
//! units, the command line, the files, and the memory by place. It has no secrets: a key file is a path.
//!
//! Fields may be added without changing `format_version`. Removing a field or changing its meaning raises it.

use std::io::Write;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::names::Names;
use super::{ArtifactCollector, OutputTarget, Pieces, RenderError};
use crate::plan::{
    Bytes, Group, Host, MemoryPolicy, Models, Plan, PortRange, Process, Resources, Role, Server, Start,
    TargetName, UnitScope, Word,
};

pub(super) static TARGET: OutputTarget = OutputTarget::new(PATH, &[], artifacts);

/// The path of the file below the output folder.
pub const PATH: &str = "deploy.json";

/// The version of the format.
pub const FORMAT_VERSION: u32 = 1;

/// The word of a command line for the path of a key file, which systemd or podman chooses.
pub const KEY_WORD: &str = "{key-file}";

/// The word of a command line for the path of the file that configures a gateway, which depends on the user.
pub const CONFIGURATION_WORD: &str = "{configuration}";

/// The units of a stack.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Default, Debug)]
pub struct Deployment {
    /// The version of the format.
    pub format_version: u32,
    /// The name of the stack.
    pub stack: String,
    /// `system` or `user`.
    pub scope: String,
    /// The hosts, in the order of declaration.
    pub hosts: Vec<DeployedHost>,
}

/// The units of a host.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Default, Debug)]
pub struct DeployedHost {
    /// Its name.
    pub name: String,
    /// The address at which other machines reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The folder of its systemd units below the output folder. `None` without such units.
    pub units: Option<String>,
    /// The folder of its container units. `None` without such units.
    pub containers: Option<String>,
    /// The systemd target of the stack. `None` without systemd units.
    pub target: Option<String>,
    /// The places of its memory.
    pub places: Vec<Place>,
    /// Its roles and gateways.
    pub roles: Vec<DeployedRole>,
}

/// A place of memory: `RAM`, `node 0`, or the name of a GPU.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Default, Debug)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// The bytes that roles may take there. `None` if they are not declared.
    pub bytes: Option<u64>,
}

/// A role or a gateway.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Default, Debug)]
pub struct DeployedRole {
    /// Its name.
    pub name: String,
    /// `role` or `gateway`.
    pub kind: String,
    /// True if it starts at its first request.
    pub on_demand: bool,
    /// Its settings: name and value, in a fixed order.
    pub settings: Vec<(String, String)>,
    /// Its processes. Empty behind a gateway.
    pub processes: Vec<DeployedProcess>,
}

/// A process of a role.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Default, Debug)]
pub struct DeployedProcess {
    /// The unit of the server.
    pub unit: String,
    /// The socket of a role on demand.
    pub socket: Option<String>,
    /// The proxy of a role on demand.
    pub proxy: Option<String>,
    /// True if podman runs it.
    pub container: bool,
    /// The address for requests from the same machine.
    pub address: String,
    /// The port that clients use.
    pub port: u16,
    /// The port that the server of a role on demand listens on.
    pub backend: Option<u16>,
    /// The path of the health check.
    pub health: Option<String>,
    /// The program and its arguments, with [`KEY_WORD`] and [`CONFIGURATION_WORD`].
    pub command: Vec<String>,
    /// The model files that it reads.
    pub files: Vec<String>,
    /// The files below the output folder that configure it, in addition to its units.
    pub configuration: Vec<String>,
    /// The milliseconds to read its files. `None` if a size or a speed is unknown.
    pub read_millis: Option<u64>,
    /// The time limit of its start in seconds. `None` without a limit.
    pub limit_seconds: Option<u64>,
    /// Its memory by place.
    pub memory: Vec<DeployedMemory>,
}

/// The memory of a process at a place.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Default, Debug)]
pub struct DeployedMemory {
    /// The name of the place.
    pub place: String,
    /// Its size.
    pub bytes: u64,
    /// The path of a mapped file. All processes that read it share its pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl DeployedProcess {
    /// All its units: those that clients reach first, then its server.
    pub fn units(&self) -> impl Iterator<Item = &str> {
        self.socket.iter().chain(&self.proxy).chain([&self.unit]).map(String::as_str)
    }

    /// The unit that starts it: its socket, or the server.
    pub fn entry(&self) -> &str {
        self.socket.as_deref().unwrap_or(&self.unit)
    }
}

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    let has = |target| plan.targets.contains(&target);
    let has_units = plan.roles.iter().any(|role| {
        let target = if role.container.is_some() { TargetName::Quadlet } else { TargetName::Systemd };
        has(target) && !role.processes.is_empty()
    });
    if !has_units {
        return;
    }
    collector.text(PATH.to_owned(), move || {
        let mut text = Pieces::default();
        serde_json::to_writer_pretty(&mut text, &deployment(plan))
            .map_err(std::io::Error::from)
            .and_then(|()| text.write_all(b"\n"))
            .map_err(|error| RenderError::new(PATH, &error.to_string()))?;
        Ok(text)
    });
}

/// The description of a plan.
pub fn deployment(plan: &Plan) -> Deployment {
    let scope = match plan.scope {
        UnitScope::System => "system",
        UnitScope::User => "user",
    };
    let numbered = plan.hosts.iter().zip(0_u32..);
    Deployment {
        format_version: FORMAT_VERSION,
        stack: plan.stack.to_string(),
        scope: scope.to_owned(),
        hosts: numbered.map(|(host, number)| deployed_host(plan, host, number)).collect(),
    }
}

fn deployed_host(plan: &Plan, host: &Host, number: u32) -> DeployedHost {
    let folder = |root: &str| if host.is_only { root.to_owned() } else { format!("{root}/{}", host.name) };
    let has = |target| plan.targets.contains(&target);
    let own = |group: &Group| group.roles.iter().filter_map(|role| plan.roles.get(*role)).collect::<Vec<_>>();
    let all: Vec<&Role> = host.groups.iter().flat_map(own).collect();
    let in_containers = all.iter().any(|role| role.container.is_some()) && has(TargetName::Quadlet);
    let has_units =
        has(TargetName::Systemd) && (in_containers || all.iter().any(|role| role.container.is_none()));
    let roles = plan.roles.iter().zip(&plan.resources).filter(|(role, _)| role.host == number);
    let places = host.places.iter();
    DeployedHost {
        name: host.name.to_string(),
        address: host.address.as_ref().map(ToString::to_string),
        units: has_units.then(|| folder("systemd")),
        containers: in_containers.then(|| folder("quadlet")),
        target: has_units.then(|| Names { stack: &plan.stack }.target()),
        places: places
            .map(|place| Place { name: place.name.to_string(), bytes: place.room.map(|room| room.0) })
            .collect(),
        roles: roles.map(|(role, resources)| deployed_role(plan, role, resources)).collect(),
    }
}

fn deployed_role(plan: &Plan, role: &Role, resources: &Resources) -> DeployedRole {
    let target = if role.container.is_some() { TargetName::Quadlet } else { TargetName::Systemd };
    let has_units = plan.targets.contains(&target);
    let processes = role.processes.iter().enumerate().filter(|_| has_units);
    DeployedRole {
        name: role.name.to_string(),
        kind: role.kind().to_owned(),
        on_demand: role.start == Start::OnDemand,
        settings: settings(plan, role, resources),
        processes: processes.map(|(n, process)| deployed(plan, role, (n, process), resources)).collect(),
    }
}

fn deployed(
    plan: &Plan,
    role: &Role,
    (number, process): (usize, &Process),
    resources: &Resources,
) -> DeployedProcess {
    let name = Names { stack: &plan.stack }.process(role, process);
    let on_demand = role.start == Start::OnDemand && role.container.is_none();
    let unit = |end: &str| on_demand.then(|| format!("{name}{end}"));
    let command = process.args.iter().map(|word| {
        let is_key = matches!(word, Word::KeyFile(_));
        let is_configuration = matches!(word, Word::PresetFile(_));
        let text = if is_configuration { CONFIGURATION_WORD } else { word.text() };
        if is_key { KEY_WORD } else { text }.to_owned()
    });
    let configuration = plan.gateways.iter().filter(|_| role.is_gateway());
    let configuration = configuration.filter(|gateway| *gateway.name == *role.name).map(|gateway| {
        let (folder, end) = match gateway.models {
            Models::Router(_) => ("router", "ini"),
            Models::LlamaSwap(_) => ("llama-swap", "yaml"),
        };
        format!("{folder}/{}.{end}", gateway.name)
    });
    let memory = resources.memory.get(number).into_iter().flatten();
    DeployedProcess {
        unit: if on_demand { format!("{name}-backend.service") } else { format!("{name}.service") },
        socket: unit(".socket"),
        proxy: unit(".service"),
        container: role.container.is_some(),
        address: role.health_address().to_owned(),
        port: process.port,
        backend: process.backend,
        health: role.health_path().map(str::to_owned),
        command: std::iter::once(role.program.to_string()).chain(command).collect(),
        files: role.files.iter().map(ToString::to_string).collect(),
        configuration: configuration.collect(),
        read_millis: resources.read_millis,
        limit_seconds: role.load_time.ok().map(|limit| limit.0),
        memory: memory
            .map(|one| DeployedMemory {
                place: one.place.to_string(),
                bytes: one.bytes.0,
                file: one.file.as_ref().map(ToString::to_string),
            })
            .collect(),
    }
}

/// The settings of a role in words.
fn settings(plan: &Plan, role: &Role, resources: &Resources) -> Vec<(String, String)> {
    let mut all: Vec<(&str, Option<String>)> = Vec::new();
    let gateway = role.gateway.and_then(|number| plan.gateways.get(number as usize));
    let list = |texts: &[Arc<str>]| (!texts.is_empty()).then(|| texts.join(", "));
    match &role.server {
        Server::Engine(engine) => {
            all.push(("model", Some(engine.model.to_string())));
            all.push(("file", role.files.first().map(ToString::to_string)));
            all.push(("draft", resources.draft.as_ref().map(ToString::to_string)));
            all.push(("context", engine.context.map(|tokens| tokens.to_string())));
            all.push(("slots", Some(engine.slots.to_string())));
        }
        Server::Program(_) => all.push(("program", Some(role.title.to_string()))),
        Server::Router(_) | Server::LlamaSwap(_) => all.push(("roles", Some(role.title.to_string()))),
    }
    all.push(("engine", resources.engine.as_ref().map(ToString::to_string)));
    all.push(("image", role.container.as_ref().map(|container| container.image.to_string())));
    all.push(("gateway", gateway.map(|gateway| gateway.name.to_string())));
    all.push(("port", gateway.is_none().then(|| ports(role.ports))));
    all.push(("listen", list(&role.addresses).filter(|_| gateway.is_none())));
    all.push(("names", list(&role.names).filter(|_| !role.is_gateway())));
    all.push(("residency", Some(role.residency.to_string())));
    all.push(("start", Some(if role.start == Start::Boot { "boot" } else { "on-demand" }.to_owned())));
    all.push(("idle", role.idle.map(|idle| idle.to_string())));
    all.push(("placement", placement(plan, role)));
    all.push(("GPUs", role.gpus.as_ref().and_then(|gpus| list(gpus))));
    all.push(("key file", role.key_file.as_ref().map(ToString::to_string)));
    for (name, value) in role.env.iter().filter(|_| !role.is_gateway()) {
        all.push(("variable", Some(format!("{name}={value}"))));
    }
    all.push(("purpose", role.purpose.as_ref().map(ToString::to_string)));
    let named = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    named.collect()
}

fn ports(ports: PortRange) -> String {
    if ports.first == ports.last {
        ports.first.to_string()
    } else {
        format!("{}-{}", ports.first, ports.last)
    }
}

/// The placements of the processes of a role, each once.
fn placement(plan: &Plan, role: &Role) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for number in role.processes.iter().filter_map(|process| process.placement) {
        let Some(placement) = plan.placements.get(number) else { continue };
        let memory = placement.memory.as_ref().map(|policy| match policy {
            MemoryPolicy::Interleave(_) => format!("interleave {}", policy.nodes(",")),
            MemoryPolicy::Bind(node) => format!("bind {node}"),
        });
        let cpus = placement.cpus.as_ref().map(|cpus| format!("CPUs {cpus}"));
        let text = memory.into_iter().chain(cpus).collect::<Vec<_>>().join(" on ");
        if !all.contains(&text) {
            all.push(text);
        }
    }
    (!all.is_empty()).then(|| all.join("; "))
}

/// A size for users.
pub fn size_text(bytes: u64) -> String {
    Bytes(bytes).to_string()
}
