//! The specification of a pod: Guaranteed resources, and all limits of the level `restricted` of the Pod Security Standards.

use super::api::{
    Capabilities, Container, ContainerPort, EnvVar, PodSecurityContext, PodSpec, ResourceRequirements,
    SeccompProfile, SecurityContext, Sysctl,
};
use super::names::Quantity;
use super::probes::Probes;
use super::volumes::{MountedVolume, key_path, mounts, volumes};
use super::workload::Workload;
use crate::plan::kubernetes::node_name;
use crate::plan::{Bytes, POD_USER, Word};
use std::collections::BTreeMap;

/// The name of the container.
const CONTAINER: &str = "server";

/// The seconds to stop, as in units.
const STOP: i64 = 30;

/// The first port that needs no privilege.
const FIRST_FREE_PORT: i32 = 1024;

pub(super) fn pod_spec(workload: &Workload<'_>) -> PodSpec {
    // `kubernetes-name` reports other names.
    let node = workload.pod.node.as_ref().and_then(|host| node_name(host)).map(|node| node.to_string());
    PodSpec {
        automount_service_account_token: Some(false),
        containers: vec![container(workload)],
        enable_service_links: Some(false),
        node_selector: node.map(|node| BTreeMap::from([("kubernetes.io/hostname".to_owned(), node)])),
        security_context: Some(pod_security(workload)),
        termination_grace_period_seconds: Some(STOP),
        volumes: Some(volumes(&workload.volumes)),
        ..PodSpec::default()
    }
}

fn container(workload: &Workload<'_>) -> Container {
    let (pod, port) = (workload.pod, workload.port);
    let env = pod.env.iter().map(|(name, value)| EnvVar {
        name: name.to_string(),
        value: Some(escaped(value)),
        value_from: None,
    });
    Container {
        name: CONTAINER.to_owned(),
        image: Some(pod.image.to_string()),
        args: Some(pod.args.iter().map(argument).collect()),
        env: Some(env.collect()).filter(|env: &Vec<_>| !env.is_empty()),
        ports: Some(vec![ContainerPort {
            name: Some(port.name()),
            container_port: port.number(),
            ..ContainerPort::default()
        }]),
        resources: Some(resources(workload)),
        startup_probe: workload.probes.as_ref().map(Probes::startup),
        readiness_probe: workload.probes.as_ref().map(Probes::readiness),
        liveness_probe: workload.probes.as_ref().map(Probes::liveness),
        security_context: Some(container_security()),
        volume_mounts: Some(mounts(&workload.volumes)),
        ..Container::default()
    }
}

/// A word of the command line.
fn argument(word: &Word) -> String {
    if matches!(word, Word::KeyFile(_)) { key_path() } else { escaped(word.text()) }
}

/// A text in which Kubernetes finds no variables: `$$` is one `$` (`third_party/forked/golang/expansion/expand.go`).
fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

/// Equal requests and limits, so that the pod is Guaranteed and a static CPU manager gives it whole CPUs. If the memory is not
/// completely known, the pod only requests the known part.
fn resources(workload: &Workload<'_>) -> ResourceRequirements {
    let pod = workload.pod;
    let cpu = pod.cpus.map(|count| ("cpu".to_owned(), Quantity::whole(count)));
    let gpus = pod.gpus.iter().map(|(resource, count)| (resource.name().to_owned(), Quantity::whole(*count)));
    let all: BTreeMap<_, _> =
        cpu.into_iter().chain(gpus).map(|(name, quantity)| (name, quantity.into())).collect();
    let with = |memory: Option<Bytes>| {
        let memory = memory.map(|bytes| ("memory".to_owned(), Quantity::bytes(bytes).into()));
        Some(all.clone().into_iter().chain(memory).collect())
    };
    ResourceRequirements { claims: None, limits: with(pod.memory), requests: with(Some(pod.request)) }
}

fn pod_security(workload: &Workload<'_>) -> PodSecurityContext {
    // Kubernetes 1.22 and later allow it as a safe sysctl.
    let ports = Sysctl { name: "net.ipv4.ip_unprivileged_port_start".to_owned(), value: "0".to_owned() };
    // The group of the files of a secret, and of a claim that the server writes.
    let has_group = workload.secret.is_some() || workload.volumes.iter().any(MountedVolume::is_written_claim);
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(POD_USER),
        run_as_group: Some(POD_USER),
        fs_group: has_group.then_some(POD_USER),
        fs_group_change_policy: has_group.then(|| "OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        sysctls: (workload.port.number() < FIRST_FREE_PORT).then(|| vec![ports]),
        ..PodSecurityContext::default()
    }
}

fn container_security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { add: None, drop: Some(vec!["ALL".to_owned()]) }),
        read_only_root_filesystem: Some(true),
        ..SecurityContext::default()
    }
}
