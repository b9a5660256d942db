//! Settings that have another effect in a pod than in a unit, if the stack has the target `kubernetes`.

use super::owner;
use super::shared::inside::{self, Found};
use super::shared::listening::requires_key;
use super::shared::secrets::is_key_variable;
use super::shared::{pod_mounts, pods};
use crate::derive::{Derived, Mount, MountSource, ServedRole};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::engine::Access;
use crate::hir::kubernetes::{GpuResource, namespace, object_name};
use crate::hir::{Gpu, Head, Host, Id, NumaPolicy, Placement, Registry, Residency, Role, Store};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// In a stack with `kubernetes` in `targets`, a setting that has another effect in pods than in units:
    ///
    /// - `numa` and `cpus`: a pod has a number of CPUs, and its kubelet selects them;
    /// - GPUs with different memory, or of AMD and Intel, whose device files need permissions;
    /// - memory that depends on requests, for example images: its pod has no limit;
    /// - `lock`: the container runtime limits locked memory;
    /// - a residency that starts on demand: no pods until a user scales the Deployment;
    /// - files without a `claim`: the pods mount the folder of their node;
    /// - a claim that pods of several hosts mount;
    /// - a folder that the server writes: it is lost with the pod, or needs permissions on the node;
    /// - a volume in another volume, and variables with paths or GPUs;
    /// - a role or a router without a `key-file`: all pods of the cluster can use it.
    ///
    /// ## Why
    /// Kubernetes has no setting for these. Pods without a memory limit are `Burstable`. The level `restricted` forbids `hostPath`
    /// volumes.
    ///
    /// ## Instead
    /// If the effect is acceptable, `allow` the finding with the reason. The kubelet gives a pod its own CPUs only with
    /// `--cpu-manager-policy=static`, which needs reserved CPUs (`--reserved-cpus`). It puts them on one NUMA node with
    /// `--topology-manager-policy=single-numa-node`. `--memory-manager-policy=Static` also needs `--reserved-memory`.
    ///
    /// Servers in pods listen on `0.0.0.0`, so a cluster without IPv4 cannot reach them.
    pub(super) static KUBERNETES_DIFFERS = 618, "kubernetes-differs", Note;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let Some(target) = pods::target(registry) else { return };
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for served in pods::all_roles(derived) {
        let case = Case { derived, registry, role: registry.roles.get(served.id), served };
        for (place, finding) in case.all() {
            // A default, or a YAML alias, applies to many roles, but is reported once.
            if reported.insert(place) {
                findings.report(finding.about(owner(registry, case.role, place)));
            }
        }
    }
    for served in pods::routers(derived) {
        let head = &registry.gateways.get(served.id).head;
        if let Some((place, finding)) = placement(head, &served.settings.placement) {
            findings.extend(reported.insert(place).then(|| finding.about(head)));
        }
    }
    on_demand(derived, findings);
    gpus(derived, findings);
    let mounts = pods::all_roles(derived).map(|served| (served, derived.mounts(served)));
    let mounts: Vec<(&ServedRole, Vec<Mount>)> = mounts.collect();
    folders(registry, &mounts, findings);
    claims(registry, &mounts, findings);
    pod_mounts::report(&KUBERNETES_DIFFERS, derived, findings);
    findings.extend(without_key(derived, target));
}

fn found(place: Span, label: &str, message: &str) -> (Span, Diagnostic) {
    inside::found(&KUBERNETES_DIFFERS, place, label, message)
}

/// A role in a pod. Each method finds one kind of setting, with its place.
struct Case<'r> {
    derived: &'r Derived,
    registry: &'r Registry,
    role: &'r Role,
    served: &'r ServedRole,
}

/// The options of the kubelet that give a pod its own CPUs. The policy needs reserved CPUs (`tasks/administer-cluster/
/// cpu-management-policies` of the Kubernetes documentation).
const OWN_CPUS: &str = "`--cpu-manager-policy=static` and reserved CPUs, such as `--reserved-cpus=0`";

/// The options of the kubelet that keep a pod on one NUMA node. The memory manager needs reserved memory (`tasks/
/// administer-cluster/memory-manager` of the Kubernetes documentation).
const ONE_NODE: &str =
    "`--topology-manager-policy=single-numa-node`, `--memory-manager-policy=Static` and `--reserved-memory`";

