//! Decides if this machine is a host of the registry.

use crate::deploy::machine_name;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};

/// True if this machine is a host: it has the name, or the address (a number or a DNS name) belongs to it.
pub(in crate::cli) fn is_here(name: &str, address: Option<&str>) -> bool {
    machine_name().as_deref() == Some(name) || address.is_some_and(is_own)
}

/// True if an address belongs to an interface of this machine: a socket can be bound to it.
fn is_own(address: &str) -> bool {
    let is_bound =
        |one: SocketAddr| !one.ip().is_unspecified() && UdpSocket::bind(SocketAddr::new(one.ip(), 0)).is_ok();
    (address, 0).to_socket_addrs().is_ok_and(|mut all| all.any(is_bound))
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
        assert!(!is_here("another-name", None));
        assert!(is_here(&machine_name().unwrap(), None));
    }
}
