//! Pods for which their machine has too few resources, if the stack has the target `kubernetes`.

use super::shared::pods;
use crate::derive::{Derived, Pod, ServedRole};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::kubernetes::GpuResource;
use crate::hir::{Bytes, Gpu, Head, Host, Id, Start};
use std::collections::BTreeMap;
use std::sync::Arc;

declare_code! {
    /// ## What it finds
    /// In a stack with `kubernetes` in `targets`, pods of a host that start at boot and together request more than the host declares:
    ///
    /// - CPUs: each pod requests those of its `placement`, or else one for each thread. The pods must leave at least one CPU free;
    /// - memory: each pod requests all of its memory, also for model files that several pods read. The `reserve` must be free;
    /// - GPUs: each pod has its GPUs alone.
    ///
    /// The sums have no pods of other stacks. The check also finds a role with some of the GPUs of a host, if these have different
    /// sizes: the device plugin may give its pod a smaller one.
    ///
    /// ## Why
    /// Units can share CPUs, GPUs and the pages of model files. The scheduler of Kubernetes adds the requests of all pods of a node,
    /// and leaves a pod pending for which the rest is too small. Pods of the cluster itself request CPUs too, and a kubelet with
    /// `--cpu-manager-policy=static` must reserve some. A device plugin offers the GPUs of a node by number, without their sizes.
    ///
    /// ## Instead
    /// Write smaller `threads` in the roles, move roles to another `host`, or let roles start on demand. If the cluster runs only some
    /// of the roles, `allow` the finding.
    pub(super) static UNSCHEDULABLE_PODS = 619, "unschedulable-pods", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    if pods::target(registry).is_none() {
        return;
    }
    let mut hosts: BTreeMap<Id<Host>, Vec<Request<'_>>> = BTreeMap::new();
    for served in pods::roles(derived).filter(|served| !registry.is_on_demand(&served.serving)) {
        let head = &registry.roles.get(served.id).head;
        let host = registry.hosts.get(served.serving.host.value);
        let counts_threads = served.serving.cpus(host, 0).is_none();
        let request = derived
            .pod(served)
            .map(|pod| Request { counts_threads, ..Request::of(head, &pod, served.serving.ports.len()) });
        hosts.entry(served.serving.host.value).or_default().extend(request);
    }
    for gateway in pods::routers(derived) {
        let starts = gateway.residencies.keys().map(|id| registry.residencies.get(*id).start.value);
        if starts.into_iter().any(|start| start == Start::Boot) {
            let head = &registry.gateways.get(gateway.id).head;
            let request = derived.pod_of_gateway(gateway).map(|pod| Request::of(head, &pod, 1));
            hosts.entry(gateway.settings.host.value).or_default().extend(request);
        }
    }
    for (id, requests) in hosts {
        let host = registry.hosts.get(id);
        let sums = [cpus(host, &requests), memory(host, &requests)];
        findings.extend(sums.into_iter().flatten().chain(gpus(host, &requests)));
    }
    findings.extend(pods::roles(derived).filter_map(|served| other_gpu(derived, served)));
}

/// The requests of all pods of a role or a gateway.
struct Request<'r> {
    head: &'r Head,
    replicas: u64,
    cpus: u64,
    /// True if a role has one CPU for each of its threads.
    counts_threads: bool,
    memory: Bytes,
    gpus: BTreeMap<GpuResource, u64>,
}

impl<'r> Request<'r> {
    fn of(head: &'r Head, pod: &Pod, replicas: usize) -> Self {
        let replicas = u64::try_from(replicas).unwrap_or(u64::MAX);
        let gpus = pod.gpus.counts.iter();
        Self {
            head,
            replicas,
            counts_threads: false,
            cpus: u64::from(pod.cpus.unwrap_or(0)).saturating_mul(replicas),
            memory: Bytes(pod.request.0.saturating_mul(replicas)),
            gpus: gpus
                .map(|(resource, count)| (*resource, u64::from(*count).saturating_mul(replicas)))
                .collect(),
        }
    }
}

impl Request<'_> {
    /// The threads of each pod with which all of them need fewer CPUs. `None` if no thread would be left.
    fn threads_without(&self, surplus: u64) -> Option<u64> {
        let each = self.cpus.checked_div(self.replicas)?;
        each.checked_sub(surplus.div_ceil(self.replicas)).filter(|threads| *threads > 0)
    }
}

