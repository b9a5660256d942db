//! The hyperparameters that shape the graphs of a model, from the metadata of its file.

use super::sizes::Sizes;
use crate::engine::architecture::{Architecture, MoeLayers, Recipe};
use crate::engine::layers::{Layer, Layers, layers, loadable_architecture, missing_key};
use crate::facts::{Facts, Parameter};

/// The maximum of a number in the header. A header with a larger number is rejected.
const MAX_NUMBER: u64 = 1 << 31;

/// `LLAMA_MAX_EXPERTS` of `src/llama-hparams.h`, b11434.
const MAX_EXPERTS: u64 = 512;

/// The hyperparameters of a model, like `llama_hparams`.
pub(super) struct Hparams<'facts> {
    facts: &'facts Facts,
    pub(super) architecture: &'static Architecture,
    pub(super) recipe: &'static Recipe,
    /// The KV caches and recurrent states of its layers.
    pub(super) memory: Layers,
    /// Layers that a server computes, without the multi-token prediction (MTP) layers (`n_layer`).
    pub(super) layers: u64,
    /// Elements of an embedding.
    pub(super) n_embd: u64,
    /// Tokens of the vocabulary (`n_vocab`).
    pub(super) vocabulary: u64,
    /// `n_expert`.
    pub(super) experts: u64,
    /// `n_expert_used`.
    pub(super) experts_used: u64,
    /// The number of leading layers that add a part of the image embeddings (`n_deepstack_layers`).
    pub(super) deepstack_layers: u64,
    /// The sizes of weights and caches.
    pub(super) sizes: Sizes,
}

/// The attention heads of a layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Heads {
    /// Query heads (`n_head`).
    pub(super) count: u64,
    /// Key and value heads (`n_head_kv`).
    pub(super) kv_count: u64,
    /// Elements of a key of one head (`n_embd_head_k`).
    pub(super) key: u64,
    /// Elements of a value of one head (`n_embd_head_v`).
    pub(super) value: u64,
}

impl<'facts> Hparams<'facts> {
    pub(super) fn read(facts: &'facts Facts) -> Result<Self, String> {
        let architecture = loadable_architecture(facts)?;
        let memory = layers(facts)?;
        let too_large = |parameter: &Parameter| matches!(parameter, Parameter::Number(number) if u64::try_from(*number).is_ok_and(|n| n > MAX_NUMBER));
        if let Some((key, _)) = facts.parameters.iter().find(|(_, parameter)| too_large(parameter)) {
            return Err(format!("`{key}` in the header is larger than {MAX_NUMBER}"));
        }
        let required = |key| facts.number(key).ok_or_else(|| missing_key(key));
        let or_zero = |key| facts.number(key).unwrap_or(0);
        let layers = required("block_count")?.saturating_sub(or_zero("nextn_predict_layers"));
        let n_embd = required("embedding_length")?;
        let vocabulary = facts.vocabulary.as_ref().map(|tokens| tokens.size);
        let vocabulary =
            vocabulary.filter(|size| *size <= MAX_NUMBER).ok_or("the header has no vocabulary")?;
        let (experts, experts_used) = (or_zero("expert_count"), or_zero("expert_used_count"));
        if experts > MAX_EXPERTS {
            return Err(format!("it has {experts} experts, but b11434 loads at most {MAX_EXPERTS}"));
        }
        if experts_used > experts {
            return Err(format!("it uses {experts_used} experts per token, but has only {experts}"));
        }
        let unknown = || format!("the graphs of `{}` are not known", architecture.name());
        Ok(Self {
            facts,
            architecture,
            recipe: architecture.graph().ok_or_else(unknown)?,
            memory,
            layers,
            n_embd,
            vocabulary,
            experts,
            experts_used,
            deepstack_layers: or_zero("n_deepstack_layers"),
            sizes: Sizes::read(facts),
        })
    }

    /// A number that is the same for all layers.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.facts.number(key)
    }

    /// A number without a default.
    pub(super) fn required(&self, key: &str) -> Result<u64, String> {
        self.number(key).ok_or_else(|| missing_key(key))
    }

    /// A number that may differ between layers.
    fn per_layer(&self, key: &str, layer: u64) -> Option<u64> {
        let Some(Parameter::List(list)) = self.facts.parameters.get(key) else { return self.number(key) };
        let number = list.get(usize::try_from(layer).ok()?)?;
        u64::try_from(*number).ok().filter(|number| *number <= MAX_NUMBER)
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.facts.flag(key) == Some(true)
    }

    /// The KV cache and recurrent state of a layer.
    pub(super) fn memory(&self, layer: u64) -> Layer {
        let layer = usize::try_from(layer).ok().and_then(|layer| self.memory.each.get(layer));
        layer.copied().unwrap_or_default()
    }

    /// The heads of a layer. If the layer has a KV cache, the sizes are those of the cache.
    pub(super) fn heads(&self, layer: u64) -> Result<Heads, String> {
        let key = "attention.head_count";
        let count = self.per_layer(key, layer).ok_or_else(|| missing_key(key))?;
        let cache = self.memory(layer).cache.filter(|cache| cache.key_head > 0 && !self.memory.is_mla);
        if let Some(cache) = cache {
            let kv_count = cache.keys / cache.key_head;
            return Ok(Heads { count, kv_count, key: cache.key_head, value: cache.value_head });
        }
        let first = self.per_layer(key, 0).unwrap_or(count);
        let default = self.n_embd.checked_div(first).unwrap_or(0);
        let [key, value] =
            ["attention.key_length", "attention.value_length"].map(|key| self.number(key).unwrap_or(default));
        let kv_count = self.per_layer("attention.head_count_kv", layer).unwrap_or(count);
        Ok(Heads { count, kv_count, key, value })
    }

    /// The width of the feed-forward network (`n_ff`).
    pub(super) fn ffn_width(&self, layer: u64) -> Result<u64, String> {
        let key = "feed_forward_length";
        self.per_layer(key, layer).ok_or_else(|| missing_key(key))
    }

    /// True if the feed-forward network of a layer is a mixture of experts.
    pub(super) fn is_moe(&self, layer: u64) -> bool {
        let is_selected = || match self.recipe.moe_layers {
            MoeLayers::AfterDense => true,
            MoeLayers::Odd => layer % 2 == 1,
            MoeLayers::Step => {
                let step = self.number("interleave_moe_layer_step").unwrap_or(1);
                (layer + 1).checked_rem(step) == Some(0)
            }
        };
        let dense = self.number("leading_dense_block_count").unwrap_or(0);
        self.experts > 0 && layer >= dense && is_selected()
    }

    /// The width of an expert (`n_ff_exp`).
    pub(super) fn expert_ffn_width(&self, layer: u64) -> Result<u64, String> {
        let width = self.per_layer("expert_feed_forward_length", layer).filter(|width| *width > 0);
        width.map_or_else(|| self.ffn_width(layer), Ok)
    }

    /// The width of all shared experts together (`n_ff_shexp`); 0 if there are none.
    pub(super) fn shared_expert_ffn_width(&self, layer: u64) -> Result<u64, String> {
        match self.number("expert_shared_feed_forward_length").filter(|width| *width > 0) {
            Some(width) => Ok(width),
            None => {
                let count = self.number("expert_shared_count").unwrap_or(0);
                Ok(self.expert_ffn_width(layer)?.saturating_mul(count))
            }
        }
    }
}
