//! Settings of a role that a gateway cannot give to one of its models.

use super::shared::free_ports::FreePorts;
use super::shared::gateway_remedy::{gateway_change, llama_swap_change, own_port};
use super::{owner, owner_of};
use crate::derive::{Derived, ServedGateway, ServedProcess};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::engine::llama_swap::HEALTH_PATH;
use crate::hir::{Gateway, GatewayKind, Id, NumaPolicy, Program, Registry, Residency, Role};
use crate::source::Span;
use std::collections::BTreeSet;
use std::net::IpAddr;

declare_code! {
    /// ## What it finds
    /// A setting that differs between a role and its gateway, and that the gateway cannot give to one model:
    ///
    /// - All models of a gateway run in its unit, so `host` and `hardening` are those of the gateway. If a residency has a
    ///   `budget`, all roles of the gateway have this residency.
    /// - A router has one program and one environment: `engine`, `key-file`, `numa` and `cpus` are those of the gateway, and `env`
    ///   that of the engine. It runs no `command`.
    /// - llama-swap listens on one address, and needs the `health` of a `command`.
    ///
    /// The `key-file` and the `hardening` of a gateway replace those of `defaults`.
    ///
    /// It also finds a gateway whose engine has no router.
    ///
    /// ## Why
    /// The servers of all models inherit the sandbox and the memory limit of the unit. Those of a router also inherit its
    /// environment and its CPUs, and the router asks for the key. llama-swap sends a request to a model as soon as its health
    /// check answers.
    ///
    /// ## Example
    /// ```kdl
    /// gateway "front" port=9000
    /// role "extra" tier="A" residency="hot" model="plain" gateway="front" context=4096 key-file="/etc/keys/extra"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// gateway "front" port=9000 key-file="/etc/keys/extra"
    /// role "extra" tier="A" residency="hot" model="plain" gateway="front" context=4096
    /// ```
    pub(super) static GATEWAY_CANNOT = 603, "gateway-cannot", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut free = FreePorts::of(derived);
    for served in &derived.programs {
        let Some(gateway) = served.program.gateway else { continue };
        let role = registry.roles.get(served.id);
        if registry.gateways.get(gateway.value).kind == GatewayKind::LlamaSwap {
            findings.extend(without_health(role, &served.program));
            continue;
        }
        let head = &registry.gateways.get(gateway.value).head;
        let message =
            format!("{role} has a `command`, but the router of {head} runs only models of its engine");
        let finding = GATEWAY_CANNOT.at(gateway.span, "only for models", message).about(role);
        let finding = match own_port(&mut free, registry, role) {
            Some(change) => finding.remedy("write `{}` in the role instead of `gateway`", change),
            None => finding.help("give the role its own `port` instead of `gateway`"),
        };
        let gateway = registry.gateways.get(gateway.value);
        let swap = served.program.health.as_ref().map(|_| llama_swap_change(gateway));
        findings.report(swap.into_iter().fold(finding, |finding, swap| finding.remedy(OTHER_KIND, swap)));
    }
    for served in &derived.gateways {
        let gateway = registry.gateways.get(served.id);
        without_router(served, gateway, findings);
        several_budgets(derived, served, findings);
        several_addresses(gateway, findings);
        // A default applies to many roles, but is reported once.
        let mut reported: BTreeSet<Span> = BTreeSet::new();
        for role in served.roles.iter().map(|id| registry.roles.get(*id)) {
            for difference in differences(registry, gateway, role) {
                if reported.insert(difference.place) {
                    findings.report(difference.finding((registry, role), gateway, &mut free));
                }
            }
        }
    }
}

/// The help with the gateway that runs each role with its own program and environment.
const OTHER_KIND: &str =
    "or write `{}` in the gateway, if llama-swap is installed: it runs each role separately";

/// Reports a program of which llama-swap would not know when it is ready.
fn without_health(role: &Role, program: &Program) -> Option<Diagnostic> {
    let place = program.words.first()?.span;
    let message = format!("{role} has no `health`, and llama-swap would send it requests before it is ready");
    let finding = GATEWAY_CANNOT.at(place, "no path of a health check", message).about(role);
    let change = Change::set(role.head.span, Line::of("health", HEALTH_PATH));
    let finding =
        finding.remedy("write `{}`, or another path that answers 200 as soon as it is ready", change);
    program.health.is_none().then_some(finding)
}

/// Reports a gateway of llama-swap with several addresses.
fn several_addresses(gateway: &Gateway, findings: &mut Diagnostics) {
    let (GatewayKind::LlamaSwap, [first, second, ..]) = (gateway.kind, gateway.listen.as_slice()) else {
        return;
    };
    let message = format!("{gateway} has several addresses, and llama-swap listens on only one");
    let finding = GATEWAY_CANNOT.at(second.span, "a further address", message).about(gateway);
    findings.report(finding.help(format!("write only {}, or another one of them", words::quoted(first))));
}

