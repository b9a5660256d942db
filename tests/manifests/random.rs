//! Random stacks: everything in the manifests that a schema does not check.

use super::{IMAGE, lock, manifests};
use crate::kubernetes::objects;
use crate::support::{Compiled, compile};
use proptest::prelude::*;
use serde_yaml::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A role of a random stack.
#[derive(Clone, Debug)]
struct RandomRole {
    name: String,
    traits: BTreeSet<Trait>,
    instances: u16,
    gpus: Vec<usize>,
    cpus: u16,
    value: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Trait {
    /// The engine has programs of the host too.
    OnHost,
    /// It is behind the gateway.
    Routed,
    /// It has the model that is in no store.
    Small,
    HasKey,
    Writes,
    OnDemand,
}

impl RandomRole {
    fn is(&self, one: Trait) -> bool {
        self.traits.contains(&one)
    }
}

/// A random stack.
#[derive(Clone, Debug)]
struct RandomStack {
    name: String,
    host: Option<String>,
    folder: String,
    claim: Option<String>,
    speed: Option<u32>,
    first_port: u16,
    /// The memory of the host in GB.
    memory: u32,
    /// The folder of the store on the host.
    mount: Option<String>,
    context: u32,
    log: Option<String>,
    roles: Vec<RandomRole>,
}

const GPUS: [&str; 4] = ["CUDA0", "CUDA3", "ROCm1", "SYCL0"];

fn role() -> impl Strategy<Value = RandomRole> {
    let names = "[A-Za-z0-9][A-Za-z0-9._-]{0,58}";
    let all = [Trait::OnHost, Trait::Routed, Trait::Small, Trait::HasKey, Trait::Writes, Trait::OnDemand];
    let traits = prop::sample::subsequence(all.to_vec(), 0..=all.len());
    let gpus = prop::collection::btree_set(0..GPUS.len(), 0..3);
    let value = prop_oneof!["16", "true", "0x10", "1_000", "[$][(]HOME[)] [$]{1,3}x", "[a-z: #]{1,12}"];
    (names, traits, 1..4_u16, gpus, 0..16_u16, value).prop_map(
        |(name, traits, instances, gpus, cpus, value)| {
            let mut traits: BTreeSet<Trait> = traits.into_iter().collect();
            if !traits.contains(&Trait::OnHost) {
                traits.retain(|one| !matches!(one, Trait::Routed | Trait::OnDemand));
            }
            let is_routed = traits.contains(&Trait::Routed);
            if is_routed {
                traits.remove(&Trait::HasKey);
            }
            let instances = if is_routed { 1 } else { instances };
            RandomRole { name, traits, instances, gpus: gpus.into_iter().collect(), cpus, value }
        },
    )
}

fn stack() -> impl Strategy<Value = RandomStack> {
    (
        "[A-Za-z0-9][A-Za-z0-9._-]{0,20}",
        prop::option::of("[A-Za-z][A-Za-z0-9-]{0,20}"),
        "/[a-z]{1,8}/[a-z _]{0,8}[a-z]",
        prop::option::of(
            "[a-z]([a-z0-9.]{0,8}[a-z])?".prop_filter("no empty label", |name| !name.contains("..")),
        ),
        prop::option::of(1..5000_u32),
        prop_oneof![1..1024_u16, 1024..30000_u16],
        (
            600..2000_u32,
            prop::option::of("/[a-z]{1,8}/[a-z]{1,8}"),
            (1..64_u32).prop_map(|count| count * 512),
            prop::option::of("/(app|usr/bin|[a-z]{1,8}|[a-z]{1,8}/[a-z_]{1,8})/[a-z]{1,8}[.]log"),
        ),
        prop::collection::vec(role(), 1..5),
    )
        .prop_map(
            |(name, host, folder, claim, speed, first_port, (memory, mount, context, log), roles)| {
                RandomStack {
                    name,
                    host,
                    folder,
                    claim,
                    speed,
                    first_port,
                    memory,
                    mount,
                    context,
                    log,
                    roles,
                }
            },
        )
}

impl RandomStack {
    fn text(&self) -> String {
        let Self { name, folder, .. } = self;
        let mut text = format!(
            "stack \"{name}\" engine=\"both\" {{ targets \"kubernetes\" }}\n\
             engine \"both\" profile=\"llama.cpp-b11669\" bin=\"/opt/llama\" image=\"{IMAGE}\"\n\
             engine \"image\" profile=\"llama.cpp-b11669\" image=\"{IMAGE}\"\n\
             residency \"r\" title=\"r\" start=\"boot\"\nresidency \"d\" title=\"d\" start=\"on-demand\"\n\
             model \"plain\" arch=\"qwen3\" size=\"8.6 GB\" file=\"plain.gguf\" store=\"s\"\n\
             model \"small\" arch=\"qwen3\" size=\"8.6 GB\" file=\"/srv/elsewhere/small.gguf\"\n\
             gateway \"the-gateway\" port=40000 kind=\"router\" engine=\"both\"\n"
        );
        let speed = self.speed.map_or_else(String::new, |speed| format!(" speed=\"{speed} MB/s\""));
        let claim = self.claim.as_ref().map_or_else(String::new, |claim| format!(" claim=\"{claim}\""));
        let mount = self.host.as_ref().zip(self.mount.as_ref());
        let mount =
            mount.map_or_else(String::new, |(host, path)| format!(" {{ mount \"{host}\" path=\"{path}\" }}"));
        writeln!(text, "store \"s\" path=\"{folder}\"{speed}{claim}{mount}").unwrap();
        if let Some(host) = &self.host {
            write!(text, "host \"{host}\" memory=\"{} GB\" cpus=\"0-15\" {{ ", self.memory).unwrap();
            for gpu in GPUS {
                write!(text, "gpu \"{gpu}\" memory=\"80 GB\"; ").unwrap();
            }
            text.push_str("}\n");
        }
        let mut port = self.first_port;
        for role in &self.roles {
            text.push_str(&self.role(role, &mut port));
        }
        text
    }

