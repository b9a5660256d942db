//! Options that a role cannot set: a field of the registry sets them, or the server would not serve with them.

use crate::engine::OptionRecord;

/// Options that orchgen writes from a field, with that field. Without dashes, sorted.
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

/// Owned options that set a part of a field: the option, and that part. Without dashes, sorted.
const PARTS: &[(&str, &str)] = &[
    ("draft-max", "max"),
    ("draft-min", "min"),
    ("draft-n-min", "min"),
    ("draft-p-min", "p-min"),
    ("mlock", "lock"),
    ("numa", "numa"),
    ("spec-draft-n-max", "max"),
    ("spec-draft-n-min", "min"),
    ("spec-draft-p-min", "p-min"),
    ("t", "threads"),
    ("threads", "threads"),
];

/// Options that print something and exit, so that the server never serves.
const PRINT_AND_EXIT: &[&str] =
    &["--help", "--version", "--license", "--cache-list", "--completion-bash", "--list-devices"];

/// Prefixes of options that select a predefined model.
const MODEL_PRESET_PREFIXES: &[&str] = &["--embd-gemma-", "--fim-qwen-", "--gpt-oss-", "--vision-gemma-"];

/// Options that hide `/health` from the health check of the unit: another path, or TLS (llama.cpp b11434,
/// `tools/server/server-http.cpp`; with only one of the two TLS files the server silently uses plain HTTP).
const HEALTH_HIDING_OPTIONS: &[&str] = &["--api-prefix", "--ssl-cert-file", "--ssl-key-file"];

/// The field of the registry that sets an engine option. The name may have dashes in front, and `_` for `-`.
pub fn owning_field(name: &str) -> Option<&'static str> {
    find(OWNED, name)
}

/// The help that names the field, and its part if the option sets only a part: ``use `lock` of the field `placement` ``.
pub fn field_help(name: &str) -> Option<String> {
    let field = owning_field(name)?;
    let part = find(PARTS, name).map(|part| format!("`{part}` of "));
    Some(format!("use {}the field `{field}`", part.unwrap_or_default()))
}

fn find(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let name = name.trim_start_matches('-').replace('_', "-");
    let at = table.binary_search_by(|(known, _)| (*known).cmp(name.as_str())).ok()?;
    table.get(at).map(|(_, value)| *value)
}

/// The reason why a role cannot set this option, and the help. `None` if it can.
pub(super) fn reason_not_allowed(option: &OptionRecord, spelling: &str) -> Option<(String, String)> {
    let owned = option.spellings().find_map(|(name, _)| Some((owning_field(name)?, field_help(name)?)));
    if let Some((field, help)) = owned {
        return Some((format!("the field `{field}` sets `{spelling}`"), help));
    }
    let is_one_of = |names: &[&str]| option.names.iter().any(|name| names.contains(&name.as_str()));
    let why = if is_one_of(PRINT_AND_EXIT) {
        format!("with `{spelling}` the program prints something and exits")
    } else if is_one_of(HEALTH_HIDING_OPTIONS) {
        format!("`{spelling}` breaks the health check of the unit, which requests `/health` over plain HTTP")
    } else if option.value.is_none()
        && MODEL_PRESET_PREFIXES.iter().any(|start| option.title().starts_with(start))
    {
        format!("`{spelling}` selects a predefined model; the field `model` selects the model here")
    } else {
        return None;
    };
    Some((why, "remove it".to_owned()))
}
