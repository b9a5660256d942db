//! Assembles a registry from the servers of the sources: items that a person would write.

mod address;
mod commands;
mod defaults;
mod engines;
mod gpus;
mod models;
mod paths;
mod personas;
mod roles;
mod unique;

pub use engines::{EngineChoice, Selection};
pub use models::stem;
pub use paths::{host_path, is_assumed};
pub use unique::slug;

use super::given::Builds;
use super::raise::{Raised, raise};
use super::source::{Change, Loss, Program, Server, SourceGateway, SourceGatewayKind, Sources, Start, Word};
use crate::diag::{Line, Literal};
use crate::engine::Profile;
use defaults::share_settings;
use engines::Engines;
use gpus::HostGpus;
use models::Models;
use std::collections::BTreeSet;
use unique::Names;

/// An item of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The section of its kind in YAML, such as `models`.
    pub section: &'static str,
    /// The item: its kind, its name and its fields.
    pub line: Line,
    /// Comments above it, without their marker.
    pub comments: Vec<String>,
}

/// A registry, and how the servers of the sources are in it.
#[derive(Debug, Default)]
pub struct Assembled {
    /// The items, in the order of a registry.
    pub items: Vec<Item>,
    /// The role of each server. `None` if it has none.
    pub roles: Vec<Option<ImportedRole>>,
    /// The names of the gateways, in the order of the sources.
    pub gateways: Vec<String>,
    /// The engines with their profiles, and how each was selected.
    pub engines: Vec<(String, &'static str, Selection)>,
    /// For each gateway, true if the registry has its limit of models.
    pub limits: Vec<(usize, bool)>,
    /// Settings that are lost while items are made, by server.
    pub losses: Vec<(usize, Loss)>,
    /// Settings that have another value, by server.
    pub changes: Vec<(usize, Change)>,
    /// Settings that have the same meaning in another form, by server.
    pub forms: Vec<(usize, Change)>,
}

/// A role that was made from a server.
#[derive(Debug)]
pub struct ImportedRole {
    /// Its name.
    pub name: String,
    /// The server as it was raised. `None` if its program is no engine.
    pub raised: Option<Raised>,
    /// The profile of its engine.
    pub profile: Option<&'static Profile>,
    /// True if its command line has faults, which the caller finds: then it is not complete.
    pub has_faults: bool,
}

/// The stack of an imported registry.
const STACK: &str = "home";
/// The host of an imported registry.
const HOST: &str = "localhost";

/// Makes a registry.
pub fn assemble(sources: &Sources, choice: &EngineChoice) -> Assembled {
    let build = Assembly {
        sources,
        engines: Engines::new(choice, sources),
        models: Models::default(),
        names: Names::default(),
        residencies: Vec::new(),
        out: Assembled::default(),
        ports: BTreeSet::new(),
        reserved: Vec::new(),
        is_user: sources.servers.iter().any(|server| server.is_user),
    };
    build.run()
}

/// A registry that is being made.
struct Assembly<'s> {
    sources: &'s Sources,
    engines: Engines<'s>,
    models: Models,
    names: Names,
    /// The load policies: each with its start, its idle time, and its maximum of roles at once.
    residencies: Vec<(Residency, String)>,
    out: Assembled,
    /// The ports that roles and gateways have.
    ports: BTreeSet<u16>,
    /// For each server, true if its name is reserved for its role.
    reserved: Vec<bool>,
    /// True if a user manager runs the units.
    is_user: bool,
}

/// A load policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Residency {
    is_at_boot: bool,
    /// The seconds until a model is unloaded. 0 means never.
    idle: u64,
    at_once: Option<u32>,
}

/// A role before its settings are shared.
struct RoleDraft {
    name: String,
    lines: Vec<Line>,
}

