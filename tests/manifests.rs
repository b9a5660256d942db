//! The manifests of Kubernetes.

mod random;

use crate::kubernetes::objects;
use crate::support::{Compiled, assert_snapshot, compile, orchgen};
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::process::Command;

const STACK: &str = include_str!("manifests/stack.kdl");
const IMAGE: &str =
    "ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

/// A lock of models with 32 layers and files of 8.6 GB.
fn lock(models: &[(&str, &str)]) -> String {
    let facts = r#""architecture": "qwen3", "parameters": {"block_count": 32, "embedding_length": 4096,
        "attention.head_count": 32, "attention.head_count_kv": 8, "attention.key_length": 128,
        "attention.value_length": 128, "feed_forward_length": 12288, "context_length": 40960},
        "tensors": {"bytes": {"q8_0": 8600000000}, "layers": [[32, 232000000, 0]], "input": 588000000,
        "output": {"q8_0": 588000000}, "token_embd": {"q8_0": 588000000}}, "vocabulary": {"size": 151936, "type": "gpt2"}"#;
    let model = |(name, file): &(&str, &str)| {
        format!("\"{name}\": {{\"file\": \"{file}\", \"header\": \"0\", \"size\": 8600000000, {facts}}}")
    };
    let models: Vec<String> = models.iter().map(model).collect();
    format!("{{\"format_version\": 1, \"models\": {{{}}}}}", models.join(", "))
}

fn compiled(text: &str) -> Compiled {
    let lock = lock(&[("plain", "plain.gguf"), ("small", "small.gguf")]);
    compile(&[("stack.kdl", &text.replace("IMAGE", IMAGE)), ("registry.lock", &lock)])
}

/// The files of the target, by name.
fn manifests(compiled: &Compiled) -> BTreeMap<String, String> {
    let own = |(path, (text, _)): (String, (String, bool))| {
        Some((path.strip_prefix("kubernetes/")?.to_owned(), text))
    };
    compiled.files().into_iter().filter_map(own).collect()
}

#[test]
fn the_files_match_the_snapshots() {
    let compiled = compiled(STACK);
    let mut all = String::new();
    for (name, text) in manifests(&compiled) {
        write!(all, "\n======== {name}\n{text}").unwrap();
    }
    assert_snapshot!("manifests", "stack", all);
}

/// The path, the volume source and the access of each mount of a role, for a store with these fields and a role with these options.
fn mounts(store: &str, file: &str, options: &str) -> Vec<String> {
    let options = if options.is_empty() { String::new() } else { format!("{{ {options} }}") };
    let text = format!(
        "stack \"s\" engine=\"e\" {{ targets \"kubernetes\" }}\nengine \"e\" profile=\"llama.cpp-b11669\" image=\"{IMAGE}\"\n\
         host \"h\" memory=\"64 GB\" cpus=\"0-7\"\nstore \"big\" path=\"/srv\"\nstore \"s\" path=\"/srv/models/\" {store}\n\
         model \"plain\" file=\"{file}\" size=\"8.6 GB\" arch=\"qwen3\" store=\"s\"\n\
         role \"r\" model=\"plain\" port=8080 context=4096 {options}\n"
    );
    let compiled = compile(&[("a.kdl", &text), ("registry.lock", &lock(&[("plain", file)]))]);
    let deployment = &objects(&manifests(&compiled)["r.yaml"])[0]["spec"]["template"]["spec"];
    let volumes = deployment["volumes"].as_sequence().unwrap();
    let describe = |mount: &Value| {
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
        let source = if let Some(claim) = volume["persistentVolumeClaim"]["claimName"].as_str() {
            format!("claim {claim}")
        } else if let Some(path) = volume["hostPath"]["path"].as_str() {
            format!("{} {path}", volume["hostPath"]["type"].as_str().unwrap())
        } else {
            "empty".to_owned()
        };
        let access = if mount["readOnly"].as_bool() == Some(true) { "ro" } else { "rw" };
        format!("{}: {source} {access}", mount["mountPath"].as_str().unwrap())
    };
    let all = deployment["containers"][0]["volumeMounts"].as_sequence().unwrap();
    all.iter().map(describe).filter(|mount| mount != "/tmp: empty rw").collect()
}

#[test]
fn files_are_at_the_same_paths_as_on_the_host() {
    let claim = "claim=\"models\"";
    assert_eq!(mounts("", "a/m.gguf", ""), ["/srv/models/a: Directory /srv/models/a ro"]);
    assert_eq!(mounts(claim, "a/m.gguf", ""), ["/srv/models: claim models ro"]);
    let template = "template \"/srv/models/t.jinja\"";
    assert_eq!(
        mounts(claim, "/srv/other/m.gguf", template),
        ["/srv/models: claim models ro", "/srv/other: Directory /srv/other ro"]
    );
    assert_eq!(mounts("", "m.gguf", template), ["/srv/models: Directory /srv/models ro"]);
    assert_eq!(
        mounts("", "a/m.gguf", template),
        ["/srv/models/a: Directory /srv/models/a ro", "/srv/models/t.jinja: File /srv/models/t.jinja ro"]
    );
}

#[test]
fn folders_that_a_server_writes_are_empty_or_writable() {
    let slots = "option \"slot-save-path\" \"/srv/models/slots/\"";
    assert_eq!(
        mounts("claim=\"models\"", "m.gguf", slots),
        ["/srv/models: claim models ro", "/srv/models/slots: empty rw"]
    );
    let log = "option \"log-file\" \"/srv/models/a.log\"";
    assert_eq!(mounts("claim=\"models\"", "m.gguf", log), ["/srv/models: claim models rw"]);
    assert_eq!(mounts("", "m.gguf", log), ["/srv/models: Directory /srv/models rw"]);
    for file in ["/dev/stderr", "/tmp/a.log"] {
        let log = format!("option \"log-file\" \"{file}\"");
        assert_eq!(mounts("claim=\"models\"", "m.gguf", &log), ["/srv/models: claim models ro"]);
    }
}

/// The last line of a build of the stack with these targets.
fn last_line(targets: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry");
    fs::create_dir(&registry).unwrap();
    let text = STACK.replace("IMAGE", IMAGE).replace("\"systemd\" \"router\" \"kubernetes\"", targets);
    fs::write(registry.join("stack.kdl"), text).unwrap();
    fs::write(registry.join("registry.lock"), lock(&[("plain", "plain.gguf"), ("small", "small.gguf")]))
        .unwrap();
    let output = Command::new(orchgen()).arg("build").current_dir(folder.path()).output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    messages.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_build_ends_with_the_command_that_creates_the_objects() {
    let kubectl = "run `kubectl apply --kustomize out/kubernetes`, and create the secrets as the comments in the manifests describe";
    assert_eq!(last_line("\"kubernetes\""), format!("next: {kubectl}"));
    assert_eq!(last_line("\"systemd\" \"quadlet\" \"kubernetes\""), format!("or, in a cluster, {kubectl}"));
    assert_eq!(last_line("\"compose\" \"kubernetes\""), format!("or, in a cluster, {kubectl}"));
}
