//! The target `kubernetes`: its findings, the same stack as units and as manifests, and external checkers.

mod comparison;
mod findings;
pub(crate) mod own;
mod pods;
mod tools;

use serde_yaml::Value;
use std::collections::BTreeMap;

/// The objects of a file.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let documents = text.split("\n---\n").filter(|document| !document.trim().is_empty());
    documents.map(|document| serde_yaml::from_str(document).unwrap()).collect()
}

/// Objects by kind and name, which are unique.
#[track_caller]
fn by_name(objects: impl IntoIterator<Item = Value>) -> BTreeMap<(String, String), Value> {
    let mut all = BTreeMap::new();
    for object in objects {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let name = (text(&object["kind"]), text(&object["metadata"]["name"]));
        assert!(all.insert(name.clone(), object).is_none(), "{name:?}");
    }
    all
}