    fn role(&self, role: &RandomRole, port: &mut u16) -> String {
        let model = if role.is(Trait::Small) { "small" } else { "plain" };
        let residency = if role.is(Trait::OnDemand) { "d" } else { "r" };
        let engine = if role.is(Trait::OnHost) { "both" } else { "image" };
        let mut text = format!(
            "role \"{}\" model=\"{model}\" residency=\"{residency}\" context={}",
            role.name, self.context
        );
        if role.is(Trait::Routed) {
            text.push_str(" gateway=\"the-gateway\"");
        } else {
            let last = *port + role.instances - 1;
            write!(text, " engine=\"{engine}\" ports=\"{port}-{last}\"").unwrap();
            *port = last + 1;
        }
        if role.is(Trait::HasKey) {
            text.push_str(" key-file=\"/etc/keys/a key\"");
        }
        text.push_str(" {\n");
        let gpus: Vec<&str> = role.gpus.iter().map(|at| GPUS[*at]).collect();
        if let (Some(_), false) = (&self.host, gpus.is_empty()) {
            writeln!(text, "placement cpus=\"0-{}\" gpu=\"{}\"", role.cpus, gpus.join(",")).unwrap();
        }
        if role.is(Trait::Writes) && !role.is(Trait::Routed) {
            text.push_str("option \"slot-save-path\" \"/var/lib/slots\"\n");
        }
        if let (Some(log), false) = (&self.log, role.is(Trait::Routed)) {
            writeln!(text, "option \"log-file\" \"{log}\"").unwrap();
        }
        if !role.is(Trait::Routed) {
            writeln!(text, "env NUMBER=\"{}\"", role.value).unwrap();
        }
        text.push_str("}\n");
        text
    }

    /// The compiled stack. `None` if it has an error.
    fn compiled(&self) -> Option<Compiled> {
        let lock = lock(&[("plain", "plain.gguf"), ("small", "/srv/elsewhere/small.gguf")]);
        let compiled = compile(&[("stack.kdl", &self.text()), ("registry.lock", &lock)]);
        let has_error =
            compiled.findings.findings().iter().any(|one| one.severity == orchgen::diag::Severity::Error);
        (!has_error).then_some(compiled)
    }
}

fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, key| match key.parse::<usize>() {
        Ok(number) => &value[number],
        Err(_) => &value[key],
    })
}

#[track_caller]
fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    at(value, path).as_str().unwrap_or_else(|| panic!("{path} is no text: {value:?}"))
}

fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    at(value, path).as_sequence().map_or(&[], Vec::as_slice)
}

