//! Decides if this machine is a host of the registry.

use super::programs::run;
use crate::deploy::{binds_foreign_addresses, machine_name};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::Duration;

/// The time limit to look up a name.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(20);

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

/// True if an address belongs to an interface of this machine: a socket can be bound to it. If the system allows sockets at
/// foreign addresses, only the source of packets to the address counts.
fn is_own(address: &str) -> bool {
    let is_bound = |ip: IpAddr| {
        let is_unicast = !ip.is_unspecified() && !ip.is_multicast() && ip != Ipv4Addr::BROADCAST;
        let binds = || UdpSocket::bind((ip, 0)).is_ok();
        is_unicast
            && (ip.is_loopback()
                || is_source(ip).unwrap_or_default()
                || !binds_foreign_addresses() && binds())
    };
    addresses(address).into_iter().any(is_bound)
}

/// The IP addresses of an address. A program of the system looks up names, because a static program cannot load the modules of
/// the name service.
fn addresses(address: &str) -> Vec<IpAddr> {
    if let Ok(ip) = address.parse() {
        return vec![ip];
    }
    let ran = run("getent", &["ahosts", "--", address], LOOK_UP_LIMIT);
    let text = ran.map(|ran| String::from_utf8_lossy(&ran.out).into_owned()).unwrap_or_default();
    text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

/// True if packets from this machine to an address have it as their source. No packet is sent.
fn is_source(ip: IpAddr) -> std::io::Result<bool> {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect((ip, 9))?;
    Ok(socket.local_addr()?.ip() == ip)
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