impl Case<'_> {
    fn all(&self) -> impl Iterator<Item = (Span, Diagnostic)> {
        [self.memory(), self.placement(), self.lock(), self.written()].into_iter().flatten()
    }

    /// The item whose pod runs the model: the role, or the gateway with the router.
    fn pod(&self) -> &Head {
        let gateway = self.served.serving.gateway.map(|gateway| self.registry.gateways.get(gateway.value));
        gateway.map_or(&self.role.head, |gateway| &gateway.head)
    }

    /// Memory of which a part depends on requests.
    fn memory(&self) -> Found {
        let why = self.served.memory.unknown_on_host()?;
        if self.served.memory.lacks_facts().is_some() {
            return None;
        }
        let part = match self.served.serving.gateway {
            Some(_) => format!("a part of {}", self.role),
            None => "a part".to_owned(),
        };
        let message =
            format!("the pod of {} has no memory limit, because {part} is unknown: {why}", self.pod());
        let (place, finding) = found(self.role.head.name.span, "its memory has no upper bound", &message);
        Some((
            place,
            finding
                .help("keep memory of the node free. The pod shares its CPUs, because it is not Guaranteed"),
        ))
    }

    /// The placement of a role with its own pod.
    fn placement(&self) -> Found {
        let serving = &self.served.serving;
        serving.gateway.is_none().then(|| placement(&self.role.head, &serving.placement))?
    }

    fn lock(&self) -> Found {
        let lock = self.served.serving.placement.lock.filter(|lock| lock.value)?;
        let message = format!(
            "{} locks its memory, but the container runtime limits the locked memory of its pod",
            self.role
        );
        let (place, finding) = found(lock.span, "limited in a pod", &message);
        Some((place, finding.help("set `LimitMEMLOCK=infinity` for the container runtime of the node")))
    }

    /// A written folder that is not one of those with model files.
    fn written(&self) -> Found {
        let command = self.served.known_command()?;
        let mut lost = self.derived.mounts(self.served);
        lost.retain(|mount| mount.writes && mount.source == MountSource::Empty);
        let mut written = command.paths.iter().filter(|path| path.access == Access::Write);
        let written = written.find(|path| lost.iter().any(|mount| mount.has(&path.path)))?;
        let option = written.option.and_then(|option| self.served.serving.options.get(option));
        let place = option.map_or(self.role.head.name.span, |option| option.name.span);
        let message =
            format!("{} writes to {}, which is lost with its pod", self.role, words::quoted(&written.path));
        let (place, finding) = found(place, "kept only as long as the pod", &message);
        Some((place, finding.help("use the files only as a cache that the role can lose")))
    }
}

/// NUMA nodes and CPUs of a role or a router.
fn placement(head: &Head, placement: &Placement) -> Found {
    let numa = placement.numa.as_ref().map(|numa| (&numa.value, numa.span));
    if let Some((NumaPolicy::Interleave(_), place)) = numa {
        let message = format!("{head} interleaves its memory over NUMA nodes, but its pod does not");
        let (place, finding) = found(place, "not possible in a pod", &message);
        let help = format!(
            "expect fewer tokens per second. For CPUs that no other pod uses, start the kubelet with {OWN_CPUS}"
        );
        return Some((place, finding.help(help)));
    }
    if let Some((NumaPolicy::Bind(_) | NumaPolicy::Spread, place)) = numa {
        let message = format!("{head} is bound to a NUMA node, but the kubelet selects the node of its pod");
        let (place, finding) = found(place, "the kubelet selects the node", &message);
        return Some((
            place,
            finding.help(format!("start the kubelet with {OWN_CPUS}, and with {ONE_NODE}")),
        ));
    }
    let cpus = placement.cpus.as_ref()?;
    let message = format!(
        "{head} uses the CPUs {}, but the kubelet selects the CPUs of its pod: only their number is kept",
        cpus.list
    );
    let (place, finding) = found(cpus.span, "the kubelet selects the CPUs", &message);
    Some((place, finding.help(format!("start the kubelet with {OWN_CPUS}"))))
}

