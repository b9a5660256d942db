//! The sandboxing of services.

use std::net::IpAddr;

use serde::Serialize;

use super::paths::PathSettings;
use super::{KERNEL, ProcessContext, SANDBOX};
use crate::plan::{DeviceClass, Hardening, Role, is_loopback};
use crate::render::ArtifactCollector;
use crate::render::template::Quoted;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The template data of the sandbox settings.
#[expect(clippy::struct_excessive_bools, reason = "each is a separate condition of the template")]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Sandbox<'p> {
    off: bool,
    strict: bool,
    gpu: bool,
    /// The device files that it allows, if `gpu` is true.
    devices: Vec<&'static str>,
    /// True if udev gives some of these files to the groups `video` and `render`.
    device_groups: bool,
    /// The kind of the item that has the service, for comments: a role or a gateway.
    owner: &'static str,
    /// True if it is the service of a gateway.
    gateway: bool,
    /// True if another program than an engine serves the role.
    program: bool,
    /// True if other machines can reach the service.
    exposed: bool,
    /// True if `@resources` must be allowed, because the process may set the affinity or priority of its threads.
    resources: bool,
    /// True if the process binds a port below 1024, which needs a capability.
    low_port: bool,
    since_257: bool,
    /// True if the service manager of a user runs the units. It has no root.
    user: bool,
    folders: Vec<&'p str>,
    /// The folders that are written, and of them those that are hidden otherwise.
    writes: BTreeSet<&'p str>,
    hidden: BTreeSet<&'p str>,
    /// The addresses of other machines that the service connects to.
    peers: BTreeSet<&'p str>,
    /// True if the service connects to machines whose addresses are not known.
    has_named_peers: bool,
}

impl<'p> Sandbox<'p> {
    /// The sandbox of a server.
    pub(super) fn server(context: ProcessContext<'p>) -> Self {
        let role = context.role;
        let strict = role.hardening == Hardening::Strict;
        let paths = PathSettings::of(context);
        let gpu = role.hardening == Hardening::Gpu;
        let devices = || role.devices.iter().filter(|_| gpu);
        let peers = role.peers.iter().map(|peer| &**peer).filter(|peer| !is_local(peer));
        let (addresses, names): (BTreeSet<&str>, BTreeSet<&str>) =
            peers.partition(|peer| peer.parse::<IpAddr>().is_ok());
        Self {
            strict,
            gpu,
            devices: devices().map(device).collect(),
            device_groups: devices().any(|class| class != DeviceClass::Nvidia),
            program: role.engine_family().is_none(),
            exposed: context.process.backend.is_none() && is_exposed(role),
            resources: !strict || role.places_threads,
            low_port: context.process.backend.unwrap_or(context.process.port) < 1024,
            folders: paths
                .folders
                .into_iter()
                .chain(paths.reads)
                .filter(|folder| needs_bind_mount(folder))
                .collect(),
            writes: paths.writes.into_iter().filter(|folder| needs_bind_mount(folder)).collect(),
            hidden: paths.hidden.into_iter().filter(|folder| needs_bind_mount(folder)).collect(),
            peers: addresses,
            has_named_peers: !names.is_empty(),
            ..Self::proxy(context)
        }
    }

    /// The sandbox of a proxy, which reads no files and binds no port.
    pub(super) fn proxy(context: ProcessContext<'p>) -> Self {
        Self {
            off: context.role.hardening == Hardening::Off,
            strict: true,
            gpu: false,
            devices: Vec::new(),
            device_groups: false,
            owner: context.role.kind(),
            gateway: context.role.is_gateway(),
            program: false,
            exposed: is_exposed(context.role),
            resources: false,
            low_port: false,
            since_257: context.host.systemd >= 257,
            user: context.is_of_user(),
            folders: Vec::new(),
            writes: BTreeSet::new(),
            hidden: BTreeSet::new(),
            peers: BTreeSet::new(),
            has_named_peers: false,
        }
    }
}

/// The texts of sandboxes. Most units of a stack have one of a few, so each is rendered once.
#[derive(Default)]
pub(super) struct SandboxTexts<'p>(BTreeMap<Sandbox<'p>, Arc<SandboxText>>);

/// The settings of a sandbox as text. The port of a server is between the two parts.
pub(super) struct SandboxText {
    /// True if there is no sandbox.
    pub(super) off: bool,
    /// Files and network.
    pub(super) sandbox: Quoted,
    /// Devices, kernel and system calls.
    pub(super) kernel: Quoted,
}

impl<'p> SandboxTexts<'p> {
    pub(super) fn of(
        &mut self,
        sandbox: Sandbox<'p>,
        collector: &mut ArtifactCollector<'p>,
    ) -> Arc<SandboxText> {
        if let Some(known) = self.0.get(&sandbox) {
            return known.clone();
        }
        let text = Arc::new(SandboxText {
            off: sandbox.off,
            sandbox: collector.part(&SANDBOX, &sandbox),
            kernel: collector.part(&KERNEL, &sandbox),
        });
        self.0.insert(sandbox, text.clone());
        text
    }
}

/// The value of `DeviceAllow=` for a class. systemd takes the names of classes from `/proc/devices`. Older drivers of NVIDIA have
/// `nvidia-frontend`, newer ones `nvidia` and `nvidiactl`; both have `nvidia-uvm` and `nvidia-caps`.
fn device(class: DeviceClass) -> &'static str {
    match class {
        DeviceClass::Nvidia => "char-nvidia*",
        DeviceClass::Drm => "char-drm",
        DeviceClass::Kfd => "/dev/kfd",
    }
}

/// True if a folder gets a bind mount. `/` cannot be bound over itself, and systemd 255 and later fail on a path with
/// `"`. Folders outside of home directories are visible without a bind mount.
fn needs_bind_mount(folder: &str) -> bool {
    folder != "/" && !folder.contains('"')
}

/// True for a name or an address of this machine.
pub(super) fn is_local(peer: &str) -> bool {
    peer == "localhost" || is_loopback(peer)
}

/// True if other machines can reach a role.
pub(super) fn is_exposed(role: &Role) -> bool {
    !role.addresses.iter().all(|address| is_loopback(address))
}
