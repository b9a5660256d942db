//! Two processes that listen on the same address and port.

use super::shared::claims::Claims;
use super::shared::free_ports::FreePorts;
use super::shared::gateway_remedy::gateway_change;
use crate::derive::{Derived, ServedProcess, first_model_port};
use crate::diag::{Change, Diagnostic, Diagnostics, Line};
use crate::hir::{Head, Host, Id};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

declare_code! {
    /// ## What it finds
    /// Two processes of one host that listen on the same port of the same address: roles, the hidden backends of
    /// on-demand roles, gateways, the models of llama-swap, and services. The same port at two different addresses is allowed.
    ///
    /// `0.0.0.0` includes every IPv4 address, and `::` every IPv6 address. If `::` is the only address of a role that
    /// starts at boot, it also includes every IPv4 address (seen with llama-server b11669). The socket of an on-demand
    /// role has `BindIPv6Only=ipv6-only`.
    ///
    /// ## Why
    /// The second process exits with "address in use", and its unit fails.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   one: {tier: A, residency: hot, model: plain, port: 9000, context: 4096}
    ///   two: {tier: A, residency: hot, model: plain, port: 9000, context: 4096}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   one: {tier: A, residency: hot, model: plain, port: 9000, context: 4096}
    ///   two: {tier: A, residency: hot, model: plain, port: 9001, context: 4096}
    /// ```
    pub(super) static PORT_CONFLICT = 302, "port-conflict", Error;
}

/// A process that listens on a range of ports of one address.
#[derive(Clone, Copy)]
struct Listener<'r> {
    owner: &'r Head,
    address: IpAddr,
    /// True for `::` if it includes the IPv4 addresses.
    has_both: bool,
    ports: (u32, u32),
    place: Span,
    kind: ListenerKind,
    /// The role that listens at its own port.
    role: Option<ServedProcess<'r>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ListenerKind {
    Port,
    Backend,
}

/// The listeners of a host, by address.
#[derive(Default)]
struct HostListeners<'r> {
    listeners: Vec<Listener<'r>>,
    /// By specific address.
    at: BTreeMap<IpAddr, Claims>,
    /// Of IPv4, then of IPv6.
    versions: [VersionClaims; 2],
}

/// The listeners at addresses of one version of IP.
#[derive(Default)]
struct VersionClaims {
    /// At the address that includes all others.
    at_all: Claims,
    /// At any address.
    any: Claims,
}

/// The first port that a help offers. Lower ports need a privilege.
const FIRST_OFFERED: u32 = 1024;

/// `::`
const ALL_IPV6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// Maximum number of labeled listeners. Ranges of ports can conflict with thousands.
const MAX_LABELS: usize = 6;

/// The number of findings with the help of a gateway. A limit keeps the work for any text linear.
const MAX_GATEWAYS: usize = 16;

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let mut hosts: BTreeMap<Id<Host>, HostListeners> = BTreeMap::new();
    let mut free: Option<FreePorts> = None;
    let mut pairs: BTreeSet<(Span, Span)> = BTreeSet::new();
    let mut offered = 0;
    for (host, group) in groups(derived) {
        let listeners = hosts.entry(host).or_default();
        // Ranges can conflict at many ports, and a role can listen at many addresses. Report once, at the later place.
        let mut conflicts: BTreeMap<(u32, usize), Listener> = BTreeMap::new();
        for listener in group {
            conflicts.extend(listeners.conflicts(&listener).map(|conflict| (conflict, listener)));
            listeners.claim(listener);
        }
        if let Some((&(port, first), later)) = conflicts.first_key_value() {
            let mut shown: Vec<usize> = conflicts.keys().map(|(_, n)| *n).filter(|n| *n != first).collect();
            shown.sort_unstable();
            let Some(earlier) = listeners.listeners.get(first) else { continue };
            // Two roles with the same port also have the same backend port. One finding is enough.
            let pair = (earlier.owner.name.span, later.owner.name.span);
            if !pairs.insert(pair) && later.kind == ListenerKind::Backend {
                continue;
            }
            let finding = listeners.finding(later, (earlier, &shown), port, derived.registry.hosts.get(host));
            let free = free.get_or_insert_with(|| FreePorts::of(derived));
            let finding = with_free_port(finding, earlier, later, |ports| {
                free.take(host, ports.0.max(FIRST_OFFERED), ports.1 - ports.0 + 1)
            });
            let both = (offered < MAX_GATEWAYS).then(|| behind_gateway(derived, earlier, later)).flatten();
            offered += usize::from(both.is_some());
            findings.report(both.into_iter().fold(finding, |finding, change| {
                finding.remedy("or serve both at one address, by their names: write `{}`", change)
            }));
        }
    }
}

