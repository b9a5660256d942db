//! The socket of an on-demand server, and the proxy behind it that exits when idle.

use serde::Serialize;

use super::sandbox::{SandboxText, is_exposed};
use super::{ProcessContext, UnitView};
use crate::render::SharedText;

/// The template data of a socket and its proxy.
#[derive(Serialize)]
pub(super) struct ProxyView<'p> {
    unit: UnitView<'p>,
    /// The addresses that clients use, with the port.
    streams: Vec<String>,
    idle: Option<String>,
    /// True if other machines can reach the role.
    exposed: bool,
    sandbox: SharedText,
    kernel: SharedText,
}

pub(super) fn view<'p>(context: ProcessContext<'p>, sandbox: &SandboxText) -> ProxyView<'p> {
    let port = context.process.port;
    let stream = |address: &str| {
        if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
    };
    ProxyView {
        unit: context.unit(),
        streams: context.role.addresses.iter().map(|address| stream(address)).collect(),
        idle: context.role.idle.map(|idle| idle.to_string()),
        exposed: is_exposed(context.role),
        sandbox: sandbox.sandbox.clone(),
        kernel: sandbox.kernel.clone(),
    }
}