fn cpus(host: &Host, requests: &[Request<'_>]) -> Option<Diagnostic> {
    let all = host.all_cpus()?.count();
    let sum = requests.iter().fold(0, |sum: u64, request| sum.saturating_add(request.cpus));
    let surplus = sum.checked_sub(all.saturating_sub(1)).filter(|surplus| *surplus > 0)?;
    let parts = requests.iter().map(|request| (request.head, request.cpus.to_string()));
    let lack = if sum == all {
        format!("request all {all} CPUs, but the kubelet and pods of the cluster need some")
    } else {
        format!("request {sum} CPUs, and it has {all}")
    };
    let found = finding(host, &lack, parts.collect());
    let largest = requests.iter().filter(|request| request.counts_threads).max_by_key(|request| request.cpus);
    let fewer = largest.and_then(|request| Some((request.head, request.threads_without(surplus)?)));
    Some(match fewer {
        Some((head, threads)) => {
            let change = Change::set_in(head.span, "placement", Line::of("threads", threads));
            let found = found.remedy(format!("write `{{}}` in {head}"), change);
            found.help("or move roles to another `host`, or let roles start on demand")
        }
        None => found.help("use fewer CPUs, move roles to another `host`, or let roles start on demand"),
    })
}

fn memory(host: &Host, requests: &[Request<'_>]) -> Option<Diagnostic> {
    let (all, free) = (host.memory?.value, host.room()?);
    let sum = requests.iter().fold(Bytes(0), |sum, request| sum.plus(request.memory));
    let parts = requests.iter().map(|request| (request.head, request.memory.to_string()));
    let reserve = all.minus(free);
    let lack = format!("request {sum} of memory, but only {free} are free ({all} minus {reserve} `reserve`)");
    let help = "write a smaller `context`, move roles to another `host`, or let roles start on demand";
    (sum > free).then(|| finding(host, &lack, parts.collect()).help(help))
}

fn gpus<'h>(host: &'h Host, requests: &'h [Request<'_>]) -> impl Iterator<Item = Diagnostic> + 'h {
    let resources = [GpuResource::Nvidia, GpuResource::Amd, GpuResource::Intel].into_iter();
    resources.filter_map(move |resource| {
        let of = |gpu: &&str| GpuResource::of(gpu) == Some(resource);
        let all = host.gpus.iter().map(|gpu| &*gpu.name.value).filter(of).count();
        let count = |request: &Request<'_>| request.gpus.get(&resource).copied().unwrap_or(0);
        let sum = requests.iter().fold(0, |sum: u64, request| sum.saturating_add(count(request)));
        let using = requests.iter().filter(|request| count(request) > 0);
        let parts = using.map(|request| (request.head, count(request).to_string()));
        let lack = format!("request {sum} GPUs of `{}`, and it has {all}", resource.name());
        (sum > u64::try_from(all).unwrap_or(u64::MAX)).then(|| {
            finding(host, &lack, parts.collect())
                .help("move roles to other GPUs, or let roles start on demand: a pod has its GPUs alone")
        })
    })
}

/// The finding about a role whose pod may get a smaller GPU than its own, because the device plugin selects it.
fn other_gpu(derived: &Derived, served: &ServedRole) -> Option<Diagnostic> {
    let registry = &derived.registry;
    let (role, host) = (registry.roles.get(served.id), registry.hosts.get(served.serving.host.value));
    let pod = derived.pod(served)?;
    let own = served.used_gpus()?;
    pod.gpus.counts.iter().find_map(|(resource, count)| {
        let is_of = |name: &Arc<str>| GpuResource::of(name) == Some(*resource);
        let all: Vec<&Gpu> = host.gpus.iter().filter(|gpu| is_of(&gpu.name.value)).collect();
        let sizes = all.iter().filter_map(|gpu| gpu.memory.map(|memory| memory.value));
        let is_own = |gpu: &&&Gpu| own.iter().any(|name| **name == *gpu.name.value);
        let largest = all.iter().filter(is_own).filter_map(|gpu| Some(gpu.memory?.value)).max()?;
        let smallest = sizes.min().filter(|smallest| *smallest < largest)?;
        if usize::try_from(*count).is_ok_and(|count| count >= all.len()) {
            return None;
        }
        let devices = &served.serving.placement.gpus().devices;
        let place = devices.iter().find(|device| is_of(&device.value));
        let place = place.map_or(role.head.name.span, |device| device.span);
        let message = format!(
            "the pod of {role} may get a GPU with {smallest} instead of {largest}: the device plugin of `{}` selects it",
            resource.name()
        );
        let finding = UNSCHEDULABLE_PODS.at(place, "the device plugin selects the GPU", message).about(role);
        let names: Vec<&str> = all.iter().map(|gpu| &*gpu.name.value).collect();
        Some(finding.help(format!(
            "let the device plugin of {host} offer only GPUs of one size, or name all of them in `gpu` of `placement`: `{}`",
            names.join(",")
        )))
    })
}

/// The maximum number of roles to list.
const MAX_PARTS: usize = 6;

/// The finding for a resource, with the roles that request it.
fn finding(host: &Host, lack: &str, parts: Vec<(&Head, String)>) -> Diagnostic {
    let message = format!("the pods of {host} that start at boot {lack}");
    let finding = UNSCHEDULABLE_PODS.at(host.head.name.span, "too small for all pods", message).about(host);
    let more = parts.len().saturating_sub(MAX_PARTS);
    let listed = parts.into_iter().take(MAX_PARTS);
    let mut all: Vec<String> = listed.map(|(head, amount)| format!("{head} {amount}")).collect();
    all.extend((more > 0).then(|| words::count(more, "more role")));
    finding.note(format!("requests: {}", words::all_of(&all)))
}
