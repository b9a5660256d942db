//! BERT encoders: `src/models/bert.cpp` of llama.cpp b11434.

use super::build::Builder;
use super::graph::Graph;
use super::recipes::Feature;

pub(super) fn graph(mut b: Builder<'_>) -> Result<Graph, String> {
    let (recipe, n_embd) = (b.recipe, b.model.n_embd);
    let positions =
        recipe.has(Feature::PositionEmbeddings).then(|| b.graph.op(b.rows(n_embd), &[b.positions]));
    if let Some(positions) = positions {
        b.graph.expand(positions);
    }
    let mut rows = b.input_embeddings();
    rows = b.graph.inplace_op(&[rows]);
    if let Some(positions) = positions {
        rows = b.add(positions, rows);
    }
    rows = b.norm(rows, recipe.norm);
    let mask = b.no_cache_mask();
    for layer in 0..b.model.layers {
        let heads = b.model.heads(layer)?;
        let attn = b.attention_no_cache(rows, heads, mask);
        let mut attn = b.mul_mat(n_embd, attn);
        if layer + 1 == b.model.layers {
            attn = b.select_outputs(attn);
            rows = b.select_outputs(rows);
        }
        let sum = b.add(attn, rows);
        let ffn_inp = b.norm(sum, recipe.norm);
        let ffn_out = b.ffn(ffn_inp, b.model.ffn_width(layer)?, recipe.activation);
        let sum = b.add(ffn_out, ffn_inp);
        rows = b.norm(sum, recipe.norm);
    }
    Ok(b.output_head(rows))
}
