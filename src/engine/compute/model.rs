//! The numbers of a model that shape its graphs, from the metadata of its file.

use crate::engine::layers::{Cache, Layers, layers};
use crate::facts::{Facts, Parameter};

/// No number of a header is larger that a graph is built with.
const LARGEST: u64 = 1 << 31;

/// `LLAMA_MAX_EXPERTS` of `src/llama-hparams.h`, b11434.
const MOST_EXPERTS: u64 = 512;

/// A model whose widths are known.
pub(super) struct Model<'facts> {
    facts: &'facts Facts,
    /// What its layers keep.
    pub(super) kept: Layers,
    pub(super) architecture: &'facts str,
    /// Layers that a server computes.
    pub(super) layers: u64,
    /// Numbers of an embedding.
    pub(super) width: u64,
    pub(super) vocabulary: u64,
}

/// Heads of an attention.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Heads {
    pub(super) count: u64,
    /// Of those, how many have keys and values of their own.
    pub(super) kept: u64,
    /// Numbers of a key and of a value.
    pub(super) key: u64,
    pub(super) value: u64,
}

impl<'facts> Model<'facts> {
    pub(super) fn of(facts: &'facts Facts) -> Result<Self, String> {
        let architecture = facts.architecture.as_deref().ok_or("the header names no architecture")?;
        let kept = layers(facts)?;
        let too_large = |parameter: &Parameter| matches!(parameter, Parameter::Number(number) if u64::try_from(*number).is_ok_and(|n| n > LARGEST));
        if let Some((key, _)) = facts.parameters.iter().find(|(_, parameter)| too_large(parameter)) {
            return Err(format!("`{key}` of the header is more than any model has"));
        }
        let mut model = Self { facts, kept, architecture, layers: 0, width: 0, vocabulary: 0 };
        let predicting = model.number("nextn_predict_layers").unwrap_or(0);
        model.layers = model.need("block_count")?.saturating_sub(predicting);
        model.width = model.need("embedding_length")?;
        let vocabulary = facts.vocabulary.as_ref().map(|tokens| tokens.size);
        model.vocabulary =
            vocabulary.filter(|size| *size <= LARGEST).ok_or("the header has no vocabulary")?;
        if model.experts() > MOST_EXPERTS || model.experts_used() > model.experts() {
            return Err(format!(
                "it has {} experts, of which {} are used",
                model.experts(),
                model.experts_used()
            ));
        }
        Ok(model)
    }

    /// A number for all layers.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.facts.number(key).filter(|number| *number <= LARGEST)
    }

    /// A number that has to be there.
    pub(super) fn need(&self, key: &str) -> Result<u64, String> {
        self.number(key).ok_or_else(|| format!("the header has no `{key}`"))
    }

    /// A number of a layer.
    fn at(&self, key: &str, layer: u64) -> Option<u64> {
        match self.facts.parameters.get(key)? {
            Parameter::List(list) => {
                let number = list.get(usize::try_from(layer).ok()?)?;
                u64::try_from(*number).ok().filter(|number| *number <= LARGEST)
            }
            Parameter::Number(_) => self.number(key),
            Parameter::Flag(_) => None,
        }
    }

    pub(super) fn is(&self, key: &str) -> bool {
        matches!(self.facts.parameters.get(key), Some(Parameter::Flag(true)))
    }

    pub(super) fn cache(&self, layer: u64) -> Option<Cache> {
        self.kept.each.get(usize::try_from(layer).ok()?)?.cache
    }

    pub(super) fn has_state(&self, layer: u64) -> bool {
        usize::try_from(layer)
            .is_ok_and(|layer| self.kept.each.get(layer).is_some_and(|layer| layer.has_state))
    }

    /// The heads of a layer, as they meet what is kept.
    pub(super) fn heads(&self, layer: u64) -> Result<Heads, String> {
        let key = "attention.head_count";
        let count = self.at(key, layer).ok_or_else(|| format!("the header has no `{key}`"))?;
        let first = self.at(key, 0).unwrap_or(count);
        let even = self.width.checked_div(first).unwrap_or(0);
        let width = |key: &str| self.number(key).unwrap_or(even);
        let (key, value) = (width("attention.key_length"), width("attention.value_length"));
        Ok(match self.cache(layer) {
            Some(cache) if cache.key_head > 0 && !self.kept.is_latent => {
                let kept = cache.keys.checked_div(cache.key_head).unwrap_or(count);
                Heads { count, kept, key: cache.key_head, value: cache.value_head }
            }
            _ => {
                Heads { count, kept: self.at("attention.head_count_kv", layer).unwrap_or(count), key, value }
            }
        })
    }

    /// The width between the matrices of a feed-forward network.
    pub(super) fn inner(&self, layer: u64) -> Result<u64, String> {
        let key = "feed_forward_length";
        self.at(key, layer).ok_or_else(|| format!("the header has no `{key}`"))
    }

    /// Layers that take of the embeddings of images by themselves.
    pub(super) fn depths(&self) -> u64 {
        self.number("n_deepstack_layers").unwrap_or(0)
    }

    pub(super) fn experts(&self) -> u64 {
        self.number("expert_count").unwrap_or(0)
    }

    pub(super) fn experts_used(&self) -> u64 {
        self.number("expert_used_count").unwrap_or(0)
    }

    /// The width of an expert.
    pub(super) fn expert_inner(&self, layer: u64) -> Result<u64, String> {
        match self.at("expert_feed_forward_length", layer).filter(|width| *width > 0) {
            Some(width) => Ok(width),
            None => Ok(self.inner(layer)?),
        }
    }

    /// The width of the experts that all tokens share, one after another; 0 where there is none.
    pub(super) fn shared_inner(&self, layer: u64) -> Result<u64, String> {
        match self.number("expert_shared_feed_forward_length").filter(|width| *width > 0) {
            Some(width) => Ok(width),
            None => {
                let count = self.number("expert_shared_count").unwrap_or(0);
                Ok(self.expert_inner(layer)?.saturating_mul(count))
            }
        }
    }
}
