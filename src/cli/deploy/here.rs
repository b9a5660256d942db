//! Decides if this machine is a host of the registry.

use crate::deploy::machine_name;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};

/// The discard service. No packet is sent to it.
const PORT: u16 = 9;

/// True if this machine is a host: the address (a number or a DNS name) belongs to it, or without an address, it has the name.
pub(in crate::cli) fn is_here(name: &str, address: Option<&str>) -> bool {
    match address {
        Some(address) => is_own(address),
        None => has_name(name),
    }
}

/// True if this machine has a name.
pub(super) fn has_name(name: &str) -> bool {
    machine_name().as_deref() == Some(name)
}

/// True if an address belongs to an interface of this machine. A socket can be bound to other addresses too, if the system
/// allows it (`ip_nonlocal_bind`), so this asks for the route: only an own address is also the source of packets to it.
fn is_own(address: &str) -> bool {
    let is_source = |one: SocketAddr| {
        let any: IpAddr = match one.ip() {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let routed = UdpSocket::bind((any, 0)).and_then(|socket| {
            socket.connect((one.ip(), PORT))?;
            socket.local_addr()
        });
        !one.ip().is_unspecified() && routed.is_ok_and(|source| source.ip() == one.ip())
    };
    (address, 0).to_socket_addrs().is_ok_and(|mut all| all.any(is_source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_found() {
        assert!(is_here("another-name", Some("127.0.0.1")));
        assert!(is_here("another-name", Some("localhost")));
        // A network for documentation (RFC 5737) is on no machine.
        assert!(!is_here("another-name", Some("203.0.113.1")));
        assert!(!is_here("another-name", Some("no such name")));
        assert!(!is_here("another-name", Some("0.0.0.0")));
        assert!(!is_here("another-name", Some("255.255.255.255")));
        assert!(!is_here("another-name", Some("224.0.0.1")));
        assert!(!is_here("another-name", None));
        let own = machine_name().unwrap();
        assert!(is_here(&own, None));
        assert!(!is_here(&own, Some("203.0.113.1")), "a declared address decides");
    }
}