/// Every process that listens, with all its addresses and ports.
fn groups(derived: &Derived) -> impl Iterator<Item = (Id<Host>, Vec<Listener<'_>>)> {
    let registry = &derived.registry;
    let services = registry.services.iter().filter_map(|service| {
        let (owner, port) = (&service.head, service.port?);
        let (ports, place) = ((u32::from(port.value), u32::from(port.value)), port.span);
        let listen = addresses(service.listen.iter().map(|address| &address.value));
        let has_both = matches!(*listen, [address] if address == ALL_IPV6);
        let at = |address| Listener {
            owner,
            address,
            has_both,
            ports,
            place,
            kind: ListenerKind::Port,
            role: None,
        };
        Some((service.host.value, listen.into_iter().map(at).collect()))
    });
    let gateways = registry.gateways.iter().map(|gateway| {
        let (owner, port) = (&gateway.head, u32::from(gateway.port.value));
        let listen = addresses(gateway.listen.iter().map(|address| &address.value));
        let has_both = matches!(*listen, [address] if address == ALL_IPV6);
        let (ports, place, kind) = ((port, port), gateway.port.span, ListenerKind::Port);
        let at = |address| Listener { owner, address, has_both, ports, place, kind, role: None };
        (gateway.host.value, listen.into_iter().map(at).collect())
    });
    let own = || derived.processes().filter(|served| served.settings.gateway.is_none());
    let roles = || own().map(|served| (&registry.roles.get(served.id).head, served));
    let servers = roles().map(|(owner, served)| {
        let ServedProcess { settings, endpoint, .. } = served;
        let role = Some(served);
        let ports = (u32::from(endpoint.ports.first), u32::from(endpoint.ports.last));
        let (place, listen) = (settings.ports.span, addresses(&*endpoint.addresses));
        let has_both = endpoint.hidden.is_none() && matches!(*listen, [address] if address == ALL_IPV6);
        let at =
            |address| Listener { owner, address, has_both, ports, place, kind: ListenerKind::Port, role };
        (settings.host.value, listen.into_iter().map(at).collect())
    });
    let backends = roles().filter_map(|(owner, ServedProcess { settings, endpoint, .. })| {
        // `missing-backend-port` reports ports above 65535.
        let first = endpoint.hidden.filter(|first| u16::try_from(*first).is_ok())?;
        let place = settings.backend.map_or(settings.ports.span, |backend| backend.span);
        let instances = u32::from(endpoint.ports.last - endpoint.ports.first);
        let ports = (first, (first + instances).min(u32::from(u16::MAX)));
        let address = IpAddr::from([127, 0, 0, 1]);
        let kind = ListenerKind::Backend;
        let listener = Listener { owner, address, has_both: false, ports, place, kind, role: None };
        Some((settings.host.value, vec![listener]))
    });
    // Last, because a hidden port is easier to change than a declared one. The later listener gets the finding.
    services.chain(gateways).chain(servers).chain(backends).chain(models_of_gateways(derived))
}

/// The models of gateways that give them ports.
fn models_of_gateways(derived: &Derived) -> impl Iterator<Item = (Id<Host>, Vec<Listener<'_>>)> {
    derived.gateways.iter().filter_map(|served| {
        let gateway = derived.registry.gateways.get(served.id);
        let first = first_model_port(gateway).filter(|first| u16::try_from(*first).is_ok())?;
        let count = u32::try_from(served.roles.len()).unwrap_or(u32::MAX);
        let ports = (first, first.saturating_add(count.saturating_sub(1)).min(u32::from(u16::MAX)));
        let (owner, place) = (&gateway.head, gateway.backend.unwrap_or(gateway.port).span);
        let (address, kind) = (IpAddr::from([127, 0, 0, 1]), ListenerKind::Backend);
        let listener = Listener { owner, address, has_both: false, ports, place, kind, role: None };
        Some((gateway.host.value, vec![listener]))
    })
}

impl Listener<'_> {
    /// True at 0 if it listens on IPv4 addresses, and at 1 if on IPv6 addresses.
    fn versions(&self) -> [bool; 2] {
        [self.address.is_ipv4() || self.has_both, self.address.is_ipv6()]
    }
}

