//! The manifests of Kubernetes.

mod random;

use crate::support::{Compiled, assert_snapshot, compile};
use serde_yaml::Value;
use std::collections::BTreeMap;

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

/// The objects of a file.
fn objects(text: &str) -> Vec<Value> {
    text.split("---\n").map(|document| serde_yaml::from_str(document).unwrap()).collect()
}

#[test]
fn the_files_match_the_snapshots() {
    let compiled = compiled(STACK);
    assert_eq!(compiled.codes(), ["written-twice"], "{}", compiled.report());
    let mut all = String::new();
    for (name, text) in manifests(&compiled) {
        all.push_str(&format!("\n======== {name}\n{text}"));
    }
    assert_snapshot!("manifests", "stack", all);
}
