//! Roles and gateways that cannot run as pods, if the stack has the target `kubernetes`.

use super::owner;
use super::shared::gateway_remedy::router_change;
use super::shared::inside::{self, Found, Inside};
use super::shared::pods;
use crate::derive::{Derived, ServedRole};
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::kubernetes::GpuResource;
use crate::hir::{AUTO_GPU, Engine, Host, Id, ProcessSettings, Role};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// In a stack with `kubernetes` in `targets`, a role or a gateway for which orchgen can write no pod:
    ///
    /// - its engine has no `image`;
    /// - a role with a `command`, and a gateway of the kind `llama-swap`;
    /// - a role with files whose facts are not in the lock, because its pod requests memory;
    /// - a role whose number of CPUs is unknown, or differs between its instances;
    /// - a GPU without a resource: `auto`, and names other than those of CUDA, `ROCm` and SYCL;
    /// - a path with `:` that would be mounted, and files of models or options in a folder that would hide one of the image, such
    ///   as `/usr`;
    /// - a file that the server would write in `/`, which it cannot;
    /// - an option with a GPU that the role does not use, or with an address that is the pod, for example in `rpc`.
    ///
    /// ## Why
    /// A pod has exactly the memory, the CPUs and the GPUs that its manifest names. Kubernetes ends a container above its
    /// memory limit, so orchgen computes the limit from the headers of all files. A pod gets GPUs as resources of a device plugin, and none has Vulkan.
    /// The API refuses a mount path with `:`, and inside a pod, `127.0.0.1` is the pod.
    ///
    /// ## Instead
    /// Write what the help names. To run the other roles in a cluster, move the role to another stack, or remove `kubernetes`
    /// from `targets`.
    pub(super) static KUBERNETES_CANNOT = 616, "kubernetes-cannot", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    if pods::target(registry).is_none() {
        return;
    }
    without_image(derived, findings);
    other_programs(derived, findings);
    for served in pods::routers(derived) {
        let (gateway, host) =
            (registry.gateways.get(served.id), registry.hosts.get(served.settings.host.value));
        if !has_cpus(&served.settings, host) {
            let message = format!("the number of CPUs of {gateway} is unknown, but a pod has whole CPUs");
            let finding = KUBERNETES_CANNOT.at(gateway.head.name.span, "its CPUs are unknown", message);
            let help = format!("write `cpus` in `placement` of the gateway, or in {host}");
            findings.report(finding.about(gateway).help(help));
        }
    }
    let mut reported: BTreeSet<(Span, usize)> = BTreeSet::new();
    for served in pods::all_roles(derived) {
        let case = Case::new(derived, served);
        let found = [case.memory(), case.cpus(), case.gpu(), case.path(), case.option(), case.folder()];
        for (kind, found) in found.into_iter().enumerate() {
            let Some((place, finding)) = found else { continue };
            // A default, or a YAML alias, applies to many roles, but is reported once.
            if reported.insert((place, kind)) {
                findings.report(finding.about(owner(registry, case.role, place)));
            }
        }
    }
}

/// Reports the engines of pods without an image, each once.
fn without_image(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut users: BTreeMap<Id<Engine>, Vec<String>> = BTreeMap::new();
    for served in pods::roles(derived) {
        let engine = served.serving.engine.map(|engine| engine.value);
        let role = registry.roles.get(served.id).to_string();
        if let Some(engine) = engine {
            users.entry(engine).or_default().push(role);
        }
    }
    for served in pods::routers(derived) {
        let gateway = registry.gateways.get(served.id);
        let engine = gateway.engine.map(|engine| engine.value);
        if let Some(engine) = engine {
            users.entry(engine).or_default().push(gateway.to_string());
        }
    }
    for (id, users) in users {
        let engine = registry.engines.get(id);
        if engine.image.is_some() {
            continue;
        }
        let others = match users.len() {
            1 => String::new(),
            more => format!(" and {}", words::count(more - 1, "other")),
        };
        let first = users.first().map_or("", String::as_str);
        let message = format!("{engine} has no `image`, which the pods of {first}{others} need");
        let finding = KUBERNETES_CANNOT.at(engine.head.name.span, "no image for pods", message).about(engine);
        let finding = finding.help(
            "write the `image` of the same build, with its digest. The images of llama.cpp are in `ghcr.io/ggml-org/llama.cpp`, and \
             `podman image inspect --format '{{index .RepoDigests 0}}'` prints the digest",
        );
        findings.report(pods::or_other_targets(finding, registry));
    }
}

/// Reports roles and gateways that run a program of the host.
fn other_programs(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for served in derived.programs.iter().filter(|served| served.program.gateway.is_none()) {
        let role = registry.roles.get(served.id);
        let place = served.program.words.first().map_or(role.head.name.span, |word| word.span);
        let message =
            format!("{role} runs a program of its host, and a pod has only the programs of an image");
        let finding = KUBERNETES_CANNOT.at(place, "not in an image", message).about(role);
        let finding = finding.help("serve the role with an engine that has an `image`, or in another stack");
        findings.report(pods::or_other_targets(finding, registry));
    }
    for served in derived.gateways.iter().filter(|served| served.swap().is_some()) {
        let gateway = registry.gateways.get(served.id);
        let message =
            format!("{gateway} is one of llama-swap, which runs programs of its host and has no image");
        let finding = KUBERNETES_CANNOT.at(gateway.head.name.span, "not in an image", message).about(gateway);
        let finding = finding.remedy("write `{}` in the gateway", router_change(gateway));
        findings.report(pods::or_other_targets(finding, registry));
    }
}

