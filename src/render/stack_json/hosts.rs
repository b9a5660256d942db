//! The hosts and services of `stack.json`.

use super::endpoint;
use crate::plan::{Host, MemoryPlace, Plan, Service};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct HostView<'p> {
    name: &'p str,
    address: Option<&'p str>,
    memory: Option<u64>,
    places: Vec<PlaceView<'p>>,
    may_grow: u64,
    roles: Vec<&'p str>,
}

#[derive(Serialize)]
struct PlaceView<'p> {
    place: &'p str,
    room: Option<u64>,
    sum: Option<u64>,
    complete: bool,
}

#[derive(Serialize)]
pub(super) struct ServiceView<'p> {
    name: &'p str,
    host: &'p str,
    endpoint: Option<String>,
    memory: Option<u64>,
    cpus: Option<String>,
}

/// All hosts, in the order of declaration.
pub(super) fn hosts(plan: &Plan) -> Vec<HostView<'_>> {
    let mut hosts: Vec<HostView<'_>> = plan.hosts.iter().map(host).collect();
    for route in &plan.routes {
        let number = plan.roles.get(route.role).map(|role| role.host as usize);
        if let Some(host) = number.and_then(|number| hosts.get_mut(number)) {
            host.roles.push(&route.name);
        }
    }
    hosts
}

fn host(host: &Host) -> HostView<'_> {
    HostView {
        name: &host.name,
        address: host.address.as_deref(),
        memory: host.memory.map(|memory| memory.0),
        places: host.places.iter().map(place).collect(),
        may_grow: host.growth.0,
        roles: Vec::new(),
    }
}

fn place(place: &MemoryPlace) -> PlaceView<'_> {
    PlaceView {
        place: &place.name,
        room: place.room.map(|room| room.0),
        sum: place.sum.map(|sum| sum.0),
        complete: place.is_complete,
    }
}

/// All services, in the order of declaration.
pub(super) fn services(plan: &Plan) -> Vec<ServiceView<'_>> {
    plan.services.iter().filter_map(|one| service(plan, one)).collect()
}

fn service<'p>(plan: &'p Plan, service: &'p Service) -> Option<ServiceView<'p>> {
    let host = plan.hosts.get(service.host as usize)?;
    Some(ServiceView {
        name: &service.name,
        host: &host.name,
        endpoint: service.port.map(|port| endpoint(&service.addresses, host, port)),
        memory: service.memory.map(|memory| memory.0),
        cpus: service.cpus.as_ref().map(ToString::to_string),
    })
}
