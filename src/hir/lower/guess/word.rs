//! Words of other tools that mean a word of a field.

/// A word of a field, and its other names.
const OTHER_NAMES: &[(&str, &[&str])] = &[
    ("kubernetes", &["k8s", "kube", "kubectl", "kustomize", "helm", "k3s", "openshift"]),
    ("prometheus", &["prom", "metrics", "grafana"]),
    ("quadlet", &["podman", "container", "containers"]),
    ("compose", &["docker", "docker-compose", "podman-compose"]),
    ("llama-swap", &["litellm", "olla"]),
    ("systemd", &["units", "unit", "services", "systemctl"]),
];

/// The word of a field that is another name of a text.
pub(in crate::hir::lower) fn other_name(
    text: &str,
    choices: &'static [&'static str],
) -> Option<&'static &'static str> {
    let text = text.to_ascii_lowercase().replace('_', "-");
    let has_name =
        |choice: &&&str| OTHER_NAMES.iter().any(|(word, names)| word == *choice && names.contains(&&*text));
    choices.iter().find(has_name)
}
