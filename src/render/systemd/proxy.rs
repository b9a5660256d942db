//! The socket of an on-demand server, and the proxy behind it that exits when idle.

use serde::Serialize;

use super::sandbox::Sandbox;
use super::{ProcessContext, UnitView};

/// The template data of a socket and its proxy.
#[derive(Serialize)]
pub(super) struct ProxyView<'p> {
    unit: UnitView<'p>,
    /// The addresses that clients use, with the port.
    streams: Vec<String>,
    idle: Option<String>,
    sandbox: Sandbox<'p>,
}

pub(super) fn view(context: ProcessContext<'_>) -> ProxyView<'_> {
    let port = context.process.port;
    let stream = |address: &str| {
        if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
    };
    ProxyView {
        unit: context.unit(),
        streams: context.role.addresses.iter().map(|address| stream(address)).collect(),
        idle: context.role.idle.map(|idle| idle.to_string()),
        sandbox: Sandbox::proxy(context),
    }
}
