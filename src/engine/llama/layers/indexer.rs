//! Which layers store a key for an indexer in addition to their KV cache (`src/llama-kv-cache-dsa.cpp` of llama.cpp
//! b11434).

use super::header::{Header, missing_key};
use super::widths::Widths;
use crate::engine::architecture::{Indexer, Layout};

const TYPES: &str = "attention.indexer.types";

/// A model without a list of layers counts as GLM 5.2 from this context length on.
const GLM_5_2_CONTEXT: u64 = 1_048_576;

/// The indexer of a model.
pub(super) struct IndexerLayers {
    /// Elements of its key per token.
    pub(super) key_width: u64,
    /// The layers that have it.
    pub(super) layers: Vec<bool>,
}

/// True for the layers of GLM 5.2 with an indexer (`GLM_5_2_DEFAULT_INDEXER_TYPES` of `src/models/glm-dsa.cpp`,
/// b11434).
fn is_glm_5_2_indexer(layer: u64) -> bool {
    layer < 78 && (layer < 2 || layer % 4 == 2)
}

/// The indexer of a model with `layers` computed layers.
pub(super) fn indexer_layers(
    header: Header<'_>,
    layout: &Layout,
    widths: &Widths,
    layers: u64,
) -> Result<Option<IndexerLayers>, String> {
    let Some(indexer) = layout.indexer else { return Ok(None) };
    if !widths.is_mla {
        return Err("its indexer is known only for multi-head latent attention (MLA)".to_owned());
    }
    if indexer == Indexer::Listed && header.number("attention.indexer.top_k")?.unwrap_or(0) == 0 {
        return Ok(None);
    }
    let nextn = widths.layers.saturating_sub(layers);
    if layers == 0 || (indexer == Indexer::Listed && nextn > 0) {
        return Err(format!("its indexer is not known for a model with {nextn} MTP layers"));
    }
    let listed = match indexer {
        Indexer::All => None,
        Indexer::AllUnlessListed | Indexer::Listed => header.per_layer(TYPES, layers)?,
    };
    let layers = match (listed, indexer) {
        (Some(list), _) => list.iter().map(|flag| *flag != 0).collect(),
        (None, Indexer::Listed) => return Err(missing_key(TYPES)),
        (None, Indexer::AllUnlessListed) if header.required("context_length")? >= GLM_5_2_CONTEXT => {
            (0..layers).map(is_glm_5_2_indexer).collect()
        }
        (None, Indexer::All | Indexer::AllUnlessListed) => (0..layers).map(|_| true).collect(),
    };
    Ok(Some(IndexerLayers { key_width: header.required("attention.indexer.key_length")?, layers }))
}
