//! How many layers a model has, and which of them may have a cache (`create_memory`, `src/llama-model.cpp` of llama.cpp
//! b11434).

use super::header::{Header, MOST, product};
use super::layout::{Caches, Layout};

/// How many layers there are.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    /// In the file, those of next-token prediction among them.
    pub(super) stored: u64,
    /// That a server computes.
    pub(super) computed: u64,
    /// That may have a cache.
    pub(super) cached: u64,
    /// The one more that has one head.
    pub(super) router: Option<u64>,
}

impl Counts {
    pub(super) fn of(header: Header<'_>, layout: &Layout) -> Result<Self, String> {
        let (count, nextn) = ("block_count", "nextn_predict_layers");
        let stored = header.positive(count)?;
        let predicting = header.number(nextn)?.unwrap_or(0);
        let main = stored.checked_sub(predicting);
        let main = main.ok_or_else(|| format!("`{nextn}` is {predicting} of {stored} layers"))?;
        let mut found = Self { stored, computed: main, cached: main, router: None };
        match layout.caches {
            Caches::All => found.cached = stored,
            Caches::Looped => {
                if predicting > 0 {
                    return Err(format!("`{nextn}` is {predicting} and the layers are looped"));
                }
                let loops =
                    if header.number("num_loops")?.is_some() { header.positive("num_loops")? } else { 1 };
                found.computed = product(&[main, loops])?;
                found.cached = found.computed;
            }
            Caches::Routed => {
                found.computed = main.saturating_add(1);
                found.cached = found.computed;
                found.router = Some(main);
            }
            // A file of nothing but layers of next-token prediction is served from them.
            Caches::Computed | Caches::First(_) | Caches::Unshared => {
                if main == 0 && layout.recurrent.is_none() {
                    found.cached = stored;
                }
            }
        }
        let all = found.computed.max(stored);
        if all > MOST {
            return Err(format!("it has {all} layers and b11434 loads {MOST}"));
        }
        Ok(found)
    }
}