/// A role in a pod. Each method finds one kind of setting, with its place.
struct Case<'r> {
    derived: &'r Derived,
    role: &'r Role,
    host: &'r Host,
    served: &'r ServedRole,
}

fn found(place: Span, label: &str, message: &str) -> (Span, Diagnostic) {
    inside::found(&KUBERNETES_CANNOT, place, label, message)
}

impl<'r> Case<'r> {
    fn new(derived: &'r Derived, served: &'r ServedRole) -> Self {
        let registry = &derived.registry;
        let host = registry.hosts.get(served.serving.host.value);
        Self { derived, role: registry.roles.get(served.id), host, served }
    }

    fn memory(&self) -> Found {
        let why = self.served.memory.lacks_facts()?;
        let message = format!("the memory of {} is unknown, but its pod requests memory: {why}", self.role);
        let (place, finding) = found(self.role.head.name.span, "its memory is unknown", &message);
        Some((place, finding.help("run `orchgen lock` where the model files are")))
    }

    fn cpus(&self) -> Found {
        let serving = &self.served.serving;
        // The pod of a router has the CPUs of its gateway.
        if serving.gateway.is_some() {
            return None;
        }
        if !has_cpus(serving, self.host) {
            let message = format!("the number of CPUs of {} is unknown, but a pod has whole CPUs", self.role);
            let (place, finding) = found(self.role.head.name.span, "neither `threads` nor CPUs", &message);
            let help = format!("write `threads` in `placement` of the role, or `cpus` in {}", self.host);
            return Some((place, finding.help(help)));
        }
        let numa = serving.placement.numa.as_ref()?;
        let counts = serving.representative_instances(self.host).map(|n| serving.cpus(self.host, n));
        let counts: BTreeSet<u64> = counts.map(|cpus| cpus.map_or(0, |cpus| cpus.count())).collect();
        let (least, most) = (counts.first()?, counts.last()?);
        if least == most {
            return None;
        }
        let message = format!(
            "the instances of {} have {least} to {most} CPUs, but all pods of a Deployment are equal",
            self.role
        );
        let (place, finding) = found(numa.span, "nodes with different CPUs", &message);
        Some((place, finding.help("declare a role for each NUMA node, with `bind` in `numa`")))
    }

    fn gpu(&self) -> Found {
        let gpus = self.served.used_gpus()?;
        let unknown = gpus.iter().find(|name| GpuResource::of(name).is_none())?;
        let devices = &self.served.serving.placement.gpus().devices;
        let device = devices.iter().find(|name| name.value == *unknown);
        let place = device.map_or(self.role.head.name.span, |name| name.span);
        if **unknown == *AUTO_GPU {
            let message = format!("{} uses all GPUs, but a pod gets a number of GPUs", self.role);
            let (place, finding) = found(place, "not a number of GPUs", &message);
            return Some((
                place,
                finding.help(
                    "declare each `gpu` of the host with the name that `llama-server --list-devices` prints",
                ),
            ));
        }
        let message =
            format!("no device plugin has {} of {} as a resource", words::quoted(unknown), self.role);
        let (place, finding) = found(place, "not a resource of Kubernetes", &message);
        Some((
            place,
            finding.help("use a build and GPUs of CUDA (`CUDA0`), ROCm (`ROCm0`) or SYCL (`SYCL0`)"),
        ))
    }

    /// A path with `:`. A mount must not contain it (`VolumeMount.mountPath` of the API, Kubernetes 1.35).
    fn path(&self) -> Found {
        let mounts = self.derived.mounts(self.served);
        let mount = mounts.iter().find(|mount| mount.path.contains(':'))?;
        let files = self.served.files.iter().map(|(_, file)| &*file.path);
        let command = self.served.known_command();
        let options = command.iter().flat_map(|command| command.paths.iter()).map(|path| &*path.path);
        let path = files.chain(options).find(|path| mount.has(path)).unwrap_or(&mount.path);
        let message = format!(
            "{} needs {}, but the path of a mount in a pod cannot have `:`",
            self.role,
            words::quoted(path)
        );
        let (place, finding) = found(self.served.serving.model.span, "cannot be mounted", &message);
        Some((place, finding.help("rename the folder or the file")))
    }

    fn option(&self) -> Found {
        self.unless_reported(|inside| inside.missing_gpu().or_else(|| inside.local_peer()))
    }

    fn folder(&self) -> Found {
        self.unless_reported(Inside::hidden_folder)
    }

    /// A finding about the pod, unless `container-cannot` reports the same of the container.
    fn unless_reported(&self, find: impl Fn(Inside<'r>) -> Found) -> Found {
        let inside =
            Inside { code: &KUBERNETES_CANNOT, noun: "pod", derived: self.derived, served: self.served };
        let is_container = self.served.container.is_some() && !pods::is_only_target(&self.derived.registry);
        let is_reported = is_container && find(Inside { noun: "container", ..inside }).is_some();
        if is_reported { None } else { find(inside) }
    }
}

/// True if the CPUs or the threads of a process are known.
fn has_cpus(process: &ProcessSettings, host: &Host) -> bool {
    process.placement.threads.is_some() || process.threads_cpus(host, 0).is_some()
}