impl Assembly<'_> {
    fn run(mut self) -> Assembled {
        let sources = self.sources;
        let raised: Vec<Option<Raised>> = sources.servers.iter().map(|server| self.raise(server)).collect();
        let gpus = HostGpus::new(sources, &raised);
        // Names that clients know come first, so that no other role gets them.
        let reserve = |server: &Server| server.is_api_name && self.names.reserve("role", &server.name);
        self.reserved = sources.servers.iter().map(reserve).collect();
        self.name_gateways();
        self.name_residencies();
        let mut drafts: Vec<RoleDraft> = Vec::new();
        for (index, (server, raised)) in sources.servers.iter().zip(raised).enumerate() {
            let role = self.role((index, server), raised.as_ref(), &gpus, &mut drafts);
            let profile = raised.is_some().then(|| self.engines.profile_of(server, sources)).flatten();
            self.out.roles.push(role.map(|name| ImportedRole { name, raised, profile, has_faults: false }));
        }
        let defaults = share_settings(&mut drafts);
        self.items(&gpus, defaults, drafts);
        self.out
    }

    /// Raises a server of an engine.
    fn raise(&mut self, server: &Server) -> Option<Raised> {
        if server.unreadable.is_some() {
            return None;
        }
        let profile = self.engines.profile_of(server, self.sources)?;
        Some(raise(server, Builds { profile }))
    }

    /// The names of the files that the gateways read follow from their names: these are the usual ones.
    fn name_gateways(&mut self) {
        for gateway in &self.sources.gateways {
            let usual = match gateway.kind {
                SourceGatewayKind::LlamaSwap => "config",
                SourceGatewayKind::Router => "presets",
            };
            self.ports.extend(gateway.port.map(|(port, _)| port));
            let name = self.names.add("gateway", usual);
            self.out.gateways.push(name);
        }
    }

    fn residency_of(&self, server: &Server) -> Residency {
        let is_at_boot = server.start.0 != Start::OnDemand;
        let idle = server.idle.map_or(0, |(seconds, _)| if is_at_boot { 0 } else { seconds });
        let gateway = server.gateway.and_then(|index| Some((index, self.sources.gateways.get(index)?)));
        let at_once = gateway.and_then(|(index, gateway)| {
            let (most, _) = gateway.most.filter(|(most, _)| *most > 0)?;
            let behind = || self.sources.servers.iter().filter(|other| other.gateway == Some(index));
            let policy =
                |one: &Server| (one.start.0 != Start::OnDemand, one.idle.map(|(seconds, _)| seconds));
            // One limit for all needs one policy for all.
            let is_one = behind().all(|other| policy(other) == policy(server));
            usize::try_from(most).is_ok_and(|most| is_one && most < behind().count()).then_some(most)
        });
        Residency { is_at_boot, idle, at_once }
    }

    fn name_residencies(&mut self) {
        let mut all: Vec<Residency> = Vec::new();
        for server in &self.sources.servers {
            let residency = self.residency_of(server);
            if !all.contains(&residency) {
                all.push(residency);
            }
        }
        let on_demand = all.iter().filter(|residency| !residency.is_at_boot).count();
        for residency in all {
            let wanted = match (residency.is_at_boot, residency.idle) {
                (true, _) => "hot".to_owned(),
                (false, _) if on_demand == 1 => "warm".to_owned(),
                (false, 0) => "kept".to_owned(),
                (false, idle) => format!("idle-{}", duration(idle).replace(' ', "-")),
            };
            let name = self.names.add("residency", &wanted);
            self.residencies.push((residency, name));
        }
    }

    fn residency_name(&self, server: &Server) -> &str {
        let wanted = self.residency_of(server);
        self.residencies.iter().find(|(known, _)| *known == wanted).map_or("", |(_, name)| name)
    }

    /// All items, in the order of a registry.
    fn items(&mut self, gpus: &HostGpus, defaults: Vec<Line>, drafts: Vec<RoleDraft>) {
        let mut stack = Line::of("stack", STACK).principal("name");
        if let Some(engine) = self.engines.default_name() {
            stack = stack.with(Line::of("engine", engine));
        }
        if self.is_user {
            stack = stack.with(Line::of("scope", "user"));
        }
        if let Some(targets) = self.targets() {
            stack = stack.with(targets);
        }
        let stack_defaults = defaults.clone();
        if !defaults.is_empty() {
            stack = stack.with(Line::new("defaults").with_each(defaults));
        }
        self.out.engines = self.engines.selections();
        self.push("stack", stack);
        for line in self.engines.lines() {
            self.push("engines", line);
        }
        if let Some(host) = gpus.host(HOST) {
            self.push("hosts", host);
        }
        self.gateway_items();
        let lines = stack_defaults.iter().chain(drafts.iter().flat_map(|draft| &draft.lines));
        let used: BTreeSet<String> = lines.filter_map(residency_of_line).collect();
        let residencies = std::mem::take(&mut self.residencies).into_iter();
        for (residency, name) in residencies.filter(|(_, name)| used.contains(name)) {
            self.push("residencies", residency.line(&name));
        }
        for (section, line) in self.models.lines() {
            self.push(section, line);
        }
        for draft in drafts {
            let line = Line::of("role", draft.name).with_each(draft.lines);
            self.push("roles", line);
        }
    }

    fn push(&mut self, section: &'static str, line: Line) {
        self.out.items.push(Item { section, line, comments: Vec::new() });
    }

    /// The output targets, if the sources have containers: podman and compose would start the same ones.
    fn targets(&self) -> Option<Line> {
        let is_image = |server: &&Server| matches!(server.program, Program::Image { .. });
        let first = self.sources.servers.iter().find(is_image)?;
        let file = self.sources.files.get(first.at.file)?;
        let own = if file.path.ends_with(".container") { "quadlet" } else { "compose" };
        let all = [
            "systemd",
            "router",
            "llama-swap",
            own,
            "bin",
            "numactl",
            "docs",
            "report",
            "stack-json",
            "prometheus",
        ];
        Some(all.iter().fold(Line::new("targets"), |line, target| line.value(*target)))
    }

    /// True if the registry has the limit of models of a gateway.
    fn has_limit(&self, index: usize) -> bool {
        let behind = || self.sources.servers.iter().filter(|server| server.gateway == Some(index));
        let most = self.sources.gateways.get(index).and_then(|gateway| gateway.most);
        let is_reached =
            most.is_some_and(|(most, _)| usize::try_from(most).is_ok_and(|most| most < behind().count()));
        !is_reached || behind().all(|server| self.residency_of(server).at_once.is_some())
    }

    fn gateway_items(&mut self) {
        let sources = self.sources;
        for (index, gateway) in sources.gateways.iter().enumerate() {
            let is_behind =
                |at: &usize| sources.servers.get(*at).is_some_and(|one| one.gateway == Some(index));
            let mut roles = self.out.roles.iter().enumerate().filter(|(_, role)| role.is_some());
            if !roles.any(|(at, _)| is_behind(&at)) {
                continue;
            }
            let Some(name) = self.out.gateways.get(index).cloned() else { continue };
            let has_limit = self.has_limit(index);
            self.out.limits.push((index, has_limit));
            let port = gateway.port.map_or_else(|| self.free_port(8080), |(port, _)| port);
            let mut line = Line::of("gateway", name).with(Line::of("port", u64::from(port)));
            match gateway.kind {
                SourceGatewayKind::LlamaSwap => {
                    let bin = gateway.program.as_ref().map_or("/usr/local/bin/llama-swap", |word| &word.text);
                    line = line.with(Line::of("kind", "llama-swap")).with(Line::of("bin", bin));
                }
                SourceGatewayKind::Router => {
                    let first = sources.servers.iter().find(|server| server.gateway == Some(index));
                    if let Some(engine) = first.and_then(|server| self.engines.name_of(server, sources)) {
                        line = line.with(Line::of("engine", engine));
                    }
                }
            }
            if let Some(host) = &gateway.listen {
                let hosts = host.text.split(',').map(str::trim).filter(|host| !is_loopback(host));
                let listen = hosts.fold(Line::new("listen"), Line::value);
                if !listen.values.is_empty() {
                    line = line.with(listen);
                }
            }
            if let Some(file) = &gateway.key_file {
                line = line.with(Line::of("key-file", self.key_file(file)));
            }
            let sets = self.sets(gateway);
            let is_alone = matches!(sets.as_slice(), [set] if set.values.len() == 1);
            self.push("gateways", line.with_each(sets));
            if is_alone && let Some(item) = self.out.items.last_mut() {
                item.comments.push("One model at a time: a model in no set runs alone.".to_owned());
            }
        }
    }

    /// The path of a file with keys: relative ones start in the folder of the source.
    fn key_file(&self, file: &Word) -> String {
        let server = Server::new("", file.at, Program::Gateway);
        host_path(self.sources, &server, &file.text)
    }

    /// The sets of a gateway with several roles. Roles in no set run alone, so one set is enough if all of them do.
    fn sets(&self, gateway: &SourceGateway) -> Vec<Line> {
        let name = |server: &usize| Some(self.out.roles.get(*server)?.as_ref()?.name.as_str());
        let line = |set: &Vec<usize>| {
            set.iter().filter_map(name).fold(Line::new("set").principal("roles"), Line::value)
        };
        let all: Vec<Line> = gateway.sets.iter().flatten().map(line).collect();
        let count = all.iter().filter(|line| !line.values.is_empty()).count();
        let several: Vec<Line> = all.iter().filter(|line| line.values.len() > 1).cloned().collect();
        if several.is_empty() && count > 1 {
            all.into_iter().find(|line| !line.values.is_empty()).into_iter().collect()
        } else {
            several
        }
    }

    /// The first port from `from` that nothing has.
    fn free_port(&mut self, from: u16) -> u16 {
        let used = self.ports.range(from..).map(Some).chain(std::iter::repeat(None));
        let free = (from..u16::MAX).zip(used).find(|(port, used)| *used != Some(port));
        let port = free.map_or(from, |(port, _)| port);
        self.ports.insert(port);
        port
    }
}

impl Residency {
    fn line(self, name: &str) -> Line {
        let start = if self.is_at_boot { "boot" } else { "on-demand" };
        let mut line = Line::of("residency", name).with(Line::of("start", start));
        if self.idle > 0 {
            line = line.with(Line::of("idle", duration(self.idle)));
        }
        if let Some(most) = self.at_once {
            line =
                line.with(Line { values: vec![Literal::Number(most.to_string())], ..Line::new("at-once") });
        }
        line
    }
}

/// The name of the load policy in a line of a role.
fn residency_of_line(line: &Line) -> Option<String> {
    let name = line.values.first().filter(|_| line.name == "residency")?;
    Some(name.clone().into_text())
}

/// A time span such as `15 min`.
fn duration(seconds: u64) -> String {
    match seconds {
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

/// True for an address of this machine only.
fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost")
}