/// Reports the residencies whose roles have no pods at first.
fn on_demand(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut residencies: BTreeMap<Id<Residency>, Vec<&ServedRole>> = BTreeMap::new();
    for served in pods::roles(derived).filter(|served| registry.is_on_demand(&served.serving)) {
        residencies.entry(served.serving.residency.value).or_default().push(served);
    }
    let name = |served: &ServedRole| registry.roles.get(served.id).head.name.value.clone();
    for (id, roles) in residencies {
        let residency = registry.residencies.get(id);
        let names: Vec<String> = roles.iter().map(|served| words::quoted(&name(served))).collect();
        let message = format!(
            "{residency} starts on demand, so no pod of {} runs until its Deployment is scaled",
            words::all_of(&names)
        );
        let finding =
            KUBERNETES_DIFFERS.at(residency.start.span, "no start at a request", message).about(residency);
        let stack = &registry.stack.head.name;
        let command = roles.first().and_then(|served| {
            let (object, namespace) = (object_name(stack, &name(served))?, namespace(stack)?);
            let (replicas, first) = (served.serving.ports.len(), if names.len() > 1 { "the first" } else { "it" });
            Some(format!(
                "to start {first}, run `kubectl --namespace {namespace} scale deployment/{object} --replicas={replicas}`"
            ))
        });
        findings.report(finding.maybe_help(command));
    }
}

/// Reports GPUs that pods get in another way than units: each resource of a host once.
fn gpus(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let roles = pods::roles(derived).map(|served| (served.serving.host.value, served.used_gpus()));
    let routers = pods::routers(derived).map(|gateway| (gateway.settings.host.value, gateway.gpus.clone()));
    // The smallest number of GPUs of a pod.
    let mut least: BTreeMap<(Id<Host>, GpuResource), usize> = BTreeMap::new();
    for (host, used) in roles.chain(routers) {
        let mut counts: BTreeMap<GpuResource, usize> = BTreeMap::new();
        for resource in used.iter().flatten().filter_map(|gpu| GpuResource::of(gpu)) {
            *counts.entry(resource).or_default() += 1;
        }
        for (resource, count) in counts {
            let known = least.entry((host, resource)).or_insert(count);
            *known = count.min(*known);
        }
    }
    for ((host, resource), least) in least {
        let host = registry.hosts.get(host);
        let of_resource = host.gpus.iter().filter(|gpu| GpuResource::of(&gpu.name) == Some(resource));
        let all: Vec<&Gpu> = of_resource.collect();
        findings.extend(different_memory(host, resource, &all).filter(|_| least < all.len()));
        findings.extend(all.first().and_then(|gpu| device_files(host, resource, gpu)));
    }
}

/// The finding for GPUs of one resource with different memory.
fn different_memory(host: &Host, resource: GpuResource, gpus: &[&Gpu]) -> Option<Diagnostic> {
    let known = gpus.iter().filter_map(|gpu| Some((gpu.memory?.value, *gpu)));
    let known: Vec<_> = known.collect();
    let (least, small) = known.iter().min_by_key(|(memory, _)| *memory)?;
    let (most, large) = known.iter().max_by_key(|(memory, _)| *memory)?;
    if least == most {
        return None;
    }
    let message = format!(
        "a pod of {host} can get any GPU of `{}`, but {} has {most} and {} has {least}",
        resource.name(),
        words::quoted(&large.name),
        words::quoted(&small.name),
    );
    let finding = KUBERNETES_DIFFERS.at(small.name.span, "smaller than another GPU", message).about(host);
    let help = "for all GPUs of the resource, so that each model fits into each of them";
    Some(finding.help(format!("write `memory=\"{least}\"` {help}")))
}

/// The finding for GPUs whose device files belong to root. Containers with NVIDIA GPUs get readable ones.
fn device_files(host: &Host, resource: GpuResource, gpu: &Gpu) -> Option<Diagnostic> {
    let name = resource.name();
    let message = format!("pods of {host} use `{name}` without root, and the device files belong to root");
    let finding = KUBERNETES_DIFFERS.at(gpu.name.span, "device files of root", message).about(host);
    let runtime =
        "set `device_ownership_from_security_context = true` for the container runtime (containerd or CRI-O)";
    match resource {
        GpuResource::Nvidia => None,
        GpuResource::Amd => Some(finding.help(runtime)),
        GpuResource::Intel => Some(finding.help(runtime).help(
            "GPUs with the driver `xe` (Battlemage, Lunar Lake and newer) are `gpu.intel.com/xe`: replace the resource by a patch \
             of kustomize",
        )),
    }
}