/// A setting of a role that its gateway does not have.
struct Difference {
    field: &'static str,
    place: Span,
    /// The value of the role, and for `env` the name of the variable.
    value: String,
    /// The value of the gateway.
    of_gateway: Option<String>,
    /// The change of the gateway, or of its engine. `None` if it cannot have the value.
    change: Option<Change>,
}

fn differences(registry: &Registry, gateway: &Gateway, role: &Role) -> Vec<Difference> {
    let Some(process) = role.process() else { return Vec::new() };
    let mut all = Vec::new();
    let mut compare = |field, own: Option<(String, Span)>, of_gateway: Option<String>| {
        let Some((value, place)) = own.filter(|(own, _)| of_gateway.as_ref() != Some(own)) else { return };
        let (item, line) = (gateway.head.span, Line::of(field, &*value));
        let change = match field {
            "numa" if value == NumaPolicy::Spread.to_string() => None,
            "numa" | "cpus" => Some(Change::set_in(item, "placement", line)),
            _ => Some(Change::set(item, line)),
        };
        all.push(Difference { field, place, value, of_gateway, change });
    };
    let host = |id| registry.hosts.get(id).head.name.to_string();
    let own = Some((host(process.host.value), process.host.span));
    compare("host", own, Some(host(gateway.host.value)));
    // A key file or a sandbox level of the gateway replaces that of the defaults.
    let is_replaced = |place: Span, of_gateway: bool| {
        of_gateway && owner_of(registry, &gateway.head, place).kind == "stack"
    };
    let hardening = process.hardening.filter(|own| !is_replaced(own.span, gateway.hardening.is_some()));
    let own = hardening.map(|own| (own.value.word().to_owned(), own.span));
    compare("hardening", own, gateway.hardening.map(|level| level.value.word().to_owned()));
    let Some(serving) = role.serving().filter(|_| gateway.kind == GatewayKind::Router) else { return all };
    let engine = |id| registry.engines.get(id).head.name.to_string();
    let own = serving.engine.map(|own| (engine(own.value), own.span));
    compare("engine", own, gateway.engine.map(|engine_of| engine(engine_of.value)));
    let key_file = serving.key_file.as_deref();
    let key_file = key_file.filter(|own| !is_replaced(own.span, gateway.key_file.is_some()));
    let of_gateway = gateway.key_file.as_ref().map(|file| file.value.to_string());
    compare("key-file", key_file.map(|own| (own.to_string(), own.span)), of_gateway);
    let placement = &serving.placement;
    let numa = placement.numa.as_ref().map(|numa| (numa.value.to_string(), numa.span));
    compare("numa", numa, gateway.numa.as_ref().map(|numa| numa.value.to_string()));
    let cpus = placement.cpus.as_deref().map(|cpus| (cpus.value.list.to_string(), cpus.span));
    compare("cpus", cpus, gateway.cpus.as_deref().map(|cpus| cpus.value.list.to_string()));
    let engine = gateway.engine.map(|engine| registry.engines.get(engine.value));
    for (name, value) in &serving.env {
        let of_engine = engine.and_then(|engine| engine.env.iter().find(|(own, _)| own.value == name.value));
        if of_engine.is_none_or(|(_, own)| own.value != value.value) {
            let line = Line::of(&*name.value, &*value.value);
            let change = engine.map(|engine| Change::set_in(engine.head.span, "env", line));
            let (place, name) = (name.span, name.to_string());
            all.push(Difference { field: "env", place, value: name, of_gateway: None, change });
        }
    }
    all
}

/// The change that makes a role on another host a peer of its gateway. `None` if the gateway has none.
fn peer_change(
    free: &mut FreePorts,
    (registry, role): (&Registry, &Role),
    gateway: &Gateway,
) -> Option<Change> {
    let serving = role.serving().filter(|_| gateway.kind == GatewayKind::LlamaSwap)?;
    let address = registry.hosts.get(serving.host.value).address.as_ref();
    let number = address.filter(|own| own.parse::<IpAddr>().is_ok());
    let set = |line| Change::set(role.head.span, line);
    let mut all = vec![own_port(free, registry, role)?];
    all.push(set(Line::of("listen", number.map_or("0.0.0.0", |own| &*own.value))));
    if serving.key_file.is_none() {
        all.push(set(Line::of("key-file", "/etc/orchgen/keys")));
    }
    let peer = Line::of("peer", &*role.head.name.value);
    all.push(Change::Append { item: gateway.head.span, line: peer });
    Some(Change::All(all))
}

