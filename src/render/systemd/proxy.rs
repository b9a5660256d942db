//! The socket of an on-demand server, and the proxy behind it that exits when idle.

use serde::Serialize;

use super::ProcessContext;
use super::sandbox::{Sandbox, is_exposed};
use crate::render::artifact::RenderError;
use crate::render::template::skeleton::{Placeholder, PlaceholderTexts};

/// The template data of a socket.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SocketView {
    unit: Placeholder,
    description: Placeholder,
    target: Placeholder,
    streams: Vec<Placeholder>,
    exposed: bool,
}

/// The template data of a proxy.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProxyView {
    unit: Placeholder,
    description: Placeholder,
    target: Placeholder,
    slice: Placeholder,
    socket: Placeholder,
    backend: Placeholder,
    user: Option<Placeholder>,
    idle: Option<Placeholder>,
    port: Placeholder,
    sandbox: Sandbox,
}

/// Renders the socket unit.
pub(super) fn socket(context: &ProcessContext<'_>) -> Result<String, RenderError> {
    let port = context.process.port;
    let stream = |address: &str| {
        if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
    };
    let mut texts = PlaceholderTexts::default();
    let view = SocketView {
        unit: texts.placeholder(format!("{}.socket", context.name())),
        description: texts.placeholder(context.description("")),
        target: texts.placeholder(context.names().group_target(context.group)),
        streams: texts.list(context.role.addresses.iter().map(|address| stream(address))),
        exposed: is_exposed(context.role),
    };
    context.shared.sockets.render(context.shared.templates, view, &texts)
}

/// Renders the proxy service.
pub(super) fn text(context: &ProcessContext<'_>) -> Result<String, RenderError> {
    let name = context.name();
    let mut texts = PlaceholderTexts::default();
    let view = ProxyView {
        unit: texts.placeholder(format!("{name}.service")),
        description: texts.placeholder(context.description(" (proxy)")),
        target: texts.placeholder(context.names().group_target(context.group)),
        slice: texts.placeholder(context.names().group_slice(context.group)),
        socket: texts.placeholder(format!("{name}.socket")),
        backend: texts.placeholder(format!("{name}-backend.service")),
        user: texts.optional(context.host.user.as_deref()),
        idle: texts.optional(context.role.idle.map(|idle| idle.to_string())),
        port: texts.placeholder(context.process.backend.unwrap_or(context.process.port).to_string()),
        sandbox: Sandbox::proxy(context),
    };
    context.shared.proxies.render(context.shared.templates, view, &texts)
}
