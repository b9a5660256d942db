//! Changes that put roles behind a gateway, or that give them their own ports again.

use super::free_ports::FreePorts;
use crate::derive::{Derived, ServedProcess};
use crate::diag::{Change, Line};
use crate::hir::{Engine, Gateway, GatewayKind, Hardening, Id, NumaPolicy, Registry, Role};
use crate::source::{FileId, Span};

/// The names that a help offers for a new gateway.
const NAMES: [&str; 5] = ["front", "gateway", "router", "front-2", "front-3"];

/// The first port that a help offers for a role.
const FIRST_PORT: u32 = 8100;

/// The change that declares a gateway, and puts the roles behind it. The gateway has the port of the first role with its own
/// port, or a free one. `None` if a router cannot serve the roles with the same settings, or if they are in several files.
pub(in crate::check) fn gateway_change(derived: &Derived, roles: &[&ServedProcess<'_>]) -> Option<Change> {
    let registry = &derived.registry;
    let is_taken = |name: &&&str| registry.gateways.iter().any(|gateway| &*gateway.head.name.value == **name);
    let name = NAMES.iter().find(|name| !is_taken(name))?;
    let first = roles.first()?;
    let (file, host) = (registry.roles.get(first.id).head.span.file, first.settings.host.value);
    let own = roles.iter().find(|role| role.settings.gateway.is_none());
    let port = match own {
        Some(own) => own.settings.ports.value.first.into(),
        None => FreePorts::of(derived).take(host, u32::from(first.settings.ports.value.first) + 1, 1)?,
    };
    let mut line = Line::of("gateway", *name).with(Line::of("port", port));
    if registry.hosts.len() > 1 {
        line = line.with(Line::of("host", &*registry.hosts.get(host).head.name.value));
    }
    // Roles of llama-swap stay behind it.
    let swap = first.settings.gateway.map(|gateway| registry.gateways.get(gateway.value));
    let swap = swap.filter(|gateway| gateway.kind == GatewayKind::LlamaSwap);
    if let Some(gateway) = swap {
        let gateway_of = |role: &ServedProcess<'_>| role.settings.gateway.map(|gateway| gateway.value);
        if roles.iter().any(|role| gateway_of(role) != gateway_of(first)) {
            return None;
        }
        let bin = gateway.bin.as_ref().map_or(LLAMA_SWAP, |bin| &**bin);
        let line = line.with(Line::of("kind", gateway.kind.word())).with(Line::of("bin", bin));
        let key_file = gateway.key_file.as_ref().map(|file| Line::of("key-file", &***file));
        let hardening = gateway.hardening.map(|level| Line::of("hardening", level.value.word()));
        let line = line.with_each(key_file.into_iter().chain(hardening));
        return declare((registry, file), roles, name, line);
    }
    let settings = RouterSettings::of(registry, first)?;
    for role in roles {
        if role.settings.host.value != host || RouterSettings::of(registry, role)? != settings {
            return None;
        }
    }
    declare((registry, file), roles, name, line.with_each(settings.lines(registry)))
}

/// The change that declares a gateway with a name and puts roles behind it. `None` if they are in several files.
fn declare(
    (registry, file): (&Registry, FileId),
    roles: &[&ServedProcess<'_>],
    name: &str,
    line: Line,
) -> Option<Change> {
    let mut changes = vec![Change::Add { file, plural: "gateways", line }];
    for role in roles {
        changes.push(join(registry, role, name).filter(|_| file_of(registry, role.id) == file)?);
    }
    Some(Change::All(changes))
}

/// The places of the names of a role of the registry in the sets of its gateway, also as that of a role that shares it.
fn names_in_sets<'r>(registry: &'r Registry, role: &'r Role) -> impl Iterator<Item = Span> + 'r {
    let gateway = role.process().and_then(|process| process.gateway);
    let sets = gateway.into_iter().flat_map(|gateway| &registry.gateways.get(gateway.value).sets);
    sets.flat_map(|set| &set.value)
        .filter(|named| std::ptr::eq(registry.roles.get(named.value), role))
        .map(|named| named.span)
}

/// The change that puts roles behind a declared gateway. `None` if it cannot serve them, or if they are in several files.
pub(in crate::check) fn join_change(
    registry: &Registry,
    roles: &[&ServedProcess<'_>],
    gateway: &Gateway,
) -> Option<Change> {
    let file = file_of(registry, roles.first()?.id);
    let joined = roles.iter().map(|role| {
        let is_possible = role.settings.host.value == gateway.host.value
            && RouterSettings::of(registry, role).is_some()
            && file_of(registry, role.id) == file;
        join(registry, role, &gateway.head.name.value).filter(|_| is_possible)
    });
    joined.collect::<Option<Vec<_>>>().map(Change::All)
}

/// The change that puts one role behind a gateway instead of its address.
fn join(registry: &Registry, role: &ServedProcess<'_>, gateway: &str) -> Option<Change> {
    let (head, process) = (&registry.roles.get(role.id).head, role.settings);
    let place = process.gateway.map_or(process.ports.span, |gateway| gateway.span);
    let has_more = process.gateway.is_none() && (!process.listen.is_empty() || process.backend.is_some());
    let line = Line::of("gateway", gateway);
    let is_in_set = names_in_sets(registry, registry.roles.get(role.id)).next().is_some();
    let change = if head.span.contains(place) {
        Change::rewrite(place, line)
    } else {
        // The port or the gateway is a default, which the field of the role replaces.
        Change::set(head.span, line)
    };
    (!has_more && !is_in_set && process.ports.value.len() == 1).then_some(change)
}

/// The change that gives a role its own port instead of its gateway, and the host that it had from it.
pub(in crate::check) fn own_port(free: &mut FreePorts, registry: &Registry, role: &Role) -> Option<Change> {
    let process = role.process()?;
    let gateway = process.gateway?;
    let line = Line::of("port", free.take(process.host.value, FIRST_PORT, 1)?);
    let port = if role.head.span.contains(gateway.span) {
        Change::rewrite(gateway.span, line)
    } else {
        Change::set(role.head.span, line)
    };
    let mut changes = vec![port];
    if registry.hosts.len() > 1 && process.host.span == gateway.span {
        let host = Line::of("host", &*registry.hosts.get(process.host.value).head.name.value);
        changes.push(Change::set(role.head.span, host));
    }
    for place in names_in_sets(registry, role) {
        if place.file != role.head.span.file {
            return None;
        }
        changes.push(Change::RemoveValue { place });
    }
    Some(Change::All(changes))
}

/// The change that makes a gateway one of llama-swap.
pub(in crate::check) fn llama_swap_change(gateway: &Gateway) -> Change {
    let set = |line| Change::set(gateway.head.span, line);
    let kind = set(Line::of("kind", GatewayKind::LlamaSwap.word()));
    let engine = gateway.engine.filter(|engine| gateway.head.span.contains(engine.span));
    let engine = engine.map(|engine| Change::remove(engine.span));
    let bin = gateway.bin.is_none().then(|| set(Line::of("bin", LLAMA_SWAP)));
    Change::All([Some(kind), bin, engine].into_iter().flatten().collect())
}

/// The change that makes a gateway of llama-swap a router.
pub(in crate::check) fn router_change(gateway: &Gateway) -> Change {
    let kind = Change::set(gateway.head.span, Line::of("kind", GatewayKind::Router.word()));
    let bin = gateway.bin.as_ref().map(|bin| Change::remove(bin.span));
    let backend = gateway.backend.map(|port| Change::remove(port.span));
    let sets = gateway.sets.iter().map(|set| Change::field("set", set.span));
    Change::All([Some(kind), bin, backend].into_iter().flatten().chain(sets).collect())
}

/// The program of a new gateway.
const LLAMA_SWAP: &str = "/usr/local/bin/llama-swap";

fn file_of(registry: &Registry, role: Id<Role>) -> FileId {
    registry.roles.get(role).head.span.file
}

/// The settings that a router has once for all its models.
#[derive(PartialEq)]
struct RouterSettings<'r> {
    engine: Option<Id<Engine>>,
    key_file: Option<&'r str>,
    hardening: Option<Hardening>,
    numa: Option<&'r NumaPolicy>,
    cpus: Option<String>,
}

impl<'r> RouterSettings<'r> {
    /// Those of a role. `None` if no router can have them.
    fn of(registry: &'r Registry, role: &ServedProcess<'_>) -> Option<Self> {
        let serving = registry.roles.get(role.id).serving()?;
        let gateway = serving.gateway.map(|gateway| registry.gateways.get(gateway.value));
        let inherited_key = gateway.and_then(|gateway| gateway.key_file.as_ref());
        let hardening = serving.hardening.or(gateway.and_then(|gateway| gateway.hardening));
        let placement = &serving.placement;
        let numa = placement.numa.as_ref().map(|numa| &numa.value);
        let is_possible = serving.env.is_empty() && numa != Some(&NumaPolicy::Spread);
        is_possible.then(|| Self {
            engine: serving.engine.map(|engine| engine.value),
            key_file: serving.key_file.as_deref().or(inherited_key).map(|file| &*file.value),
            hardening: hardening.map(|level| level.value),
            numa,
            cpus: placement.cpus.as_deref().map(|cpus| cpus.value.list.to_string()),
        })
    }

    /// Those that a gateway does not have by default.
    fn lines(&self, registry: &Registry) -> Vec<Line> {
        let of_stack = registry.stack.engine.map(|engine| engine.value);
        let engine = self.engine.filter(|engine| Some(*engine) != of_stack);
        let engine = engine.map(|engine| Line::of("engine", &*registry.engines.get(engine).head.name.value));
        let key_file = self.key_file.map(|file| Line::of("key-file", file));
        let hardening = self.hardening.map(|level| Line::of("hardening", level.word()));
        let numa = self.numa.map(|numa| Line::of("numa", numa.to_string()));
        let cpus = self.cpus.as_deref().map(|cpus| Line::of("cpus", cpus));
        let placed: Vec<Line> = numa.into_iter().chain(cpus).collect();
        let placement = (!placed.is_empty()).then(|| Line::new("placement").with_each(placed));
        [engine, key_file, hardening, placement].into_iter().flatten().collect()
    }
}
