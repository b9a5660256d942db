//! What is a secret: shared by the checks that must neither pass one on nor repeat it.

use crate::hir::{EngineOption, Setting};

/// Variables by which llama-server takes the keys of its clients (`common/arg.cpp` of b11434).
pub(super) const KEY_VARIABLES: &[&str] = &["LLAMA_API_KEY", "LLAMA_ARG_API_KEY", "LLAMA_ARG_API_KEY_FILE"];

/// Options whose value is a secret, without their dashes (`common/arg.cpp` of b11434: `-hft` is short for `--hf-token`).
const OPTIONS: &[&str] = &["api-key", "hf-token", "hft"];

/// Last words of a variable's name that holds a secret.
const LAST_WORDS: &[&str] =
    &["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS"];

/// Words before a last `KEY` that make it one to keep.
const KEY_WORDS: &[&str] = &["API", "ACCESS", "SECRET", "PRIVATE", "AUTH", "MASTER", "ENCRYPTION"];

/// How keys of well-known services begin, each long enough not to be a word.
const PREFIXES: &[&str] = &[
    "sk-",
    "hf_",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "AIza",
    "npm_",
    "pypi-",
    "gsk_",
];

/// Characters after the prefix from which on a text is a key and no word.
const LEAST: usize = 16;

/// Whether an option of llama-server gives the keys of its clients, as themselves or as a file.
pub(super) fn is_key_option(name: &str) -> bool {
    matches!(bare(name).as_str(), "api-key" | "api-key-file")
}

/// Whether an option carries a secret in its value.
pub(super) fn in_option(option: &EngineOption) -> bool {
    let Some(value) = &option.value else { return false };
    OPTIONS.contains(&bare(&option.name).as_str())
        || matches!(&value.value, Setting::Text(text) if is_key(text))
}

/// Whether a variable of the environment carries a secret: by its name, where the value is no path, no number and no switch,
/// or by its value.
pub(super) fn in_variable(name: &str, value: &str) -> bool {
    is_key(value) || (names_a_secret(name) && !is_harmless(value))
}

fn bare(name: &str) -> String {
    name.trim_start_matches('-').replace('_', "-")
}

fn is_key(text: &str) -> bool {
    let rest = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix));
    rest.is_some_and(|rest| rest.len() >= LEAST && rest.chars().all(|c| c.is_ascii_graphic()))
        || (text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----"))
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let mut words = name.rsplit('_');
    match words.next() {
        Some("KEY") => words.next().is_some_and(|word| KEY_WORDS.contains(&word)),
        Some("APIKEY") => true,
        Some(last) => LAST_WORDS.contains(&last),
        None => false,
    }
}

fn is_harmless(value: &str) -> bool {
    let value = value.trim();
    value.is_empty()
        || value.starts_with('/')
        || value.parse::<f64>().is_ok()
        || matches!(
            value.to_ascii_lowercase().as_str(),
            "true" | "false" | "on" | "off" | "yes" | "no" | "none"
        )
}
