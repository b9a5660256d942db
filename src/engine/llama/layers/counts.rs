//! How many layers a model has, and how many of them may have a KV cache (`create_memory`, `src/llama-model.cpp` of
//! llama.cpp b11434).

use super::header::{Header, MAX_LAYERS, product};
use crate::engine::architecture::{CachedLayers, Layout};

/// Numbers of layers.
#[derive(Clone, Copy)]
pub(super) struct LayerCounts {
    /// Layers in the file, including the multi-token prediction (MTP) layers.
    pub(super) stored: u64,
    /// Layers that a server computes.
    pub(super) computed: u64,
    /// Layers that may have a KV cache.
    pub(super) cached: u64,
    /// The index of the additional router layer, which has one head.
    pub(super) router: Option<u64>,
}

impl LayerCounts {
    pub(super) fn read(header: Header<'_>, layout: &Layout) -> Result<Self, String> {
        let (count, nextn_key) = ("block_count", "nextn_predict_layers");
        let stored = header.positive(count)?;
        let nextn = header.number(nextn_key)?.unwrap_or(0);
        let main = stored.checked_sub(nextn);
        let main = main.ok_or_else(|| format!("`{nextn_key}` is {nextn}, but `{count}` is only {stored}"))?;
        let mut counts = Self { stored, computed: main, cached: main, router: None };
        match layout.caches {
            CachedLayers::All => counts.cached = stored,
            CachedLayers::Looped => {
                if nextn > 0 {
                    return Err(format!(
                        "`{nextn_key}` is {nextn}, but a model with looped layers cannot have MTP layers"
                    ));
                }
                let loops =
                    if header.number("num_loops")?.is_some() { header.positive("num_loops")? } else { 1 };
                counts.computed = product(&[main, loops])?;
                counts.cached = counts.computed;
            }
            CachedLayers::Routed => {
                counts.computed = main.saturating_add(1);
                counts.cached = counts.computed;
                counts.router = Some(main);
            }
            // A file with only MTP layers is served from these layers.
            CachedLayers::ExceptNextn | CachedLayers::First(_) | CachedLayers::ExceptShared => {
                if main == 0 && layout.recurrent.is_none() {
                    counts.cached = stored;
                }
            }
        }
        let max = counts.computed.max(stored);
        if max > MAX_LAYERS {
            return Err(format!("it has {max} layers, but b11434 loads at most {MAX_LAYERS}"));
        }
        Ok(counts)
    }
}
