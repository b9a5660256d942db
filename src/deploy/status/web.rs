//! Questions to servers by HTTP: their health, and the models that gateways loaded.

use serde_json::Value;
use std::collections::BTreeMap;
use std::thread::{Builder, ScopedJoinHandle, scope};

/// The most questions at the same time.
const MAX_AT_ONCE: usize = 32;

/// A client of HTTP with a time limit.
pub trait Web: Sync {
    /// The answer to `GET PATH`, or why there is none.
    fn get(&self, address: &str, port: u16, path: &str) -> Result<WebAnswer, String>;
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct WebAnswer {
    /// The status, such as 200.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A question to a server: address, port and path.
pub(super) type Question<'q> = (&'q str, u16, &'q str);

/// Asks all servers at the same time, so that many slow ones do not add up.
pub(super) fn ask(web: &dyn Web, questions: &[Question<'_>]) -> Vec<Result<WebAnswer, String>> {
    let mut answers = Vec::new();
    for some in questions.chunks(MAX_AT_ONCE) {
        scope(|scope| {
            let threads: Vec<_> = some
                .iter()
                .map(|(address, port, path)| {
                    Builder::new().spawn_scoped(scope, move || web.get(address, *port, path))
                })
                .collect();
            answers.extend(threads.into_iter().map(|thread| match thread.map(ScopedJoinHandle::join) {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err("no answer".to_owned()),
                Err(error) => Err(error.to_string()),
            }));
        });
    }
    answers
}

/// A model of a gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ModelState {
    Loaded,
    Loading,
    Unloaded,
    Failed,
}

/// The path at which a gateway lists its models.
pub(super) fn models_path(configuration: &str) -> Option<&'static str> {
    match configuration.split_once('/')?.0 {
        "router" => Some("/v1/models"),
        "llama-swap" => Some("/running"),
        _ => None,
    }
}

/// The models that a gateway lists, by name. llama-swap lists only the loaded ones.
pub(super) fn models(answer: &WebAnswer) -> Option<BTreeMap<String, ModelState>> {
    if answer.status != 200 {
        return None;
    }
    let value: Value = serde_json::from_slice(&answer.body).ok()?;
    let list = |key: &str| value.get(key).and_then(Value::as_array);
    if let Some(running) = list("running") {
        return Some(running.iter().filter_map(swapped).collect());
    }
    Some(list("data")?.iter().filter_map(routed).collect())
}

fn routed(model: &Value) -> Option<(String, ModelState)> {
    let name = model.get("id")?.as_str()?.to_owned();
    let status = model.get("status")?;
    let is_failed = status.get("failed").and_then(Value::as_bool).unwrap_or(false);
    let state = match status.get("value").and_then(Value::as_str)? {
        "loaded" => ModelState::Loaded,
        "loading" => ModelState::Loading,
        _ if is_failed => ModelState::Failed,
        _ => ModelState::Unloaded,
    };
    Some((name, state))
}

fn swapped(model: &Value) -> Option<(String, ModelState)> {
    let name = model.get("model")?.as_str()?.to_owned();
    let state = match model.get("state").and_then(Value::as_str)? {
        "ready" => ModelState::Loaded,
        "starting" => ModelState::Loading,
        _ => ModelState::Unloaded,
    };
    Some((name, state))
}