fn names(list: &[Value]) -> Vec<&str> {
    list.iter().map(|one| text(one, "name")).collect()
}

/// True for a label of RFC 1035, which is also one of RFC 1123.
fn is_label(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&name.len())
        && name.as_bytes()[0].is_ascii_lowercase()
        && is_plain(name.as_bytes()[name.len() - 1])
        && name.bytes().all(|b| is_plain(b) || b == b'-')
}

fn is_label_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    value.is_empty()
        || value.len() <= 63
            && bytes[0].is_ascii_alphanumeric()
            && bytes[bytes.len() - 1].is_ascii_alphanumeric()
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

/// True for a whole number with a binary unit or without one.
fn is_quantity(text: &str) -> bool {
    let number = ["Ki", "Mi", "Gi"].iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text);
    number.parse::<u64>().is_ok_and(|number| number > 0) && !number.starts_with('+')
}

fn map(value: &Value) -> BTreeMap<&str, &str> {
    let entries = value.as_mapping().into_iter().flatten();
    entries.map(|(key, value)| (key.as_str().unwrap(), value.as_str().unwrap())).collect()
}

fn check_metadata(object: &Value, namespace: &str) {
    let name = text(object, "metadata.name");
    assert!(is_label(name), "{name}");
    assert_eq!(text(object, "metadata.namespace"), namespace);
    for (key, value) in map(at(object, "metadata.labels")) {
        assert!(is_label_value(value), "{key}: {value}");
    }
}

fn check_deployment(object: &Value) {
    let (selector, labels) =
        (map(at(object, "spec.selector.matchLabels")), map(at(object, "spec.template.metadata.labels")));
    assert!(!selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value)));
    let pod = at(object, "spec.template.spec");
    let container = at(pod, "containers.0");
    let volumes = names(list(pod, "volumes"));
    let mounts = names(list(container, "volumeMounts"));
    assert_eq!(volumes.iter().collect::<BTreeSet<_>>().len(), volumes.len());
    assert_eq!(volumes, mounts, "each volume is mounted once");
    assert!(volumes.iter().all(|name| is_label(name)), "{volumes:?}");
    let paths: BTreeSet<&str> =
        list(container, "volumeMounts").iter().map(|mount| text(mount, "mountPath")).collect();
    assert_eq!(paths.len(), mounts.len(), "the paths are different");
    assert!(["/", "/app", "/usr/bin"].iter().all(|folder| !paths.contains(folder)), "{paths:?}");
    let port = at(container, "ports.0.containerPort").as_u64().unwrap();
    assert!((1..=65535).contains(&port), "{port}");
    let args: Vec<&str> = list(container, "args").iter().map(|word| word.as_str().unwrap()).collect();
    let value_of = |option: &str| args[args.iter().position(|word| *word == option).unwrap() + 1];
    assert_eq!((value_of("--host"), value_of("--port")), ("0.0.0.0", &*port.to_string()));
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        assert_eq!(text(container, &format!("{probe}.httpGet.port")), text(container, "ports.0.name"));
    }
    let (requests, limits) =
        (map(at(container, "resources.requests")), map(at(container, "resources.limits")));
    // A pod whose memory is not completely known has no limit of it.
    assert!(limits.iter().all(|(name, limit)| requests.get(name) == Some(limit)), "{requests:?} {limits:?}");
    assert!(
        requests.keys().all(|name| *name == "memory" || limits.contains_key(name)),
        "{requests:?} {limits:?}"
    );
    assert!(requests.values().all(|quantity| is_quantity(quantity)), "{requests:?}");
    check_gpus(&args, &requests);
    let secrets: Vec<&Value> = list(pod, "volumes").iter().filter(|one| one["secret"].is_mapping()).collect();
    assert_eq!(secrets.is_empty(), !args.contains(&"--api-key-file"));
    assert!(secrets.iter().all(|one| is_label(text(one, "secret.secretName"))));
}

