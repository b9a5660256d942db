//! How wide the heads of a model are, and how many each layer has (`llama_model_base::load_hparams`, `src/llama-model.cpp` of
//! llama.cpp b11434).

use super::header::{Header, missing};
use super::layout::{Latent, Layout};

const HEADS: &str = "attention.head_count";
const KEY: &str = "attention.key_length";
const VALUE: &str = "attention.value_length";

/// The widths of a model.
pub(super) struct Widths {
    /// Layers in the file.
    pub(super) layers: u64,
    /// Heads of the first layer.
    pub(super) first: u64,
    /// Numbers of one key, and of one value.
    pub(super) key: u64,
    pub(super) value: u64,
    /// The same in layers with a window.
    pub(super) window_key: u64,
    pub(super) window_value: u64,
    /// Whether only keys are kept.
    pub(super) is_latent: bool,
    heads: Vec<u64>,
    feed_forward: Vec<u64>,
}

impl Widths {
    /// Heads of keys and values in a layer.
    pub(super) fn heads(&self, layer: u64) -> u64 {
        at(&self.heads, layer)
    }

    /// The width of its feed-forward part.
    pub(super) fn feed_forward(&self, layer: u64) -> u64 {
        at(&self.feed_forward, layer)
    }

    /// Of a model with so many layers in its file.
    pub(super) fn of(header: Header<'_>, layout: &Layout, layers: u64) -> Result<Self, String> {
        let queries = header.per_layer(HEADS, layers)?.unwrap_or_default();
        let heads = header.per_layer("attention.head_count_kv", layers)?;
        let first = at(&queries, 0);
        let heads = heads.unwrap_or(queries);
        let is_latent = latent(header, layout)?;
        let by_default = header.required("embedding_length")?.checked_div(first);
        let width = |key: &str| match by_default {
            Some(by_default) => Ok(header.number(key)?.unwrap_or(by_default)),
            // Without heads in the first layer the general loader reads no widths.
            None if layout.explicit_heads => header.required(key),
            None => Ok(0),
        };
        let (key, value) = (width(KEY)?, width(VALUE)?);
        let window_key = header.number("attention.key_length_swa")?.unwrap_or(key);
        let window_value = header.number("attention.value_length_swa")?.unwrap_or(value);
        let value = layout.value_head.as_deref().map_or(Ok(value), |key| header.required(key))?;
        let feed_forward = header.per_layer("feed_forward_length", layers)?.unwrap_or_default();
        Ok(Self { layers, first, key, value, window_key, window_value, is_latent, heads, feed_forward })
    }

    /// That the widths of a cache are known at all.
    pub(super) fn are_known(&self) -> Result<(), String> {
        if self.heads.is_empty() {
            return Err(missing(HEADS));
        }
        if self.key == 0 {
            return Err(format!("`{HEADS}` and `{KEY}` do not say how wide a head is"));
        }
        Ok(())
    }
}

/// Whether both widths of latent attention are there.
fn latent(header: Header<'_>, layout: &Layout) -> Result<bool, String> {
    let Some(latent) = layout.latent else { return Ok(false) };
    let read = |key: &str| match latent {
        Latent::Optional => Ok(header.number(key)?.unwrap_or(0)),
        Latent::Required => header.required(key),
    };
    let (key, value) = (read("attention.key_length_mla")?, read("attention.value_length_mla")?);
    Ok(key != 0 && value != 0)
}

fn at(list: &[u64], layer: u64) -> u64 {
    usize::try_from(layer).ok().and_then(|layer| list.get(layer)).copied().unwrap_or(0)
}
