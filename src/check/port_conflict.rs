//! Two listeners on one port of one address.

use super::Check;
use super::claims::Claims;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{Host, Id, Registry, Text};
use crate::source::Span;
use std::collections::BTreeMap;
use std::net::IpAddr;

declare_code! {
    /// ## What it finds
    /// Two processes of one host that listen on the same port of the same address: roles, the hidden backends of on-demand
    /// roles, and services. `0.0.0.0` and `::` meet every address; the same port at two other addresses is no finding.
    ///
    /// ## Why
    /// The second one exits with "address in use", and a unit that restarts it never stops trying.
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
    static PORT_CONFLICT = 302, "port-conflict", Error;
}

pub(super) static CHECK: Check = Check { code: &PORT_CONFLICT, run };

/// Something that listens on a range of ports of one address.
#[derive(Clone, Copy)]
struct Listener<'r> {
    owner: Owner<'r>,
    address: IpAddr,
    ports: (u32, u32),
    place: Span,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Owner<'r> {
    kind: &'static str,
    name: &'r str,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Port,
    Backend,
}

/// Who listens on a host, by the addresses that meet.
#[derive(Default)]
struct Taken<'r> {
    listeners: Vec<Listener<'r>>,
    /// By each address that stands for itself alone.
    at: BTreeMap<IpAddr, Claims>,
    /// At addresses that stand for all.
    at_all: Claims,
    /// At any address.
    any: Claims,
}

/// How many of those who are met at the later place are shown; ranges may meet thousands.
const PLACES: usize = 6;

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let mut hosts: BTreeMap<Id<Host>, Taken> = BTreeMap::new();
    each_group(registry, |host, group| {
        let taken = hosts.entry(host).or_default();
        // Ranges meet at many ports, and a role may listen at many addresses: each place is said once, the later one.
        let mut met: BTreeMap<(u32, usize), Listener> = BTreeMap::new();
        for listener in group {
            met.extend(taken.meeting(&listener).map(|met| (met, listener)));
            taken.claim(listener);
        }
        if let Some((&(port, first), later)) = met.first_key_value() {
            let mut shown: Vec<usize> = met.keys().map(|(_, n)| *n).filter(|n| *n != first).collect();
            shown.sort_unstable();
            let name = &registry.hosts.get(host).head.name;
            if let Some(finding) = taken.finding(later, (first, &shown), port, name) {
                findings.report(finding);
            }
        }
    });
}

/// Each thing that listens, at all its addresses and ports.
fn each_group<'r>(registry: &'r Registry, mut each: impl FnMut(Id<Host>, Vec<Listener<'r>>)) {
    for service in registry.services.iter() {
        let Some(port) = service.port else { continue };
        let owner = Owner { kind: "service", name: &service.head.name };
        let (ports, place) = ((u32::from(port.value), u32::from(port.value)), port.span);
        let at = |address| Listener { owner, address, ports, place, what: What::Port };
        each(service.host.value, addresses(&service.listen).into_iter().map(at).collect());
    }
    for (role, serving) in registry.served() {
        let owner = Owner { kind: "role", name: &role.head.name };
        let ports = (u32::from(serving.ports.first), u32::from(serving.ports.last));
        let at = |address| Listener { owner, address, ports, place: serving.ports.span, what: What::Port };
        each(serving.host.value, addresses(&serving.listen).into_iter().map(at).collect());
    }
    // After all that was written, since a hidden port is easier to move.
    for (role, serving) in registry.served().filter(|(_, serving)| registry.is_on_demand(serving)) {
        let owner = Owner { kind: "role", name: &role.head.name };
        let place = serving.backend.map_or(serving.ports.span, |backend| backend.span);
        // Beyond the last port there is none, which `missing-backend-port` says.
        let Some(first) = serving.backend_port(0).map(u32::from) else { continue };
        let instances = u32::from(serving.ports.last - serving.ports.first);
        let ports = (first, (first + instances).min(u32::from(u16::MAX)));
        let address = IpAddr::from([127, 0, 0, 1]);
        each(serving.host.value, vec![Listener { owner, address, ports, place, what: What::Backend }]);
    }
}

impl<'r> Taken<'r> {
    /// Whom a listener meets, each with the first port of both; no more than are shown.
    fn meeting(&self, listener: &Listener) -> impl Iterator<Item = (u32, usize)> + '_ {
        let (some, all) = if listener.address.is_unspecified() {
            (Some(&self.any), None)
        } else {
            (self.at.get(&listener.address), Some(&self.at_all))
        };
        let ports = listener.ports;
        let met = [some, all].into_iter().flatten();
        met.flat_map(move |claims| claims.meeting(ports).take(PLACES + 1))
    }

    fn claim(&mut self, listener: Listener<'r>) {
        let n = self.listeners.len();
        self.any.claim(listener.ports, n);
        if listener.address.is_unspecified() {
            self.at_all.claim(listener.ports, n);
        } else {
            self.at.entry(listener.address).or_default().claim(listener.ports, n);
        }
        self.listeners.push(listener);
    }

    fn finding(
        &self,
        later: &Listener,
        (first, others): (usize, &[usize]),
        port: u32,
        host: &str,
    ) -> Option<Diagnostic> {
        let first = self.listeners.get(first)?;
        let mut finding = finding(first, later, port, host);
        let mut shown = vec![(first.place, first.what)];
        for other in others.iter().filter_map(|n| self.listeners.get(*n)) {
            if shown.len() < PLACES && !shown.contains(&(other.place, other.what)) {
                shown.push((other.place, other.what));
                finding = finding.also(other.place, format!("{} listens here", spoken(other)));
            }
        }
        Some(finding)
    }
}

fn addresses(listen: &[Text]) -> Vec<IpAddr> {
    let said: Vec<IpAddr> = listen.iter().filter_map(|address| address.parse().ok()).collect();
    if said.is_empty() { vec![IpAddr::from([127, 0, 0, 1])] } else { said }
}

fn finding(first: &Listener, second: &Listener, port: u32, host: &str) -> Diagnostic {
    let who = if (first.owner, first.what) == (second.owner, second.what) {
        format!("{} listens twice", spoken(first))
    } else {
        format!("{} and {} both listen", spoken(second), spoken(first))
    };
    let message = format!("{who} on port {port} of host {}", words::quoted(host));
    let label = match second.what {
        What::Port => format!("port {port} is taken"),
        What::Backend => format!("its hidden port {port} is taken"),
    };
    let mut finding = PORT_CONFLICT
        .at(second.place, label, message)
        .about(second.owner.kind, second.owner.name)
        .also(first.place, format!("{} listens here", spoken(first)));
    if first.address != second.address {
        finding = finding.note(format!(
            "`{}` and `{}` meet: one of them stands for every address",
            first.address, second.address
        ));
    }
    finding.help(match (first.what, second.what) {
        (What::Port, What::Port) if first.owner == second.owner => "remove one of its addresses",
        (What::Port, What::Port) => "give one of them another port",
        (What::Backend, _) | (_, What::Backend) => "give the on-demand role another `backend`",
    })
}

fn spoken(listener: &Listener) -> String {
    let owner = format!("{} {}", listener.owner.kind, words::quoted(listener.owner.name));
    match listener.what {
        What::Port => owner,
        What::Backend => format!("the backend of {owner}"),
    }
}
