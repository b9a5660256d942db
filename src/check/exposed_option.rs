//! An option that gives clients on other machines more than answers of the model.

use super::owner;
use super::shared::listening;
use crate::derive::{Derived, ServedRole};
use crate::diag::{Change, Diagnostics, Line, words};
use crate::engine::options::Exposure;
use crate::engine::{OptionRecord, Profile, Switch};
use crate::hir::{self, EngineOption, Registry, Role, Text};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// An `option` of a role that gives clients on other machines more than answers of the model:
    ///
    /// - `tools`, `agent`, `mcp-servers-config`, `mcp-servers-json` and `ui-mcp-proxy`: clients can run commands, read and
    ///   write files, or use servers in the network;
    /// - `connect`: a tunnel makes the server reachable for other machines, also if it listens on `127.0.0.1`;
    /// - `path` and `media-path` without a `key-file`: anyone can read the files of the folder;
    /// - `cors-credentials` without `cors-origins`: pages of every site can use the credentials that a browser has.
    ///
    /// ## Why
    /// Anyone who can send requests to the role gets the same permissions as its service. llama-server warns about
    /// these options: "do not enable in untrusted environments" (`--help` of b11669).
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 listen="0.0.0.0" key-file="/etc/keys/x" {
    ///     option "webui-mcp-proxy"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 listen="127.0.0.1" key-file="/etc/keys/x" {
    ///     option "webui-mcp-proxy"
    /// }
    /// ```
    pub(super) static EXPOSED_OPTION = 366, "exposed-option", Warning;
}

/// An option of a role, or a variable of the role or its engine that sets an option.
struct Setting<'r> {
    name: &'r Text,
    exposure: Exposure,
    kind: &'static str,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for (role, served, command) in derived.commands() {
        let address = served.serving.listen.iter().find(|address| !listening::is_loopback(address));
        for Setting { name, exposure, kind } in settings(registry, served, &command.profile) {
            let Some(what) = given_away(registry, served, exposure) else { continue };
            let is_tunnel = exposure == Exposure::Tunnel;
            if address.is_none() && !is_tunnel {
                continue;
            }
            let owner = owner(registry, role, name.span);
            // A default, or a YAML alias, applies to many roles, but is reported once.
            if !reported.insert(name.span) {
                continue;
            }
            let message = format!("{kind} {} of {role} {what}", words::quoted(name));
            let mut finding = EXPOSED_OPTION.at(name.span, "exposed to other machines", message).about(owner);
            finding = if exposure == Exposure::Browsers && kind == OPTION {
                // Without the option, credentials are allowed by default.
                let line = Line::of("option", "no-cors-credentials").principal("name");
                finding.remedy("write `{}`", Change::rewrite(name.span, line))
            } else if kind == OPTION {
                finding.remedy("remove this option", Change::field(OPTION, name.span))
            } else {
                finding.remove(name.span)
            };
            if let Some(address) = address.filter(|_| !is_tunnel) {
                finding = finding.also(address.span, "reachable from other machines").remedy(
                    "or write `{}`",
                    Change::set(listener(registry, role), Line::of("listen", "127.0.0.1")),
                );
            }
            findings.report(finding);
        }
    }
}

/// The item that has the address: the role, or its gateway.
fn listener(registry: &Registry, role: &Role) -> Span {
    let gateway = role.process().and_then(|process| process.gateway);
    gateway.map_or(role.head.span, |gateway| registry.gateways.get(gateway.value).head.span)
}

const OPTION: &str = "option";

/// The options and variables that open something.
fn settings<'r>(registry: &'r Registry, served: &'r ServedRole, profile: &Profile) -> Vec<Setting<'r>> {
    let exposure = |option: &OptionRecord| option.row().and_then(|row| row.exposure);
    let options = served.serving.options.iter().filter_map(|option| {
        let (record, _, switch) = profile.find(profile.server(), &option.name)?;
        let exposure = exposure(record).filter(|_| switch == Switch::On && !option.is_off())?;
        Some(Setting { name: &option.name, exposure, kind: OPTION })
    });
    let of_engine = served.serving.engine.iter().flat_map(|engine| &registry.engines.get(engine.value).env);
    let variables = of_engine.chain(&served.serving.env).filter_map(|(name, value)| {
        let record = profile.variable(name)?;
        // Other values of a switch do not set it (llama.cpp b11434, `common/arg.cpp`).
        let is_on = record.arity() > 0 || matches!(&***value, "on" | "enabled" | "true" | "1");
        Some(Setting { name, exposure: exposure(record).filter(|_| is_on)?, kind: "variable" })
    });
    options.chain(variables).collect()
}

/// The things that an option gives to clients, as a clause. `None` if it is nothing in this role.
fn given_away(registry: &Registry, served: &ServedRole, exposure: Exposure) -> Option<&'static str> {
    let has_origins = |option: &EngineOption| {
        option.name.trim_start_matches('-').replace('_', "-") == "cors-origins"
            && option.value.as_ref().is_none_or(|value| value.value != hir::Setting::Text("*".into()))
    };
    match exposure {
        Exposure::RunsTools => Some("lets clients on other machines use tools on this one"),
        Exposure::Tunnel => Some("opens a tunnel through which other machines reach the server"),
        Exposure::ServesFiles if !listening::requires_key(registry, served) => {
            Some("lets anyone on other machines read files of this one")
        }
        Exposure::Browsers if !served.serving.options.iter().any(has_origins) => {
            Some("lets pages of every site use the credentials of a browser")
        }
        Exposure::ServesFiles | Exposure::Browsers | Exposure::Connects | Exposure::Keys => None,
    }
}
