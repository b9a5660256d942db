//! The hyperparameters that shape the graphs of a model, from the metadata of its file.

use crate::engine::layers::{KvCache, Layers, layers};
use crate::facts::{Facts, Parameter};

/// The maximum of a number in the header. A header with a larger number is rejected.
const MAX_NUMBER: u64 = 1 << 31;

/// `LLAMA_MAX_EXPERTS` of `src/llama-hparams.h`, b11434.
const MAX_EXPERTS: u64 = 512;

/// The hyperparameters of a model, like `llama_hparams`.
pub(super) struct Hparams<'facts> {
    facts: &'facts Facts,
    /// The KV caches and recurrent states of its layers.
    pub(super) memory: Layers,
    pub(super) architecture: &'facts str,
    /// Layers that a server computes, without the multi-token prediction (MTP) layers (`n_layer`).
    pub(super) layers: u64,
    /// Elements of an embedding.
    pub(super) n_embd: u64,
    /// Tokens of the vocabulary (`n_vocab`).
    pub(super) vocabulary: u64,
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
        let architecture = facts.architecture.as_deref().ok_or("the header names no architecture")?;
        let memory = layers(facts)?;
        let too_large = |parameter: &Parameter| matches!(parameter, Parameter::Number(number) if u64::try_from(*number).is_ok_and(|n| n > MAX_NUMBER));
        if let Some((key, _)) = facts.parameters.iter().find(|(_, parameter)| too_large(parameter)) {
            return Err(format!("`{key}` in the header is larger than {MAX_NUMBER}"));
        }
        let mut model = Self { facts, memory, architecture, layers: 0, n_embd: 0, vocabulary: 0 };
        let nextn = model.number("nextn_predict_layers").unwrap_or(0);
        model.layers = model.required("block_count")?.saturating_sub(nextn);
        model.n_embd = model.required("embedding_length")?;
        let vocabulary = facts.vocabulary.as_ref().map(|tokens| tokens.size);
        model.vocabulary =
            vocabulary.filter(|size| *size <= MAX_NUMBER).ok_or("the header has no vocabulary")?;
        if model.experts() > MAX_EXPERTS {
            return Err(format!(
                "it has {} experts, but b11434 loads at most {MAX_EXPERTS}",
                model.experts()
            ));
        }
        if model.experts_used() > model.experts() {
            return Err(format!(
                "it uses {} experts per token, but has only {}",
                model.experts_used(),
                model.experts()
            ));
        }
        Ok(model)
    }

    /// A number that is the same for all layers.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.facts.number(key).filter(|number| *number <= MAX_NUMBER)
    }

    /// A number without a default.
    pub(super) fn required(&self, key: &str) -> Result<u64, String> {
        self.number(key).ok_or_else(|| format!("the header has no `{key}`"))
    }

    /// A number that may differ between layers.
    fn per_layer(&self, key: &str, layer: u64) -> Option<u64> {
        match self.facts.parameters.get(key)? {
            Parameter::List(list) => {
                let number = list.get(usize::try_from(layer).ok()?)?;
                u64::try_from(*number).ok().filter(|number| *number <= MAX_NUMBER)
            }
            Parameter::Number(_) => self.number(key),
            Parameter::Flag(_) => None,
        }
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        matches!(self.facts.parameters.get(key), Some(Parameter::Flag(true)))
    }

    pub(super) fn cache(&self, layer: u64) -> Option<KvCache> {
        self.memory.each.get(usize::try_from(layer).ok()?)?.cache
    }

    pub(super) fn has_state(&self, layer: u64) -> bool {
        usize::try_from(layer)
            .is_ok_and(|layer| self.memory.each.get(layer).is_some_and(|layer| layer.has_state))
    }

    /// The heads of a layer. If the layer has a KV cache, the sizes are those of the cache.
    pub(super) fn heads(&self, layer: u64) -> Result<Heads, String> {
        let key = "attention.head_count";
        let count = self.per_layer(key, layer).ok_or_else(|| format!("the header has no `{key}`"))?;
        let first = self.per_layer(key, 0).unwrap_or(count);
        let default = self.n_embd.checked_div(first).unwrap_or(0);
        let size = |key: &str| self.number(key).unwrap_or(default);
        let (key, value) = (size("attention.key_length"), size("attention.value_length"));
        Ok(match self.cache(layer) {
            Some(cache) if cache.key_head > 0 && !self.memory.is_mla => {
                let kv_count = cache.keys.checked_div(cache.key_head).unwrap_or(count);
                Heads { count, kv_count, key: cache.key_head, value: cache.value_head }
            }
            _ => {
                let kv_count = self.per_layer("attention.head_count_kv", layer).unwrap_or(count);
                Heads { count, kv_count, key, value }
            }
        })
    }

    /// The width of the feed-forward network (`n_ff`).
    pub(super) fn ffn_width(&self, layer: u64) -> Result<u64, String> {
        let key = "feed_forward_length";
        self.per_layer(key, layer).ok_or_else(|| format!("the header has no `{key}`"))
    }

    /// The number of leading layers that add a part of the image embeddings (`n_deepstack_layers`).
    pub(super) fn deepstack_layers(&self) -> u64 {
        self.number("n_deepstack_layers").unwrap_or(0)
    }

    /// `n_expert`.
    pub(super) fn experts(&self) -> u64 {
        self.number("expert_count").unwrap_or(0)
    }

    /// `n_expert_used`.
    pub(super) fn experts_used(&self) -> u64 {
        self.number("expert_used_count").unwrap_or(0)
    }

    /// The width of an expert (`n_ff_exp`).
    pub(super) fn expert_ffn_width(&self, layer: u64) -> Result<u64, String> {
        match self.per_layer("expert_feed_forward_length", layer).filter(|width| *width > 0) {
            Some(width) => Ok(width),
            None => Ok(self.ffn_width(layer)?),
        }
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
