//! The sandboxing of services.

use std::net::IpAddr;

use serde::Serialize;

use super::ProcessContext;
use crate::plan::{Hardening, Role};
use crate::render::template::skeleton::{Placeholder, PlaceholderTexts};

/// The template data of the sandbox settings.
#[expect(clippy::struct_excessive_bools, reason = "each is a separate condition of the template")]
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sandbox {
    off: bool,
    strict: bool,
    gpu: bool,
    /// True if other machines can reach the service.
    exposed: bool,
    /// True if `@resources` must be allowed, because the process may set the affinity or priority of its threads.
    resources: bool,
    since_257: bool,
    port: Option<Placeholder>,
    folders: Vec<Placeholder>,
}

impl Sandbox {
    /// The sandbox of a server that listens on this port.
    pub(super) fn server<'p>(
        context: &'p ProcessContext<'_>,
        port: Placeholder,
        texts: &mut PlaceholderTexts<'p>,
    ) -> Self {
        let role = context.role;
        let strict = role.hardening == Hardening::Strict;
        Self {
            off: role.hardening == Hardening::Off,
            strict,
            gpu: role.hardening == Hardening::Gpu,
            exposed: context.process.backend.is_none() && is_exposed(role),
            resources: !strict || context.role.places_threads,
            since_257: context.host.systemd >= 257,
            port: Some(port),
            folders: texts
                .list(role.folders.iter().map(|folder| &**folder).filter(|folder| needs_bind_mount(folder))),
        }
    }

    /// The sandbox of a proxy, which reads no files and binds no port.
    pub(super) fn proxy(context: &ProcessContext<'_>) -> Self {
        Self {
            off: context.role.hardening == Hardening::Off,
            strict: true,
            gpu: false,
            exposed: is_exposed(context.role),
            resources: false,
            since_257: context.host.systemd >= 257,
            port: None,
            folders: Vec::new(),
        }
    }
}

/// True if a folder gets a bind mount. `/` cannot be bound over itself, and systemd 255 and later fail on a path with
/// `"`. Folders outside of home directories are visible without a bind mount.
fn needs_bind_mount(folder: &str) -> bool {
    folder != "/" && !folder.contains('"')
}

/// True if an address is a loopback address.
pub(super) fn is_loopback(address: &str) -> bool {
    address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// True if other machines can reach a role.
pub(super) fn is_exposed(role: &Role) -> bool {
    !role.addresses.iter().all(|address| is_loopback(address))
}
