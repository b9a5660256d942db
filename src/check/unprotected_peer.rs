//! A gateway that lets clients without a key use a peer that requires one.

use crate::derive::{Derived, ServedPeer};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{Gateway, Text};

declare_code! {
    /// ## What it finds
    /// A gateway without a `key-file` that has a peer with one.
    ///
    /// ## Why
    /// The gateway sends the first key of the peer with each request that it forwards. Without its own `key-file`, any client of
    /// the gateway can use the peer without a key.
    ///
    /// ## Example
    /// ```kdl
    /// gateway "front" port=9000 kind="llama-swap" bin="/usr/local/bin/llama-swap" peer="extra"
    /// role "near" tier="A" residency="hot" model="plain" gateway="front" context=4096
    /// role "extra" tier="A" residency="hot" model="plain" port=9001 context=4096 key-file="/etc/keys/extra"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// gateway "front" port=9000 kind="llama-swap" bin="/usr/local/bin/llama-swap" peer="extra" key-file="/etc/keys/extra"
    /// role "near" tier="A" residency="hot" model="plain" gateway="front" context=4096
    /// role "extra" tier="A" residency="hot" model="plain" port=9001 context=4096 key-file="/etc/keys/extra"
    /// ```
    pub(super) static UNPROTECTED_PEER = 608, "unprotected-peer", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for served in &derived.gateways {
        let gateway = derived.registry.gateways.get(served.id);
        if gateway.key_file.is_some() {
            continue;
        }
        let peers = derived.peers(served.id);
        let with_key = peers.iter().find_map(|peer| Some((peer, peer.key_file?)));
        findings.extend(with_key.map(|(peer, file)| finding(gateway, peer, file)));
    }
}

fn finding(gateway: &Gateway, peer: &ServedPeer<'_>, file: &Text) -> Diagnostic {
    let message = format!(
        "{gateway} has no `key-file`, but sends a key of {} to its peer {}",
        words::quoted(file),
        peer.head
    );
    let finding = UNPROTECTED_PEER.at(peer.place, "requires a key", message).about(gateway);
    let change = Change::set(gateway.head.span, Line::of("key-file", &*file.value));
    finding.also(file.span, "the keys of the peer").remedy(format!("write `{{}}` in {gateway}"), change)
}
