//! Peers that a gateway cannot have, or cannot reach.

use crate::derive::{Derived, NoPeer, ServedPeer, Unreachable};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{Gateway, GatewayKind, Head, Peer, Registry, Role};
use crate::source::Spanned;
use std::net::IpAddr;

declare_code! {
    /// ## What it finds
    /// A `peer` of a gateway that cannot be one:
    ///
    /// - the gateway itself, or one of its roles; a role behind another gateway; a role without its own process; or a name twice;
    /// - a server on another host that listens only on 127.0.0.1, or on all addresses of a host without `address`.
    ///
    /// It also finds a gateway that has peers, but no role.
    ///
    /// Two gateways may be peers of each other: a gateway passes on only the names of the roles of its peers, not those of their
    /// peers.
    ///
    /// ## Why
    /// The gateway connects to the address of the peer, and sends it the requests for its names. The unit of a gateway belongs to
    /// the residency of its roles.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" address="192.168.1.11"
    /// gateway "front" port=9000 host="box" kind="llama-swap" bin="/usr/local/bin/llama-swap" peer="extra"
    /// role "near" tier="A" residency="hot" model="plain" gateway="front" host="box" context=4096
    /// role "extra" tier="A" residency="hot" model="plain" port=9001 host="far" context=4096
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GB" address="192.168.1.11"
    /// gateway "front" port=9000 host="box" kind="llama-swap" bin="/usr/local/bin/llama-swap" peer="extra" key-file="/etc/keys/extra"
    /// role "near" tier="A" residency="hot" model="plain" gateway="front" host="box" context=4096
    /// role "extra" tier="A" residency="hot" model="plain" port=9001 host="far" context=4096 listen="192.168.1.11" key-file="/etc/keys/extra"
    /// ```
    pub(super) static UNREACHABLE_PEER = 607, "unreachable-peer", Error;
}

/// An address of a host in helps.
const EXAMPLE_ADDRESS: &str = "192.168.1.11";

/// A key file in helps.
const KEY_FILE: &str = "/etc/orchgen/keys";

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (id, gateway) in registry.gateways.entries() {
        if gateway.kind != GatewayKind::LlamaSwap {
            continue;
        }
        let here = Here { registry, gateway };
        if !gateway.peers.is_empty() && !derived.gateways.iter().any(|served| served.id == id) {
            findings.report(here.without_roles());
        }
        let mut known: Vec<Peer> = Vec::new();
        for peer in &gateway.peers {
            if known.contains(&peer.value) {
                findings.report(here.not_possible(*peer, "a peer already", "is a peer already"));
                continue;
            }
            known.push(peer.value);
            match derived.peer(id, *peer) {
                Err(why) => {
                    findings.report(here.no_peer(*peer, why));
                }
                Ok(served) => match served.address {
                    // `host-address` reports another family.
                    Ok(_) | Err(Unreachable::OtherFamily) => {}
                    Err(why) => {
                        findings.extend(here.unreachable(*peer, &served, why));
                    }
                },
            }
        }
    }
}

/// A gateway with peers.
#[derive(Clone, Copy)]
struct Here<'r> {
    registry: &'r Registry,
    gateway: &'r Gateway,
}

