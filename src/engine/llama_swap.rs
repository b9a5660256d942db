//! Texts in the configuration file of llama-swap, and what its models get.

/// The path that answers as soon as llama-swap listens (`internal/server/server.go` of August 2026).
pub const HEALTH_PATH: &str = "/health";

/// The variable with the API key of a gateway, as a macro. The unit writes all keys of the key file instead of it. If it is not
/// set, llama-swap does not start.
pub const API_KEY: &str = "${env.ORCHGEN_API_KEY}";

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

/// True if the YAML reader of llama-swap (`resolve.go` of `gopkg.in/yaml.v3` 3.0.1) takes a plain text for a number or a date that
/// `serde_yaml` writes as text, without quotes.
pub fn is_other_type(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let is_number = || {
        let digits = unsigned.replace('_', "").to_ascii_lowercase();
        let of_base = |prefix: &str, base: u32| {
            digits
                .strip_prefix(prefix)
                .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_digit(base)))
        };
        digits.parse::<f64>().is_ok() || of_base("0b", 2) || of_base("0o", 8) || of_base("0x", 16)
    };
    let is_date = || {
        let parts: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).take(3).collect();
        text.as_bytes().get(4) == Some(&b'-')
            && matches!(parts.as_slice(), [year, month, day]
                if year.len() == 4 && (1..=2).contains(&month.len()) && (1..=2).contains(&day.len()))
    };
    starts && (is_number() || is_date()) || text == "<<"
}
