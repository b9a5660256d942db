//! The stack of this repository on two hosts: units and manifests serve the same roles, at the same ports, with the same
//! arguments, memory and placement.

use super::by_name;
use super::own::{HOSTS, ON_SECOND, compiled};
use crate::support::Compiled;
use serde_json::Value as Json;
use serde_yaml::Value;
use std::collections::BTreeMap;

/// A role as its units or its pods run it.
#[derive(PartialEq, Debug)]
struct Facts {
    host: String,
    /// The number of processes, and of those that run at boot.
    processes: usize,
    at_boot: usize,
    /// The port for clients: of the first process, or of the Service.
    port: u64,
    health: String,
    /// The arguments of the first process without paths, address and port.
    args: Vec<String>,
    /// The memory of a process on its host in bytes, without what both have in addition.
    memory: u64,
    /// The number of CPUs, or of threads of a process without CPUs.
    cpus: u64,
    gpus: u64,
}

/// The roles of `deploy.json`, by name, as their units run them.
fn of_units(compiled: &Compiled) -> BTreeMap<String, Facts> {
    let files = compiled.files();
    let deploy: Json = serde_json::from_str(&files["deploy.json"].0).unwrap();
    let mut all = BTreeMap::new();
    for host in deploy["hosts"].as_array().unwrap() {
        let host_name = host["name"].as_str().unwrap();
        for role in host["roles"].as_array().unwrap() {
            let processes = role["processes"].as_array().unwrap();
            let unit = processes[0]["unit"].as_str().unwrap();
            let is_on_demand = role["on_demand"].as_bool().unwrap();
            let path = format!("systemd/{host_name}/{unit}");
            let text = &files.get(&path).unwrap_or_else(|| panic!("no {path}")).0;
            let facts = Facts {
                host: host_name.to_owned(),
                processes: processes.len(),
                at_boot: if is_on_demand { 0 } else { processes.len() },
                port: processes[0]["port"].as_u64().unwrap(),
                health: processes[0]["health"].as_str().unwrap().to_owned(),
                args: without_place(command(text)),
                memory: ram(&processes[0]),
                cpus: cpus(text),
                gpus: 0,
            };
            all.insert(role["name"].as_str().unwrap().to_owned(), facts);
        }
    }
    all
}

/// The memory of a process of `deploy.json` in RAM.
fn ram(process: &Json) -> u64 {
    let parts = process["memory"].as_array().unwrap().iter().filter(|part| part["place"] == "RAM");
    parts.map(|part| part["bytes"].as_u64().unwrap()).sum()
}

/// The command line of a unit after its program: `ExecStart`, without the wrapper that places it.
fn command(unit: &str) -> Vec<String> {
    let whole = unit.replace(" \\\n    ", " ");
    let line = whole.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words = crate::outside::split_words(line);
    let program = words.iter().position(|word| word.ends_with("/llama-server")).unwrap();
    words[program + 1..].to_vec()
}

/// The number of CPUs of a unit: `CPUAffinity`, or else the threads of its command line.
fn cpus(unit: &str) -> u64 {
    if let Some(list) = unit.lines().find_map(|line| line.strip_prefix("CPUAffinity=")) {
        return orchgen::hir::CpuList::parse(list).unwrap().count();
    }
    let words = command(unit);
    let threads = words.iter().position(|word| word == "-t").unwrap();
    words[threads + 1].parse().unwrap()
}

/// Arguments without the values of `--host` and `--port`, and with the last part of each path. `$$` is one `$` for systemd and for
/// Kubernetes.
fn without_place(words: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        let is_place = kept.last().is_some_and(|last| ["--host", "--port"].contains(&&**last));
        let word = word.rsplit_once('/').filter(|_| word.starts_with('/')).map_or(&*word, |(_, name)| name);
        kept.push(if is_place { "PLACE".to_owned() } else { word.replace("$$", "$") });
    }
    kept
}

/// The objects of the manifests, by kind and name.
fn objects(compiled: &Compiled) -> BTreeMap<(String, String), Value> {
    let files = compiled.files().into_iter();
    let files =
        files.filter(|(path, _)| path.starts_with("kubernetes/") && !path.ends_with("/kustomization.yaml"));
    by_name(files.flat_map(|(_, (text, _))| super::objects(&text)))
}

