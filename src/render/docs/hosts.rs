//! The hosts and services of the model reference.

use crate::plan::{Bytes, Host, MemoryPlace, Plan, Service, base_url, client_addresses};
use serde::Serialize;

/// A host with its sums of memory.
#[derive(Serialize)]
pub(super) struct HostView<'p> {
    name: &'p str,
    address: Option<&'p str>,
    places: Vec<PlaceView<'p>>,
    /// The memory that its engines may take in addition. `None` if they take no more.
    growth: Option<Bytes>,
}

/// A place of memory.
#[derive(Serialize)]
struct PlaceView<'p> {
    name: &'p str,
    room: Option<Bytes>,
    sum: Option<Bytes>,
    is_complete: bool,
}

/// A service.
#[derive(Serialize)]
pub(super) struct ServiceView<'p> {
    name: &'p str,
    host: &'p str,
    address: Vec<String>,
    memory: Option<Bytes>,
    cpus: Option<String>,
}

/// All hosts, in the order of declaration.
pub(super) fn hosts(plan: &Plan) -> Vec<HostView<'_>> {
    plan.hosts.iter().map(host).collect()
}

fn host(host: &Host) -> HostView<'_> {
    HostView {
        name: &host.name,
        address: host.address.as_deref(),
        places: host.places.iter().map(place).collect(),
        growth: (host.growth > Bytes(0)).then_some(host.growth),
    }
}

fn place(place: &MemoryPlace) -> PlaceView<'_> {
    PlaceView { name: &place.name, room: place.room, sum: place.sum, is_complete: place.is_complete }
}

/// All services, in the order of declaration.
pub(super) fn services(plan: &Plan) -> Vec<ServiceView<'_>> {
    plan.services.iter().filter_map(|one| service(plan, one)).collect()
}

fn service<'p>(plan: &'p Plan, service: &'p Service) -> Option<ServiceView<'p>> {
    let host = plan.hosts.get(service.host as usize)?;
    let addresses = client_addresses(&service.addresses, host.address.as_deref());
    let urls = service.port.map(|port| addresses.map(move |address| base_url(&address, port)));
    Some(ServiceView {
        name: &service.name,
        host: &host.name,
        address: urls.into_iter().flatten().collect(),
        memory: service.memory,
        cpus: service.cpus.as_ref().map(ToString::to_string),
    })
}
