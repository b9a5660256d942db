//! What stands before an on-demand server: a socket, and a proxy that leaves when idle.

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
    let port = place.process.port;
    let stream = |address: &str| {
        if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
    };
    let view = SocketView {
        unit: format!("{}.socket", place.name()),
        description: place.description(""),
        target: place.names().group_target(place.group),
        streams: place.role.addresses.iter().map(|address| stream(address)).collect(),
        exposed: is_exposed(place.role),
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
