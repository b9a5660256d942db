//! Which layers look back a window only, and how far.

use super::header::{Header, missing};
use super::layout::{Pattern, When, Window};
use super::state::Stateful;

const TOKENS: &str = "attention.sliding_window";
const PATTERN: &str = "attention.sliding_window_pattern";

/// A window that a model has.
pub(super) struct Found {
    pub(super) tokens: u64,
    layers: Vec<bool>,
}

impl Found {
    /// Whether a layer looks back that far only.
    pub(super) fn has(&self, layer: u64) -> bool {
        usize::try_from(layer).ok().and_then(|layer| self.layers.get(layer)).copied().unwrap_or(false)
    }
}

/// The window of a model with so many computed layers.
pub(super) fn window(
    header: Header<'_>,
    of: &Window,
    stateful: &Stateful,
    layers: u64,
) -> Result<Option<Found>, String> {
    let given = header.number(TOKENS)?;
    let is_there = match of.when {
        When::Given => given.is_some_and(|tokens| tokens > 0),
        When::Always => true,
        When::UnlessZero => given != Some(0),
        When::Layers(of) => of == layers,
    };
    if !is_there {
        return Ok(None);
    }
    let tokens = of.fixed.or(given).or(of.default).ok_or_else(|| missing(TOKENS))?;
    let period = |by_default: u64| Ok::<_, String>(header.number(PATTERN)?.unwrap_or(by_default));
    let layers = match (of.pattern, header.list(PATTERN)?) {
        (Pattern::Caches, _) => (0..layers).map(|layer| !stateful.has(layer)).collect(),
        // A list may go on to layers of next-token prediction; a period does not.
        (_, Some(list)) => list.iter().map(|is| *is != 0).collect(),
        (Pattern::Listed, None) => return Err(missing(PATTERN)),
        (Pattern::Every(every), None) => {
            let every = period(every)?;
            (0..layers).map(|layer| every == 0 || (layer + 1) % every != 0).collect()
        }
        (Pattern::EveryAfter(every), None) => {
            let every = period(every)?;
            (0..layers).map(|layer| every == 0 || layer % every != 0).collect()
        }
    };
    Ok(Some(Found { tokens, layers }))
}
