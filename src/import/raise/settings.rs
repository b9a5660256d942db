//! The fields that become an option as they are, and overrides.

use super::Raiser;
use super::value::literal;
use crate::diag::{Line, Literal};

impl Raiser<'_> {
    /// The fields that become an option as they are.
    pub(super) fn settings(&mut self) {
        let keys = self.text("cache-type-k");
        let values = self.text("cache-type-v");
        let line = match (keys, values) {
            (Some(keys), Some(values)) if keys == values => Some(Line::of("cache-type", keys)),
            (None, None) => None,
            (keys, values) => {
                let part = |name: &str, value: Option<String>| value.map(|value| Line::of(name, value));
                Some(Line::new("cache-type").with_each(part("k", keys).into_iter().chain(part("v", values))))
            }
        };
        if let Some(line) = line {
            self.field("cache-type", line);
        }
        if let Some(given) = self.take("flash-attn") {
            let word = match given.text().as_str() {
                "1" | "true" | "enabled" | "" => "on".to_owned(),
                "0" | "false" | "disabled" => "off".to_owned(),
                "-1" => "auto".to_owned(),
                other => other.to_owned(),
            };
            self.field("flash-attention", Line::of("flash-attention", word));
        }
        if let Some(given) = self.take("cache-ram") {
            match given.text().parse::<i64>() {
                Ok(-1) => self.reason(
                    &given,
                    "a prompt cache without limit has no field; write a size in `prompt-cache`",
                ),
                Ok(size) => {
                    let size = if size > 0 { format!("{size} MiB") } else { "0 B".to_owned() };
                    self.field("prompt-cache", Line::of("prompt-cache", size));
                }
                Err(_) => self.reason(&given, "its value is no number"),
            }
        }
        if let Some(number) = self.number::<u64>("ctx-checkpoints") {
            self.field("checkpoints", Line::of("checkpoints", number));
        }
        self.keep_caches();
        if let Some(number) = self.number::<i64>("threads-batch")
            && let Ok(number @ 1..) = u64::try_from(number)
        {
            self.field("threads-batch", Line::of("threads-batch", number));
        }
        let overrides = self.take("override-kv").map(|given| given.values).unwrap_or_default();
        let entries: Vec<Line> =
            overrides.iter().flat_map(|all| all.split(',')).filter_map(override_line).collect();
        if !entries.is_empty() {
            self.field("overrides", Line::new("overrides").with_each(entries));
        }
    }

    /// A role with `pooling` has no prompt cache and no checkpoints by default, unlike the engine.
    fn keep_caches(&mut self) {
        let has = |name: &str| self.builds.find(name).is_some_and(|(.., is_known)| is_known);
        let is_embedder = self.fields.contains_key("pooling");
        let (has_cache, has_checkpoints) = (has("--cache-ram"), has("--ctx-checkpoints"));
        if is_embedder && has_cache && !self.fields.contains_key("prompt-cache") {
            self.field("prompt-cache", Line::of("prompt-cache", "8 GiB"));
        }
        if is_embedder && has_checkpoints && !self.fields.contains_key("checkpoints") {
            self.field("checkpoints", Line::of("checkpoints", 32));
        }
    }
}

/// An override `KEY=TYPE:VALUE`.
fn override_line(text: &str) -> Option<Line> {
    let (key, typed) = text.split_once('=')?;
    let (kind, value) = typed.split_once(':')?;
    let value = match kind {
        "bool" => Literal::Flag(value == "true"),
        "int" | "float" => literal(value),
        _ => Literal::Text(value.to_owned()),
    };
    Some(Line { values: vec![value], ..Line::new(key) })
}
