//! Texts in the configuration file of llama-swap, and what its models get.

/// The path that answers as soon as llama-swap listens (`internal/server/server.go` of August 2026).
pub const HEALTH_PATH: &str = "/health";

/// The start of the path of requests to the server of a model, before the name of the model (`handleUpstream` in
/// `internal/server/api.go` of August 2026). Such a request loads the model.
pub const UPSTREAM: &str = "/upstream/";

/// The variable with the API key of a gateway, as a macro. The unit writes all keys of the key file instead of it. If it is not
/// set, llama-swap does not start. The file has it in double quotes: llama-swap escapes the value for them
/// (`internal/config/macros.go` of August 2026).
pub const API_KEY: &str = "${env.ORCHGEN_API_KEY}";

/// The start of the variables with the keys of peers, as macros. The unit writes the first key of each key file instead of them,
/// in the same way.
pub const PEER_KEY: &str = "ORCHGEN_PEER_KEY_";

/// The start of the variables with the paths of the key files of models.
pub const KEY_FILE: &str = "ORCHGEN_KEY_FILE_";

/// True if llama-swap would replace a part of a text, or refuse it: it has a macro such as `${PORT}` or `${env.HOME}`
/// (`internal/config/macros.go` of August 2026). Outside of commands there is no way to write one as text.
pub fn has_macro(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let name = after.split('}').next().filter(|name| name.len() < after.len()).unwrap_or_default();
        let name = name.strip_prefix("env.").unwrap_or(name);
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        {
            return true;
        }
        rest = after;
    }
    false
}
