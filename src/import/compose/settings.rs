//! Settings of a service that no registry has, with the reasons.

use super::files::{Part, Setting};
use super::service::ServiceReader;
use crate::import::source::{At, Change, Word};
use crate::import::words::without_secrets;
use crate::syntax::yaml::{Tree, TreeEntry};

/// The usual reason.
const NO_CONTAINER: &str = "the role runs without a setting of the container engine";

/// Settings with their reasons.
const REASONS: &[(&str, &str)] = &[
    ("build", "orchgen builds no images"),
    ("container_name", "orchgen selects the name"),
    ("hostname", "the role has the name of its host"),
    ("expose", "other containers cannot reach the role by its name; use its address"),
    ("networks", "other containers cannot reach the role by its name; use its address"),
    ("cpuset", "set `cpus` of the role"),
    ("cpus", "set `cpus` of the role"),
    ("mem_limit", "orchgen computes the memory of the role"),
    ("memswap_limit", "orchgen computes the memory of the role"),
    ("healthcheck", "orchgen writes its own health check"),
    (
        "profiles",
        "a profile starts the service only by its name; the residency of the role decides when it starts",
    ),
    ("user", "the unit has its own account"),
    ("group_add", "the unit has its own groups"),
    ("ulimits", "orchgen sets the limits that the options need"),
    ("shm_size", "a unit uses the shared memory of the host"),
    ("runtime", "the role sees all GPUs of the host; select them by `env` or `device`"),
    ("gpus", "the role sees all GPUs of the host; select them by `env` or `device`"),
    ("devices", "the role sees the devices that its account may open"),
    ("stop_grace_period", "systemd limits the time to stop"),
    ("logging", "the journal has the output"),
    ("labels", "a unit has no labels"),
    ("scale", "set `instances` of the role"),
    ("secrets", "the role reads files of the host"),
    ("configs", "the role reads files of the host"),
];

/// Settings without an effect on the server: order and documentation.
const SILENT: &[&str] = &["depends_on", "annotations"];

/// Keys of secrets.
const SECRETS: &[&str] = &["key", "token", "secret", "password", "auth"];

/// Reports a setting.
pub(super) fn lose(service: &mut ServiceReader<'_, '_>, setting: &Setting<'_>, part: Part<'_>) {
    let key = setting.key;
    if SILENT.contains(&key) || key.starts_with("x-") || part.value.is_null() {
        return;
    }
    match key {
        "deploy" => deploy(service, part, part.value, "deploy"),
        "network_mode" if service.text(part, part.value) == "host" => {
            let why = "a unit always uses it".to_owned();
            let is = "the network of the host".to_owned();
            let option = "network_mode".to_owned();
            service.server.changes.push(Change { option, was: "host".to_owned(), is, why, at: part.at() });
        }
        "cpuset" if part.value.scalar().is_some() => {
            let list = part.value.scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
            service.server.placement.cpus = Some(Word::new(list, part.at()));
        }
        _ => {
            note_gpus(service, key, part.value);
            let why = REASONS.iter().find(|(name, _)| *name == key).map_or(NO_CONTAINER, |(_, why)| *why);
            let text = describe(service, part, part.value, key);
            service.server.lose(format!("{key}: {text}"), part.at(), why);
        }
    }
}

/// `deploy`: each limit and each device. The recursion is safe: the depth of a tree is limited.
fn deploy(service: &mut ServiceReader<'_, '_>, part: Part<'_>, tree: &Tree, path: &str) {
    for entry in tree.entries() {
        let path = format!("{path}.{}", entry.key);
        let at = At { file: part.source.file, line: entry.line };
        match path.as_str() {
            "deploy.restart_policy" => restart_policy(service, part, entry),
            "deploy.resources" | "deploy.resources.limits" | "deploy.resources.reservations" => {
                deploy(service, part, &entry.value, &path);
            }
            _ if entry.value.is_null() => {}
            _ => {
                let why = match entry.key.as_str() {
                    "devices" => {
                        note_gpus(service, "deploy", &entry.value);
                        "the role sees all GPUs of the host; select them by `env` or `device`"
                    }
                    "memory" => "orchgen computes the memory of the role",
                    "cpus" => "set `cpus` of the role",
                    "replicas" => "set `instances` of the role",
                    _ => NO_CONTAINER,
                };
                let text = describe(service, part, &entry.value, &entry.key);
                service.server.lose(format!("{path}: {text}"), at, why);
            }
        }
    }
}

/// The limits of restarts. The condition is read elsewhere.
fn restart_policy(service: &mut ServiceReader<'_, '_>, part: Part<'_>, entry: &TreeEntry) {
    for field in entry.value.entries().iter().filter(|field| field.key != "condition") {
        let at = At { file: part.source.file, line: field.line };
        let text = describe(service, part, &field.value, &field.key);
        service.server.lose(
            format!("restart_policy.{}: {text}", field.key),
            at,
            "the unit has its own restart policy",
        );
    }
}

/// The kind of GPUs that a device, a driver or a runtime shows, if the image does not show it.
fn note_gpus(service: &mut ServiceReader<'_, '_>, key: &str, tree: &Tree) {
    let mut texts = Vec::new();
    collect(tree, &mut texts);
    let has = |text: &str| texts.iter().any(|other| other.contains(text));
    let kind = match key {
        "runtime" | "deploy" | "gpus" if has("amd") => "ROCm",
        "gpus" => "CUDA",
        "runtime" | "deploy" | "devices" if has("nvidia") => "CUDA",
        "devices" if has("/dev/kfd") => "ROCm",
        "devices" if has("/dev/dri") => "Vulkan",
        _ => return,
    };
    service.server.gpus.get_or_insert(kind);
}

/// All texts in a value. The recursion is safe: the depth of a tree is limited.
fn collect<'t>(tree: &'t Tree, found: &mut Vec<&'t str>) {
    found.extend(tree.scalar().map(|scalar| scalar.text.as_str()));
    for inner in tree.items().iter().chain(tree.entries().iter().map(|entry| &entry.value)) {
        collect(inner, found);
    }
}

/// A value in one line, shortened, without secrets.
fn describe(service: &mut ServiceReader<'_, '_>, part: Part<'_>, tree: &Tree, key: &str) -> String {
    const MOST: usize = 120;
    let mut found = String::new();
    write(service, part, tree, key, &mut found);
    match found.char_indices().nth(MOST) {
        Some((at, _)) => format!("{} …", found.get(..at).unwrap_or_default().trim_end()),
        None => found,
    }
}

/// Writes a value. The recursion is safe: the depth of a tree is limited.
fn write(service: &mut ServiceReader<'_, '_>, part: Part<'_>, tree: &Tree, key: &str, found: &mut String) {
    const MOST: usize = 200;
    if found.len() > MOST {
        return;
    }
    if tree.scalar().is_some() {
        let lower = key.to_ascii_lowercase();
        if SECRETS.iter().any(|secret| lower.contains(secret)) {
            found.push('…');
        } else {
            found.push_str(without_secrets(&service.text(part, tree)).trim());
        }
    }
    for (at, item) in tree.items().iter().enumerate() {
        found.push_str(if at == 0 { "" } else { ", " });
        write(service, part, item, key, found);
    }
    for (at, entry) in tree.entries().iter().enumerate() {
        found.push_str(if at == 0 { "" } else { ", " });
        found.push_str(&entry.key);
        found.push(' ');
        write(service, part, &entry.value, &entry.key, found);
    }
}
