//! The addresses, ports and names of a role.

use crate::engine::Word;
use crate::hir::kubernetes::{are_only_pods, service_host};
use crate::hir::{Gateway, GatewayKind, PortRange, ProcessSettings, Registry};
use crate::source::Spanned;
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

/// The address of processes that only the same machine reaches.
const LOOPBACK: &str = "127.0.0.1";

/// The distance from a port to its hidden port, unless the role sets `backend`.
pub const HIDDEN_DISTANCE: u32 = 10_000;

/// The addresses, ports and names of a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// The addresses for clients, as declared. 127.0.0.1 if none is declared.
    pub addresses: Arc<[Arc<str>]>,
    /// The ports for clients, one per process.
    pub ports: PortRange,
    /// The first hidden port, on which each process listens at 127.0.0.1. An on-demand role without a gateway has one, because a
    /// systemd socket has the ports for clients. Behind llama-swap it is that of the gateway, which gives each process a port from
    /// there on. `missing-backend-port` reports ports above 65535.
    pub hidden: Option<u32>,
    /// The names at the API: that of the role, those of the roles that share it, and its aliases.
    pub names: Arc<[Arc<str>]>,
}

/// The addresses of a role without `listen`, shared by all such roles.
static LOCAL: LazyLock<Arc<[Arc<str>]>> = LazyLock::new(|| [LOOPBACK.into()].into());

impl Endpoint {
    pub(super) fn new(registry: &Registry, process: &ProcessSettings, names: Arc<[Arc<str>]>) -> Self {
        let hidden = || first_hidden(process.ports.first, process.backend);
        let hidden = match process.gateway.map(|gateway| registry.gateways.get(gateway.value)) {
            Some(gateway) => first_model_port(gateway),
            None => registry.is_on_demand(process).then(hidden),
        };
        Self { hidden, ..Self::of_gateway(process, names) }
    }

    /// The address of a gateway, with the names of all its roles.
    pub(super) fn of_gateway(process: &ProcessSettings, names: Arc<[Arc<str>]>) -> Self {
        let addresses = if process.listen.is_empty() {
            LOCAL.clone()
        } else {
            process.listen.iter().map(|address| address.value.clone()).collect()
        };
        Self { addresses, ports: process.ports.value, hidden: None, names }
    }

    /// The addresses for clients, or the name of the Service of this role or gateway if all processes of the stack are pods.
    pub fn for_clients(&self, registry: &Registry, name: &str) -> Arc<[Arc<str>]> {
        only_service(registry, name).map_or_else(|| self.addresses.clone(), |service| [service].into())
    }

    /// The port of an instance for clients.
    pub fn port(&self, instance: usize) -> u16 {
        nth(self.ports.first.into(), instance)
    }

    /// The hidden port of an instance of an on-demand role.
    pub fn hidden_port(&self, instance: usize) -> Option<u16> {
        self.hidden.map(|first| nth(first, instance))
    }

    /// The port that the process of an instance listens on.
    pub fn server_port(&self, instance: usize) -> u16 {
        self.hidden_port(instance).unwrap_or_else(|| self.port(instance))
    }

    /// The arguments of the process of an instance, from those of the first process.
    pub(super) fn with_port(&self, first: &Arc<[Word]>, instance: usize) -> Arc<[Word]> {
        if instance == 0 {
            return Arc::clone(first);
        }
        first.iter().map(|word| word.with_port(self.server_port(instance))).collect()
    }

    /// The addresses that each process listens on.
    pub fn server_addresses(&self) -> Vec<&str> {
        if self.hidden.is_some() {
            return vec![LOOPBACK];
        }
        self.addresses.iter().map(|address| &**address).collect()
    }
}

/// The first hidden port, from the port for clients or as declared.
fn first_hidden(port: u16, declared: Option<Spanned<u16>>) -> u32 {
    declared.map_or_else(|| u32::from(port) + HIDDEN_DISTANCE, |backend| backend.value.into())
}

