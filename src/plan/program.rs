//! Roles that other programs serve, with their processes.

use super::Word;
use super::placement::Placements;
use super::process::{ProgramServer, Role, Server, Sharers, host_number, processes};
use crate::check::Checked;
use crate::derive::{Endpoint, PROGRAM_START, ServedProgram, sandbox};
use crate::hir::Registry;
use std::sync::Arc;

/// All roles that other programs serve, in the order of declaration.
pub(super) fn roles(checked: &Checked, sharers: &mut Sharers, placements: &mut Placements) -> Vec<Role> {
    let programs = checked.derived().programs.iter().map(|served| {
        let shared_by = sharers.remove(&served.id).unwrap_or_default().into();
        Role { shared_by, ..role(checked.registry(), served, placements) }
    });
    programs.collect()
}

fn role(registry: &Registry, served: &ServedProgram, placements: &mut Placements) -> Role {
    let ServedProgram { program, endpoint, path, .. } = served;
    let declared = registry.roles.get(served.id);
    let residency = registry.residencies.get(program.residency.value);
    let is_filled = |word: &Word| word.around_port().is_some() || word.has_host();
    let (filled, plain) = served.env.iter().cloned().partition(|(_, word)| is_filled(word));
    let plain: Vec<(Arc<str>, Word)> = plain;
    let gpus = served.used_gpus();
    Role {
        container: None,
        processes: if program.gateway.is_some() {
            Box::default()
        } else {
            processes(endpoint, &served.placement, placements, |n| served.line(n))
        },
        name: declared.head.name.value.clone(),
        residency: residency.head.name.value.clone(),
        start: residency.start.value,
        idle: residency.idle.map(|idle| idle.value),
        host: host_number(program),
        title: program.name().into(),
        server: Server::Program(ProgramServer {
            health: program.health.as_ref().map(|health| health.value.clone()),
            env: filled,
        }),
        purpose: declared.purpose.as_ref().map(|purpose| purpose.value.clone()),
        shared_by: Box::default(),
        gateway: None,
        own_addresses: own_addresses(served, endpoint),
        addresses: endpoint.addresses.clone(),
        names: endpoint.names.clone(),
        ports: endpoint.ports,
        bytes: None,
        load_time: Err(PROGRAM_START),
        files: Box::default(),
        program: path.clone(),
        paths: served.paths().into(),
        peers: Box::default(),
        key_file: None,
        places_threads: false,
        lock: false,
        hardening: sandbox::hardening(&registry.stack, program, gpus.as_deref()),
        devices: sandbox::device_classes(registry.hosts.get(program.host.value), gpus.as_deref()),
        gpus: gpus.map(Arc::new),
        env: plain.into_iter().map(|(name, word)| (name, word.text().into())).collect(),
    }
}

/// The addresses that a process started by hand listens on. `{host}` is one address.
fn own_addresses(served: &ServedProgram, endpoint: &Endpoint) -> Arc<[Arc<str>]> {
    if served.names_host() {
        endpoint.addresses.iter().take(1).cloned().collect()
    } else {
        endpoint.addresses.clone()
    }
}
