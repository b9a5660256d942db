//! Services: processes that the stack does not start, with what they take on their host.

use super::{Bytes, CpuList};
use crate::hir::{self, Registry};
use std::sync::Arc;

/// A process that the stack does not start.
#[derive(Debug)]
pub struct Service {
    /// Its name.
    pub name: Arc<str>,
    /// Its host, as an index into [`Plan::hosts`](super::Plan::hosts).
    pub host: u32,
    /// The addresses that it listens on. 127.0.0.1 if none is declared.
    pub addresses: Box<[Arc<str>]>,
    /// Its port. `None` if it has none.
    pub port: Option<u16>,
    /// Its memory. `None` if it is not declared.
    pub memory: Option<Bytes>,
    /// Its CPUs. `None` if they are not declared.
    pub cpus: Option<CpuList>,
}

/// All services, in the order of declaration.
pub(super) fn services(registry: &Registry) -> Vec<Service> {
    registry.services.iter().map(service).collect()
}

fn service(service: &hir::Service) -> Service {
    Service {
        name: service.head.name.value.clone(),
        host: u32::try_from(service.host.value.number()).unwrap_or(u32::MAX),
        addresses: if service.listen.is_empty() {
            [Arc::from("127.0.0.1")].into()
        } else {
            service.listen.iter().map(|address| address.value.clone()).collect()
        },
        port: service.port.map(|port| port.value),
        memory: service.memory.map(|memory| memory.value),
        cpus: service.cpus.as_ref().map(|cpus| cpus.value.clone()),
    }
}