impl Difference {
    fn finding(
        self,
        (registry, role): (&Registry, &Role),
        gateway: &Gateway,
        free: &mut FreePorts,
    ) -> Diagnostic {
        let Self { field, place, value, of_gateway, change } = self;
        let owner = owner(registry, role, place);
        let (value, is_env) = (words::quoted(&value), field == "env");
        let message = if is_env {
            format!(
                "{role} sets the variable {value} in `env`, but the router of {gateway} gives all its models one environment"
            )
        } else {
            let runs = match gateway.kind {
                GatewayKind::Router => "its router runs all models in one unit",
                GatewayKind::LlamaSwap => "all its models run in one unit",
            };
            let other = of_gateway.as_ref().map_or("none".to_owned(), |other| words::quoted(other));
            format!("{role} has `{field}` {value}, but {gateway} has {other}, and {runs}")
        };
        let finding = GATEWAY_CANNOT.at(place, "differs from the gateway", message).about(owner);
        let finding = finding.also(gateway.head.name.span, "the gateway of the role");
        let as_peer = (field == "host").then(|| peer_change(free, (registry, role), gateway)).flatten();
        let finding = match as_peer {
            Some(change) => finding.remedy(
                format!("write `{{}}`: {role} gets its own address instead of `gateway`, and is a peer of {gateway}"),
                change,
            ),
            None => finding,
        };
        let or = if change.is_some() { "or " } else { "" };
        let finding = match change {
            Some(change) if is_env => finding.remedy("write `{}` in the engine, for all its roles", change),
            Some(change) => finding.remedy("write `{}` in the gateway, for all its roles", change),
            None => finding,
        };
        // Without a key, clients would need none.
        let finding = if owner.kind == "role" && (field != "key-file" || of_gateway.is_some()) {
            finding.remedy(format!("{or}remove `{{}}`"), Change::remove(place))
        } else {
            finding
        };
        let finding = match field {
            "engine" | "env" => finding.remedy(OTHER_KIND, llama_swap_change(gateway)),
            _ => finding,
        };
        match own_port(free, registry, role) {
            Some(port) if field != "host" => {
                finding.remedy("or write `{}` in the role instead of `gateway`", port)
            }
            _ => finding,
        }
    }
}

/// Reports a gateway whose engine has no router, or cannot express one of its fields.
fn without_router(served: &ServedGateway, gateway: &Gateway, findings: &mut Diagnostics) {
    let Some(command) = served.router() else { return };
    if let Some(fault) = command.line.errors.first() {
        let place = gateway.engine.map_or(gateway.head.name.span, |engine| engine.span);
        let message = format!("{gateway} is not possible: {}", words::printable(&fault.why));
        let finding = GATEWAY_CANNOT.at(place, "has no such router", message).about(gateway);
        findings.report(if fault.builds.is_empty() {
            finding.help(
                "name an engine of llama.cpp in `engine` of the gateway, or give its roles their own `port` instead of `gateway`",
            )
        } else {
            finding.help(format!("builds with it: {}", fault.builds.join(", ")))
        });
    }
}

/// Reports a memory limit that is not for all models of a router.
fn several_budgets(derived: &Derived, served: &ServedGateway, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    if served.only_residency().is_some() {
        return;
    }
    let gateway = registry.gateways.get(served.id);
    let residencies: Vec<(Id<Residency>, &Residency)> =
        served.residencies.keys().map(|id| (*id, registry.residencies.get(*id))).collect();
    let limited = residencies.iter().find_map(|(id, one)| Some((*id, *one, one.budget?)));
    let Some((id, limited, budget)) = limited else { return };
    let names: Vec<String> = residencies.iter().map(|(_, one)| words::quoted(&one.head.name)).collect();
    let message = format!(
        "{gateway} cannot keep the `budget` of {limited}: its unit has the models of the residencies {}",
        words::all_of(&names)
    );
    let finding = GATEWAY_CANNOT.at(gateway.head.name.span, "one unit for several residencies", message);
    let finding = finding.about(gateway).also(budget.span, "a limit for some of its models");
    let roles: Vec<ServedProcess<'_>> = derived
        .processes()
        .filter(|role| {
            role.settings.residency.value == id
                && role.settings.gateway.is_some_and(|own| own.value == served.id)
        })
        .collect();
    let finding = match gateway_change(derived, &roles.iter().collect::<Vec<_>>()) {
        Some(change) => finding
            .remedy(format!("write `{{}}` in the roles of {limited}: they need their own gateway"), change),
        None => finding.help(format!("give the roles of {limited} their own gateway, with another port")),
    };
    findings.report(finding.remedy("or remove `{}`", Change::remove(budget.span)));
}
