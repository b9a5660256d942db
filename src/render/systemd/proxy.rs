//! What stands before an on-demand server: a socket, and a proxy that leaves when idle.

use std::net::IpAddr;

use serde::Serialize;

use super::sandbox::{Sandbox, is_exposed};
use super::{PROXY, Place, SOCKET};
use crate::render::artifact::RenderError;

#[derive(Serialize)]
struct SocketView {
    unit: String,
    description: String,
    target: String,
    streams: Vec<String>,
    exposed: bool,
    v6_only: bool,
}

#[derive(Serialize)]
struct ProxyView<'p> {
    unit: String,
    description: String,
    target: String,
    slice: String,
    socket: String,
    backend: String,
    user: Option<&'p str>,
    idle: Option<String>,
    port: u16,
    sandbox: Sandbox<'p>,
}

/// The socket.
pub(super) fn socket(place: &Place<'_>) -> Result<String, RenderError> {
    let addresses: Vec<IpAddr> =
        place.role.addresses.iter().filter_map(|address| address.parse().ok()).collect();
    let port = place.process.port;
    let stream = |address: &IpAddr| match address {
        IpAddr::V4(address) => format!("{address}:{port}"),
        IpAddr::V6(address) => format!("[{address}]:{port}"),
    };
    let view = SocketView {
        unit: format!("{}.socket", place.name()),
        description: place.description(""),
        target: place.names().group_target(place.group),
        streams: addresses.iter().map(stream).collect(),
        exposed: is_exposed(place.role),
        // Otherwise `::` takes the IPv4 addresses too, and a second socket for one of them fails.
        v6_only: addresses.iter().any(IpAddr::is_ipv4) && addresses.iter().any(IpAddr::is_ipv6),
    };
    place.render(&SOCKET, &view)
}

/// The proxy.
pub(super) fn text(place: &Place<'_>) -> Result<String, RenderError> {
    let name = place.name();
    let view = ProxyView {
        unit: format!("{name}.service"),
        description: place.description(" (proxy)"),
        target: place.names().group_target(place.group),
        slice: place.names().group_slice(place.group),
        socket: format!("{name}.socket"),
        backend: format!("{name}-backend.service"),
        user: place.host.user.as_deref(),
        idle: place.role.idle.map(|idle| idle.to_string()),
        port: place.process.backend.unwrap_or(place.process.port),
        sandbox: Sandbox::proxy(place),
    };
    place.render(&PROXY, &view)
}
