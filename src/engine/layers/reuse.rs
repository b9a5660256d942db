//! Layers that read the cache of another (`gemma3n` and `gemma4`, `create_memory` in `src/llama-model.cpp` of llama.cpp
//! b11434).

use super::header::Header;
use super::layout::Caches;
use super::model::Model;

/// How many layers from the first on have a cache of their own.
pub(super) fn own(header: Header<'_>, caches: Caches, stored: u64) -> Result<u64, String> {
    let own = match caches {
        Caches::First(own) => own,
        Caches::Unshared => {
            let shared = header.number("attention.shared_kv_layers")?.unwrap_or(0);
            stored.saturating_sub(shared)
        }
        Caches::Computed | Caches::All | Caches::Looped | Caches::Routed => return Ok(u64::MAX),
    };
    // A windowed layer reads the last but one of them.
    if own < 2 { Err(format!("{own} of its layers have a cache that others read")) } else { Ok(own) }
}

/// That each of the others finds a layer of its kind to read: the last of those with a cache, or the last but one where it is
/// windowed. The engine aborts where there is none.
pub(super) fn holds(model: &Model<'_>) -> Result<(), String> {
    let holds = (model.own..model.counts.cached).all(|layer| {
        let is_windowed = model.is_windowed(layer);
        let read = model.own.saturating_sub(if is_windowed { 2 } else { 1 });
        model.is_windowed(read) == is_windowed
    });
    if holds { Ok(()) } else { Err("its layers that share a cache find none to share".to_owned()) }
}
