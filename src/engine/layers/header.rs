//! The metadata of a header, read as strictly as the engine reads it (`src/llama-model-loader.cpp` of llama.cpp b11434).

use crate::facts::{Facts, Parameter};

/// The most layers that a model can have (`LLAMA_MAX_LAYERS`, `src/llama-hparams.h` of b11434).
pub(super) const MOST: u64 = 512;

/// The metadata of one model.
#[derive(Clone, Copy)]
pub(super) struct Header<'a>(pub &'a Facts);

impl Header<'_> {
    /// A number; none where the header does not have it.
    pub(super) fn number(self, key: &str) -> Result<Option<u64>, String> {
        match self.0.parameters.get(key) {
            None => Ok(None),
            Some(Parameter::Number(number)) => counted(key, *number).map(Some),
            Some(Parameter::Flag(_) | Parameter::List(_)) => Err(format!("`{key}` is not one number")),
        }
    }

    /// A number that has to be there.
    pub(super) fn required(self, key: &str) -> Result<u64, String> {
        self.number(key)?.ok_or_else(|| missing(key))
    }

    /// A number that has to be there, and to be more than 0.
    pub(super) fn positive(self, key: &str) -> Result<u64, String> {
        match self.required(key)? {
            0 => Err(format!("`{key}` is 0")),
            number => Ok(number),
        }
    }

    /// A number for each layer, which may be one for all; none where the header does not have it.
    pub(super) fn per_layer(self, key: &str, layers: u64) -> Result<Option<Vec<u64>>, String> {
        let Some(list) = self.list(key)? else {
            let all = |number| std::iter::repeat_n(number, usize::try_from(layers).unwrap_or(0)).collect();
            return Ok(self.number(key)?.map(all));
        };
        let found = u64::try_from(list.len()).unwrap_or(u64::MAX);
        if found == layers {
            Ok(Some(list))
        } else {
            Err(format!("`{key}` lists {found} of {layers} layers"))
        }
    }

    /// A list as long as may be; none where the header does not have it, or one number in its place.
    pub(super) fn list(self, key: &str) -> Result<Option<Vec<u64>>, String> {
        let Some(Parameter::List(list)) = self.0.parameters.get(key) else { return Ok(None) };
        list.iter().map(|number| counted(key, *number)).collect::<Result<_, _>>().map(Some)
    }
}

/// That a key is not there.
pub(super) fn missing(key: &str) -> String {
    format!("the header has no `{key}`")
}

/// A product, as long as the engine can count it.
pub(super) fn product(factors: &[u64]) -> Result<u64, String> {
    let all = factors.iter().try_fold(1_u64, |all, factor| all.checked_mul(*factor));
    let all = all.filter(|all| u32::try_from(*all).is_ok());
    all.ok_or_else(|| "its layers are wider than the engine can count".to_owned())
}

fn counted(key: &str, number: i64) -> Result<u64, String> {
    // The engine has 32 bits for each of these numbers.
    u32::try_from(number).map(u64::from).map_err(|_| format!("`{key}` has {number}, which no layer can have"))
}
