//! The KV cache and recurrent state of each layer of a model.

use super::counts::LayerCounts;
use super::header::{Header, at, product};
use super::indexer::{IndexerLayers, indexer_layers};
use super::state::{recurrent_state, stateful_layers};
use super::widths::Widths;
use super::window::{WindowLayers, window_layers};
use super::{KvCache, Layer, Layers, RecurrentState};
use crate::engine::architecture::{Architecture, CachedLayers, Layout, RecurrentLayers};

/// All properties of a model that determine the memory of its layers.
pub(super) struct ModelLayers<'a> {
    layout: &'a Layout,
    counts: LayerCounts,
    widths: Widths,
    stateful: Vec<bool>,
    state: RecurrentState,
    window: Option<WindowLayers>,
    indexer: Option<IndexerLayers>,
    /// The number of leading layers with a separate KV cache.
    kv_from_start: u64,
    is_recurrent: bool,
}

impl<'a> ModelLayers<'a> {
    pub(super) fn read(
        header: Header<'_>,
        architecture: &'a Architecture,
        counts: LayerCounts,
    ) -> Result<Self, String> {
        let layout = architecture.layout();
        let widths = Widths::read(header, layout, counts.stored)?;
        let is_recurrent = architecture.is_recurrent();
        if !is_recurrent {
            widths.check_known()?;
        }
        let recurrent = if is_recurrent { Some(RecurrentLayers::AllWithCache) } else { layout.recurrent };
        let stateful = stateful_layers(header, recurrent, &widths, counts.computed)?;
        let state = layout.state.map(|kind| recurrent_state(header, kind, &widths)).transpose()?;
        let state = state.unwrap_or_default();
        let window = window_layers(header, layout, &stateful, counts.computed)?;
        let indexer = indexer_layers(header, layout, &widths, counts.computed)?;
        let kv_from_start = kv_from_start(header, layout.caches, counts.stored)?;
        let model =
            Self { layout, counts, widths, stateful, state, window, indexer, kv_from_start, is_recurrent };
        model.check_window_is_used()?;
        model.check_reuse()?;
        Ok(model)
    }

    pub(super) fn layers(&self) -> Result<Layers, String> {
        let end = self.counts.computed.max(self.counts.cached);
        let each = (0..end).map(|layer| self.layer(layer)).collect::<Result<Vec<_>, _>>()?;
        // The index of the router layer is that of the first MTP layer, so MTP layers do not count.
        let all = if self.counts.router.is_some() { end } else { end.max(self.counts.stored) };
        let values = (0..all).map(|layer| self.values(layer));
        let max_values = values.collect::<Result<Vec<_>, _>>()?.into_iter().max().unwrap_or(0);
        let uses_window = each.iter().any(|layer| layer.cache.is_some_and(|cache| cache.is_swa));
        let window = self.window.as_ref().filter(|_| uses_window).map_or(0, |window| window.tokens);
        let is_mla = self.widths.is_mla;
        let mtp = self.mtp_caches();
        Ok(Layers { each, mtp, window, state: self.state, is_mla, max_values })
    }

