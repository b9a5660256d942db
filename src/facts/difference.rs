//! The first difference of two vocabularies, the only fact that belongs to a pair of models.
//!
//! `orchgen lock` computes it for all vocabularies that an engine would compare token by token. So a machine without
//! the model files can name the token for any pair that the registry declares later.

use super::{Facts, TokenTexts, VocabularyFacts};
use serde::{Deserialize, Serialize};

/// The largest difference of vocabulary sizes that the engine accepts (`SPEC_VOCAB_MAX_SIZE_DIFFERENCE`, llama.cpp
/// b11434, `common/speculative.cpp`; the same in the March 2026 tree and in b9093).
pub const MAX_SIZE_DIFFERENCE: u64 = 128;

/// The first difference of two vocabularies.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VocabularyDifference {
    /// The vocabularies, identified by `sha256_from_5`, the smaller digest first.
    pub between: [Box<str>; 2],
    /// The texts of the token in both, in the same order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<[Box<str>; 2]>,
    /// The first token that differs. `None` if the shorter vocabulary is a prefix of the longer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
}

/// True if two vocabularies differ and the engine would compare their tokens.
pub fn are_compared(one: &VocabularyFacts, other: &VocabularyFacts) -> bool {
    one.size.abs_diff(other.size) <= MAX_SIZE_DIFFERENCE && one.sha256_from_5 != other.sha256_from_5
}

/// The distinct vocabularies of several models, in the order of their digests.
pub fn distinct_vocabularies<'f>(facts: impl Iterator<Item = &'f Facts>) -> Vec<&'f VocabularyFacts> {
    let mut all: Vec<&VocabularyFacts> = facts.filter_map(|facts| facts.vocabulary.as_ref()).collect();
    all.retain(|tokens| tokens.sha256_from_5.is_some());
    all.sort_by(|a, b| a.sha256_from_5.cmp(&b.sha256_from_5));
    all.dedup_by(|a, b| a.sha256_from_5 == b.sha256_from_5);
    all
}

impl VocabularyDifference {
    /// Compares two vocabularies by their token texts. `one` must have the smaller digest.
    pub fn compare(
        one: (&VocabularyFacts, &TokenTexts),
        other: (&VocabularyFacts, &TokenTexts),
    ) -> Option<Self> {
        let between = [one.0.sha256_from_5.clone()?, other.0.sha256_from_5.clone()?];
        let token = one.1.first_difference(other.1);
        let text = |texts: &TokenTexts| {
            Some(String::from_utf8_lossy(texts.get(token?)?).into_owned().into_boxed_str())
        };
        let texts = text(one.1).zip(text(other.1)).map(|(one, other)| [one, other]);
        Some(Self { between, texts, token: token.map(|token| token as u64) })
    }

    /// Finds the difference of two vocabularies in a sorted list.
    pub fn find<'d>(all: &'d [Self], one: &VocabularyFacts, other: &VocabularyFacts) -> Option<&'d Self> {
        let (one, other) = (one.sha256_from_5.as_deref()?, other.sha256_from_5.as_deref()?);
        let key = [one.min(other), one.max(other)];
        let at = all.binary_search_by(|known| {
            let [first, second] = &known.between;
            [&**first, &**second].cmp(&key)
        });
        all.get(at.ok()?)
    }
}