/// A number of bytes in GiB, the unit of all pods of this stack.
fn gibibytes(quantity: &Value) -> u64 {
    quantity.as_str().unwrap().strip_suffix("Gi").unwrap().parse().unwrap()
}

/// The number of replicas in the command that scales a Deployment on demand.
fn scaled(compiled: &Compiled, name: &str) -> usize {
    let command = format!("deployment/{name} --replicas=");
    let mut texts = compiled.files().into_values().filter_map(|(text, _)| {
        let (_, rest) = text.split_once(&command)?;
        rest.lines().next().unwrap().parse().ok()
    });
    texts.next().unwrap()
}

/// The roles by name, as their pods run them.
fn of_pods(compiled: &Compiled) -> BTreeMap<String, Facts> {
    let objects = objects(compiled);
    let mut all = BTreeMap::new();
    for ((kind, name), deployment) in &objects {
        if kind != "Deployment" {
            continue;
        }
        let service = &objects[&("Service".to_owned(), name.clone())]["spec"];
        let spec = &deployment["spec"];
        let pod = &spec["template"]["spec"];
        assert_eq!(service["selector"], spec["selector"]["matchLabels"], "{name}");
        let role = spec["template"]["metadata"]["labels"]["app.kubernetes.io/name"].as_str().unwrap();
        let container = &pod["containers"][0];
        assert_eq!(service["ports"][0]["targetPort"], container["ports"][0]["name"], "{name}");
        let served = compiled
            .checked()
            .derived()
            .roles
            .iter()
            .find(|served| *served.endpoint.names[0] == *role)
            .unwrap();
        let resources = &container["resources"];
        let request = gibibytes(&resources["requests"]["memory"]);
        if served.memory.unknown_on_host().is_none() {
            assert_eq!(gibibytes(&resources["limits"]["memory"]), request, "{name}");
        } else {
            assert!(resources["limits"].get("memory").is_none(), "{name}");
        }
        let args: Vec<String> = serde_yaml::from_value(container["args"].clone()).unwrap();
        let port = args.iter().position(|word| word == "--port").unwrap();
        assert_eq!(container["ports"][0]["containerPort"].to_json(), args[port + 1], "{name}");
        let count = |resource: &str| {
            resources["limits"].get(resource).map_or(0, |count| count.to_json().parse().unwrap())
        };
        let replicas = spec["replicas"].as_u64().unwrap().try_into().unwrap();
        let facts = Facts {
            host: pod["nodeSelector"]["kubernetes.io/hostname"].as_str().unwrap().to_owned(),
            processes: if replicas == 0 { scaled(compiled, name) } else { replicas },
            at_boot: replicas,
            port: service["ports"][0]["port"].as_u64().unwrap(),
            health: container["readinessProbe"]["httpGet"]["path"].as_str().unwrap().to_owned(),
            args: without_place(args),
            // A pod has whole GiB, room for its caches to grow, and 1 GiB.
            memory: (request - 1) << 30,
            cpus: count("cpu"),
            gpus: count("nvidia.com/gpu") + count("amd.com/gpu"),
        };
        all.insert(role.to_owned(), facts);
    }
    all
}

/// A scalar as text, quoted or not.
trait ScalarText {
    fn to_json(&self) -> String;
}

impl ScalarText for Value {
    fn to_json(&self) -> String {
        self.as_str().map_or_else(|| self.as_u64().unwrap().to_string(), str::to_owned)
    }
}

/// The memory of a pod for a sum of `deploy.json`: with the growth of its caches, in whole GiB.
fn rounded(compiled: &Compiled, role: &str, sum: u64) -> u64 {
    let roles = &compiled.checked().derived().roles;
    let served = roles.iter().find(|served| *served.endpoint.names[0] == *role).unwrap();
    (sum + served.memory.growth.0).next_multiple_of(1 << 30)
}

