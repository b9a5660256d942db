//! Options with a special meaning for the router.

use super::{OptionTable, PresetOption};

/// The options of the router that builds without a router do not have: the name, the variable, and true if a value follows.
const OF_ROUTERS: &[(&str, &str, bool)] = &[
    ("models-preset", "LLAMA_ARG_MODELS_PRESET", true),
    ("models-max", "LLAMA_ARG_MODELS_MAX", true),
    ("models-dir", "LLAMA_ARG_MODELS_DIR", true),
    ("models-autoload", "LLAMA_ARG_MODELS_AUTOLOAD", false),
    ("host", "LLAMA_ARG_HOST", true),
    ("port", "LLAMA_ARG_PORT", true),
    ("api-key", "LLAMA_API_KEY", true),
    ("api-key-file", "LLAMA_ARG_API_KEY_FILE", true),
];

/// Options that select a model.
const MODELS: &[&str] = &["--model", "--model-url", "--hf-repo", "--docker-repo"];

/// An option by its spelling or variable. In long spellings of a command line, `_` is the same as `-`.
pub(super) fn find(table: &dyn OptionTable, key: &str) -> Option<PresetOption> {
    let dashed = match key.strip_prefix("--") {
        Some(_) => key.replace('_', "-"),
        None => key.to_owned(),
    };
    table.find(&dashed).or_else(|| of_routers(dashed.trim_start_matches('-')))
}

/// An option by a key of a preset file, where `_` is not the same as `-`.
pub(super) fn find_key(table: &dyn OptionTable, key: &str) -> Option<PresetOption> {
    let is_variable = key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if key.contains('_') && !is_variable { None } else { find(table, key) }
}

/// True if an option selects the model of a section.
pub(super) fn is_model(title: &str) -> bool {
    let is_preset = (title.ends_with("-default") || title.ends_with("-spec")) && title != "--spec-default";
    is_preset || MODELS.contains(&title)
}

/// True if the value of an option is a secret. Reports have only its name.
pub(super) fn is_secret(title: &str) -> bool {
    matches!(title, "--api-key" | "--hf-token")
}

/// The reason why a key of a section does not reach the server of its model.
pub(super) fn removed(title: &str) -> Option<&'static str> {
    Some(match title {
        "--host" | "--port" | "--log-colors" => "the router overwrites it for each model",
        "--api-key" | "--api-key-file" => "the router removes it; only its own command line can have keys",
        "--ssl-key-file" | "--ssl-cert-file" => {
            "the router removes it; only its own command line can have TLS"
        }
        "--models-preset" | "--models-max" | "--models-dir" | "--models-autoload" => {
            "the router removes it; only its own command line can have it"
        }
        _ => return None,
    })
}

fn of_routers(name: &str) -> Option<PresetOption> {
    let negative = name.strip_prefix("no-").or_else(|| name.strip_prefix("LLAMA_ARG_NO_"));
    let is_negative = negative.is_some_and(|name| ["models-autoload", "MODELS_AUTOLOAD"].contains(&name));
    let mut rows = OF_ROUTERS.iter();
    let row = rows.find(|(known, variable, _)| {
        *known == name || *variable == name || (is_negative && *known == "models-autoload")
    });
    let (known, _, takes_value) = row?;
    Some(PresetOption {
        title: format!("--{known}"),
        takes_value: *takes_value,
        is_negative,
        negative: (!takes_value).then(|| format!("--no-{known}")),
    })
}