/// The first of the ports that a gateway gives to its models, one each. `None` if it selects them itself. Can exceed 65535.
pub fn first_model_port(gateway: &Gateway) -> Option<u32> {
    match gateway.kind {
        GatewayKind::Router => None,
        GatewayKind::LlamaSwap => Some(first_hidden(gateway.port.value, gateway.backend)),
    }
}

/// An address that clients use: a number, or the DNS name of a host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
#[serde(untagged)]
pub enum ClientAddress {
    /// An IP address.
    Ip(IpAddr),
    /// A DNS name.
    Name(Arc<str>),
}

impl ClientAddress {
    /// The address of a host, as declared.
    pub fn of_host(address: &str) -> Self {
        address.parse().map_or_else(|_| Self::Name(address.into()), Self::Ip)
    }

    /// True for an address that only the same machine reaches.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Ip(address) => address.is_loopback(),
            Self::Name(_) => false,
        }
    }
}

impl From<Ipv4Addr> for ClientAddress {
    fn from(address: Ipv4Addr) -> Self {
        Self::Ip(address.into())
    }
}

/// The DNS name of the Service of a role or gateway, if all processes of the stack are pods. Clients then reach it only there: a Service
/// has one port for all its pods.
pub fn only_service(registry: &Registry, name: &str) -> Option<Arc<str>> {
    let stack = &registry.stack;
    let is_only = are_only_pods(stack.targets.iter().map(|target| target.value));
    is_only.then(|| service_host(&stack.head.name, name))?
}

/// True if a server that listens on a wildcard address is reachable at an address of its host: `0.0.0.0` takes IPv4 only, `::`
/// takes both, and a DNS name may have both.
pub fn wildcard_takes(wildcard: IpAddr, host: &str) -> bool {
    wildcard.is_ipv6() || !host.parse().is_ok_and(|address: IpAddr| address.is_ipv6())
}

/// The addresses at which clients reach a server that listens on some addresses. For all addresses, it is the address of the
/// host that the wildcard takes, or else loopback. The name of a Service is itself.
pub fn client_addresses<'a>(
    listen: &'a [Arc<str>],
    host: Option<&'a str>,
) -> impl Iterator<Item = ClientAddress> + 'a {
    let of_host = move |wildcard: IpAddr, other: IpAddr| {
        let host = host.filter(|host| wildcard_takes(wildcard, host));
        host.map_or(ClientAddress::Ip(other), ClientAddress::of_host)
    };
    listen.iter().map(|address| ClientAddress::of_host(address)).map(move |address| match address {
        ClientAddress::Ip(ip @ IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => of_host(ip, Ipv4Addr::LOCALHOST.into()),
        ClientAddress::Ip(ip @ IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => of_host(ip, Ipv6Addr::LOCALHOST.into()),
        ClientAddress::Ip(_) | ClientAddress::Name(_) => address,
    })
}

/// The address for clients of a server that listens on some addresses: the first one that other machines reach, or else the
/// first one.
pub fn client_address(listen: &[Arc<str>], host: Option<&str>) -> ClientAddress {
    let outside = client_addresses(listen, host).find(|address| !address.is_loopback());
    let first = outside.or_else(|| client_addresses(listen, host).next());
    first.unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// The base URL of a server at an address.
pub fn base_url(address: &ClientAddress, port: u16) -> String {
    match address {
        ClientAddress::Ip(address) => format!("http://{}", SocketAddr::new(*address, port)),
        ClientAddress::Name(name) => format!("http://{name}:{port}"),
    }
}

/// The port of an instance, at most 65535.
fn nth(first: u32, instance: usize) -> u16 {
    let port = u32::try_from(instance).map_or(u32::MAX, |instance| first.saturating_add(instance));
    u16::try_from(port).unwrap_or(u16::MAX)
}
