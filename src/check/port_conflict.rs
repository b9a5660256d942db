//! Two listeners on one port of one address.

use super::Check;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{Host, Id, Registry, Text};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

declare_code! {
    /// ## What it finds
    /// Two processes of one host that listen on the same port of the same address: roles, the hidden backends of on-demand
    /// roles, and services. `0.0.0.0` and `::` meet every address.
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

/// Something that listens on one port of one address.
#[derive(Clone, Copy)]
struct Listener<'r> {
    owner: Owner<'r>,
    address: IpAddr,
    place: Span,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Owner<'r> {
    kind: &'static str,
    name: &'r str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Port,
    Backend,
}

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let mut taken: BTreeMap<(Id<Host>, u16), Vec<Listener>> = BTreeMap::new();
    let mut said: BTreeSet<(Span, Span)> = BTreeSet::new();
    each_listener(registry, |host, port, listener| {
        let here = taken.entry((host, port)).or_default();
        let first = here.iter().find(|first| meet(first.address, listener.address));
        // Ranges meet at many ports, and a role may listen at many addresses: each pair of places is said once.
        if let Some(first) = first.filter(|first| said.insert((first.place, listener.place))) {
            findings.say(finding(first, &listener, port, &registry.hosts.get(host).head.name));
        }
        here.push(listener);
    });
}

fn each_listener<'r>(registry: &'r Registry, mut each: impl FnMut(Id<Host>, u16, Listener<'r>)) {
    for service in registry.services.iter() {
        let Some(port) = service.port else { continue };
        let owner = Owner { kind: "service", name: &service.head.name };
        for address in addresses(&service.listen) {
            let listener = Listener { owner, address, place: port.span, what: What::Port };
            each(service.host.value, port.value, listener);
        }
    }
    for (role, serving) in registry.served() {
        let owner = Owner { kind: "role", name: &role.head.name };
        for address in addresses(&serving.listen) {
            for port in serving.ports.ports() {
                let listener = Listener { owner, address, place: serving.ports.span, what: What::Port };
                each(serving.host.value, port, listener);
            }
        }
    }
    // After all that was written, since a hidden port is easier to move.
    for (role, serving) in registry.served().filter(|(_, serving)| registry.is_on_demand(serving)) {
        let owner = Owner { kind: "role", name: &role.head.name };
        let place = serving.backend.map_or(serving.ports.span, |backend| backend.span);
        for port in (0..serving.ports.len()).filter_map(|instance| serving.backend_port(instance)) {
            let address = IpAddr::from([127, 0, 0, 1]);
            each(serving.host.value, port, Listener { owner, address, place, what: What::Backend });
        }
    }
}

fn addresses(listen: &[Text]) -> Vec<IpAddr> {
    let said: Vec<IpAddr> = listen.iter().filter_map(|address| address.parse().ok()).collect();
    if said.is_empty() { vec![IpAddr::from([127, 0, 0, 1])] } else { said }
}

fn meet(a: IpAddr, b: IpAddr) -> bool {
    a == b || a.is_unspecified() || b.is_unspecified()
}

fn finding(first: &Listener, second: &Listener, port: u16, host: &str) -> Diagnostic {
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
