//! An address of a host that other machines cannot use.

use super::owner;
use crate::derive::{ClientAddress, Derived, wildcard_takes};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{Head, Host, Id, Registry, Text};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

declare_code! {
    /// ## What it finds
    /// An `address` of a host that other machines cannot use:
    ///
    /// - two hosts have the same one;
    /// - it is a loopback address, and there are several hosts;
    /// - it is an IPv6 address, but a role or a gateway of the host listens on `0.0.0.0`, which takes only IPv4.
    ///
    /// ## Why
    /// Documents, peers and Prometheus connect to this address, and `apply --host` changes the machine that has it. Several hosts
    /// are several machines: 127.0.0.1 is another machine on each of them.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" address="192.168.1.11"
    /// host "near" memory="64 GB" address="192.168.1.11"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 host="far" context=4096
    /// service "db" host="near"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GB" address="192.168.1.11"
    /// host "near" memory="64 GB" address="192.168.1.12"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 host="far" context=4096
    /// service "db" host="near"
    /// ```
    pub(super) static HOST_ADDRESS = 508, "host-address", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut known: BTreeMap<&str, &Host> = BTreeMap::new();
    for host in registry.hosts.iter() {
        let Some(address) = &host.address else { continue };
        if registry.hosts.len() > 1 && is_local(address) {
            findings.report(loopback(host, address));
        } else if let Some(other) = known.get(&*address.value) {
            findings.report(repeated(host, address, other));
        } else {
            known.insert(&address.value, host);
        }
    }
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for served in &derived.roles {
        let serving = &served.serving;
        if serving.gateway.is_none()
            && let Some((listen, host)) = other_family(registry, &serving.listen, serving.host.value)
        {
            let role = registry.roles.get(served.id);
            // A default applies to many roles, but is reported once.
            if reported.insert(listen.span) {
                findings.report(family(&role.head, listen, host).about(owner(registry, role, listen.span)));
            }
        }
    }
    for gateway in registry.gateways.iter() {
        if let Some((listen, host)) = other_family(registry, &gateway.listen, gateway.host.value) {
            findings.report(family(&gateway.head, listen, host).about(gateway));
        }
    }
}

fn is_local(address: &str) -> bool {
    let name = address.trim_end_matches('.');
    ClientAddress::of_host(address).is_loopback() || name == "localhost" || name.ends_with(".localhost")
}

/// The help to write the address for other machines.
const INSTEAD: &str = "write the address for other machines, such as `192.168.1.11`";

fn loopback(host: &Host, address: &Text) -> Diagnostic {
    let name = words::quoted(address);
    let message = format!("{host} has the `address` {name}, which is another machine on each host");
    let finding = HOST_ADDRESS.at(address.span, "not for other machines", message).about(host).help(INSTEAD);
    finding.remedy("or remove `{}`", Change::remove(address.span))
}

fn repeated(host: &Host, address: &Text, other: &Host) -> Diagnostic {
    let message = format!("{host} has the `address` {} of {other}", words::quoted(address));
    let finding = HOST_ADDRESS.at(address.span, "used twice", message).about(host);
    let place = other.address.as_ref().map_or(other.head.name.span, |address| address.span);
    let finding = finding.also(place, format!("the address of {other}")).help(INSTEAD);
    finding.remedy("or remove `{}`", Change::remove(address.span))
}

/// The address on which a server listens without being reachable at the IPv6 address of its host.
fn other_family<'r>(
    registry: &'r Registry,
    listen: &'r [Text],
    id: Id<Host>,
) -> Option<(&'r Text, &'r Host)> {
    let host = registry.hosts.get(id);
    // A loopback address is reported alone.
    let own = host.address.as_ref().filter(|own| registry.hosts.len() == 1 || !is_local(own))?;
    let parsed = |address: &Text| address.parse::<IpAddr>().ok();
    let is_reachable = |address: &Text| {
        parsed(address).is_some_and(|one| {
            if one.is_unspecified() { wildcard_takes(one, own) } else { !one.is_loopback() }
        })
    };
    let wildcard = listen.iter().find(|address| parsed(address).is_some_and(|one| one.is_unspecified()))?;
    (!listen.iter().any(is_reachable)).then_some((wildcard, host))
}

fn family(head: &Head, listen: &Text, host: &Host) -> Diagnostic {
    let address = host.address.as_ref().map(|address| words::quoted(address)).unwrap_or_default();
    let message = format!(
        "{head} listens on {}, but the `address` of {host} is {address}, an IPv6 address",
        words::quoted(listen)
    );
    let change = Change::rewrite(listen.span, Line::of("listen", "::"));
    let finding = HOST_ADDRESS.at(listen.span, "takes only IPv4", message);
    finding.remedy("write `{}`, which takes IPv4 and IPv6", change)
}
