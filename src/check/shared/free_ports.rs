//! Ports that no process of a host uses, for the helps of checks about ports.

use crate::derive::{Derived, first_model_port};
use crate::hir::{Host, Id};
use std::collections::{BTreeMap, BTreeSet};

/// The ports in use, by host. Includes the ports that a help has offered.
pub(in crate::check) struct FreePorts {
    used: BTreeMap<Id<Host>, BTreeSet<u32>>,
    /// The port after the last offer, by host, first port and number of ports. Earlier ports are not free.
    next: BTreeMap<(Id<Host>, u32, u32), u32>,
}

impl FreePorts {
    /// All ports of services, gateways, servers and backends.
    pub(in crate::check) fn of(derived: &Derived) -> Self {
        let mut used: BTreeMap<Id<Host>, BTreeSet<u32>> = BTreeMap::new();
        for service in derived.registry.services.iter() {
            let port = service.port.map(|port| u32::from(port.value));
            used.entry(service.host.value).or_default().extend(port);
        }
        for gateway in derived.registry.gateways.iter() {
            used.entry(gateway.host.value).or_default().insert(gateway.port.value.into());
        }
        for served in &derived.gateways {
            let gateway = derived.registry.gateways.get(served.id);
            let count = u32::try_from(served.roles.len()).unwrap_or(u32::MAX);
            let models = first_model_port(gateway).map(|first| first..first.saturating_add(count));
            used.entry(gateway.host.value).or_default().extend(models.into_iter().flatten());
        }
        for served in derived.processes() {
            let (ports, of_host) =
                (&served.endpoint.ports, used.entry(served.settings.host.value).or_default());
            of_host.extend(u32::from(ports.first)..=u32::from(ports.last));
            let instances = u32::from(ports.last - ports.first);
            of_host.extend(served.endpoint.hidden.into_iter().flat_map(|first| first..=first + instances));
        }
        Self { used, next: BTreeMap::new() }
    }

    /// The first of `count` free ports in a row, from `from` up. Later calls do not offer them again.
    pub(in crate::check) fn take(&mut self, host: Id<Host>, from: u32, count: u32) -> Option<u64> {
        let used = self.used.entry(host).or_default();
        let next = self.next.entry((host, from, count)).or_insert(from);
        let mut first = *next;
        loop {
            let ports = first..first.saturating_add(count.max(1));
            if ports.end > u32::from(u16::MAX) + 1 {
                *next = first;
                return None;
            }
            let Some(taken) = used.range(ports.clone()).next_back() else {
                *next = ports.end;
                used.extend(ports);
                return Some(first.into());
            };
            first = taken + 1;
        }
    }
}
