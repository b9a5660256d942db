//! A model put together from its header: which of its layers keep what.

use super::counts::Counts;
use super::header::{Header, product};
use super::indexer::{Indexed, indexed};
use super::layout::{Layout, Recurrent};
use super::reuse;
use super::state::{Stateful, state, stateful};
use super::widths::Widths;
use super::window::{Found, window};
use super::{Cache, Layer, Layers, State};
use crate::engine::architecture::Architecture;

/// A model with all that says what its layers keep.
pub(super) struct Model<'a> {
    layout: &'a Layout,
    pub(super) counts: Counts,
    widths: Widths,
    stateful: Stateful,
    state: State,
    window: Option<Found>,
    indexed: Option<Indexed>,
    /// How many layers from the first on have a cache of their own.
    pub(super) own: u64,
    is_recurrent: bool,
}

impl<'a> Model<'a> {
    pub(super) fn of(header: Header<'_>, known: &'a Architecture, counts: Counts) -> Result<Self, String> {
        let layout = known.layout();
        let widths = Widths::of(header, layout, counts.stored)?;
        let is_recurrent = known.is_recurrent();
        if !is_recurrent {
            widths.are_known()?;
        }
        let stateful = match layout.recurrent {
            _ if is_recurrent => Stateful::All,
            Some(recurrent) => stateful(header, recurrent, &widths, counts.computed)?,
            None => Stateful::None,
        };
        let state = layout.state.map(|kind| state(header, kind, &widths)).transpose()?;
        let window = layout.window.as_ref().map(|of| window(header, of, &stateful, counts.computed));
        let window = window.transpose()?.flatten();
        let indexed = indexed(header, layout, &widths, counts.computed)?;
        let own = reuse::own(header, layout.caches, counts.stored)?;
        let state = state.unwrap_or_default();
        let model = Self { layout, counts, widths, stateful, state, window, indexed, own, is_recurrent };
        model.has_a_windowed_layer()?;
        reuse::holds(&model)?;
        Ok(model)
    }

    pub(super) fn layers(&self) -> Result<Layers, String> {
        let last = self.counts.computed.max(self.counts.cached);
        let each = (0..last).map(|layer| self.layer(layer)).collect::<Result<Vec<_>, _>>()?;
        // The router takes the place of the layers of next-token prediction.
        let all = if self.counts.router.is_some() { last } else { last.max(self.counts.stored) };
        let widest = (0..all).map(|layer| self.values(layer));
        let widest_values = widest.collect::<Result<Vec<_>, _>>()?.into_iter().max().unwrap_or(0);
        let is_windowed = each.iter().any(|layer| layer.cache.is_some_and(|cache| cache.is_windowed));
        let window = self.window.as_ref().filter(|_| is_windowed).map_or(0, |window| window.tokens);
        let is_latent = self.widths.is_latent;
        Ok(Layers { each, window, state: self.state, is_latent, widest_values })
    }

    fn layer(&self, layer: u64) -> Result<Layer, String> {
        let cache = if self.has_cache(layer) { Some(self.cache(layer)?) } else { None };
        Ok(Layer { cache, has_state: self.has_state(layer) })
    }

    fn has_state(&self, layer: u64) -> bool {
        layer < self.counts.computed && self.stateful.has(layer)
    }

    fn has_cache(&self, layer: u64) -> bool {
        let may = layer < self.counts.cached && layer < self.own && !self.is_recurrent;
        may && match self.layout.recurrent {
            Some(Recurrent::Beside) => true,
            Some(Recurrent::WithoutHeadsAndFeedForward) => {
                !self.has_state(layer) && self.widths.feed_forward(layer) == 0
            }
            _ => !self.has_state(layer),
        }
    }

    fn cache(&self, layer: u64) -> Result<Cache, String> {
        let is_windowed = self.is_windowed(layer);
        let (key_head, value_head) = self.head(layer);
        let mut keys = product(&[key_head, self.heads(layer)])?;
        if let Some(indexed) = self.indexed.as_ref().filter(|indexed| indexed.has(layer)) {
            keys = keys.saturating_add(indexed.width);
        }
        let values = self.values(layer)?;
        Ok(Cache { is_windowed, keys, values, key_head, value_head })
    }

    fn values(&self, layer: u64) -> Result<u64, String> {
        if self.widths.is_latent {
            return Ok(0);
        }
        product(&[self.head(layer).1, self.heads(layer)])
    }

    fn heads(&self, layer: u64) -> u64 {
        if self.counts.router == Some(layer) {
            return 1;
        }
        // Layers that are looped are those of the file again.
        self.widths.heads(layer.checked_rem(self.counts.stored).unwrap_or(layer))
    }

    fn head(&self, layer: u64) -> (u64, u64) {
        let widths = &self.widths;
        if self.is_windowed(layer) {
            (widths.window_key, widths.window_value)
        } else {
            (widths.key, widths.value)
        }
    }

    pub(super) fn is_windowed(&self, layer: u64) -> bool {
        self.window.as_ref().is_some_and(|window| window.has(layer))
    }

    /// The engine aborts where there is a window and no layer for it.
    fn has_a_windowed_layer(&self) -> Result<(), String> {
        let is_idle = self.window.is_some()
            && self.layout.recurrent.is_none()
            && !(0..self.counts.stored).any(|layer| self.is_windowed(layer));
        if is_idle { Err("it has a sliding window and no layer with it".to_owned()) } else { Ok(()) }
    }
}
