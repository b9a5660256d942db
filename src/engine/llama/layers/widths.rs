//! The head sizes of a model, and the number of heads per layer (`llama_model_base::load_hparams`,
//! `src/llama-model.cpp` of llama.cpp b11434).

use super::header::{Header, at, missing_key};
use crate::engine::architecture::{Layout, Mla};

const HEADS: &str = "attention.head_count";
const KEY: &str = "attention.key_length";
const VALUE: &str = "attention.value_length";

/// The head sizes and counts of a model.
pub(super) struct Widths {
    /// Layers in the file.
    pub(super) layers: u64,
    /// Query heads of the first layer.
    pub(super) first_heads: u64,
    /// Elements of a key of one head (`n_embd_head_k`).
    pub(super) key: u64,
    /// Elements of a value of one head (`n_embd_head_v`).
    pub(super) value: u64,
    /// Like `key`, in layers with a sliding window.
    pub(super) key_swa: u64,
    /// Like `value`, in layers with a sliding window.
    pub(super) value_swa: u64,
    /// True for multi-head latent attention, which stores only keys.
    pub(super) is_mla: bool,
    kv_heads: Vec<u64>,
    feed_forward: Vec<u64>,
}

impl Widths {
    /// Key and value heads of a layer (`n_head_kv`).
    pub(super) fn kv_heads(&self, layer: u64) -> u64 {
        at(&self.kv_heads, layer)
    }

    /// The width of the feed-forward network of a layer (`n_ff`).
    pub(super) fn feed_forward(&self, layer: u64) -> u64 {
        at(&self.feed_forward, layer)
    }

    /// Reads the widths of a model with `layers` layers in its file.
    pub(super) fn read(header: Header<'_>, layout: &Layout, layers: u64) -> Result<Self, String> {
        let query_heads = header.per_layer(HEADS, layers)?.unwrap_or_default();
        let kv_heads = header.per_layer("attention.head_count_kv", layers)?;
        let first_heads = at(&query_heads, 0);
        let kv_heads = kv_heads.unwrap_or(query_heads);
        let is_mla = is_mla(header, layout)?;
        let default = header.required("embedding_length")?.checked_div(first_heads);
        let width = |key: &str| match default {
            Some(default) => Ok(header.number(key)?.unwrap_or(default)),
            // If the first layer has no heads, the general loader reads no head sizes.
            None if layout.explicit_heads => header.required(key),
            None => Ok(0),
        };
        let (key, value) = (width(KEY)?, width(VALUE)?);
        let key_swa = header.number("attention.key_length_swa")?.unwrap_or(key);
        let value_swa = header.number("attention.value_length_swa")?.unwrap_or(value);
        let value = layout.value_head_key.as_deref().map_or(Ok(value), |key| header.required(key))?;
        let feed_forward = header.per_layer("feed_forward_length", layers)?.unwrap_or_default();
        Ok(Self { layers, first_heads, key, value, key_swa, value_swa, is_mla, kv_heads, feed_forward })
    }

    /// Checks that the header has the sizes that a KV cache needs.
    pub(super) fn check_known(&self) -> Result<(), String> {
        if self.kv_heads.is_empty() {
            return Err(missing_key(HEADS));
        }
        if self.key == 0 {
            return Err(format!("`{HEADS}` and `{KEY}` give a head size of 0"));
        }
        Ok(())
    }
}

/// True if the header has both head sizes of latent attention.
fn is_mla(header: Header<'_>, layout: &Layout) -> Result<bool, String> {
    let Some(mla) = layout.mla else { return Ok(false) };
    let read = |key: &str| match mla {
        Mla::Optional => Ok(header.number(key)?.unwrap_or(0)),
        Mla::Required => header.required(key),
    };
    let (key, value) = (read("attention.key_length_mla")?, read("attention.value_length_mla")?);
    Ok(key != 0 && value != 0)
}
