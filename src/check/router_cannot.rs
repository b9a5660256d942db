//! Settings of a role that a router cannot give to one of its models.

use super::shared::free_ports::FreePorts;
use super::shared::gateway_remedy::{gateway_change, own_port};
use super::{owner, owner_of};
use crate::derive::{Derived, ServedGateway, ServedProcess};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{Gateway, Id, NumaPolicy, Registry, Residency, Role, Serving};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A setting that differs between a role and its gateway, if the gateway is a router. A router runs all its models in one
    /// unit, with one program:
    ///
    /// - `engine` and `host` are those of the gateway. A role with `command` cannot be behind a router.
    /// - `key-file`, `hardening`, and `numa` and `cpus` of `placement` are fields of the gateway.
    /// - `env` is a field of the engine. The role may repeat it with the same value.
    /// - If a residency has a `budget`, all roles of the gateway have this residency.
    ///
    /// The `key-file` and the `hardening` of a gateway replace those of `defaults`.
    ///
    /// It also finds a gateway whose engine has no router.
    ///
    /// ## Why
    /// The servers of all models inherit the environment, the sandbox, the CPUs and the memory limit of the unit. The router
    /// asks for the key.
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
    pub(super) static ROUTER_CANNOT = 603, "router-cannot", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut free = FreePorts::of(derived);
    for served in &derived.programs {
        let Some(gateway) = served.program.gateway else { continue };
        let role = registry.roles.get(served.id);
        let head = &registry.gateways.get(gateway.value).head;
        let message =
            format!("{role} has a `command`, but the router of {head} runs only models of its engine");
        let finding = ROUTER_CANNOT.at(gateway.span, "only for models", message).about(role);
        findings.report(match own_port(&mut free, registry, role) {
            Some(change) => finding.remedy("write `{}` in the role instead of `gateway`", change),
            None => finding.help("give the role its own `port` instead of `gateway`"),
        });
    }
    for served in &derived.gateways {
        let gateway = registry.gateways.get(served.id);
        without_router(served, gateway, findings);
        several_budgets(derived, served, findings);
        // A default applies to many roles, but is reported once.
        let mut reported: BTreeSet<Span> = BTreeSet::new();
        for role in served.roles.iter().map(|id| registry.roles.get(*id)) {
            let Some(serving) = role.serving() else { continue };
            for difference in differences(registry, gateway, serving) {
                if reported.insert(difference.place) {
                    findings.report(difference.finding((registry, role), gateway, &mut free));
                }
            }
        }
    }
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

fn differences(registry: &Registry, gateway: &Gateway, serving: &Serving) -> Vec<Difference> {
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
    let engine = |id| registry.engines.get(id).head.name.to_string();
    let own = serving.engine.map(|own| (engine(own.value), own.span));
    compare("engine", own, gateway.engine.map(|engine_of| engine(engine_of.value)));
    let host = |id| registry.hosts.get(id).head.name.to_string();
    let own = Some((host(serving.host.value), serving.host.span));
    compare("host", own, Some(host(gateway.host.value)));
    // A key file or a sandbox level of the gateway replaces that of the defaults.
    let is_replaced = |place: Span, of_gateway: bool| {
        of_gateway && owner_of(registry, &gateway.head, place).kind == "stack"
    };
    let key_file = serving.key_file.as_deref();
    let key_file = key_file.filter(|own| !is_replaced(own.span, gateway.key_file.is_some()));
    let of_gateway = gateway.key_file.as_ref().map(|file| file.value.to_string());
    compare("key-file", key_file.map(|own| (own.to_string(), own.span)), of_gateway);
    let hardening = serving.hardening.filter(|own| !is_replaced(own.span, gateway.hardening.is_some()));
    let own = hardening.map(|own| (own.value.word().to_owned(), own.span));
    compare("hardening", own, gateway.hardening.map(|level| level.value.word().to_owned()));
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
            let other = of_gateway.as_ref().map_or("none".to_owned(), |other| words::quoted(other));
            format!(
                "{role} has `{field}` {value}, but {gateway} has {other}, and its router runs all models in one unit"
            )
        };
        let finding = ROUTER_CANNOT.at(place, "differs from the gateway", message).about(owner);
        let finding = finding.also(gateway.head.name.span, "the gateway of the role");
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
    let Ok(command) = &served.command else { return };
    if let Some(fault) = command.line.errors.first() {
        let place = gateway.engine.map_or(gateway.head.name.span, |engine| engine.span);
        let message = format!("{gateway} is not possible: {}", words::printable(&fault.why));
        let finding = ROUTER_CANNOT.at(place, "has no such router", message).about(gateway);
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
    let finding = ROUTER_CANNOT.at(gateway.head.name.span, "one unit for several residencies", message);
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
