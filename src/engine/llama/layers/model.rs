//! The KV cache and recurrent state of each layer of a model.

use super::counts::LayerCounts;
use super::header::{Header, product};
use super::indexer::{IndexerLayers, indexer_layers};
use super::layout::{Layout, RecurrentLayers};
use super::reuse;
use super::state::{StatefulLayers, recurrent_state, stateful_layers};
use super::widths::Widths;
use super::window::{WindowLayers, window_layers};
use super::{KvCache, Layer, Layers, RecurrentState};
use crate::engine::architecture::Architecture;

/// All properties of a model that determine the memory of its layers.
pub(super) struct ModelLayers<'a> {
    layout: &'a Layout,
    pub(super) counts: LayerCounts,
    widths: Widths,
    stateful: StatefulLayers,
    state: RecurrentState,
    window: Option<WindowLayers>,
    indexer: Option<IndexerLayers>,
    /// The number of leading layers with a separate KV cache.
    pub(super) kv_from_start: u64,
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
        let stateful = match layout.recurrent {
            _ if is_recurrent => StatefulLayers::All,
            Some(recurrent) => stateful_layers(header, recurrent, &widths, counts.computed)?,
            None => StatefulLayers::None,
        };
        let state = layout.state.map(|kind| recurrent_state(header, kind, &widths)).transpose()?;
        let window =
            layout.window.as_ref().map(|window| window_layers(header, window, &stateful, counts.computed));
        let window = window.transpose()?.flatten();
        let indexer = indexer_layers(header, layout, &widths, counts.computed)?;
        let kv_from_start = reuse::kv_from_start(header, layout.caches, counts.stored)?;
        let state = state.unwrap_or_default();
        let model =
            Self { layout, counts, widths, stateful, state, window, indexer, kv_from_start, is_recurrent };
        model.check_window_is_used()?;
        reuse::check_reuse(&model)?;
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
        Ok(Layers { each, window, state: self.state, is_mla, max_values })
    }

    fn layer(&self, layer: u64) -> Result<Layer, String> {
        let cache = if self.has_cache(layer) { Some(self.cache(layer)?) } else { None };
        Ok(Layer { cache, has_state: self.has_state(layer) })
    }

    fn has_state(&self, layer: u64) -> bool {
        layer < self.counts.computed && self.stateful.has(layer)
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
        if let Some(indexer) = self.indexer.as_ref().filter(|indexer| indexer.has(layer)) {
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
    pub(super) fn is_swa(&self, layer: u64) -> bool {
        self.window.as_ref().is_some_and(|window| window.has(layer))
    }

    /// llama.cpp aborts if no layer uses the sliding window.
    fn check_window_is_used(&self) -> Result<(), String> {
        let is_unused = self.window.is_some()
            && self.layout.recurrent.is_none()
            && !(0..self.counts.stored).any(|layer| self.is_swa(layer));
        if is_unused { Err("it has a sliding window that no layer uses".to_owned()) } else { Ok(()) }
    }
}
