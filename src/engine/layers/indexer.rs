//! Which layers keep a key for an indexer beside their cache (`src/llama-kv-cache-dsa.cpp` of llama.cpp b11434).

use super::header::{Header, missing};
use super::layout::{Indexer, Layout};
use super::widths::Widths;

const TYPES: &str = "attention.indexer.types";

/// The context from which on the engine takes a model for GLM 5.2 where the header does not list the layers.
const LONG: u64 = 1_048_576;

/// An indexer that a model has.
pub(super) struct Indexed {
    /// Numbers of its key for a token.
    pub(super) width: u64,
    layers: Vec<bool>,
}

impl Indexed {
    /// Whether a layer has it.
    pub(super) fn has(&self, layer: u64) -> bool {
        usize::try_from(layer).ok().and_then(|layer| self.layers.get(layer)).copied().unwrap_or(false)
    }
}

/// The layers of GLM 5.2 that have one (`src/models/glm-dsa.cpp` of b11434: `GLM_5_2_DEFAULT_INDEXER_TYPES`).
fn is_one_of_glm_5_2(layer: u64) -> bool {
    layer < 78 && (layer < 2 || layer % 4 == 2)
}

/// The indexer of a model with so many computed layers.
pub(super) fn indexed(
    header: Header<'_>,
    layout: &Layout,
    widths: &Widths,
    layers: u64,
) -> Result<Option<Indexed>, String> {
    let Some(indexer) = layout.indexer else { return Ok(None) };
    if !widths.is_latent {
        return Err("it has no latent attention, without which its indexer is not known".to_owned());
    }
    if indexer == Indexer::Listed && header.number("attention.indexer.top_k")?.unwrap_or(0) == 0 {
        return Ok(None);
    }
    let predicting = widths.layers.saturating_sub(layers);
    if layers == 0 || (indexer == Indexer::Listed && predicting > 0) {
        return Err(format!("{predicting} of its layers predict tokens, for which its indexer is not known"));
    }
    let listed = match indexer {
        Indexer::Each => None,
        Indexer::EachUnlessListed | Indexer::Listed => header.per_layer(TYPES, layers)?,
    };
    let layers = match (listed, indexer) {
        (Some(list), _) => list.iter().map(|is| *is != 0).collect(),
        (None, Indexer::Listed) => return Err(missing(TYPES)),
        (None, Indexer::EachUnlessListed) if header.required("context_length")? >= LONG => {
            (0..layers).map(is_one_of_glm_5_2).collect()
        }
        (None, Indexer::Each | Indexer::EachUnlessListed) => (0..layers).map(|_| true).collect(),
    };
    Ok(Some(Indexed { width: header.required("attention.indexer.key_length")?, layers }))
}
