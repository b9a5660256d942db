//! The target `llama-swap`: its file against the schema of llama-swap, its commands as llama-swap splits them, and its sets.

mod config;
mod declared;
mod peers;
mod sets;
pub(crate) mod words;

use crate::support::{Compiled, compile};
use serde_yaml::{Mapping, Value};

/// A stack with every kind of role behind llama-swap.
const STACK: &str = include_str!("llama_swap/stack.kdl");

/// The configuration of a gateway, as text and as data.
#[track_caller]
fn config(compiled: &Compiled, gateway: &str) -> (String, Value) {
    let text = compiled.files().remove(&format!("llama-swap/{gateway}.yaml")).unwrap().0;
    let value = serde_yaml::from_str(&text).unwrap();
    (text, value)
}

fn stack() -> Compiled {
    compile(&[("stack.kdl", STACK)])
}

/// A mapping in a configuration.
#[track_caller]
fn mapping<'v>(value: &'v Value, path: &[&str]) -> &'v Mapping {
    let found = path.iter().fold(value, |value, key| &value[*key]);
    found.as_mapping().unwrap_or_else(|| panic!("no mapping {path:?}"))
}

/// The texts in a list.
fn texts(value: &Value) -> Vec<String> {
    let all = value.as_sequence().into_iter().flatten();
    all.map(|text| text.as_str().unwrap().to_owned()).collect()
}