/// Reports the stores whose folders pods mount from their node, and the files that are in no store.
fn folders(registry: &Registry, mounts: &[(&ServedRole, Vec<Mount>)], findings: &mut Diagnostics) {
    let (mut stores, mut others) = (BTreeMap::new(), BTreeMap::new());
    for (served, mounts) in mounts {
        let host = served.serving.host.value;
        let on_host = || registry.stores.entries().filter(|(_, store)| store.is_on(host));
        for mount in mounts.iter().filter(|mount| mount.is_of_node()) {
            let has = |store: &Store| {
                let rest = mount.path.strip_prefix(store.path_on(host).trim_end_matches('/'));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            match on_host().filter(|(_, store)| has(store)).max_by_key(|(_, store)| store.path_on(host).len())
            {
                Some((id, store)) => {
                    stores.entry(id).or_insert((store, host));
                }
                None => {
                    others.entry(mount.path.clone()).or_insert(*served);
                }
            }
        }
    }
    findings.extend(stores.into_values().map(|(store, host)| without_claim(store, host)));
    for (path, served) in others {
        let role = registry.roles.get(served.id);
        let message =
            format!("{} is in no store, so the pod of {role} mounts it from the node", words::quoted(&path));
        let place = served.serving.model.span;
        let finding = KUBERNETES_DIFFERS.at(place, "a folder of the node", message).about(role);
        findings.report(finding.help("declare a `store` with the folder, and its `claim`"));
    }
}

fn without_claim(store: &Store, host: Id<Host>) -> Diagnostic {
    let message = format!(
        "{store} has no `claim`, so pods mount {} of their node, and their namespace cannot be `restricted`",
        words::quoted(store.path_on(host))
    );
    let finding = KUBERNETES_DIFFERS.at(store.head.name.span, "a folder of the node", message).about(store);
    let name = namespace(&store.head.name).map_or("models".to_owned(), |name| name.to_string());
    let change = Change::set(store.head.span, Line::of("claim", name));
    finding.remedy("write `{}`, with the name of a PersistentVolumeClaim that has the models", change)
}

/// Reports the claims that pods of several hosts mount.
fn claims(registry: &Registry, mounts: &[(&ServedRole, Vec<Mount>)], findings: &mut Diagnostics) {
    let mut hosts: BTreeMap<&str, BTreeSet<Id<Host>>> = BTreeMap::new();
    let mut written: BTreeSet<&str> = BTreeSet::new();
    for (served, mounts) in mounts {
        for mount in mounts {
            let MountSource::Claim(name) = &mount.source else { continue };
            hosts.entry(name).or_default().insert(served.serving.host.value);
            written.extend(mount.writes.then_some(&**name));
        }
    }
    for store in registry.stores.iter() {
        let Some(claim) = &store.claim else { continue };
        let Some(count) = hosts.remove(&*claim.value).map(|hosts| hosts.len()).filter(|count| *count > 1)
        else {
            continue;
        };
        let mode = if written.contains(&*claim.value) { "ReadWriteMany" } else { "ReadOnlyMany" };
        let message =
            format!("pods of {count} hosts mount the claim {} of {store}", words::quoted(&claim.value));
        let finding = KUBERNETES_DIFFERS.at(claim.span, "mounted on several nodes", message).about(store);
        findings.report(finding.help(format!(
            "write `{mode}` in `accessModes` of the PersistentVolumeClaim: `ReadWriteOnce` is for one node"
        )));
    }
}

/// The finding for roles and routers that every pod of the cluster can use.
fn without_key(derived: &Derived, target: Span) -> Option<Diagnostic> {
    let registry = &derived.registry;
    let open = pods::roles(derived).filter(|served| !requires_key(registry, served));
    let roles = open.map(|served| &registry.roles.get(served.id).head);
    let routers = pods::routers(derived).map(|served| registry.gateways.get(served.id));
    let open = routers.filter(|gateway| {
        let engine = gateway.engine.map(|engine| registry.engines.get(engine.value));
        let mut env = engine.into_iter().flat_map(|engine| &engine.env);
        gateway.key_file.is_none() && !env.any(|(name, _)| is_key_variable(name))
    });
    let heads = roles.chain(open.map(|gateway| &gateway.head));
    let names: Vec<String> = heads.map(|head| words::quoted(&head.name)).collect();
    if names.is_empty() {
        return None;
    }
    let message = format!(
        "all pods of the cluster can use the Services without a `key-file`: {}",
        words::all_of(&names)
    );
    let finding =
        KUBERNETES_DIFFERS.at(target, "Services for the whole cluster", message).about(&registry.stack);
    Some(finding.help("write `key-file` in these roles and gateways, or a NetworkPolicy in the cluster"))
}
