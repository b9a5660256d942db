//! Reads the metadata of a header as strictly as llama.cpp does (`src/llama-model-loader.cpp`, b11434).

use crate::facts::{Facts, Parameter};

/// `LLAMA_MAX_LAYERS` of `src/llama-hparams.h`, b11434.
pub(super) const MAX_LAYERS: u64 = 512;

/// The metadata of one model.
#[derive(Clone, Copy)]
pub(super) struct Header<'a>(pub &'a Facts);

impl Header<'_> {
    /// A number. No value if the header has none.
    pub(super) fn number(self, key: &str) -> Result<Option<u64>, String> {
        match self.0.parameters.get(key) {
            None => Ok(None),
            Some(Parameter::Number(number)) => as_u32(key, *number).map(Some),
            Some(Parameter::Flag(_) | Parameter::List(_)) => Err(format!("`{key}` is not a single number")),
        }
    }

    /// A number that the header must have.
    pub(super) fn required(self, key: &str) -> Result<u64, String> {
        self.number(key)?.ok_or_else(|| missing_key(key))
    }

    /// A number above 0 that the header must have.
    pub(super) fn positive(self, key: &str) -> Result<u64, String> {
        match self.required(key)? {
            0 => Err(format!("`{key}` is 0")),
            number => Ok(number),
        }
    }

    /// One number per layer. A single number applies to all layers. No value if the header has none.
    pub(super) fn per_layer(self, key: &str, layers: u64) -> Result<Option<Vec<u64>>, String> {
        let Some(list) = self.list(key)? else {
            let all = |number| std::iter::repeat_n(number, usize::try_from(layers).unwrap_or(0)).collect();
            return Ok(self.number(key)?.map(all));
        };
        let found = u64::try_from(list.len()).unwrap_or(u64::MAX);
        if found == layers {
            Ok(Some(list))
        } else {
            Err(format!("`{key}` has {found} entries for {layers} layers"))
        }
    }

    /// A list of any length. No value if the header has none, or has a single number.
    pub(super) fn list(self, key: &str) -> Result<Option<Vec<u64>>, String> {
        let Some(Parameter::List(list)) = self.0.parameters.get(key) else { return Ok(None) };
        list.iter().map(|number| as_u32(key, *number)).collect::<Result<_, _>>().map(Some)
    }
}

pub(in crate::engine::llama) fn missing_key(key: &str) -> String {
    format!("the header has no `{key}`")
}

/// The value of a layer; the default after the end of the list.
pub(super) fn at<T: Copy + Default>(list: &[T], layer: u64) -> T {
    usize::try_from(layer).ok().and_then(|layer| list.get(layer)).copied().unwrap_or_default()
}

/// A product that must fit in the 32 bits that llama.cpp uses for it.
pub(super) fn product(factors: &[u64]) -> Result<u64, String> {
    let product = factors.iter().try_fold(1_u64, |product, factor| product.checked_mul(*factor));
    let product = product.filter(|product| u32::try_from(*product).is_ok());
    product.ok_or_else(|| "the size of a layer exceeds 32 bits".to_owned())
}

/// llama.cpp reads these numbers as `uint32_t`.
fn as_u32(key: &str, number: i64) -> Result<u64, String> {
    u32::try_from(number)
        .map(u64::from)
        .map_err(|_| format!("`{key}` has the value {number}, outside of 0 to {}", u32::MAX))
}
