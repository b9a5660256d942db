//! The tokens of a vocabulary: how many there are, and the digests by which equal ones are known.

use super::scan::Scan;
use crate::facts::Fault;
use crate::source::{Digest, Digesting};
use std::io::Read;

/// The first token that the engine compares (`SPEC_VOCAB_CHECK_START_TOKEN_ID`, llama.cpp b11434, `common/speculative.cpp`).
pub const FIRST_COMPARED: u64 = 5;

/// The tokens of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vocabulary {
    /// How many there are.
    pub size: u64,
    /// The digest of all texts.
    pub digest: Digest,
    /// The digest of the texts from [`FIRST_COMPARED`] on.
    pub compared: Digest,
    /// The texts, where they were asked for.
    pub texts: Option<TokenTexts>,
}

/// The texts of all tokens, as the engine compares them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TokenTexts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Whether the texts of tokens are kept, or only their digests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// The digests.
    Digests,
    /// The texts too, which take as much memory as they take of the file.
    Texts,
}

impl TokenTexts {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a token.
    pub fn get(&self, token: usize) -> Option<&[u8]> {
        let start = token.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(start..*self.ends.get(token)?)
    }

    /// The first token from [`FIRST_COMPARED`] on whose text is another one there, as far as both go.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let both = self.len().min(other.len());
        (usize::try_from(FIRST_COMPARED).unwrap_or(usize::MAX)..both)
            .find(|token| self.get(*token) != other.get(*token))
    }

    fn add(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }
}

/// Reads the `count` texts of the vocabulary. As the engine keeps them: an empty one has a name made for it
/// (`src/llama-vocab.cpp` of b11434), and they are compared up to their first NUL (`strcmp`).
pub(super) fn tokens<R: Read>(scan: &mut Scan<R>, count: u64, keep: Keep) -> Result<Vocabulary, Fault> {
    let (mut all, mut compared) = (Digesting::default(), Digesting::default());
    let mut texts = (keep == Keep::Texts).then(TokenTexts::default);
    let mut text = Vec::new();
    for token in 0..count {
        let length = scan.count("the length of a token", 1, u64::MAX)?;
        scan.bytes(length, "a token", &mut text)?;
        if text.is_empty() {
            text.extend_from_slice(format!("[EMPTY_{token}]").as_bytes());
        }
        let said = text.split(|byte| *byte == 0).next().unwrap_or_default();
        for (hash, takes) in [(&mut all, true), (&mut compared, token >= FIRST_COMPARED)] {
            if takes {
                hash.add(&(said.len() as u64).to_le_bytes());
                hash.add(said);
            }
        }
        if let Some(texts) = &mut texts {
            texts.add(said);
        }
    }
    Ok(Vocabulary { size: count, digest: all.end(), compared: compared.end(), texts })
}
