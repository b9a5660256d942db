//! Detection of secrets. Checks that must not print a secret or copy it use this module.

use crate::engine::{Family, options};
use crate::hir::{EngineOption, Setting};

/// Last words of the names of variables that contain a secret.
const LAST_WORDS: &[&str] =
    &["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS"];

/// Words before a final `KEY` that mark a secret key.
const KEY_WORDS: &[&str] = &["API", "ACCESS", "SECRET", "PRIVATE", "AUTH", "MASTER", "ENCRYPTION"];

/// Prefixes of the keys of well-known services.
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

/// Minimum number of characters after the prefix, to exclude ordinary words.
const MIN_LENGTH: usize = 16;

/// True if an environment variable sets the API keys of a server.
pub(in crate::check) fn is_key_variable(name: &str) -> bool {
    Family::ALL.iter().any(|family| family.key_variables().contains(&name))
}

/// True if the value of an option is a secret.
pub(in crate::check) fn in_option(option: &EngineOption) -> bool {
    let Some(value) = &option.value else { return false };
    options::is_secret(&option.name) || matches!(&value.value, Setting::Text(text) if is_key(text))
}

/// True if an environment variable contains a secret. The value alone can show that, or the name if the value is not a
/// path, a number or a switch.
pub(in crate::check) fn in_variable(name: &str, value: &str) -> bool {
    is_key(value) || (names_a_secret(name) && !is_harmless(value))
}

fn is_key(text: &str) -> bool {
    let rest = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix));
    rest.is_some_and(|rest| rest.len() >= MIN_LENGTH && rest.chars().all(|c| c.is_ascii_graphic()))
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
