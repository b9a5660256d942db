//! The tokens of a vocabulary: their number, and digests that identify equal vocabularies.

use super::scan::Scan;
use crate::facts::ReadError;
use crate::source::{Digest, DigestBuilder};
use std::io::Read;

/// The first token that the engine compares (`SPEC_VOCAB_CHECK_START_TOKEN_ID`, llama.cpp b11434,
/// `common/speculative.cpp`).
pub const FIRST_COMPARED: u64 = 5;

/// The vocabulary of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vocabulary {
    /// The number of tokens.
    pub size: u64,
    /// The digest of all token texts.
    pub digest: Digest,
    /// The digest of the token texts from [`FIRST_COMPARED`] on.
    pub compared: Digest,
    /// The token texts, if requested by [`VocabularyDetail::Texts`].
    pub texts: Option<TokenTexts>,
}

/// The texts of all tokens, as the engine compares them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TokenTexts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// How much of a vocabulary is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VocabularyDetail {
    /// Only the digests.
    Digests,
    /// The digests and the token texts, which need as much memory as they have bytes in the file.
    Texts,
}

impl TokenTexts {
    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True if there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a token.
    pub fn get(&self, token: usize) -> Option<&[u8]> {
        let start = token.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(start..*self.ends.get(token)?)
    }

    /// The first token from [`FIRST_COMPARED`] on whose text differs in `other`, up to the length of the shorter one.
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

/// Reads the `count` token texts as the engine interprets them: it gives a name to an empty text (`src/llama-vocab.cpp`
/// of b11434), and it compares texts up to the first NUL (`strcmp`).
pub(super) fn tokens<R: Read>(
    scan: &mut Scan<R>,
    count: u64,
    detail: VocabularyDetail,
) -> Result<Vocabulary, ReadError> {
    let (mut all, mut compared) = (DigestBuilder::default(), DigestBuilder::default());
    let mut texts = (detail == VocabularyDetail::Texts).then(TokenTexts::default);
    let mut text = Vec::new();
    for token in 0..count {
        let length = scan.count("the length of a token", 1, u64::MAX)?;
        scan.bytes(length, "a token", &mut text)?;
        if text.is_empty() {
            text.extend_from_slice(format!("[EMPTY_{token}]").as_bytes());
        }
        let compared_text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        for (hash, is_included) in [(&mut all, true), (&mut compared, token >= FIRST_COMPARED)] {
            if is_included {
                hash.add(&(compared_text.len() as u64).to_le_bytes());
                hash.add(compared_text);
            }
        }
        if let Some(texts) = &mut texts {
            texts.add(compared_text);
        }
    }
    Ok(Vocabulary { size: count, digest: all.finish(), compared: compared.finish(), texts })
}
