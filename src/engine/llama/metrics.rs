//! The metrics of a server for Prometheus (`tools/server/server.cpp` of llama.cpp, August 2026).

use super::dialect::PresetEntry;

/// The path. With an API key, the server requires it there too: it is not one of the public endpoints of
/// `tools/server/server-http.cpp`.
pub const PATH: &str = "/metrics";

/// The option that enables them, without dashes, as a preset has it.
const OPTION: &str = "metrics";

/// The variable that enables them, and the values that mean `true` (`common/arg.cpp`).
const VARIABLE: &str = "LLAMA_ARG_ENDPOINT_METRICS";
const TRUE: [&str; 4] = ["1", "enabled", "on", "true"];

/// The parameter of a router that names the model, and the one with which it does not load a model for the request
/// (`proxy_get` in `tools/server/server-models.cpp`).
pub const MODEL: &str = "model";
/// See [`MODEL`].
pub const NOT_LOADED: (&str, &str) = ("autoload", "false");

/// True if a process with these arguments, or this section of a preset, answers [`PATH`].
pub fn is_enabled<'a>(
    mut args: impl Iterator<Item = &'a str>,
    preset: &[PresetEntry],
    mut env: impl Iterator<Item = (&'a str, &'a str)>,
) -> bool {
    args.any(|word| word.strip_prefix("--") == Some(OPTION))
        || preset.iter().any(|entry| &*entry.key == OPTION && &*entry.value == "true")
        || env.any(|(name, value)| name == VARIABLE && TRUE.contains(&value))
}
