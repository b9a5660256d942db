//! The stack of this repository on two hosts, as units and as manifests.

use crate::support::{Compiled, compile, repository};
use serde_json::{Map, Value, json};
use std::fs;

const IMAGE: &str =
    "ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

/// The roles of the second host. All others are on the first one.
pub(crate) const ON_SECOND: [&str; 4] =
    ["architect_coding", "worker_general", "vision_escalation", "embedder"];

/// The names of the hosts.
pub(crate) const HOSTS: [&str; 2] = ["epyc-9655", "second"];

/// The header of a model: architecture, layers, width, heads, heads of keys and values, size of a head (0: the width by the
/// heads), experts, and the size of the vocabulary.
type Header = (&'static str, &'static str, [u64; 7]);

const HEADERS: [Header; 10] = [
    ("qwen3-coder-30b", "qwen3moe", [48, 2048, 32, 4, 128, 128, 151_936]),
    ("qwen2.5-coder-32b", "qwen2", [64, 5120, 40, 8, 0, 0, 152_064]),
    ("qwen3-235b", "qwen3moe", [94, 4096, 64, 4, 128, 128, 151_936]),
    ("qwen3-coder-480b", "qwen3moe", [62, 6144, 96, 8, 128, 160, 151_936]),
    ("qwen3-next-80b", "qwen3next", [48, 2048, 16, 2, 256, 512, 151_936]),
    ("qwen2.5-7b", "qwen2", [28, 3584, 28, 4, 0, 0, 152_064]),
    ("qwen2.5-vl-7b", "qwen2vl", [28, 3584, 28, 4, 0, 0, 152_064]),
    ("qwen3-vl-30b", "qwen3vlmoe", [48, 2048, 32, 4, 128, 128, 151_936]),
    ("qwen2.5-coder-0.5b", "qwen2", [24, 896, 14, 2, 0, 0, 151_936]),
    ("bge-large-en-v1.5", "bert", [24, 1024, 16, 16, 0, 0, 30_522]),
];

/// A file of the registry.
fn read(name: &str) -> String {
    fs::read_to_string(repository().join("registry").join(name)).unwrap()
}

/// A text with another text in the place of the only occurrence.
#[track_caller]
fn replaced(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old}");
    text.replace(old, new)
}

/// `stack.kdl` with a second host like the first one, an image, and the target.
fn stack() -> String {
    let text = read("stack.kdl");
    let text = replaced(
        &text,
        "engine=\"llama.cpp\" {",
        "engine=\"llama.cpp\" {\n    targets \"systemd\" \"kubernetes\"",
    );
    let text = replaced(&text, "defaults {", &format!("defaults {{\n        host \"{}\"", HOSTS[0]));
    let text = replaced(&text, " bin=\"", &format!(" image=\"{IMAGE}\" bin=\""));
    let (before, rest) = text.split_once(&format!("\nhost \"{}\"", HOSTS[0])).unwrap();
    let (host, after) = rest.split_once("\n}\n").unwrap();
    format!("{before}\nhost \"{}\"{host}\n}}\nhost \"{}\"{host}\n}}\n{after}", HOSTS[0], HOSTS[1])
}

/// `roles.yaml` with the host of the roles of the second one.
fn roles() -> String {
    ON_SECOND.iter().fold(read("roles.yaml"), |text, role| {
        replaced(&text, &format!("\n  {role}:\n"), &format!("\n  {role}:\n    host: {}\n", HOSTS[1]))
    })
}

/// The lock. The headers have the shapes of the models, and the weights are divided evenly.
fn lock() -> String {
    let registry = crate::support::compile_folder(&repository().join("registry"));
    let registry = registry.checked().registry();
    let find = |name: &str| registry.models.iter().find(|model| &*model.head.name.value == name).unwrap();
    let (mut models, mut projectors) = (Map::new(), Map::new());
    for (name, architecture, shape) in HEADERS {
        let model = find(name);
        let entry = entry(&model.file.value, model.size.unwrap().value.0, architecture, shape);
        models.insert(name.to_owned(), entry);
        if let Some(projector) = &model.projector {
            let size = projector.size.unwrap().value.0;
            let entry = json!({
                "architecture": "clip", "file": &*projector.file.value, "header": "0", "size": size,
                "projector_width": shape[1],
            });
            projectors.insert(name.to_owned(), entry);
        }
    }
    json!({"format_version": 1, "models": models, "projectors": projectors}).to_string()
}

fn entry(file: &str, size: u64, architecture: &str, shape: [u64; 7]) -> Value {
    let [layers, width, heads, kv_heads, head, experts, vocabulary] = shape;
    let mut parameters = json!({
        "block_count": layers, "embedding_length": width, "attention.head_count": heads,
        "attention.head_count_kv": kv_heads, "feed_forward_length": 4 * width,
        "context_length": if architecture == "bert" { 512 } else { 262_144 },
    });
    let mut set = |name: &str, value: u64| parameters[name] = json!(value);
    if head > 0 {
        set("attention.key_length", head);
        set("attention.value_length", head);
    }
    if experts > 0 {
        set("expert_count", experts);
        set("expert_used_count", if experts == 512 { 10 } else { 8 });
        set("expert_feed_forward_length", 768);
    }
    if architecture == "qwen3next" {
        set("ssm.conv_kernel", 4);
        set("ssm.inner_size", 4096);
        set("ssm.state_size", 128);
        set("ssm.time_step_rank", 32);
        set("ssm.group_count", 16);
        set("full_attention_interval", 4);
    }
    json!({
        "file": file, "header": "0", "size": size, "architecture": architecture, "parameters": parameters,
        "vocabulary": {"type": if architecture == "bert" { "bert" } else { "gpt2" }, "size": vocabulary},
        "tensors": {
            "bytes": {"q4_K": size}, "layers": [[layers, size * 9 / 10 / layers, 0]], "input": size / 20,
            "output": {"q4_K": size / 20}, "token_embd": {"q4_K": size / 20},
        },
    })
}

/// The compiled stack, with changed texts in the file of the stack or the roles.
pub(crate) fn compiled(changes: &[(&str, &str)]) -> Compiled {
    let changed = |text: String| changes.iter().fold(text, |text, (old, new)| text.replace(old, new));
    let files = [
        ("stack.kdl", changed(stack())),
        ("roles.yaml", changed(roles())),
        ("models.yaml", read("models.yaml")),
        ("families.kdl", read("families.kdl")),
        ("rules.kdl", read("rules.kdl")),
        ("registry.lock", lock()),
    ];
    compile(&files.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>())
}
