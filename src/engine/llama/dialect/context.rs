//! The context of a process, in tokens.

/// The context of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextSpec {
    /// This number of tokens.
    Tokens(u32),
    /// The context for which the model was trained, if it is known.
    Trained(Option<u32>),
}

impl Default for ContextSpec {
    fn default() -> Self {
        Self::Trained(None)
    }
}

impl ContextSpec {
    /// The number of tokens, if it is known.
    pub fn tokens(self) -> Option<u32> {
        match self {
            Self::Tokens(tokens) => Some(tokens),
            Self::Trained(tokens) => tokens,
        }
    }
}
