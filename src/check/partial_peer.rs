//! A peer of a gateway with several processes, of which the gateway reaches only the first.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, Line};
use crate::hir::{Gateway, Peer, Registry, Role};
use crate::source::Span;

declare_code! {
    /// ## What it finds
    /// A role with several `ports` as the `peer` of a gateway.
    ///
    /// ## Why
    /// A peer of llama-swap has one address. The gateway sends all requests to the first process, and the others get none.
    ///
    /// ## Example
    /// ```kdl
    /// gateway "front" port=9000 kind="llama-swap" bin="/usr/local/bin/llama-swap" peer="extra"
    /// role "near" tier="A" residency="hot" model="plain" gateway="front" context=4096
    /// role "extra" tier="A" residency="hot" model="plain" ports="9001-9002" context=4096
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// gateway "front" port=9000 kind="llama-swap" bin="/usr/local/bin/llama-swap" peer="extra"
    /// role "near" tier="A" residency="hot" model="plain" gateway="front" context=4096
    /// role "extra" tier="A" residency="hot" model="plain" port=9001 context=4096
    /// ```
    pub(super) static PARTIAL_PEER = 609, "partial-peer", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for served in &derived.gateways {
        let gateway = registry.gateways.get(served.id);
        for peer in &gateway.peers {
            if let Peer::Role(id) = peer.value
                && derived.peer(served.id, *peer).is_ok()
            {
                findings.extend(finding(registry, gateway, (registry.roles.get(id), peer.span)));
            }
        }
    }
}

fn finding(registry: &Registry, gateway: &Gateway, (role, place): (&Role, Span)) -> Option<Diagnostic> {
    let process = role.process().filter(|process| process.ports.value.len() > 1)?;
    let (ports, host) = (process.ports, registry.hosts.get(process.host.value));
    let first = ports.value.first;
    let message =
        format!("{gateway} reaches only port {first} of its peer {role}, which has {}", ports.value);
    let finding = PARTIAL_PEER.at(place, "has several processes", message).about(gateway);
    let finding = finding.also(ports.span, "its ports");
    let change = Change::rewrite(ports.span, Line::of("port", u64::from(first)));
    let finding = finding.remedy(format!("write `{{}}` in {role}, for one process"), change);
    Some(finding.help(format!("or put {role} behind a gateway of {host}, and name that gateway in `peer`")))
}
