//! The hosts of a registry that are this machine.

use crate::deploy::machine_name;
use std::net::{ToSocketAddrs, UdpSocket};

/// True if this machine is the host: it has the name of the host, or the address of the host is one of this machine. The
/// address is a number or a DNS name.
pub(in crate::cli) fn is_here(name: &str, address: Option<&str>) -> bool {
    machine_name().as_deref() == Some(name) || address.is_some_and(is_own)
}

/// True if an address is that of a network interface of this machine: only such an address can be bound.
fn is_own(address: &str) -> bool {
    let found = (address, 0).to_socket_addrs();
    found.is_ok_and(|mut all| all.any(|one| UdpSocket::bind(one).is_ok()))
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
