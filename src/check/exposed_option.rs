//! An option that gives clients on other machines more than answers of the model.

use super::owner;
use super::shared::listening;
use crate::derive::{Derived, ServedRole};
use crate::diag::{Change, Diagnostics, Line, words};
use crate::engine::Switch;
use crate::engine::options::Exposure;
use crate::hir::{EngineOption, Setting};
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

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for (role, served, command) in derived.commands() {
        let profile = &command.profile;
        let address = served.serving.listen.iter().find(|address| !listening::is_loopback(address));
        for option in &served.serving.options {
            let Some((record, _, Switch::On)) = profile.find(profile.server(), &option.name) else {
                continue;
            };
            let exposure = record.row().and_then(|row| row.exposure);
            let Some(what) = exposure.and_then(|exposure| given_away(served, exposure)) else { continue };
            let is_tunnel = exposure == Some(Exposure::Tunnel);
            if address.is_none() && !is_tunnel {
                continue;
            }
            let owner = owner(registry, role, option.name.span);
            // A default applies to many roles, but is reported once.
            if owner.kind != "role" && !reported.insert(option.name.span) {
                continue;
            }
            let message = format!("option {} of {role} {what}", words::quoted(&option.name));
            let mut finding =
                EXPOSED_OPTION.at(option.name.span, "exposed to other machines", message).about(owner);
            finding = match exposure {
                // Without the option, credentials are allowed by default.
                Some(Exposure::Browsers) => {
                    let line = Line::of("option", "no-cors-credentials").principal("name");
                    finding.remedy("write `{}`", Change::rewrite(option.name.span, line))
                }
                _ => finding.remove(option.name.span),
            };
            if let Some(address) = address.filter(|_| !is_tunnel) {
                finding = finding
                    .also(address.span, "reachable from other machines")
                    .remedy("or write `{}`", Change::set(role.head.span, Line::of("listen", "127.0.0.1")));
            }
            findings.report(finding);
        }
    }
}

/// The things that an option gives to clients, as a clause. `None` if it is nothing in this role.
fn given_away(served: &ServedRole, exposure: Exposure) -> Option<&'static str> {
    let has_origins = |option: &EngineOption| {
        option.name.trim_start_matches('-').replace('_', "-") == "cors-origins"
            && option.value.as_ref().is_none_or(|value| value.value != Setting::Text("*".into()))
    };
    match exposure {
        Exposure::RunsTools => Some("lets clients on other machines use tools on this one"),
        Exposure::Tunnel => Some("opens a tunnel through which other machines reach the server"),
        Exposure::ServesFiles if !listening::requires_key(served) => {
            Some("lets anyone on other machines read files of this one")
        }
        Exposure::Browsers if !served.serving.options.iter().any(has_origins) => {
            Some("lets pages of every site use the credentials of a browser")
        }
        Exposure::ServesFiles | Exposure::Browsers | Exposure::Connects | Exposure::Keys => None,
    }
}
