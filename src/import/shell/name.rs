//! The name of a server in a script, which has none: its alias, its log, or its model.

use crate::import::prefix::base_name;
use crate::import::source::{Server, Word};
use std::collections::BTreeMap;

/// The name of a server: the first alias, the stem of the log, the stem of the model, or the name of the script.
pub(super) fn derive(words: &[Word], log: Option<&str>, script: String) -> String {
    let alias = option(words, &["--alias", "-a"]).and_then(|alias| alias.split(',').next());
    let log = log.map(|log| log.trim_end_matches(".gguf"));
    alias.or(log).map(str::to_owned).or_else(|| model(words)).unwrap_or(script)
}

/// The value of the first option with one of these names.
fn option<'w>(words: &'w [Word], names: &[&str]) -> Option<&'w str> {
    let after = words.iter().skip(1);
    words.iter().zip(after).find_map(|(word, next)| {
        let (name, value) =
            word.text.split_once('=').map_or((word.text.as_str(), None), |(name, value)| (name, Some(value)));
        let is_known = value.is_some() || !next.is_dynamic;
        (names.contains(&name) && is_known).then(|| value.unwrap_or(&next.text))
    })
}

fn model(words: &[Word]) -> Option<String> {
    if let Some(path) = option(words, &["-m", "--model", "-mu", "--model-url"]) {
        return Some(stem(base_name(path).trim_end_matches(".gguf"))).filter(|stem| !stem.is_empty());
    }
    let repository = option(words, &["-hf", "-hfr", "--hf-repo"])?;
    let name = base_name(repository.split(':').next().unwrap_or_default());
    let name = name.trim_end_matches("-GGUF").trim_end_matches("-gguf");
    (!name.is_empty()).then(|| name.to_owned())
}

/// The name of a model file without the number of its part and its quantization.
pub(super) fn stem(name: &str) -> String {
    let is_number = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts: Vec<&str> = name.split('-').collect();
    if let [.., first, "of", count] = parts.as_slice()
        && is_number(first)
        && is_number(count)
    {
        parts.truncate(parts.len() - 3);
    }
    if parts.len() > 1 && parts.last().is_some_and(|last| is_quantization(last)) {
        parts.pop();
    }
    if parts.len() > 1 && parts.last() == Some(&"UD") {
        parts.pop();
    }
    let joined = parts.join("-");
    match joined.rsplit_once('.') {
        Some((start, end)) if is_quantization(end) && !start.is_empty() => start.to_owned(),
        _ => joined,
    }
}

/// True for names such as `Q4_K_M`, `IQ2_XXS`, `MXFP4` and `BF16`.
fn is_quantization(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    let has_digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    ["IQ", "TQ", "Q"].iter().any(|start| text.strip_prefix(start).is_some_and(has_digit))
        || ["F16", "BF16", "F32", "FP16", "F8", "FP8"].contains(&text.as_str())
        || ["MXFP4", "NVFP4"].iter().any(|start| text.starts_with(start))
}

/// Adds the port to names that several servers have.
pub(super) fn distinguish(servers: &mut [Server]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for server in servers.iter() {
        *counts.entry(server.name.clone()).or_default() += 1;
    }
    for server in servers.iter_mut().filter(|server| counts.get(&server.name).is_some_and(|count| *count > 1))
    {
        if let Some(port) = option(&server.args, &["--port"]).and_then(|port| port.parse::<u16>().ok()) {
            server.name = format!("{}-{port}", server.name);
        }
    }
}
