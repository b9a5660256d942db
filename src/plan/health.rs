//! Health checks of servers.

use super::{Role, Server, llama_swap};
use std::net::IpAddr;

/// True for an address of the machine itself.
pub fn is_loopback(address: &str) -> bool {
    address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

impl Role {
    /// The path that answers with a success as soon as the server is ready. `None` if another program has none.
    pub fn health_path(&self) -> Option<&str> {
        match &self.server {
            Server::Engine(engine) => Some(engine.family.health_path()),
            Server::Router(router) => Some(router.family.health_path()),
            Server::LlamaSwap(_) => Some(llama_swap::HEALTH_PATH),
            Server::Program(program) => program.health.as_deref(),
        }
    }

    /// The address for health checks from the same machine: a loopback address if the server listens on one.
    pub fn health_address(&self) -> &str {
        let local = |address: &str| match address {
            "0.0.0.0" => Some("127.0.0.1"),
            "::" => Some("::1"),
            _ => None,
        };
        let loopback = self.addresses.iter().find(|address| is_loopback(address)).map(|address| &**address);
        loopback
            .or_else(|| self.addresses.iter().find_map(|address| local(address)))
            .or_else(|| self.addresses.first().map(|address| &**address))
            .unwrap_or("127.0.0.1")
    }
}
