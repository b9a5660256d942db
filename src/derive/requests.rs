//! The settings that a gateway writes into the requests for a role that shares the process of another role.

use super::command::faults_of_option;
use crate::engine::Profile;
use crate::engine::llama_swap::has_macro;
use crate::engine::requests::{request_field, request_value, value_of_request};
use crate::hir::{EngineOption, Role, Setting};

/// A field of a request, and its value.
pub type RequestSetting = (&'static str, serde_json::Value);

/// The reason why an option cannot be in a request.
#[derive(Debug)]
pub enum RequestFault {
    /// No field of a request has its meaning.
    NoField,
    /// The build does not accept its value, with the reason as a clause.
    Value(String),
    /// llama-swap would replace a part of its value.
    Macro,
}

/// The options of a role as settings of a request, in the order of declaration.
pub fn requests_of<'r>(
    role: &'r Role,
    profile: &'r Profile,
) -> impl Iterator<Item = (&'r EngineOption, Result<RequestSetting, RequestFault>)> {
    role.requests.iter().map(move |option| (option, request(option, profile)))
}

fn request(option: &EngineOption, profile: &Profile) -> Result<RequestSetting, RequestFault> {
    let found = profile.find(profile.server(), option.name.trim());
    let field = found.and_then(|(record, ..)| request_field(record)).ok_or(RequestFault::NoField)?;
    if let Some(fault) = faults_of_option(option, profile).into_iter().next() {
        return Err(RequestFault::Value(fault.why));
    }
    let text = match option.value.as_ref().map(|value| &value.value) {
        Some(Setting::Text(text)) => text.to_string(),
        Some(Setting::Integer(number)) => number.to_string(),
        Some(Setting::Float(number)) => number.to_string(),
        Some(Setting::Flag(flag)) => flag.to_string(),
        None => String::new(),
    };
    if has_macro(&text) {
        return Err(RequestFault::Macro);
    }
    let Some(value) = request_value(field, &text) else {
        return Err(RequestFault::Value(format!("its value must be {}", value_of_request(field))));
    };
    if has_merge_key(&value) {
        return Err(RequestFault::Value("llama-swap cannot have the key `<<`".to_owned()));
    }
    Ok((field, value))
}

/// True if a value has the key `<<`, which the YAML parser of llama-swap takes for a merge even in quotes (`isMerge` in `decode.go`
/// of `gopkg.in/yaml.v3` 3.0.1).
fn has_merge_key(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(entries) => {
            entries.iter().any(|(key, value)| key == "<<" || has_merge_key(value))
        }
        serde_json::Value::Array(list) => list.iter().any(has_merge_key),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => false,
    }
}
