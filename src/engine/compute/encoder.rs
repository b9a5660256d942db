//! Encoders: `src/models/bert.cpp` of llama.cpp b11434.

use super::build::Builder;
use super::graph::Graph;
use super::recipes::Trait;

pub(super) fn graph(mut b: Builder<'_>) -> Result<Graph, String> {
    let (recipe, width) = (b.recipe, b.model.width);
    let places = recipe.has(Trait::Placed).then(|| b.graph.made(b.rows(width), &[b.positions]));
    if let Some(places) = places {
        b.graph.expand(places);
    }
    let mut rows = b.embed();
    rows = b.graph.changed(&[rows]);
    if let Some(places) = places {
        rows = b.sum(places, rows);
    }
    rows = b.norm(rows, recipe.norm);
    let mask = b.mask();
    for layer in 0..b.model.layers {
        let heads = b.model.heads(layer)?;
        let met = b.attend_here(rows, heads, mask);
        let mut met = b.times(width, met);
        if layer + 1 == b.model.layers {
            met = b.choose(met);
            rows = b.choose(rows);
        }
        let sum = b.sum(met, rows);
        let middle = b.norm(sum, recipe.norm);
        let fed = b.feed(middle, b.model.inner(layer)?, recipe.bend);
        let sum = b.sum(fed, middle);
        rows = b.norm(sum, recipe.norm);
    }
    Ok(b.head(rows))
}
