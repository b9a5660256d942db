//! Options that a role cannot have, because the registry says the same elsewhere or a server with them would not serve.

use crate::engine::OptionRecord;

/// Options that orchgen writes itself, without their dashes, sorted; each with the field that says it.
const OWNED: &[(&str, &str)] = &[
    ("api-key", "key-file"),
    ("api-key-file", "key-file"),
    ("b", "batch"),
    ("batch-size", "batch"),
    ("c", "context"),
    ("cache-ram", "prompt-cache"),
    ("cache-type-k", "cache-type"),
    ("cache-type-v", "cache-type"),
    ("cd", "context"),
    ("cram", "prompt-cache"),
    ("ctk", "cache-type"),
    ("ctv", "cache-type"),
    ("ctx-size", "context"),
    ("ctx-size-draft", "context"),
    ("docker-repo", "model"),
    ("dr", "model"),
    ("draft-max", "draft"),
    ("draft-min", "draft"),
    ("draft-n-min", "draft"),
    ("draft-p-min", "draft"),
    ("embedding", "pooling"),
    ("embeddings", "pooling"),
    ("fa", "flash-attention"),
    ("fit", "context"),
    ("flash-attn", "flash-attention"),
    ("hf", "model"),
    ("hf-file", "model"),
    ("hf-repo", "model"),
    ("hf-repo-draft", "draft"),
    ("hfd", "draft"),
    ("hff", "model"),
    ("hfr", "model"),
    ("hfrd", "draft"),
    ("host", "listen"),
    ("kv-unified", "slots"),
    ("kvu", "slots"),
    ("lookup-ngram-min", "lookup"),
    ("m", "model"),
    ("md", "draft"),
    ("mlock", "placement"),
    ("mm", "projector"),
    ("mmproj", "projector"),
    ("mmproj-url", "projector"),
    ("mmu", "projector"),
    ("model", "model"),
    ("model-draft", "draft"),
    ("model-url", "model"),
    ("models-dir", "model"),
    ("models-preset", "model"),
    ("mu", "model"),
    ("np", "slots"),
    ("numa", "placement"),
    ("override-kv", "override"),
    ("parallel", "slots"),
    ("pooling", "pooling"),
    ("port", "port"),
    ("rerank", "pooling"),
    ("reranking", "pooling"),
    ("reuse-port", "port"),
    ("spec-draft-hf", "draft"),
    ("spec-draft-model", "draft"),
    ("spec-draft-n-max", "draft"),
    ("spec-draft-n-min", "draft"),
    ("spec-draft-p-min", "draft"),
    ("t", "placement"),
    ("threads", "placement"),
];

/// Options that print something and end the program: a server with one of them never serves.
const ENDS: &[&str] =
    &["--help", "--version", "--license", "--cache-list", "--completion-bash", "--list-devices"];

/// Options that bring a model of their own, by how their names begin.
const PRESETS: &[&str] = &["--embd-gemma-", "--fim-qwen-", "--gpt-oss-", "--vision-gemma-"];

/// Options that put the server where the unit that starts it does not ask for `/health`: below another path, or behind TLS
/// (llama.cpp b11434, `tools/server/server-http.cpp`; with one of the two TLS files it serves in the clear without a word).
const HIDES: &[&str] = &["--api-prefix", "--ssl-cert-file", "--ssl-key-file"];

/// The field of the registry that writes an engine option, where one does; with dashes or without, `_` like `-`.
pub fn owned(name: &str) -> Option<&'static str> {
    let name = name.trim_start_matches('-').replace('_', "-");
    let at = OWNED.binary_search_by(|(known, _)| (*known).cmp(name.as_str())).ok()?;
    OWNED.get(at).map(|(_, field)| *field)
}

/// Why an option of the build cannot be said under one of its spellings, and what to do instead; none where it can.
pub(super) fn refusal(option: &OptionRecord, spelling: &str) -> Option<(String, String)> {
    if let Some(field) = option.spellings().find_map(|(name, _)| owned(name)) {
        let why = format!("`{spelling}` is written from the field `{field}`");
        return Some((why, format!("use the field `{field}`")));
    }
    let is_one_of = |names: &[&str]| option.names.iter().any(|name| names.contains(&name.as_str()));
    let why = if is_one_of(ENDS) {
        format!("`{spelling}` prints something and ends the program")
    } else if is_one_of(HIDES) {
        format!("`{spelling}` hides the server from the unit, which asks for `/health` in plain HTTP")
    } else if option.value.is_none() && PRESETS.iter().any(|start| option.title().starts_with(start)) {
        format!("`{spelling}` brings a model of its own, and `model` says which one is served")
    } else {
        return None;
    };
    Some((why, "remove it".to_owned()))
}
