//! Pods for which their machine has too few resources, if the stack has the target `kubernetes`.

use super::shared::pods;
use crate::derive::{Derived, Pod};
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::kubernetes::GpuResource;
use crate::hir::{Bytes, Head, Host, Id, Start};
use std::collections::BTreeMap;

declare_code! {
    /// ## What it finds
    /// In a stack with `kubernetes` in `targets`, pods of a host that start at boot and together request more than the host declares:
    ///
    /// - CPUs: each pod requests those of its `placement`, or else one for each thread;
    /// - memory: each pod requests all of its memory, also for model files that several pods read;
    /// - GPUs: each pod has its GPUs alone.
    ///
    /// The sums have no pods of other stacks, and no resources that the kubelet reserves.
    ///
    /// ## Why
    /// Units can share CPUs, GPUs and the pages of model files. The scheduler of Kubernetes adds the requests of all pods of a node,
    /// and leaves a pod pending for which the rest is too small.
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
        let request = derived.pod(served).map(|pod| Request::of(head, &pod, served.serving.ports.len()));
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
}

/// The requests of all pods of a role or a gateway.
struct Request<'r> {
    head: &'r Head,
    cpus: u64,
    memory: Bytes,
    gpus: BTreeMap<GpuResource, u64>,
}

impl<'r> Request<'r> {
    fn of(head: &'r Head, pod: &Pod, replicas: usize) -> Self {
        let replicas = u64::try_from(replicas).unwrap_or(u64::MAX);
        let gpus = pod.gpus.counts.iter();
        Self {
            head,
            cpus: u64::from(pod.cpus.unwrap_or(0)).saturating_mul(replicas),
            memory: Bytes(pod.request.0.saturating_mul(replicas)),
            gpus: gpus
                .map(|(resource, count)| (*resource, u64::from(*count).saturating_mul(replicas)))
                .collect(),
        }
    }
}

fn cpus(host: &Host, requests: &[Request<'_>]) -> Option<Diagnostic> {
    let all = host.all_cpus()?.count();
    let sum = requests.iter().fold(0, |sum: u64, request| sum.saturating_add(request.cpus));
    let parts = requests.iter().map(|request| (request.head, request.cpus.to_string()));
    let lack = format!("request {sum} CPUs, and it has {all}");
    let help = "write smaller `threads`, move roles to another `host`, or let roles start on demand";
    (sum > all).then(|| finding(host, &lack, parts.collect()).help(help))
}

fn memory(host: &Host, requests: &[Request<'_>]) -> Option<Diagnostic> {
    let all = host.memory?.value;
    let sum = requests.iter().fold(Bytes(0), |sum, request| sum.plus(request.memory));
    let parts = requests.iter().map(|request| (request.head, request.memory.to_string()));
    let lack = format!("request {sum} of memory, and it has {all}");
    let help = "write a smaller `context`, move roles to another `host`, or let roles start on demand";
    (sum > all).then(|| finding(host, &lack, parts.collect()).help(help))
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
