//! The peers of gateways: servers to which a gateway forwards the requests for their names.

use super::endpoint::{ClientAddress, Endpoint, base_url, client_addresses, wildcard_takes};
use super::gateway::ServedGateway;
use super::process::ServedProcess;
use crate::hir::{Gateway, Head, Host, Id, Peer, ProcessSettings, Registry, Role, RoleKind, Text};
use crate::source::{Span, Spanned};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A peer of a gateway that can be one.
#[derive(Clone, Debug)]
pub struct ServedPeer<'d> {
    /// Its item: a gateway or a role.
    pub head: &'d Head,
    /// The place of its name in the gateway.
    pub place: Span,
    /// Its host.
    pub host: Id<Host>,
    /// Its roles, in the order of declaration.
    pub roles: Vec<Id<Role>>,
    /// The names at its API.
    pub names: Vec<Arc<str>>,
    /// Its address for the gateway, or the reason why the gateway cannot reach it.
    pub address: Result<PeerAddress, Unreachable>,
    /// The file with its keys.
    pub key_file: Option<&'d Text>,
}

/// The address of a peer for a gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerAddress {
    /// The base URL.
    pub url: String,
    /// The machine: an IP address, or a DNS name.
    pub machine: String,
}

/// The reason why a gateway cannot reach a peer on another host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreachable {
    /// It listens only on loopback.
    Loopback,
    /// It listens on all addresses, and its host has no `address`.
    NoAddress,
    /// It listens on all IPv4 addresses, and its host has an IPv6 address. `host-address` reports this.
    OtherFamily,
}

/// The reason why an item cannot be a peer of a gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoPeer {
    /// It is the gateway, or a role behind it.
    Own,
    /// It is a role behind another gateway.
    Behind(Id<Gateway>),
    /// It is a role that shares the process of another one.
    Shares(Id<Role>),
    /// It has no server: a role that is only listed, or a gateway without roles.
    NotServed,
}

/// The items from which the peers of gateways are computed.
pub(super) struct PeerSource<'d> {
    pub(super) registry: &'d Registry,
    pub(super) gateways: &'d [ServedGateway],
    pub(super) processes: Vec<ServedProcess<'d>>,
}

impl<'d> PeerSource<'d> {
    /// The peers of a gateway, in the order of declaration, each once. Those that cannot be peers are left out.
    pub(super) fn all(&self, gateway: Id<Gateway>) -> Vec<ServedPeer<'d>> {
        let mut known: Vec<Peer> = Vec::new();
        let mut all = Vec::new();
        for peer in &self.registry.gateways.get(gateway).peers {
            if !known.contains(&peer.value) {
                known.push(peer.value);
                all.extend(self.one(gateway, *peer).ok());
            }
        }
        all
    }

    /// A peer of a gateway, or the reason why it is not possible.
    pub(super) fn one(&self, gateway: Id<Gateway>, peer: Spanned<Peer>) -> Result<ServedPeer<'d>, NoPeer> {
        match peer.value {
            Peer::Gateway(id) if id == gateway => Err(NoPeer::Own),
            Peer::Gateway(id) => self.gateway(gateway, (id, peer.span)),
            Peer::Role(id) => self.role(gateway, (id, peer.span)),
        }
    }

    fn gateway(&self, from: Id<Gateway>, (id, place): (Id<Gateway>, Span)) -> Result<ServedPeer<'d>, NoPeer> {
        let served = self.gateways.iter().find(|served| served.id == id).ok_or(NoPeer::NotServed)?;
        let declared = self.registry.gateways.get(id);
        Ok(ServedPeer {
            head: &declared.head,
            place,
            host: declared.host.value,
            roles: served.roles.clone(),
            names: served.endpoint.names.to_vec(),
            address: self.address((&served.settings, &served.endpoint), from),
            key_file: declared.key_file.as_ref(),
        })
    }

    fn role(&self, from: Id<Gateway>, (id, place): (Id<Role>, Span)) -> Result<ServedPeer<'d>, NoPeer> {
        let role = self.registry.roles.get(id);
        if let RoleKind::Shares(shared) = &role.kind {
            return Err(NoPeer::Shares(shared.value));
        }
        let process = self.processes.iter().find(|process| process.id == id).ok_or(NoPeer::NotServed)?;
        match process.settings.gateway.map(|behind| behind.value) {
            Some(behind) if behind == from => return Err(NoPeer::Own),
            Some(behind) => return Err(NoPeer::Behind(behind)),
            None => {}
        }
        let names = process.endpoint.names.to_vec();
        Ok(ServedPeer {
            head: &role.head,
            place,
            host: process.settings.host.value,
            roles: vec![id],
            // Another program has no names that orchgen knows.
            names: if names.is_empty() { vec![role.head.name.value.clone()] } else { names },
            address: self.address((process.settings, process.endpoint), from),
            key_file: role.serving().and_then(|serving| serving.key_file.as_deref()),
        })
    }

    /// The address at which a gateway reaches the first process of a server.
    fn address(
        &self,
        (settings, endpoint): (&ProcessSettings, &Endpoint),
        gateway: Id<Gateway>,
    ) -> Result<PeerAddress, Unreachable> {
        let hosts = &self.registry.hosts;
        let from = self.registry.gateways.get(gateway).host.value;
        let host = (settings.host.value != from).then(|| hosts.get(settings.host.value));
        address(&endpoint.addresses, endpoint.port(0), host)
    }
}

/// The address of a server that listens on these addresses, on another host or, with `None`, on the same one.
fn address(listen: &[Arc<str>], port: u16, host: Option<&Host>) -> Result<PeerAddress, Unreachable> {
    let url = |machine: ClientAddress| PeerAddress {
        url: base_url(&machine, port),
        machine: match &machine {
            ClientAddress::Ip(address) => address.to_string(),
            ClientAddress::Name(name) => name.to_string(),
        },
    };
    let parsed = |address: &Arc<str>| address.parse::<IpAddr>().ok();
    let Some(host) = host else {
        // The first address of this machine, or else the first one.
        let first = client_addresses(listen, None).find(ClientAddress::is_loopback);
        let first = first.or_else(|| client_addresses(listen, None).next());
        return Ok(url(first.unwrap_or(Ipv4Addr::LOCALHOST.into())));
    };
    let is_outside = |address: &&Arc<str>| !parsed(address).is_some_and(|one| one.is_loopback());
    let outside: Vec<Arc<str>> = listen.iter().filter(is_outside).cloned().collect();
    if outside.is_empty() {
        return Err(Unreachable::Loopback);
    }
    let is_named = |address: &&Arc<str>| !parsed(address).is_some_and(|one| one.is_unspecified());
    let named: Vec<Arc<str>> = outside.iter().filter(is_named).cloned().collect();
    let own = host.address.as_ref().map(|own| &*own.value);
    let is_other_family = |address: &Arc<str>| {
        parsed(address)
            .is_some_and(|one| one.is_unspecified() && own.is_some_and(|own| !wildcard_takes(one, own)))
    };
    let (usable, why) = match own {
        None => (named, Unreachable::NoAddress),
        Some(_) if outside.iter().all(is_other_family) => return Err(Unreachable::OtherFamily),
        Some(_) => (outside, Unreachable::NoAddress),
    };
    let reachable: Vec<Arc<str>> = usable.into_iter().filter(|address| !is_other_family(address)).collect();
    client_addresses(&reachable, own).next().map(url).ok_or(why)
}
