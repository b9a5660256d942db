//! Where two vocabularies part: the one thing about a pair that no facts of one model can say.
//!
//! Found while the models are at hand, for all vocabularies of the lock that an engine would compare token by token, so that
//! a machine without the models can name the token, whatever pairs the registry comes to have.

use super::{Facts, TokenTexts, Tokens};
use serde::{Deserialize, Serialize};

/// The largest difference of sizes that the engine accepts (`SPEC_VOCAB_MAX_SIZE_DIFFERENCE`, llama.cpp b11434,
/// `common/speculative.cpp`; the same in the March 2026 tree and in b9093).
pub const MAX_SIZE_DIFFERENCE: u64 = 128;

/// Where two vocabularies part.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The vocabularies by `sha256_from_5`, the lesser digest first.
    pub between: [Box<str>; 2],
    /// The texts of the token, in the same order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<[Box<str>; 2]>,
    /// The first token that differs; none where they are the same as far as the shorter one goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
}

/// Whether the engine would compare the tokens of two vocabularies that are not the same.
pub fn are_compared(one: &Tokens, other: &Tokens) -> bool {
    one.size.abs_diff(other.size) <= MAX_SIZE_DIFFERENCE && one.sha256_from_5 != other.sha256_from_5
}

/// The vocabularies of some facts, each once, in the order of their digests.
pub fn distinct<'f>(facts: impl Iterator<Item = &'f Facts>) -> Vec<&'f Tokens> {
    let mut all: Vec<&Tokens> = facts.filter_map(|facts| facts.vocabulary.as_ref()).collect();
    all.retain(|tokens| tokens.sha256_from_5.is_some());
    all.sort_by(|a, b| a.sha256_from_5.cmp(&b.sha256_from_5));
    all.dedup_by(|a, b| a.sha256_from_5 == b.sha256_from_5);
    all
}

impl Difference {
    /// Compares two vocabularies by their texts; `one` has the lesser digest.
    pub fn find(one: (&Tokens, &TokenTexts), other: (&Tokens, &TokenTexts)) -> Option<Self> {
        let between = [one.0.sha256_from_5.clone()?, other.0.sha256_from_5.clone()?];
        let token = one.1.first_difference(other.1);
        let text = |texts: &TokenTexts| {
            Some(String::from_utf8_lossy(texts.get(token?)?).into_owned().into_boxed_str())
        };
        let texts = text(one.1).zip(text(other.1)).map(|(one, other)| [one, other]);
        Some(Self { between, texts, token: token.map(|token| token as u64) })
    }

    /// The one of two vocabularies among several, which are in order.
    pub fn of<'d>(all: &'d [Self], one: &Tokens, other: &Tokens) -> Option<&'d Self> {
        let (one, other) = (one.sha256_from_5.as_deref()?, other.sha256_from_5.as_deref()?);
        let key = [one.min(other), one.max(other)];
        let at = all.binary_search_by(|known| {
            let [first, second] = &known.between;
            [&**first, &**second].cmp(&key)
        });
        all.get(at.ok()?)
    }
}
