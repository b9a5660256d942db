//! External checkers of manifests: kubernetes-validate with the schemas of two versions, and the kustomize of kubectl.

use super::{by_name, objects, own};
use crate::outside;
use crate::support::{Compiled, repository};
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The oldest version of the validator that supported clusters have, and its newest.
const VERSIONS: [&str; 2] = ["1.33", "1.37"];

/// A stack with each kind of object: secret, preset file, claim, folders of the node, GPUs.
const EACH: &str = include_str!("each.kdl");

fn each() -> Compiled {
    let facts = r#""header": "0", "size": 2000000000, "architecture": "qwen2", "parameters": {"block_count": 4,
        "embedding_length": 256, "context_length": 8192, "feed_forward_length": 512, "attention.head_count": 4,
        "attention.head_count_kv": 2}, "vocabulary": {"type": "gpt2", "size": 1000}, "tensors": {"bytes": {"q6_K": 2000000000},
        "layers": [[4, 450000000, 0]], "input": 100000000, "output": {"q6_K": 100000000}, "token_embd": {"q6_K": 100000000}}"#;
    let model = |(name, file): (&str, &str)| format!("\"{name}\": {{\"file\": \"{file}\", {facts}}}");
    let models = [("plain", "plain.gguf"), ("other", "/srv/other/other.gguf")].map(model).join(", ");
    let lock = format!("{{\"format_version\": 1, \"models\": {{{models}}}}}");
    crate::support::compile(&[("stack.kdl", EACH), ("registry.lock", &lock)])
}

/// Writes the manifests into a folder. Returns its path.
#[track_caller]
fn write(compiled: &Compiled, out: &Path) -> PathBuf {
    compiled.checked();
    compiled.write(out);
    let folder = out.join("kubernetes");
    assert!(folder.join("kustomization.yaml").is_file(), "{}", compiled.report());
    folder
}

/// The files with objects.
fn manifests(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| !path.ends_with("kustomization.yaml")).collect();
    files.sort();
    assert!(files.len() > 2, "{files:?}");
    files
}

fn validate(version: &str, files: &[PathBuf]) -> Output {
    let mut command = outside::python_tool("kubernetes-validate");
    command.args(["--strict", "--kubernetes-version", version]).args(files);
    outside::run(&mut command, "kubernetes-validate")
}

fn kubectl() -> Command {
    let program = repository().join("target/kubectl/kubectl");
    assert!(program.is_file(), "kubectl is missing: run `bash .ci/kubectl/install`");
    Command::new(program)
}

#[test]
fn the_validator_accepts_all_manifests_for_two_versions() {
    for compiled in [each(), own::compiled(&[])] {
        let dir = outside::folder();
        let files = manifests(&write(&compiled, dir.path()));
        for version in VERSIONS {
            let output = validate(version, &files);
            let messages =
                [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            assert!(output.status.success(), "{version}: {messages:#?}");
            let passed = messages[0].matches(" passed for resource ").count();
            let written: usize =
                files.iter().map(|file| objects(&fs::read_to_string(file).unwrap()).len()).sum();
            assert_eq!(passed, written, "{version}: {messages:#?}");
        }
    }
}

#[test]
fn kustomize_renders_all_objects_unchanged() {
    for compiled in [each(), own::compiled(&[])] {
        let dir = outside::folder();
        let folder = write(&compiled, dir.path());
        let output = outside::run(kubectl().arg("kustomize").arg(&folder), "kubectl");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && errors.is_empty(), "{errors}");
        let rendered = by_name(objects(&String::from_utf8(output.stdout).unwrap()));
        let written =
            manifests(&folder).into_iter().flat_map(|file| objects(&fs::read_to_string(file).unwrap()));
        assert_eq!(rendered, by_name(written));
        assert_references(&rendered);
    }
}

/// Each name that an object refers to is one of the rendered objects, or one that the user creates.
#[track_caller]
fn assert_references(objects: &BTreeMap<(String, String), Value>) {
    let of_kind = |kind: &'static str| objects.iter().filter(move |((own, _), _)| own == kind);
    let (namespace, _) = of_kind("Namespace").next().unwrap().0.clone();
    assert_eq!(namespace, "Namespace");
    for ((kind, name), object) in objects.iter().filter(|((kind, _), _)| kind != "Namespace") {
        let own = object["metadata"]["namespace"].as_str().unwrap();
        assert!(objects.contains_key(&("Namespace".to_owned(), own.to_owned())), "{kind} {name}");
    }
    for ((_, name), deployment) in of_kind("Deployment") {
        let pod = &deployment["spec"]["template"]["spec"];
        let volumes = pod["volumes"].as_sequence().unwrap();
        let container = &pod["containers"][0];
        for mount in container["volumeMounts"].as_sequence().unwrap() {
            assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]), "{name}: {mount:?}");
        }
        for map in volumes.iter().filter_map(|volume| volume.get("configMap")) {
            let map = map["name"].as_str().unwrap().to_owned();
            assert!(objects.contains_key(&("ConfigMap".to_owned(), map)), "{name}");
        }
        let service = &objects[&("Service".to_owned(), name.clone())]["spec"];
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        for (label, value) in service["selector"].as_mapping().unwrap() {
            assert_eq!(labels.get(label), Some(value), "{name}");
        }
        let port = &service["ports"][0]["targetPort"];
        let ports = container["ports"].as_sequence().unwrap();
        assert!(ports.iter().any(|own| own["name"] == *port || own["containerPort"] == *port), "{name}");
    }
}

/// A fault of a manifest: its name, the text that it replaces, and the text in its place.
const FAULTS: [(&str, &str, &str); 7] = [
    ("port", "containerPort: 8100", "containerPort: 99999"),
    ("quantity", "memory: ", "memory: lots #"),
    ("volume", "mountPath: /tmp\n          name: ", "mountPath: /tmp\n          name: missing-"),
    ("name of a port", "targetPort: http", "targetPort: absent"),
    (
        "selector",
        "  selector:\n    app.kubernetes.io/instance: ",
        "  selector:\n    app.kubernetes.io/instance: other-",
    ),
    ("word", "type: ClusterIP", "type: Cluster"),
    ("name", "  name: home-code\n", "  name: Home_Code\n"),
];

/// The validator checks fields and types only, so the types of the renderer and the checks must prevent all other faults.
#[test]
fn the_validator_accepts_most_faults() {
    let dir = outside::folder();
    let folder = write(&each(), dir.path());
    let file = folder.join("code.yaml");
    let text = fs::read_to_string(&file).unwrap();
    for (fault, old, new) in FAULTS {
        assert!(text.contains(old), "{fault}: {text}");
        fs::write(&file, text.replace(old, new)).unwrap();
        let output = validate(VERSIONS[1], std::slice::from_ref(&file));
        assert!(output.status.success(), "{fault}: {}", String::from_utf8_lossy(&output.stdout));
    }
    fs::write(&file, text.replace("replicas:", "replica:")).unwrap();
    assert!(!validate(VERSIONS[1], &[file]).status.success(), "a misspelt field");
}
