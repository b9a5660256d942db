//! Settings of a role that a container cannot have.

use super::owner;
use super::shared::free_ports::FreePorts;
use super::shared::gateway_remedy::own_port;
use super::shared::inside::{self, Found, Inside};
use super::shared::pods;
use crate::derive::{Derived, MemoryPolicy, ServedRole};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{AUTO_GPU, NumaPolicy, Registry, Role, Start};
use crate::source::Span;
use std::collections::BTreeSet;
use std::net::IpAddr;

declare_code! {
    /// ## What it finds
    /// A setting of a role whose engine has an `image`, if a container cannot have it:
    ///
    /// - a residency that starts on demand, and a `gateway`;
    /// - the `numa` policy `interleave`, and `bind` or `spread` over nodes whose CPUs are unknown;
    /// - an IPv6 address in `listen`;
    /// - the GPU `auto`, a GPU whose device files are unknown, and an option with a GPU that the role does not use;
    /// - an option that connects to this machine, for example `rpc`;
    /// - `hardening` of the role: a container always has all limits that it can have;
    /// - model files, or a file or folder of an option, in a folder that would hide a folder of the image, for example `/usr`.
    ///
    /// It also finds a gateway whose engine has only an `image`.
    ///
    /// Pods of Kubernetes have their own rules: `kubernetes-cannot`.
    ///
    /// ## Why
    /// A socket of systemd cannot start a container and wait for its model. podman and Docker have no options for interleaved
    /// memory, and their default networks have no IPv6. In a container, `127.0.0.1` is the container.
    ///
    /// ## Example
    /// ```kdl
    /// engine "cuda" profile="llama.cpp-b11434" image="ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    /// role "extra" tier="A" residency="warm" model="plain" port=9000 context=4096 engine="cuda"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "cuda" profile="llama.cpp-b11434" image="ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="cuda"
    /// ```
    pub(super) static CONTAINER_CANNOT = 613, "container-cannot", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    if registry.stack.has_unread_targets || pods::is_only_target(registry) {
        return;
    }
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    let mut free = FreePorts::of(derived);
    for served in derived.roles.iter().filter(|served| served.container.is_some()) {
        let role = registry.roles.get(served.id);
        let inside = Inside { code: &CONTAINER_CANNOT, noun: "container", derived, served };
        let case = Case { registry, role, served };
        let found = [case.on_demand(), case.gateway(&mut free), case.hardening(), case.numa()];
        let found = found.into_iter().chain([
            case.listen(),
            case.gpu(),
            inside.missing_gpu().or_else(|| inside.local_peer()),
            inside.hidden_folder(),
        ]);
        for (place, finding) in found.flatten() {
            // A default, or a YAML alias, applies to many roles, but is reported once.
            if reported.insert(place) {
                findings.report(finding.about(owner(registry, case.role, place)));
            }
        }
    }
    for gateway in registry.gateways.iter() {
        let Some(engine) = gateway.engine else { continue };
        let own = registry.engines.get(engine.value);
        let Some(image) = own.image.as_ref().filter(|_| own.is_only_image()) else { continue };
        let message =
            format!("the engine of {gateway} has an `image`, but a gateway runs its programs on the host");
        let place = if reported.insert(engine.span) { engine.span } else { gateway.head.name.span };
        let finding = CONTAINER_CANNOT.at(place, "an engine in a container", message).about(gateway);
        let finding = finding.also(image.span, "the image");
        findings.report(finding.help("write an engine with `bin` in `engine` of the gateway"));
    }
}

/// A role in a container. Each method finds one kind of setting, with its place.
#[derive(Clone, Copy)]
struct Case<'r> {
    registry: &'r Registry,
    role: &'r Role,
    served: &'r ServedRole,
}

fn found(place: Span, label: &str, message: &str) -> (Span, Diagnostic) {
    inside::found(&CONTAINER_CANNOT, place, label, message)
}

