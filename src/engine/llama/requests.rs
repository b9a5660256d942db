//! The settings of a request that are also options of the server: sampling and chat.

use super::OptionRecord;

/// The long names of options, each with the field of a request that has the same meaning (`params_from_json_cmpl` in
/// `tools/server/server-task.cpp` of llama.cpp b11434).
const FIELDS: &[(&str, &str)] = &[
    ("--temp", "temperature"),
    ("--top-k", "top_k"),
    ("--top-p", "top_p"),
    ("--min-p", "min_p"),
    ("--top-nsigma", "top_n_sigma"),
    ("--xtc-probability", "xtc_probability"),
    ("--xtc-threshold", "xtc_threshold"),
    ("--typical", "typical_p"),
    ("--dynatemp-range", "dynatemp_range"),
    ("--dynatemp-exp", "dynatemp_exponent"),
    ("--repeat-last-n", "repeat_last_n"),
    ("--repeat-penalty", "repeat_penalty"),
    ("--presence-penalty", "presence_penalty"),
    ("--frequency-penalty", "frequency_penalty"),
    ("--dry-multiplier", "dry_multiplier"),
    ("--dry-base", "dry_base"),
    ("--dry-allowed-length", "dry_allowed_length"),
    ("--dry-penalty-last-n", "dry_penalty_last_n"),
    ("--mirostat", "mirostat"),
    ("--mirostat-ent", "mirostat_tau"),
    ("--mirostat-lr", "mirostat_eta"),
    ("--seed", "seed"),
    ("--predict", "n_predict"),
    ("--chat-template-kwargs", CHAT_TEMPLATE),
];

/// The field that has an object, which the option has as text.
const CHAT_TEMPLATE: &str = "chat_template_kwargs";

/// The field of a request that has the meaning of an option, if there is one.
pub fn request_field(option: &OptionRecord) -> Option<&'static str> {
    let is_name = |name: &&str| option.names.iter().any(|own| own == name);
    FIELDS.iter().find(|(name, _)| is_name(name)).map(|(_, field)| *field)
}

/// The value of a field of a request, from the text of the option. `None` if it has no such value.
pub fn request_value(field: &str, text: &str) -> Option<serde_json::Value> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    (if field == CHAT_TEMPLATE { value.is_object() } else { value.is_number() }).then_some(value)
}

/// The kind of value that a field of a request has.
pub fn value_of_request(field: &str) -> &'static str {
    if field == CHAT_TEMPLATE { "a JSON object" } else { "a number" }
}

/// The names of the options that a request can have, without dashes.
pub fn request_options() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(name, _)| name.trim_start_matches('-'))
}

/// The option that has the meaning of a field of a request, without dashes.
pub fn option_of_field(field: &str) -> Option<&'static str> {
    FIELDS.iter().find(|(_, known)| *known == field).map(|(name, _)| name.trim_start_matches('-'))
}
