//! Who can reach a role.

use super::secrets;
use crate::derive::ServedRole;
use crate::engine::options::sets_keys;
use crate::hir::Registry;
use std::net::IpAddr;

/// True if only the same machine reaches an address.
pub(in crate::check) fn is_loopback(address: &str) -> bool {
    address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// True if clients must send a key. A key in the registry text counts too: `secret-in-registry` reports it.
pub(in crate::check) fn requires_key(registry: &Registry, served: &ServedRole) -> bool {
    let serving = &served.serving;
    if let Some(gateway) = serving.gateway {
        return registry.gateways.get(gateway.value).key_file.is_some();
    }
    serving.key_file.is_some()
        || serving.options.iter().any(|option| sets_keys(&option.name))
        || served.env.iter().any(|(name, _)| secrets::is_key_variable(name))
}