impl Case<'_> {
    fn on_demand(self) -> Found {
        let (registry, residency) = (self.registry, self.served.serving.residency);
        let own = registry.residencies.get(residency.value);
        if own.start.value == Start::Boot {
            return None;
        }
        let message =
            format!("{} starts on demand, with {own}, but a container starts only at boot", self.role);
        let (place, finding) = found(residency.span, "starts on demand", &message);
        let at_boot = registry.residencies.iter().find(|other| other.start.value == Start::Boot);
        let finding = match at_boot {
            Some(other) => {
                let line = Line::of("residency", &*other.head.name.value);
                finding.remedy("write `{}` in the role", Change::set(self.role.head.span, line))
            }
            None => finding.help("declare a residency with `start` `boot`, and write it in the role"),
        };
        Some((place, finding.help("or use an engine with `bin`")))
    }

    fn gateway(self, free: &mut FreePorts) -> Found {
        let gateway = self.served.serving.gateway?;
        let head = &self.registry.gateways.get(gateway.value).head;
        let message = format!("{} is in a container, but {head} starts its models on the host", self.role);
        let (place, finding) = found(gateway.span, "not for containers", &message);
        Some((
            place,
            match own_port(free, self.registry, self.role) {
                Some(change) => finding.remedy("write `{}` in the role instead of `gateway`", change),
                None => finding.help("give the role its own `port` instead of `gateway`"),
            },
        ))
    }

    fn hardening(self) -> Found {
        let level = self.served.serving.hardening?;
        if owner(self.registry, self.role, level.span).kind != "role" {
            return None;
        }
        let message = format!("`hardening` of {} has no effect on its container", self.role);
        let (place, finding) = found(level.span, "for units", &message);
        Some((place, finding.remedy("remove `{}`", Change::remove(level.span))))
    }

    fn numa(self) -> Found {
        let numa = self.served.serving.placement.numa.as_ref()?;
        if let NumaPolicy::Interleave(_) = numa.value {
            let message =
                format!("{} interleaves its memory, but podman and Docker have no such option", self.role);
            let (place, finding) = found(numa.span, "not possible in a container", &message);
            let remove = Change::remove(numa.span);
            let host = self.registry.hosts.get(self.served.serving.host.value);
            // `unknown-node` reports `distribute` on a host with one node.
            if host.numa.len() < 2 && host.all_cpus().is_some() {
                return Some((place, finding.remedy("remove `{}`", remove)));
            }
            let line = Line::of("numa", "distribute");
            let finding = finding.remedy(
                "write `{}`: the engine distributes its threads over the nodes",
                Change::rewrite(numa.span, line),
            );
            return Some((place, finding.remedy("or remove `{}`", remove)));
        }
        let host = self.registry.hosts.get(self.served.serving.host.value);
        let instances = self.served.serving.representative_instances(host);
        let placements = instances.map(|number| self.served.placement.get(number));
        let node = placements.into_iter().find_map(|placement| match placement.memory {
            Some(MemoryPolicy::Bind(node)) if placement.cpus.is_none() => Some(node),
            _ => None,
        })?;
        let message =
            format!("{} is bound to NUMA node {node}, and {host} does not declare its CPUs", self.role);
        let (place, finding) = found(numa.span, "the CPUs are unknown", &message);
        let help = format!("write `cpus` in `numa {node}` of the host, or in `placement` of the role");
        Some((place, finding.help(help)))
    }

    fn listen(self) -> Found {
        let listen = &self.served.serving.listen;
        let address =
            listen.iter().find(|text| text.parse().is_ok_and(|address: IpAddr| address.is_ipv6()))?;
        let message = format!(
            "{} listens on {}, but the networks of containers have no IPv6 by default",
            self.role,
            words::quoted(address)
        );
        let (place, finding) = found(address.span, "an IPv6 address", &message);
        let other = if &*address.value == "::1" { "127.0.0.1" } else { "0.0.0.0" };
        let has_other = listen.iter().any(|text| text.parse().is_ok_and(|address: IpAddr| address.is_ipv4()));
        Some((
            place,
            if has_other {
                finding.remedy("remove `{}`", Change::remove(address.span))
            } else {
                finding.remedy("write `{}`", Change::rewrite(address.span, Line::of("listen", other)))
            },
        ))
    }

    fn gpu(self) -> Found {
        let unknown = self.served.container.as_ref()?.unknown.first()?;
        let devices = &self.served.serving.placement.gpus().devices;
        let place = devices
            .iter()
            .find(|name| name.value == *unknown)
            .map_or(self.role.head.name.span, |name| name.span);
        if **unknown == *AUTO_GPU {
            let message = format!("{} uses all GPUs, but a container gets each GPU by its name", self.role);
            let (place, finding) = found(place, "not a name", &message);
            return Some((
                place,
                finding.help("declare each `gpu` of the host, or use an engine with `bin`"),
            ));
        }
        let message = format!("the device files of {} of {} are unknown", words::quoted(unknown), self.role);
        let (place, finding) = found(place, "not known to containers", &message);
        Some((place, finding.help("use a GPU of CUDA, ROCm, Vulkan or SYCL, or an engine with `bin`")))
    }
}
