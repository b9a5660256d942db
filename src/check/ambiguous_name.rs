//! A name that two roles behind one gateway have.

use super::owner;
use crate::derive::{Derived, ServedGateway, ServedPeer};
use crate::diag::{Change, Diagnostic, Diagnostics, words};
use crate::hir::{Gateway, Head, Registry, Role, RoleKind, Serving, Text};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// An `alias` that another role behind the same gateway has too, as its name, as the name of a role that shares it, or as
    /// an alias. It also finds a name of a `peer` that a role of the gateway or another peer has too.
    ///
    /// ## Why
    /// A gateway selects the role by the `model` of the request, so each name must belong to one role. The router of
    /// llama-server does not start if a name occurs twice.
    ///
    /// ## Example
    /// ```kdl
    /// gateway "front" port=9000
    /// role "fast" tier="A" residency="hot" model="plain" gateway="front" context=4096 alias="gpt-4o"
    /// role "smart" tier="A" residency="hot" model="tiny" gateway="front" context=4096 alias="gpt-4o"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// gateway "front" port=9000
    /// role "fast" tier="A" residency="hot" model="plain" gateway="front" context=4096 alias="gpt-4o-mini"
    /// role "smart" tier="A" residency="hot" model="tiny" gateway="front" context=4096 alias="gpt-4o"
    /// ```
    pub(super) static AMBIGUOUS_NAME = 601, "ambiguous-name", Error;
}

/// A name at a gateway.
#[derive(Clone, Copy)]
struct NameUse<'r> {
    role: &'r Role,
    name: &'r Text,
    is_alias: bool,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut sharers: BTreeMap<&str, Vec<&Text>> = BTreeMap::new();
    for role in registry.roles.iter() {
        if let RoleKind::Shares(shared) = &role.kind {
            let provider = registry.roles.get(shared.value);
            sharers.entry(&provider.head.name.value).or_default().push(&role.head.name);
        }
    }
    for served in &derived.gateways {
        let roles = served.roles.iter().map(|id| registry.roles.get(*id));
        let names: Vec<NameUse<'_>> = roles.flat_map(|role| names(role, &sharers)).collect();
        let gateway = registry.gateways.get(served.id);
        report(registry, gateway, &names, findings);
        peers(derived, (served, gateway), findings);
    }
}

/// All names of a role.
fn names<'r>(role: &'r Role, sharers: &BTreeMap<&str, Vec<&'r Text>>) -> Vec<NameUse<'r>> {
    let sharing = sharers.get(&*role.head.name.value).into_iter().flatten().copied();
    let own = std::iter::once(&role.head.name).chain(sharing);
    let own = own.map(|name| NameUse { role, name, is_alias: false });
    let aliases = role.serving().into_iter().flat_map(Serving::aliases);
    own.chain(aliases.map(|name| NameUse { role, name, is_alias: true })).collect()
}

/// Reports the names of peers that are not unique, or with which llama-swap does not start: it reserves `PEER/NAME`
/// (`internal/config/peer.go` of August 2026).
fn peers(derived: &Derived, (served, gateway): (&ServedGateway, &Gateway), findings: &mut Diagnostics) {
    let own = served.endpoint.names.iter().map(|name| (name.to_string(), &gateway.head));
    let mut known: BTreeMap<String, &Head> = own.collect();
    for peer in derived.peers(served.id) {
        let reserved = peer.names.iter().map(|name| format!("{}/{name}", &**peer.head.name));
        let all: Vec<String> = peer.names.iter().map(ToString::to_string).chain(reserved).collect();
        let is_twice = |name: &&String| all.iter().filter(|other| other == name).count() > 1;
        let taken = all.iter().find_map(|name| Some((*known.get(name)?, name)));
        let taken = taken.or_else(|| Some((peer.head, all.iter().find(is_twice)?)));
        match taken {
            Some((other, name)) => {
                findings.report(taken_name(gateway, &peer, (other, name)));
            }
            None => known.extend(all.into_iter().map(|name| (name, peer.head))),
        }
    }
}

/// The finding for a name of a peer that is also a name of another server, or that llama-swap reserves for the peer itself.
fn taken_name(gateway: &Gateway, peer: &ServedPeer<'_>, (other, name): (&Head, &str)) -> Diagnostic {
    let (name, head) = (words::quoted(name), peer.head);
    let message = if other.name.span == head.name.span {
        format!("{name} is a name of {head}, and llama-swap reserves it for this `peer` of {gateway}")
    } else {
        format!("{name} is a name of both {other} and {head}, which is a `peer` of {gateway}")
    };
    let finding = AMBIGUOUS_NAME.at(peer.place, "has a name that is in use", message).about(gateway);
    let finding = finding.also(head.name.span, "the peer");
    let finding = if other.name.span == head.name.span {
        finding
    } else {
        finding.also(other.name.span, "has the name too")
    };
    let finding = finding.help(format!("rename {name} in one of them"));
    finding.remedy("or remove `{}`", Change::RemoveValue { place: peer.place })
}

fn report(registry: &Registry, gateway: &Gateway, names: &[NameUse<'_>], findings: &mut Diagnostics) {
    // A name is easier to keep than an alias, and only an alias can be the same as another name.
    let mut first: BTreeMap<&str, NameUse<'_>> = BTreeMap::new();
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for one in names.iter().filter(|one| !one.is_alias).chain(names.iter().filter(|one| one.is_alias)) {
        let Some(other) = first.get(&*one.name.value) else {
            first.insert(&one.name.value, *one);
            continue;
        };
        // `repeated-alias` reports a name that a role has twice. A default applies to many roles, but is reported once.
        let is_same_role = one.role.head.name.value == other.role.head.name.value;
        if is_same_role || !reported.insert(one.name.span) {
            continue;
        }
        let owner = owner(registry, one.role, one.name.span);
        let message = format!(
            "alias {} of {} is also a name of {} behind {gateway}",
            words::quoted(one.name),
            one.role,
            other.role
        );
        let finding =
            AMBIGUOUS_NAME.at(one.name.span, "not the only role with this name", message).about(owner);
        let finding = if other.name.span == one.name.span {
            finding
        } else {
            finding.also(other.name.span, format!("a name of {}", other.role))
        };
        findings.report(finding.remedy("remove `{}`", Change::RemoveValue { place: one.name.span }));
    }
}
