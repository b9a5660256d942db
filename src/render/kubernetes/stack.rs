//! `kubernetes/namespace.yaml` and `kubernetes/kustomization.yaml`.

use super::GENERATED;
use super::api::{Namespace, ObjectMeta};
use super::names::Labels;
use crate::plan::kubernetes::namespace;
use crate::plan::{Mount, Plan, Pod};
use crate::render::RenderError;
use crate::render::yaml::to_yaml;
use serde::Serialize;

/// The labels of the Pod Security admission (`concepts/security/pod-security-admission` of the Kubernetes documentation).
const ADMISSION: &str = "pod-security.kubernetes.io";

/// The reason for the level of the namespace.
const WITH_FOLDERS_OF_NODES: &str = "\
# Pods mount files of their nodes (hostPath), which the levels `restricted` and `baseline` of the Pod Security Standards forbid.
# Everything else follows `restricted`. To enforce it, give each store a `claim`.
";

/// The list of the files.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kustomization {
    api_version: &'static str,
    kind: &'static str,
    resources: Vec<String>,
}

/// The namespace of some pods.
pub(super) fn namespace_text(plan: &Plan, pods: &[&Pod]) -> Result<String, RenderError> {
    let fail = || RenderError::new(&plan.stack, "no namespace can have its name");
    let name = namespace(&plan.stack).ok_or_else(fail)?;
    let mut mounts = pods.iter().flat_map(|pod| &pod.mounts);
    let uses_nodes = mounts.any(Mount::is_of_node);
    let enforced = if uses_nodes { "privileged" } else { "restricted" };
    let mut labels = Labels::of_stack(&plan.stack).all();
    for (mode, level) in [("enforce", enforced), ("audit", "restricted"), ("warn", "restricted")] {
        labels.insert(format!("{ADMISSION}/{mode}"), level.to_owned());
    }
    let object = Namespace {
        metadata: ObjectMeta { name: Some(name.to_string()), labels: Some(labels), ..ObjectMeta::default() },
        ..Namespace::default()
    };
    let reason = if uses_nodes { WITH_FOLDERS_OF_NODES } else { "" };
    Ok(format!("{GENERATED}{reason}{}", to_yaml(&plan.stack, &object)?))
}

/// The list of all files.
pub(super) fn kustomization(plan: &Plan, files: Vec<String>) -> Result<String, RenderError> {
    let list = Kustomization {
        api_version: "kustomize.config.k8s.io/v1beta1",
        kind: "Kustomization",
        resources: files,
    };
    Ok(format!("{GENERATED}# To apply it: kubectl apply --kustomize .\n{}", to_yaml(&plan.stack, &list)?))
}
