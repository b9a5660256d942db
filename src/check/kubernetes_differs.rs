//! Settings that have another effect in a pod than in a unit, if the stack has the target `kubernetes`.

use super::owner;
use super::shared::inside::{self, Found};
use super::shared::listening::requires_key;
use super::shared::pods;
use crate::derive::{Derived, ServedRole};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::engine::Access;
use crate::engine::dialect::OptionPath;
use crate::hir::kubernetes::{namespace, object_name};
use crate::hir::{Id, NumaPolicy, Registry, Residency, Role, Store};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// In a stack with `kubernetes` in `targets`, a setting of a role or a store that has another effect in pods than in units:
    ///
    /// - `numa` and `cpus`: a pod has a number of CPUs, and its kubelet selects them;
    /// - memory of which a part depends on requests, for example the images of a projector: its pod has no limit;
    /// - `lock`: a pod of the level `restricted` may lock only as much memory as the container runtime allows;
    /// - a residency that starts on demand: its Deployments have no pods until they are scaled;
    /// - a store without a `claim`: the pods mount the folder of their node;
    /// - a folder that the server writes, for example in `slot-save-path`: it is lost with the pod;
    /// - a role without a `key-file`: all pods of the cluster can use it.
    ///
    /// ## Why
    /// Kubernetes has no setting for these. The kubelet gives a pod its own CPUs only with `--cpu-manager-policy=static`, and puts
    /// them on one NUMA node with `--topology-manager-policy=single-numa-node`. Pods without a memory limit are `Burstable`. The
    /// level `restricted` forbids `hostPath` volumes.
    ///
    /// ## Instead
    /// If the effect is acceptable, `allow` the finding with the reason.
    pub(super) static KUBERNETES_DIFFERS = 618, "kubernetes-differs", Note;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let Some(target) = pods::target(registry) else { return };
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for served in pods::roles(derived) {
        let case = Case { registry, role: registry.roles.get(served.id), served };
        for (place, finding) in case.all() {
            // A default, or a YAML alias, applies to many roles, but is reported once.
            if reported.insert(place) {
                findings.report(finding.about(owner(registry, case.role, place)));
            }
        }
    }
    on_demand(derived, findings);
    folders(derived, findings);
    findings.extend(without_key(derived, target));
}

fn found(place: Span, label: &str, message: &str) -> (Span, Diagnostic) {
    inside::found(&KUBERNETES_DIFFERS, place, label, message)
}

/// A role in a pod. Each method finds one kind of setting, with its place.
struct Case<'r> {
    registry: &'r Registry,
    role: &'r Role,
    served: &'r ServedRole,
}

/// The option of the kubelet that gives a pod its own CPUs.
const OWN_CPUS: &str = "--cpu-manager-policy=static";

/// The options of the kubelet that keep a pod on one NUMA node.
const ONE_NODE: [&str; 2] = ["--topology-manager-policy=single-numa-node", "--memory-manager-policy=Static"];