/// The differences between units and pods, one line for each value. The units have the sums of `deploy.json` as pods would round
/// them.
fn differences(units: &Compiled, pods: &Compiled) -> Vec<String> {
    let (of_units, mut of_pods) = (of_units(units), of_pods(pods));
    let mut all = Vec::new();
    for (role, mut unit) in of_units {
        let Some(pod) = of_pods.remove(&role) else {
            all.push(format!("{role}: no pod"));
            continue;
        };
        unit.memory = rounded(units, &role, unit.memory);
        let pairs = [
            ("host", format!("{:?}", unit.host), format!("{:?}", pod.host)),
            ("processes", unit.processes.to_string(), pod.processes.to_string()),
            ("at boot", unit.at_boot.to_string(), pod.at_boot.to_string()),
            ("port", unit.port.to_string(), pod.port.to_string()),
            ("health", unit.health, pod.health),
            ("args", unit.args.join(" "), pod.args.join(" ")),
            ("memory", unit.memory.to_string(), pod.memory.to_string()),
            ("cpus", unit.cpus.to_string(), pod.cpus.to_string()),
            ("gpus", unit.gpus.to_string(), pod.gpus.to_string()),
        ];
        all.extend(
            pairs
                .into_iter()
                .filter(|(_, unit, pod)| unit != pod)
                .map(|(what, unit, pod)| format!("{role}: {what}: {unit} in the unit, {pod} in the pod")),
        );
    }
    all.extend(of_pods.into_keys().map(|role| format!("{role}: no unit")));
    all
}

#[test]
fn units_and_manifests_of_two_hosts_are_the_same_roles() {
    let compiled = compiled(&[]);
    let severe =
        compiled.findings.findings().iter().filter(|finding| finding.code.name != "kubernetes-differs");
    assert_eq!(
        severe.map(|finding| &*finding.message).collect::<Vec<_>>(),
        [
            "the pods of host `epyc-9655` that start at boot request all 192 CPUs, but the kubelet and pods of the cluster need some"
        ]
    );
    assert_eq!(differences(&compiled, &compiled), Vec::<String>::new());
    let units = of_units(&compiled);
    assert_eq!(units.len(), 9);
    for (role, facts) in &units {
        let host = if ON_SECOND.contains(&&**role) { HOSTS[1] } else { HOSTS[0] };
        assert_eq!(facts.host, host, "{role}");
        assert!(facts.args.len() > 20 && facts.memory > 600_000_000, "{role}: {facts:?}");
    }
    assert_eq!((units["embedder"].processes, units["embedder"].at_boot, units["embedder"].cpus), (6, 6, 4));
    assert_eq!((units["architect_coding"].at_boot, units["frontdoor"].cpus), (0, 96));
    let folders = ["systemd/epyc-9655/", "systemd/second/", "kubernetes/"];
    let files = compiled.files();
    let count = |folder: &str| files.keys().filter(|path| path.starts_with(folder)).count();
    assert!(folders.iter().all(|folder| count(folder) > 9), "{:#?}", files.keys());
}

/// Each change of a role is a difference to the units of the unchanged stack.
#[test]
fn a_changed_role_is_a_difference() {
    let units = compiled(&[]);
    let changes = [
        ("port: 8080", "port: 8180", "frontdoor: port: 8080 in the unit, 8180 in the pod"),
        ("ports: 8090-8095", "ports: 8090-8094", "embedder: processes: 6 in the unit, 5 in the pod"),
        ("{threads: 4}", "{threads: 5}", "embedder: cpus: 4 in the unit, 5 in the pod"),
        ("context: 512\n", "context: 256\n", "embedder: args: "),
        ("context: 131072", "context: 65536", "ingest_long_context: memory: "),
        (
            "\n  worker_general:\n    host: second\n",
            "\n  worker_general:\n    host: epyc-9655\n",
            "worker_general: host: \"second\" in the unit, \"epyc-9655\" in the pod",
        ),
        (
            "\n  worker_vision:\n    tier: C\n    residency: warm\n",
            "\n  worker_vision:\n    tier: C\n    residency: hot\n",
            "worker_vision: at boot: 0 in the unit, 1 in the pod",
        ),
    ];
    for (old, new, expected) in changes {
        let found = differences(&units, &compiled(&[(old, new)]));
        assert!(found.iter().any(|line| line.starts_with(expected)), "{expected}: {found:#?}");
        let role = expected.split(':').next().unwrap();
        assert!(found.iter().all(|line| line.starts_with(role)), "{expected}: {found:#?}");
    }
}
