//! The context and the slots of a role.

use super::lower::{FromTypedValue, TypedValue};
use super::shape::Shape;
use crate::source::Spanned;
use std::num::NonZeroU32;

/// The maximum number of tokens of one request, prompt and answer together. If slots share one cache, the tokens of all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Context {
    /// This number of tokens.
    Tokens(u32),
    /// The context for which the model was trained.
    Trained,
    /// The context that fits into memory, at least this number of tokens. `None` means the engine's minimum.
    Fit(Option<NonZeroU32>),
}

/// The requests that a process handles at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slots {
    /// Their number.
    pub count: u32,
    /// True if they share one KV cache.
    pub is_shared: bool,
}

declare! {
    /// The context of a role.
    pub block ContextField = with_principal("tokens") {
        /// A number, `trained` (the context of the model), or `fit` (the engine cuts the context to what fits into the memory of the machine).
        tokens: Spanned<Context> = required("tokens", Shape::CountOr(1, 1 << 31, &["trained", "fit"])).example("fit").unit("tokens"),
        /// With `fit`: the least context that the engine may select; default: the engine's own (4096).
        least: Option<Spanned<u32>> = optional("least", Shape::Count(1, 1 << 31)).example("8192").unit("tokens"),
    }
}

declare! {
    /// The slots of a role.
    pub block SlotsField = with_principal("n") {
        /// Number of requests that a process handles at the same time, 1 to 256.
        n: Spanned<u32> = required("n", Shape::Count(1, 256)).example("4").unit("requests"),
        /// True if the slots share one KV cache: `context` is then the sum of all; default false.
        shared: Option<Spanned<bool>> = optional("shared", Shape::Flag).example("true").default("false"),
    }
}

impl FromTypedValue for Context {
    fn from_value(value: TypedValue) -> Option<Self> {
        if let TypedValue::Count(tokens) = value {
            return u32::try_from(tokens).ok().map(Self::Tokens);
        }
        let TypedValue::Word(word) = value else { return None };
        Some(if word == "fit" { Self::Fit(None) } else { Self::Trained })
    }
}

impl Context {
    /// The number of tokens, if the registry has it.
    pub fn tokens(self) -> Option<u32> {
        match self {
            Self::Tokens(tokens) => Some(tokens),
            Self::Trained | Self::Fit(_) => None,
        }
    }
}
