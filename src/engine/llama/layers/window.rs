//! Which layers use a sliding window, and its size.

use super::header::{Header, at, missing_key};
use crate::engine::architecture::{Layout, WindowCondition, WindowPattern};

const TOKENS: &str = "attention.sliding_window";
const PATTERN: &str = "attention.sliding_window_pattern";

/// The sliding window of a model.
pub(super) struct WindowLayers {
    /// Its size in tokens (`n_swa`).
    pub(super) tokens: u64,
    /// The layers that use it.
    pub(super) layers: Vec<bool>,
}

/// The sliding window of a model with `layers` computed layers.
pub(super) fn window_layers(
    header: Header<'_>,
    layout: &Layout,
    stateful: &[bool],
    layers: u64,
) -> Result<Option<WindowLayers>, String> {
    let Some(window) = &layout.window else { return Ok(None) };
    let in_header = header.number(TOKENS)?;
    let exists = match window.when {
        WindowCondition::IfNonZero => in_header.is_some_and(|tokens| tokens > 0),
        WindowCondition::Always => true,
        WindowCondition::UnlessZero => in_header != Some(0),
        WindowCondition::Layers(count) => count == layers,
    };
    if !exists {
        return Ok(None);
    }
    let tokens = window.fixed.or(in_header).or(window.default).ok_or_else(|| missing_key(TOKENS))?;
    let period = |default: u64| Ok::<_, String>(header.number(PATTERN)?.unwrap_or(default));
    let layers = match (window.pattern, header.list(PATTERN)?) {
        (WindowPattern::WithoutState, _) => (0..layers).map(|layer| !at(stateful, layer)).collect(),
        // A list may include MTP layers; a period does not.
        (_, Some(list)) => list.iter().map(|flag| *flag != 0).collect(),
        (WindowPattern::Listed, None) => return Err(missing_key(PATTERN)),
        (WindowPattern::FullLastOf(default), None) => {
            let period = period(default)?;
            (0..layers).map(|layer| period == 0 || (layer + 1) % period != 0).collect()
        }
        (WindowPattern::FullFirstOf(default), None) => {
            let period = period(default)?;
            (0..layers).map(|layer| period == 0 || layer % period != 0).collect()
        }
    };
    Ok(Some(WindowLayers { tokens, layers }))
}