/// Checks that the devices of the command line are those of the pod, with numbers from 0.
fn check_gpus(args: &[&str], resources: &BTreeMap<&str, &str>) {
    // The preset file of a router has the devices of its models.
    if args.contains(&"--models-preset") {
        return;
    }
    let devices = args.iter().position(|word| *word == "--device").map_or("none", |at| args[at + 1]);
    let mut numbers: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for device in devices.split(',').filter(|device| *device != "none") {
        let back_end = device.trim_end_matches(|c: char| c.is_ascii_digit());
        numbers.entry(back_end).or_default().insert(device[back_end.len()..].parse().unwrap());
    }
    let plugins = [("CUDA", "nvidia.com/gpu"), ("ROCm", "amd.com/gpu"), ("SYCL", "gpu.intel.com/i915")];
    for (back_end, resource) in plugins {
        let used = numbers.remove(back_end).unwrap_or_default();
        let count = resources.get(resource).map_or(0, |count| count.parse().unwrap());
        assert_eq!(used, (0..count).collect(), "{resource}");
    }
    assert!(numbers.is_empty());
}

fn check_service(object: &Value, deployment: &Value) {
    let labels = map(at(deployment, "spec.template.metadata.labels"));
    let selector = map(at(object, "spec.selector"));
    assert!(!selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value)));
    let target = text(object, "spec.ports.0.targetPort");
    let ports = list(deployment, "spec.template.spec.containers.0.ports");
    assert!(names(ports).contains(&target) && target.len() <= 15);
    assert_eq!(at(object, "spec.ports.0.port"), &ports[0]["containerPort"]);
}

/// Checks that the data of a `ConfigMap` is the preset file that the arguments name.
fn check_presets(object: &Value, deployment: &Value) {
    let pod = at(deployment, "spec.template.spec");
    let name = text(object, "metadata.name");
    let is_own = |one: &&Value| one["configMap"]["name"].as_str() == Some(name);
    let volume = list(pod, "volumes").iter().find(is_own).unwrap();
    let mount =
        list(pod, "containers.0.volumeMounts").iter().find(|one| one["name"] == volume["name"]).unwrap();
    let data = at(object, "data").as_mapping().unwrap();
    assert_eq!(data.len(), 1);
    let path = format!("{}/{}", text(mount, "mountPath"), data.keys().next().unwrap().as_str().unwrap());
    assert!(list(pod, "containers.0.args").iter().any(|word| word.as_str() == Some(&*path)), "{path}");
    assert!(at(deployment, "spec.template.metadata.annotations").is_mapping());
}

fn check_stack(files: &BTreeMap<String, String>) {
    let kustomization = &objects(&files["kustomization.yaml"])[0];
    let listed: BTreeSet<&str> =
        list(kustomization, "resources").iter().map(|file| file.as_str().unwrap()).collect();
    let others: BTreeSet<&str> =
        files.keys().map(String::as_str).filter(|file| *file != "kustomization.yaml").collect();
    assert_eq!(listed, others);
    let namespace = &objects(&files["namespace.yaml"])[0];
    let name = text(namespace, "metadata.name");
    assert!(is_label(name));
    let mut known = BTreeSet::new();
    let mut uses_nodes = false;
    for file in listed.into_iter().filter(|file| *file != "namespace.yaml") {
        let objects = objects(&files[file]);
        for object in &objects {
            check_metadata(object, name);
            let id = (text(object, "kind").to_owned(), text(object, "metadata.name").to_owned());
            assert!(known.insert(id), "{file}: a name is not unique");
        }
        let kinds: Vec<&str> = objects.iter().map(|object| text(object, "kind")).collect();
        assert_eq!(kinds[..2], ["Deployment", "Service"]);
        check_deployment(&objects[0]);
        check_service(&objects[1], &objects[0]);
        for presets in &objects[2..] {
            check_presets(presets, &objects[0]);
        }
        let volumes = list(&objects[0], "spec.template.spec.volumes");
        uses_nodes |= volumes.iter().any(|volume| volume["hostPath"].is_mapping());
    }
    let level = if uses_nodes { "privileged" } else { "restricted" };
    assert_eq!(map(at(namespace, "metadata.labels"))["pod-security.kubernetes.io/enforce"], level);
}

/// Most random stacks have errors, and are rejected.
fn config() -> ProptestConfig {
    let (cases, max_global_rejects) = (64, 20_000);
    ProptestConfig { cases, max_global_rejects, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn manifests_of_random_stacks_are_consistent(stack in stack()) {
        let compiled = stack.compiled();
        prop_assume!(compiled.is_some());
        let compiled = compiled.unwrap();
        let files = manifests(&compiled);
        prop_assume!(!files.is_empty());
        check_stack(&files);
    }
}
