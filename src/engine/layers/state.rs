//! Which layers keep state, and how much (`llama_hparams::n_embd_r` and `n_embd_s`, `src/llama-hparams.cpp` of llama.cpp
//! b11434).

use super::State;
use super::header::{Header, product};
use super::layout::{Kind, Recurrent};
use super::widths::Widths;

/// Which layers keep state.
pub(super) enum Stateful {
    None,
    All,
    List(Vec<bool>),
}

impl Stateful {
    /// Whether a layer does.
    pub(super) fn has(&self, layer: u64) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::List(list) => {
                usize::try_from(layer).ok().and_then(|layer| list.get(layer)).copied().unwrap_or(false)
            }
        }
    }
}

/// Which of so many layers keep state.
pub(super) fn stateful(
    header: Header<'_>,
    of: Recurrent,
    widths: &Widths,
    layers: u64,
) -> Result<Stateful, String> {
    let list = match of {
        Recurrent::Beside => return Ok(Stateful::All),
        Recurrent::WithoutHeads => (0..layers).map(|layer| widths.heads(layer) == 0).collect(),
        Recurrent::WithoutHeadsAndFeedForward => {
            (0..layers).map(|layer| widths.heads(layer) == 0 && widths.feed_forward(layer) == 0).collect()
        }
        Recurrent::UnlessEvery(period) => {
            match header.per_layer("attention.recurrent_layers", widths.layers)? {
                Some(list) => list.iter().map(|is| *is != 0).collect(),
                None => {
                    let key = "full_attention_interval";
                    let period = header.number(key)?.unwrap_or(period);
                    if period == 0 {
                        return Err(format!("`{key}` is 0"));
                    }
                    (0..layers).map(|layer| (layer + 1) % period != 0).collect()
                }
            }
        }
    };
    Ok(Stateful::List(list))
}

/// What one layer keeps for one sequence.
pub(super) fn state(header: Header<'_>, kind: Kind, widths: &Widths) -> Result<State, String> {
    let embedding = header.required("embedding_length")?;
    let (rolling, fixed) = match kind {
        Kind::Mamba => mamba(header, 0)?,
        Kind::MambaInGroups => mamba(header, header.required("ssm.group_count")?)?,
        Kind::Rwkv => {
            let shifts = header.number("token_shift_count")?.unwrap_or(2);
            (product(&[shifts, embedding])?, product(&[embedding, header.positive("wkv.head_size")?])?)
        }
        Kind::ShortConvolution => (product(&[embedding, header.positive("shortconv.l_cache")? - 1])?, 0),
        Kind::DeltaAttention => {
            let head = header.positive("kda.head_dim")?;
            // Without a width of the convolution, it is 4.
            let rows = header.required("ssm.conv_kernel")?.checked_sub(1).unwrap_or(3);
            (product(&[3, rows, widths.first, head])?, product(&[head, head, widths.first])?)
        }
        Kind::LinearAttention => (0, product(&[widths.key, widths.key, widths.first])?),
    };
    Ok(State { rolling, fixed })
}

fn mamba(header: Header<'_>, groups: u64) -> Result<(u64, u64), String> {
    let [rows, inner, state] =
        ["ssm.conv_kernel", "ssm.inner_size", "ssm.state_size"].map(|key| header.required(key));
    let (rows, inner, state) = (rows?.saturating_sub(1), inner?, state?);
    let width = inner.saturating_add(product(&[2, groups, state])?);
    Ok((product(&[rows, width])?, product(&[state, inner])?))
}