impl Case<'_> {
    fn all(&self) -> impl Iterator<Item = (Span, Diagnostic)> {
        [self.memory(), self.placement(), self.lock(), self.written()].into_iter().flatten()
    }

    /// Memory of which a part depends on requests.
    fn memory(&self) -> Found {
        let why = self.served.memory.unknown_on_host()?;
        if self.served.memory.lacks_facts().is_some() {
            return None;
        }
        let message =
            format!("the pod of {} has no memory limit, because a part is unknown: {why}", self.role);
        let (place, finding) = found(self.role.head.name.span, "its memory has no upper bound", &message);
        Some((
            place,
            finding
                .help("keep memory of the node free. The pod shares its CPUs, because it is not Guaranteed"),
        ))
    }

    fn placement(&self) -> Found {
        let placement = &self.served.serving.placement;
        let role = self.role;
        let one_node =
            format!("start the kubelet with `{OWN_CPUS}`, `{}` and `{}`", ONE_NODE[0], ONE_NODE[1]);
        let numa = placement.numa.as_ref().map(|numa| (&numa.value, numa.span));
        if let Some((NumaPolicy::Interleave(_), place)) = numa {
            let message = format!("{role} interleaves its memory over NUMA nodes, but its pod does not");
            let (place, finding) = found(place, "not possible in a pod", &message);
            let help = format!(
                "expect fewer tokens per second. For CPUs that no other pod uses, start the kubelet with `{OWN_CPUS}`"
            );
            return Some((place, finding.help(help)));
        }
        if let Some((NumaPolicy::Bind(_) | NumaPolicy::Spread, place)) = numa {
            let message =
                format!("{role} is bound to a NUMA node, but the kubelet selects the node of its pod");
            let (place, finding) = found(place, "the kubelet selects the node", &message);
            return Some((place, finding.help(one_node)));
        }
        let cpus = placement.cpus.as_ref()?;
        let message = format!(
            "{role} uses the CPUs {}, but the kubelet selects the CPUs of its pod: only their number is kept",
            cpus.list
        );
        let (place, finding) = found(cpus.span, "the kubelet selects the CPUs", &message);
        Some((place, finding.help(format!("start the kubelet with `{OWN_CPUS}`"))))
    }

    fn lock(&self) -> Found {
        let lock = self.served.serving.placement.lock.filter(|lock| lock.value)?;
        let message = format!("{} locks its memory, but its pod has no capability for it", self.role);
        let (place, finding) = found(lock.span, "not allowed in a pod", &message);
        Some((place, finding.help("set `LimitMEMLOCK=infinity` for the container runtime of the node")))
    }

    /// A written folder that is not one of those with model files.
    fn written(&self) -> Found {
        let command = self.served.known_command()?;
        let has_files = |folder: &str| {
            let mut files = self.served.files.iter().map(|(_, file)| &*file.path);
            let mut claimed = self.registry.stores.iter().filter(|store| store.claim.is_some());
            files.any(|path| folder_of(path) == folder) || claimed.any(|store| *store.path.value == *folder)
        };
        let is_own = |path: &&OptionPath| {
            let folder = if path.is_folder { path.path.trim_end_matches('/') } else { folder_of(&path.path) };
            path.access == Access::Write && !has_files(folder)
        };
        let written = command.paths.iter().find(is_own)?;
        let option = written.option.and_then(|option| self.served.serving.options.get(option));
        let place = option.map_or(self.role.head.name.span, |option| option.name.span);
        let message =
            format!("{} writes to {}, which is lost with its pod", self.role, words::quoted(&written.path));
        let (place, finding) = found(place, "kept only as long as the pod", &message);
        Some((place, finding.help("use the files only as a cache that the role can lose")))
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Reports the residencies whose roles have no pods at first.
fn on_demand(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut residencies: BTreeMap<Id<Residency>, Vec<&Role>> = BTreeMap::new();
    for served in pods::roles(derived).filter(|served| registry.is_on_demand(&served.serving)) {
        let role = registry.roles.get(served.id);
        residencies.entry(served.serving.residency.value).or_default().push(role);
    }
    for (id, roles) in residencies {
        let residency = registry.residencies.get(id);
        let names: Vec<String> = roles.iter().map(|role| words::quoted(&role.head.name)).collect();
        let message = format!(
            "{residency} starts on demand, so no pod of {} runs until its Deployment is scaled",
            words::all_of(&names)
        );
        let finding =
            KUBERNETES_DIFFERS.at(residency.start.span, "no start at a request", message).about(residency);
        let stack = &registry.stack.head.name;
        let object = roles.first().and_then(|role| object_name(stack, &role.head.name));
        let command = object.zip(namespace(stack)).map(|(object, namespace)| {
            format!("to start the first, run `kubectl --namespace {namespace} scale deployment/{object} --replicas=1`")
        });
        findings.report(finding.maybe_help(command));
    }
}

/// Reports the stores whose folders pods mount from their node, and the files that are in no store.
fn folders(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let claimed: Vec<&str> =
        registry.stores.iter().filter(|store| store.claim.is_some()).map(|store| &**store.path).collect();
    let is_claimed = |path: &str| {
        claimed.iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    };
    let (mut stores, mut files) = (BTreeSet::new(), BTreeMap::new());
    for served in pods::all_roles(derived) {
        for (_, file) in served.files.iter().filter(|(_, file)| !is_claimed(&file.path)) {
            match file.store {
                Some(store) => {
                    stores.insert(store);
                }
                None => {
                    files.entry(&*file.path).or_insert(served);
                }
            }
        }
    }
    findings.extend(stores.into_iter().map(|id| without_claim(registry.stores.get(id))));
    for (path, served) in files {
        let role = registry.roles.get(served.id);
        let message = format!(
            "{} is in no store, so the pod of {role} mounts its folder from the node",
            words::quoted(path)
        );
        let place = served.serving.model.span;
        let finding = KUBERNETES_DIFFERS.at(place, "a folder of the node", message).about(role);
        findings.report(finding.help("declare a `store` with the folder, and its `claim`"));
    }
}

fn without_claim(store: &Store) -> Diagnostic {
    let message = format!(
        "{store} has no `claim`, so pods mount {} of their node, and their namespace cannot be `restricted`",
        words::quoted(&store.path)
    );
    let finding = KUBERNETES_DIFFERS.at(store.head.name.span, "a folder of the node", message).about(store);
    let name = namespace(&store.head.name).map_or("models".to_owned(), |name| name.to_string());
    let change = Change::set(store.head.span, Line::of("claim", name));
    finding.remedy("write `{}`, with the name of a PersistentVolumeClaim that has the models", change)
}

/// The finding for roles that every pod of the cluster can use.
fn without_key(derived: &Derived, target: Span) -> Option<Diagnostic> {
    let registry = &derived.registry;
    let open = pods::roles(derived).filter(|served| !requires_key(registry, served));
    let names: Vec<String> =
        open.map(|served| words::quoted(&registry.roles.get(served.id).head.name)).collect();
    if names.is_empty() {
        return None;
    }
    let message = format!(
        "all pods of the cluster can use the Services without a `key-file`: {}",
        words::all_of(&names)
    );
    let finding =
        KUBERNETES_DIFFERS.at(target, "Services for the whole cluster", message).about(&registry.stack);
    Some(finding.help("write `key-file` in the roles, or a NetworkPolicy in the cluster"))
}
