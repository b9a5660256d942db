//! Options of a role that shares the process of another role.

use super::shared::gateway_remedy::llama_swap_change;
use crate::derive::Derived;
use crate::derive::requests::{RequestFault, requests_of};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::engine::requests::request_options;
use crate::hir::codes::NOT_SERVED;
use crate::hir::{EngineOption, GatewayKind, Registry, Role, RoleKind};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

declare_code! {
    /// ## What it finds
    /// An `option` of a role with `shares` that is not a setting of one request, such as `threads`, or that has a wrong value.
    ///
    /// ## Why
    /// Such a role has no process. If the role that it shares is behind a gateway of the kind `llama-swap`, that writes the options
    /// into each request for the name of this role (`setParamsByID`), in place of what the client wrote. So one loaded model serves
    /// several roles with other sampling. Other options are decided when the process starts.
    ///
    /// ## Example
    /// ```kdl
    /// gateway "front" port=9000 kind="llama-swap" bin="/usr/local/bin/llama-swap"
    /// role "chat" tier="A" residency="hot" model="plain" gateway="front" context=4096
    /// role "exact" tier="A" shares="chat" { option "threads" 4 }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// gateway "front" port=9000 kind="llama-swap" bin="/usr/local/bin/llama-swap"
    /// role "chat" tier="A" residency="hot" model="plain" gateway="front" context=4096
    /// role "exact" tier="A" shares="chat" { option "temp" 0.1 }
    /// ```
    pub(super) static SHARED_OPTION = 606, "shared-option", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for role in registry.roles.iter().filter(|role| !role.requests.is_empty()) {
        let RoleKind::Shares(shared) = &role.kind else { continue };
        let other = registry.roles.get(shared.value);
        // `shares-a-sharer` reports others.
        let Some(process) = other.process() else { continue };
        let gateway = process.gateway.map(|gateway| registry.gateways.get(gateway.value));
        let is_swapped = gateway.is_some_and(|gateway| gateway.kind == GatewayKind::LlamaSwap);
        let profile = other.serving().and_then(|serving| derived.profile_of(serving));
        match (is_swapped, profile) {
            (true, Some(profile)) => {
                let mut known: BTreeMap<&str, &EngineOption> = BTreeMap::new();
                for (option, setting) in requests_of(role, profile) {
                    match setting {
                        Err(fault) => {
                            findings.report(finding((role, other), option, &fault));
                        }
                        Ok((field, _)) => match known.entry(field) {
                            Entry::Vacant(entry) => {
                                entry.insert(option);
                            }
                            Entry::Occupied(first) => {
                                findings.report(repeated(role, option, first.get()));
                            }
                        },
                    }
                }
            }
            // The engine was reported.
            (true, None) if other.serving().is_some() => {}
            (true, None) | (false, _) => findings.extend(without_effect(registry, (role, other))),
        }
    }
}

/// The option with arguments of the chat template.
const KWARGS: &str = "chat-template-kwargs";

/// Its value with which models with a switch in their template do not think, in a request of any build.
const NO_THINKING: &str = r#"{"enable_thinking": false}"#;

/// Parts of words for thinking.
const THINKING: [&str; 2] = ["reasoning", "thinking"];

fn finding((role, other): (&Role, &Role), option: &EngineOption, fault: &RequestFault) -> Diagnostic {
    let name = words::quoted(&option.name);
    let value = option.value.as_ref().map_or(option.name.span, |value| value.span);
    let (place, label, why) = match fault {
        RequestFault::NoField => {
            let why = "no request has it: it is decided when the process starts".to_owned();
            (option.name.span, "not a setting of a request", why)
        }
        RequestFault::Value(why) => (value, "not possible", words::printable(why)),
        RequestFault::Macro => {
            let why = "llama-swap replaces `${NAME}` everywhere".to_owned();
            (value, "llama-swap would read another value", why)
        }
    };
    let message =
        format!("the option {name} of {role}, which shares the process of {other}, is not possible: {why}");
    let finding = SHARED_OPTION.at(place, label, message).about(role);
    let remove = Change::field("option", option.name.span);
    let word = option.name.trim_start_matches('-');
    let is_about_thinking = THINKING.iter().any(|part| word.contains(part));
    if is_about_thinking || word == KWARGS && matches!(fault, RequestFault::Value(_)) {
        let line = Line::of("option", KWARGS).principal("name");
        let change = Change::rewrite(option.name.span, line.with(Line::of("value", NO_THINKING)));
        let title = if is_about_thinking {
            "write `{}`, if the role should not think"
        } else {
            "write JSON, such as `{}`"
        };
        return finding.remedy(title, change).remedy("or remove this option", remove);
    }
    let finding = finding.remedy("remove this option", remove);
    if matches!(fault, RequestFault::NoField) {
        let all: Vec<String> = request_options().map(|name| format!("`{name}`")).collect();
        finding.help(format!("the options of one request are {}", words::all_of(&all)))
    } else {
        finding.help("or write another value")
    }
}

/// The finding for a second option with the same field of a request.
fn repeated(role: &Role, option: &EngineOption, first: &EngineOption) -> Diagnostic {
    let name = words::quoted(&option.name);
    let message = format!("the option {name} of {role} sets the same field of a request as another option");
    let finding = SHARED_OPTION.at(option.name.span, "the same setting", message).about(role);
    let finding = finding.also(first.name.span, "first set here");
    finding.remedy("remove this option", Change::field("option", option.name.span))
}

/// Reports options that nothing would write into requests.
fn without_effect(registry: &Registry, (role, other): (&Role, &Role)) -> Option<Diagnostic> {
    let first = role.requests.first()?;
    let message = format!("{role} shares the process of {other}, so `option` would have no effect");
    let finding = NOT_SERVED.at(first.name.span, "`option` has no effect", message).about(role);
    let remove = role.requests.iter().map(|option| Change::field("option", option.name.span)).collect();
    let finding = finding.remedy(format!("remove `option`; configure {other} instead"), Change::All(remove));
    let gateway = other.process()?.gateway.map(|gateway| registry.gateways.get(gateway.value));
    // A gateway runs no containers.
    let other_serving = other.serving().filter(|serving| !registry.is_container(serving));
    Some(match gateway.filter(|gateway| gateway.kind == GatewayKind::Router && other_serving.is_some()) {
        Some(gateway) => finding.remedy(
            "or write `{}` in the gateway, if llama-swap is installed: it writes them into each request",
            llama_swap_change(gateway),
        ),
        None if other_serving.is_some() => finding.help(format!(
            "or put {other} behind a gateway of `kind` `llama-swap`, which writes them into each request"
        )),
        None => finding,
    })
}