impl<'r> Here<'r> {
    fn head_of(self, peer: Peer) -> &'r Head {
        match peer {
            Peer::Gateway(gateway) => &self.registry.gateways.get(gateway).head,
            Peer::Role(role) => &self.registry.roles.get(role).head,
        }
    }

    fn without_roles(self) -> Diagnostic {
        let gateway = self.gateway;
        let message =
            format!("{gateway} has peers, but no role: its unit belongs to the residency of its roles");
        let finding = UNREACHABLE_PEER.at(gateway.head.name.span, "no role has this gateway", message);
        let name = words::quoted(&gateway.head.name);
        let is_near = |role: &&Role| {
            let process = role.process().filter(|_| role.serving().is_some());
            process
                .is_some_and(|process| process.host.value == gateway.host.value && process.gateway.is_none())
        };
        let help = match self.registry.roles.iter().find(is_near) {
            Some(role) => format!("write the `gateway` {name} in {role} instead of its port"),
            None => format!("write the `gateway` {name} in a role of its host"),
        };
        finding.about(gateway).help(help)
    }

    /// A peer that cannot be one. `what` completes the message.
    fn not_possible(self, peer: Spanned<Peer>, label: &'static str, what: &str) -> Diagnostic {
        let (gateway, head) = (self.gateway, self.head_of(peer.value));
        let message = format!("{gateway} has the `peer` {}, but {head} {what}", words::quoted(&head.name));
        let finding = UNREACHABLE_PEER.at(peer.span, label, message).about(gateway);
        finding.remedy("remove `{}`", Change::RemoveValue { place: peer.span })
    }

    fn no_peer(self, peer: Spanned<Peer>, why: NoPeer) -> Diagnostic {
        let (label, what) = match (why, peer.value) {
            (NoPeer::Own, Peer::Gateway(_)) => ("the gateway itself", "is the gateway itself"),
            (NoPeer::Own, Peer::Role(_)) => ("a role of the gateway", "is behind the gateway already"),
            (NoPeer::Behind(_), _) => ("behind another gateway", "has no port: it is behind another gateway"),
            (NoPeer::Shares(_), _) => {
                ("shares a process", "has no port: it shares the process of another role")
            }
            (NoPeer::NotServed, Peer::Gateway(_)) => ("a gateway without roles", "has no roles"),
            (NoPeer::NotServed, Peer::Role(_)) => ("not served", "is not served"),
        };
        let finding = self.not_possible(peer, label, what);
        let other = match why {
            NoPeer::Behind(gateway) => self.head_of(Peer::Gateway(gateway)),
            NoPeer::Shares(role) => self.head_of(Peer::Role(role)),
            NoPeer::Own | NoPeer::NotServed => return finding,
        };
        let replacement = other.name.value.to_string();
        finding.remedy("or write `{}`", Change::Word { span: peer.span, replacement })
    }

    /// A peer on another host that has no address for the gateway. `None` if its host has an `address` that could not be read.
    fn unreachable(
        self,
        peer: Spanned<Peer>,
        served: &ServedPeer<'_>,
        why: Unreachable,
    ) -> Option<Diagnostic> {
        let (gateway, head, host) = (self.gateway, served.head, self.registry.hosts.get(served.host));
        let own = &self.registry.hosts.get(gateway.host.value).head;
        let (label, reason) = match why {
            Unreachable::Loopback => ("listens only on loopback", "it listens only on loopback"),
            Unreachable::NoAddress => ("its host has no address", "its host has no `address`"),
            Unreachable::OtherFamily => return None,
        };
        let message = format!("{gateway} on {own} cannot reach its peer {head} on {host}: {reason}");
        let finding = UNREACHABLE_PEER.at(peer.span, label, message).about(gateway);
        let set = |item: &Head, line: Line| Change::set(item.span, line);
        Some(match why {
            Unreachable::NoAddress => {
                let change = set(&host.head, Line::of("address", EXAMPLE_ADDRESS));
                let finding = finding.also(host.head.name.span, "the host");
                finding.remedy(format!("write `{{}}` in {host}, with its address for other machines"), change)
            }
            Unreachable::Loopback | Unreachable::OtherFamily => {
                let number = host.address.as_ref().filter(|own| own.parse::<IpAddr>().is_ok());
                let listen = set(head, Line::of("listen", number.map_or("0.0.0.0", |own| &*own.value)));
                let key = || set(head, Line::of("key-file", KEY_FILE));
                let change =
                    if served.key_file.is_some() { listen } else { Change::All(vec![listen, key()]) };
                let finding = finding.also(head.name.span, "the peer");
                finding.remedy(format!("write `{{}}` in {head}"), change)
            }
        })
    }
}
