//! The context of a role.

use super::lower::{FromTypedValue, TypedValue};

/// The maximum number of tokens of one request, prompt and answer together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Context {
    /// This number of tokens.
    Tokens(u32),
    /// The context for which the model was trained.
    Trained,
}

impl FromTypedValue for Context {
    fn from_value(value: TypedValue) -> Option<Self> {
        if let TypedValue::Count(tokens) = value {
            return u32::try_from(tokens).ok().map(Self::Tokens);
        }
        matches!(value, TypedValue::Word(_)).then_some(Self::Trained)
    }
}

impl Context {
    /// The number of tokens, if the registry has it.
    pub fn tokens(self) -> Option<u32> {
        match self {
            Self::Tokens(tokens) => Some(tokens),
            Self::Trained => None,
        }
    }
}
