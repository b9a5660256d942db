//! Settings of a role that a router cannot give to one of its models.

use super::owner;
use crate::derive::{Derived, ServedGateway};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{Gateway, ProcessSettings, Registry, Residency, Role, Serving};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A setting that differs between a role and its gateway, if the gateway is a router. A router runs all its models in one
    /// unit, with one program:
    ///
    /// - `engine` and `host` are those of the gateway. A role with `command` cannot be behind a router.
    /// - `key-file`, `hardening`, and `numa` and `cpus` of `placement` are fields of the gateway.
    /// - `env` is a field of the engine.
    /// - If a residency has a `budget`, all roles of the gateway have this residency.
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
    for served in &derived.programs {
        let Some(gateway) = served.program.gateway else { continue };
        let role = registry.roles.get(served.id);
        let head = &registry.gateways.get(gateway.value).head;
        let message =
            format!("{role} has a `command`, but the router of {head} runs only models of its engine");
        let finding = ROUTER_CANNOT.at(gateway.span, "only for models", message);
        let owner = owner(registry, role, gateway.span);
        let line = Line::of(
            "port",
            crate::check::shared::free_ports::FreePorts::of(derived)
                .take(served.program.host.value, 8100, 1)
                .unwrap_or(8100),
        );
        let change = if owner.kind == "role" {
            Change::rewrite(gateway.span, line)
        } else {
            Change::set(role.head.span, line)
        };
        findings.report(finding.about(role).remedy("write `{}` in the role instead of `gateway`", change));
    }
    for served in &derived.gateways {
        let gateway = registry.gateways.get(served.id);
        without_router(served, gateway, findings);
        several_budgets(registry, served, gateway, findings);
        // A default applies to many roles, but is reported once.
        let mut reported: BTreeSet<Span> = BTreeSet::new();
        for role in served.roles.iter().map(|id| registry.roles.get(*id)) {
            let Some(serving) = role.serving() else { continue };
            for Difference { field, place, line } in differences(registry, gateway, serving) {
                if reported.insert(place) {
                    let finding = difference((registry, role), gateway, (field, place), line);
                    findings.report(finding);
                }
            }
        }
    }
}

/// A setting of a role that its gateway does not have.
struct Difference {
    field: &'static str,
    place: Span,
    /// The field to write in the gateway.
    line: Option<Line>,
}

fn differences(registry: &Registry, gateway: &Gateway, serving: &Serving) -> Vec<Difference> {
    let process: &ProcessSettings = &serving.process;
    let mut all = Vec::new();
    let mut add = |field, place, line| all.push(Difference { field, place, line });
    if let (Some(own), Some(engine)) = (serving.engine, gateway.engine)
        && own.value != engine.value
    {
        let name = &*registry.engines.get(own.value).head.name.value;
        add("engine", own.span, Some(Line::of("engine", name)));
    }
    if process.host.value != gateway.host.value {
        let name = &*registry.hosts.get(process.host.value).head.name.value;
        add("host", process.host.span, Some(Line::of("host", name)));
    }
    for (name, _) in &process.env {
        add("env", name.span, None);
    }
    if let Some(file) = serving.key_file.as_deref()
        && gateway.key_file.as_ref().is_none_or(|own| own.value != file.value)
    {
        add("key-file", file.span, Some(Line::of("key-file", &*file.value)));
    }
    if let Some(level) = process.hardening
        && gateway.hardening.is_none_or(|own| own.value != level.value)
    {
        add("hardening", level.span, Some(Line::of("hardening", level.value.word())));
    }
    let placement = &process.placement;
    if let Some(numa) = &placement.numa
        && gateway.numa.as_ref().is_none_or(|own| own.value != numa.value)
    {
        add("numa", numa.span, None);
    }
    if let Some(cpus) = placement.cpus.as_deref()
        && gateway.cpus.as_deref().is_none_or(|own| own.value.list != cpus.value.list)
    {
        add("cpus", cpus.span, None);
    }
    all
}

fn difference(
    (registry, role): (&Registry, &Role),
    gateway: &Gateway,
    (field, place): (&'static str, Span),
    line: Option<Line>,
) -> Diagnostic {
    let owner = owner(registry, role, place);
    let message =
        format!("{role} has another `{field}` than {gateway}, whose router runs all its models in one unit");
    let finding = ROUTER_CANNOT.at(place, "differs from the gateway", message).about(owner);
    let finding = finding.also(gateway.head.name.span, "the gateway of the role");
    match (field, line) {
        ("engine" | "host", Some(line)) => {
            let change = Change::set(gateway.head.span, line);
            finding.remedy("write `{}` in the gateway, for all its roles", change)
        }
        (_, Some(line)) => finding
            .remedy("write `{}` in the gateway, for all its roles", Change::set(gateway.head.span, line))
            .help(format!("or give {role} its own `port` instead of `gateway`")),
        ("env", None) => {
            finding.help(format!("write the variable in `env` of the engine, for all its roles, or give {role} its own `port`"))
        }
        _ => finding.help(format!(
            "write `{field}` in the `placement` of {gateway}, for all its roles, or give {role} its own `port`"
        )),
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
            finding.help("give its roles their own `port` instead of `gateway`")
        } else {
            finding.help(format!("builds with it: {}", fault.builds.join(", ")))
        });
    }
}

/// Reports a memory limit that is not for all models of a router.
fn several_budgets(
    registry: &Registry,
    served: &ServedGateway,
    gateway: &Gateway,
    findings: &mut Diagnostics,
) {
    if served.only_residency().is_some() {
        return;
    }
    let residencies: Vec<&Residency> =
        served.residencies.keys().map(|id| registry.residencies.get(*id)).collect();
    let Some((limited, budget)) = residencies.iter().find_map(|one| Some((*one, one.budget?))) else {
        return;
    };
    let names: Vec<String> = residencies.iter().map(|one| words::quoted(&one.head.name)).collect();
    let message = format!(
        "{gateway} cannot keep the `budget` of {limited}: its unit has the models of the residencies {}",
        words::all_of(&names)
    );
    let finding = ROUTER_CANNOT.at(gateway.head.name.span, "one unit for several residencies", message);
    let finding = finding.about(gateway).also(budget.span, "a limit for some of its models");
    findings.report(
        finding
            .help(format!("give the roles of {limited} their own gateway, with another port"))
            .remedy("or remove `{}`", Change::remove(budget.span)),
    );
}
