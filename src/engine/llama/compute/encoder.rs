//! BERT encoders: `src/models/bert.cpp` of llama.cpp b11434.

use super::build::Builder;
use super::graph::{F32_SIZE, Graph, Home, Op, Section, product};
use crate::engine::architecture::Feature;

pub(super) fn graph(mut b: Builder<'_>) -> Result<Graph, String> {
    let n_embd = b.model.n_embd;
    let matrix = product(&[n_embd, b.model.number("context_length").unwrap_or(0)]);
    let matrix = b.graph.external(Home::Input, b.model.sizes.matrix(matrix));
    let positions = b.graph.op_of(Op::GetRows, b.rows(n_embd), &[matrix, b.positions]);
    let has_positions = b.recipe.has(Feature::PositionEmbeddings);
    if has_positions {
        b.graph.expand(positions);
    }
    let mut rows = b.input_embeddings();
    // The embedding of the token type is a row of a small matrix on the host.
    let token_type = b.graph.external(Home::Input, product(&[n_embd, F32_SIZE]));
    let token_type = b.graph.view(token_type, [n_embd, 1, 1, 1]);
    rows = b.graph.inplace_op(&[rows, token_type]);
    if has_positions {
        rows = b.add(positions, rows);
    }
    // The weights of this norm are in the first layer.
    b.graph.section = Section::Layer(0);
    rows = b.norm(rows);
    let [mask, _] = b.no_cache_masks;
    for layer in 0..b.model.layers {
        b.graph.section = Section::Layer(layer);
        let heads = b.model.heads(layer)?;
        let attn = b.attention_no_cache(rows, heads, mask);
        let mut attn = b.mul_mat(n_embd, attn);
        if layer + 1 == b.model.layers {
            [attn, rows] = [attn, rows].map(|part| b.select_outputs(part));
        }
        let sum = b.add(attn, rows);
        let ffn_inp = b.norm(sum);
        let ffn_out = b.ffn(ffn_inp, b.model.ffn_width(layer)?, b.recipe.activation);
        let sum = b.add(ffn_out, ffn_inp);
        rows = b.norm(sum);
    }
    Ok(b.output_head(rows))
}
