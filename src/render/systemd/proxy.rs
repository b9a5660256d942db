//! What stands before an on-demand server: a socket, and a proxy that leaves when idle.

use serde::Serialize;

use super::Place;
use super::sandbox::{Sandbox, is_exposed};
use crate::render::artifact::RenderError;
use crate::render::template::skeleton::{Hole, Texts};

/// What a socket says.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SocketView {
    unit: Hole,
    description: Hole,
    target: Hole,
    streams: Vec<Hole>,
    exposed: bool,
}

/// What a proxy says.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProxyView {
    unit: Hole,
    description: Hole,
    target: Hole,
    slice: Hole,
    socket: Hole,
    backend: Hole,
    user: Option<Hole>,
    idle: Option<Hole>,
    port: Hole,
    sandbox: Sandbox,
}

/// The socket.
pub(super) fn socket(place: &Place<'_>) -> Result<String, RenderError> {
    let port = place.process.port;
    let stream = |address: &str| {
        if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
    };
    let mut texts = Texts::default();
    let view = SocketView {
        unit: texts.hole(format!("{}.socket", place.name())),
        description: texts.hole(place.description("")),
        target: texts.hole(place.names().group_target(place.group)),
        streams: texts.each(place.role.addresses.iter().map(|address| stream(address))),
        exposed: is_exposed(place.role),
    };
    place.shared.sockets.render(place.shared.templates, view, &texts)
}

/// The proxy.
pub(super) fn text(place: &Place<'_>) -> Result<String, RenderError> {
    let name = place.name();
    let mut texts = Texts::default();
    let view = ProxyView {
        unit: texts.hole(format!("{name}.service")),
        description: texts.hole(place.description(" (proxy)")),
        target: texts.hole(place.names().group_target(place.group)),
        slice: texts.hole(place.names().group_slice(place.group)),
        socket: texts.hole(format!("{name}.socket")),
        backend: texts.hole(format!("{name}-backend.service")),
        user: texts.maybe(place.host.user.as_deref()),
        idle: texts.maybe(place.role.idle.map(|idle| idle.to_string())),
        port: texts.hole(place.process.backend.unwrap_or(place.process.port).to_string()),
        sandbox: Sandbox::proxy(place),
    };
    place.shared.proxies.render(place.shared.templates, view, &texts)
}