impl<'r> HostListeners<'r> {
    /// The listeners that conflict with another one, each with the first common port. Limited to the number of labels.
    fn conflicts(&self, listener: &Listener) -> impl Iterator<Item = (u32, usize)> + '_ {
        let is_all = listener.address.is_unspecified();
        let known = listener.versions().into_iter().zip(&self.versions).filter(|(listens, _)| *listens);
        let of_version = known.map(move |(_, claims)| if is_all { &claims.any } else { &claims.at_all });
        let same = (!is_all).then(|| self.at.get(&listener.address)).flatten();
        let ports = listener.ports;
        let claims = same.into_iter().chain(of_version);
        claims.flat_map(move |claims| claims.overlapping(ports).take(MAX_LABELS + 1))
    }

    fn claim(&mut self, listener: Listener<'r>) {
        let n = self.listeners.len();
        let is_all = listener.address.is_unspecified();
        for (listens, claims) in listener.versions().into_iter().zip(&mut self.versions) {
            if listens {
                claims.any.claim(listener.ports, n);
            }
            if listens && is_all {
                claims.at_all.claim(listener.ports, n);
            }
        }
        if !is_all {
            self.at.entry(listener.address).or_default().claim(listener.ports, n);
        }
        self.listeners.push(listener);
    }

    fn finding(
        &self,
        later: &Listener,
        (first, others): (&Listener, &[usize]),
        port: u32,
        host: &Host,
    ) -> Diagnostic {
        let mut finding = finding(first, later, port, host);
        let mut shown = vec![(first.place, first.kind)];
        for other in others.iter().filter_map(|n| self.listeners.get(*n)) {
            if shown.len() < MAX_LABELS && !shown.contains(&(other.place, other.kind)) {
                shown.push((other.place, other.kind));
                finding = finding.also(other.place, format!("{} listens here", describe(other)));
            }
        }
        finding
    }
}

fn addresses<'a>(listen: impl IntoIterator<Item = &'a Arc<str>>) -> Vec<IpAddr> {
    let declared = listen.into_iter().filter_map(|address| address.parse().ok());
    let declared: Vec<IpAddr> = declared.map(|address: IpAddr| address.to_canonical()).collect();
    if declared.is_empty() { vec![IpAddr::from([127, 0, 0, 1])] } else { declared }
}

fn finding(first: &Listener, second: &Listener, port: u32, host: &Host) -> Diagnostic {
    let is_same_owner = std::ptr::eq(first.owner, second.owner);
    let who = if is_same_owner && first.kind == second.kind {
        format!("{} listens twice", describe(first))
    } else {
        format!("{} and {} both listen", describe(second), describe(first))
    };
    let label = match second.kind {
        ListenerKind::Port => format!("port {port} is in use"),
        ListenerKind::Backend => format!("its hidden port {port} is in use"),
    };
    let mut finding = PORT_CONFLICT
        .at(second.place, label, format!("{who} on port {port} of {host}"))
        .about(second.owner)
        .with_number(&port)
        .also(first.place, format!("{} listens here", describe(first)));
    if first.address != second.address {
        let (one, other) = (first.address, second.address);
        let why = if one.is_ipv4() == other.is_ipv4() {
            "one of them includes every address"
        } else {
            "`::` alone also includes every IPv4 address"
        };
        finding = finding.note(format!("`{one}` and `{other}` overlap: {why}"));
    }
    finding
}

/// Adds a help with a free port for one of the two listeners: for a backend if there is one, else for the later one.
fn with_free_port(
    finding: Diagnostic,
    first: &Listener,
    second: &Listener,
    free: impl FnOnce((u32, u32)) -> Option<u64>,
) -> Diagnostic {
    if std::ptr::eq(first.owner, second.owner) && first.kind == second.kind {
        return finding.help("remove one of its addresses");
    }
    let changed = if first.kind == ListenerKind::Backend { first } else { second };
    let several = changed.ports.1 - changed.ports.0;
    let Some(port) = free(changed.ports) else { return finding.help("give one of them another port") };
    let line = match changed.kind {
        ListenerKind::Backend => Line::of("backend", port),
        ListenerKind::Port if several > 0 => {
            Line::of("ports", format!("{port}-{}", port + u64::from(several)))
        }
        ListenerKind::Port => Line::of("port", port),
    };
    let title = format!("write `{{}}` in {}", changed.owner);
    finding.remedy(title, Change::set(changed.owner.span, line))
}

/// The change that puts two roles with the same port behind a gateway.
fn behind_gateway(derived: &Derived, first: &Listener, second: &Listener) -> Option<Change> {
    let (one, other) = (first.role?, second.role?);
    if one.id == other.id || one.is_program || other.is_program {
        return None;
    }
    gateway_change(derived, &[&one, &other])
}

fn describe(listener: &Listener) -> String {
    match listener.kind {
        ListenerKind::Port => listener.owner.to_string(),
        ListenerKind::Backend if listener.owner.kind == "gateway" => format!("a model of {}", listener.owner),
        ListenerKind::Backend => format!("the backend of {}", listener.owner),
    }
}
