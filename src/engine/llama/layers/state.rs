//! Which layers have recurrent state, and its size (`llama_hparams::n_embd_r` and `n_embd_s`, `src/llama-hparams.cpp`
//! of llama.cpp b11434).

use super::RecurrentState;
use super::header::{Header, product};
use super::widths::Widths;
use crate::engine::architecture::{RecurrentLayers, StateKind};

/// Which of the first `layers` layers have recurrent state.
pub(super) fn stateful_layers(
    header: Header<'_>,
    recurrent: Option<RecurrentLayers>,
    widths: &Widths,
    layers: u64,
) -> Result<Vec<bool>, String> {
    let has_no_heads = |layer| widths.kv_heads(layer) == 0;
    let has_no_ffn = |layer| widths.feed_forward(layer) == 0;
    let layers = 0..layers;
    Ok(match recurrent {
        None => Vec::new(),
        Some(RecurrentLayers::AllWithCache) => layers.map(|_| true).collect(),
        Some(RecurrentLayers::WithoutHeads) => layers.map(has_no_heads).collect(),
        Some(RecurrentLayers::WithoutHeadsAndFeedForward) => {
            layers.map(|layer| has_no_heads(layer) && has_no_ffn(layer)).collect()
        }
        Some(RecurrentLayers::FullAttentionEvery(period)) => {
            if let Some(list) = header.per_layer("attention.recurrent_layers", widths.layers)? {
                return Ok(list.iter().map(|flag| *flag != 0).collect());
            }
            let key = "full_attention_interval";
            match header.number(key)?.unwrap_or(period) {
                0 => return Err(format!("`{key}` is 0")),
                period => layers.map(|layer| (layer + 1) % period != 0).collect(),
            }
        }
    })
}

/// The recurrent state of one layer for one sequence.
pub(super) fn recurrent_state(
    header: Header<'_>,
    kind: StateKind,
    widths: &Widths,
) -> Result<RecurrentState, String> {
    let n_embd = header.required("embedding_length")?;
    let (rolling, recurrent) = match kind {
        StateKind::Mamba => mamba(header, 0)?,
        StateKind::Mamba2 => mamba(header, header.required("ssm.group_count")?)?,
        StateKind::Rwkv => {
            let shifts = header.number("token_shift_count")?.unwrap_or(2);
            (product(&[shifts, n_embd])?, product(&[n_embd, header.positive("wkv.head_size")?])?)
        }
        StateKind::ShortConv => (product(&[n_embd, header.positive("shortconv.l_cache")? - 1])?, 0),
        StateKind::Kda => {
            let head = header.positive("kda.head_dim")?;
            // A convolution width of 0 counts as 4.
            let rows = header.required("ssm.conv_kernel")?.checked_sub(1).unwrap_or(3);
            (product(&[3, rows, widths.first_heads, head])?, product(&[head, head, widths.first_heads])?)
        }
        StateKind::LinearAttention => (0, product(&[widths.key, widths.key, widths.first_heads])?),
    };
    Ok(RecurrentState { rolling, recurrent })
}

fn mamba(header: Header<'_>, groups: u64) -> Result<(u64, u64), String> {
    let [conv_kernel, inner, state] =
        ["ssm.conv_kernel", "ssm.inner_size", "ssm.state_size"].map(|key| header.required(key));
    let (rows, inner, state) = (conv_kernel?.saturating_sub(1), inner?, state?);
    let channels = inner.saturating_add(product(&[2, groups, state])?);
    Ok((product(&[rows, channels])?, product(&[state, inner])?))
}