    fn mtp_caches(&self) -> Result<Vec<KvCache>, &'static str> {
        if self.counts.router.is_some() || self.counts.stored <= self.counts.computed {
            return Ok(Vec::new());
        }
        if self.window.is_some() {
            return Err("the MTP layers of a model with a sliding window are not known");
        }
        if self.indexer.is_some() {
            return Err("the MTP layers of a model with an indexer are not known");
        }
        let layers = self.counts.computed..self.counts.stored;
        let caches: Result<_, String> = layers.map(|layer| self.cache(layer)).collect();
        caches.map_err(|_| "the sizes of the MTP layers are not known")
    }

    fn layer(&self, layer: u64) -> Result<Layer, String> {
        let cache = if self.has_cache(layer) { Some(self.cache(layer)?) } else { None };
        Ok(Layer { cache, has_state: self.has_state(layer) })
    }

    fn has_state(&self, layer: u64) -> bool {
        layer < self.counts.computed && at(&self.stateful, layer)
    }

    fn has_cache(&self, layer: u64) -> bool {
        let can_have = layer < self.counts.cached && layer < self.kv_from_start && !self.is_recurrent;
        can_have
            && match self.layout.recurrent {
                Some(RecurrentLayers::AllWithCache) => true,
                Some(RecurrentLayers::WithoutHeadsAndFeedForward) => {
                    !self.has_state(layer) && self.widths.feed_forward(layer) == 0
                }
                _ => !self.has_state(layer),
            }
    }

    fn cache(&self, layer: u64) -> Result<KvCache, String> {
        let is_swa = self.is_swa(layer);
        let (key_head, value_head) = self.head_sizes(layer);
        let mut keys = product(&[key_head, self.kv_heads(layer)])?;
        if let Some(indexer) = self.indexer.as_ref().filter(|indexer| at(&indexer.layers, layer)) {
            keys = keys.saturating_add(indexer.key_width);
        }
        let values = self.values(layer)?;
        Ok(KvCache { is_swa, keys, values, key_head, value_head })
    }

    fn values(&self, layer: u64) -> Result<u64, String> {
        if self.widths.is_mla {
            return Ok(0);
        }
        product(&[self.head_sizes(layer).1, self.kv_heads(layer)])
    }

    fn kv_heads(&self, layer: u64) -> u64 {
        if self.counts.router == Some(layer) {
            return 1;
        }
        // Looped layers repeat those of the file.
        self.widths.kv_heads(layer.checked_rem(self.counts.stored).unwrap_or(layer))
    }

    /// The sizes of a key and a value of one head.
    fn head_sizes(&self, layer: u64) -> (u64, u64) {
        let widths = &self.widths;
        if self.is_swa(layer) { (widths.key_swa, widths.value_swa) } else { (widths.key, widths.value) }
    }

    /// True if a layer uses the sliding window.
    fn is_swa(&self, layer: u64) -> bool {
        self.window.as_ref().is_some_and(|window| at(&window.layers, layer))
    }

    /// llama.cpp aborts if no layer uses the sliding window.
    fn check_window_is_used(&self) -> Result<(), String> {
        let is_unused = self.window.is_some()
            && self.layout.recurrent.is_none()
            && !(0..self.counts.stored).any(|layer| self.is_swa(layer));
        if is_unused { Err("it has a sliding window that no layer uses".to_owned()) } else { Ok(()) }
    }

    /// Checks that each layer without a cache reads the cache of a layer of the same kind. Layers with full attention
    /// read the last cache, layers with a sliding window the second to last. llama.cpp aborts if the kinds differ.
    fn check_reuse(&self) -> Result<(), String> {
        let is_valid = (self.kv_from_start..self.counts.cached).all(|layer| {
            let is_swa = self.is_swa(layer);
            let source = self.kv_from_start.saturating_sub(if is_swa { 2 } else { 1 });
            self.is_swa(source) == is_swa
        });
        if is_valid {
            return Ok(());
        }
        Err("a layer without a KV cache would read the cache of a layer with another kind of attention"
            .into())
    }
}

/// The number of leading layers with a separate KV cache (`n_layer_kv_from_start`). The others read the cache of another
/// layer (`gemma3n` and `gemma4`, `create_memory` in `src/llama-model.cpp` of llama.cpp b11434).
fn kv_from_start(header: Header<'_>, caches: CachedLayers, stored_layers: u64) -> Result<u64, String> {
    let count = match caches {
        CachedLayers::First(count) => count,
        CachedLayers::ExceptShared => {
            let shared = header.number("attention.shared_kv_layers")?.unwrap_or(0);
            stored_layers.saturating_sub(shared)
        }
        CachedLayers::ExceptNextn | CachedLayers::All | CachedLayers::Looped | CachedLayers::Routed => {
            return Ok(u64::MAX);
        }
    };
    // Two are needed: layers with a sliding window read the cache of the second to last of them.
    if count < 2 {
        Err(format!("only {count} of its layers have a separate KV cache, and 2 are needed"))
    } else {
        Ok(count)
    }
}
