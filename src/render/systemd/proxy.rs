//! The socket of an on-demand server, and the proxy behind it that exits when idle.

use std::net::Ipv6Addr;

use serde::Serialize;

use super::sandbox::{SandboxText, is_exposed};
use super::{ProcessContext, UnitView};
use crate::render::template::{Field, Quoted};

/// The template data of a socket and its proxy.
#[derive(Serialize)]
pub(super) struct ProxyView<'p> {
    unit: UnitView<'p>,
    /// The addresses that clients use, with the port.
    streams: Vec<Field<'p>>,
    idle: Option<Field<'p>>,
    /// True if other machines can reach the role.
    exposed: bool,
    /// True if an address is `::`.
    all_ipv6: bool,
    sandbox: Quoted,
    kernel: Quoted,
}

fn is_all_ipv6(address: &str) -> bool {
    address.parse().is_ok_and(|address: Ipv6Addr| address.is_unspecified())
}

pub(super) fn view<'p>(context: ProcessContext<'p>, sandbox: &SandboxText) -> ProxyView<'p> {
    let port = context.process.port;
    let stream = |address: &str| {
        if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
    };
    ProxyView {
        unit: context.unit(),
        streams: context.role.addresses.iter().map(|address| stream(address).into()).collect(),
        idle: context.role.idle.map(|idle| idle.to_string().into()),
        exposed: is_exposed(context.role),
        all_ipv6: context.role.addresses.iter().any(|address| is_all_ipv6(address)),
        sandbox: sandbox.sandbox.clone(),
        kernel: sandbox.kernel.clone(),
    }
}
