//! Decides if a model can draft for another, as the engine build does at startup.
//!
//! `common_speculative_are_compatible` (llama.cpp b11434, `common/speculative.cpp`) compares, in this order: the
//! vocabulary type, whether BOS is added and its id, the same for EOS, the vocabulary sizes, and the texts of the
//! tokens from 5 on. Older builds differ:
//! - The March 2026 tree compares BOS and EOS even if they are not added. Instead of the type, it only compares whether
//!   there is a vocabulary.
//! - The March 2026 tree and b9093 draft even with incompatible vocabularies, by converting tokens to text and back.
//!   Builds without `--spec-replace` cannot do this: the server logs one line and serves without speculation.

use super::architecture::{Architecture, architecture};
use super::dialect::OverrideValue;
use super::{Profile, SERVER};
use crate::facts::{Facts, MAX_SIZE_DIFFERENCE, VocabularyDifference, VocabularyFacts};

/// Architectures of drafts that read the state of their target (`--spec-type draft-eagle3` and others, b11434). Their
/// vocabularies are not compared.
const TARGET_DEPENDENT_DRAFTS: &[&str] = &["dflash", "eagle3", "gemma4-assistant"];

/// Why such a draft is not checked.
pub const DEPENDENT_DRAFT: &str =
    "the draft reads the state of its target, and orchgen cannot check such drafts";

/// The number of MTP layers: a key of the architecture (`src/llama-arch.cpp` of llama.cpp b11434).
pub const MTP_LAYERS: &str = "nextn_predict_layers";

/// True if a draft has MTP layers as wide as its target. The engine drafts with the layers of such a file if no type is
/// given, and aborts if the widths differ (`common_speculative_types_from_gguf` and `common_speculative_impl_draft_mtp` in
/// `common/speculative.cpp` of llama.cpp b11434).
pub fn has_fitting_mtp_layers(target: &Facts, draft: &Facts) -> bool {
    let width = |facts: &Facts| facts.number("embedding_length");
    draft.number(MTP_LAYERS).is_some_and(|layers| layers > 0)
        && width(draft).is_some()
        && width(draft) == width(target)
}

/// The verdict of a build about a target and a draft.
#[derive(Clone, PartialEq, Debug)]
pub enum PairVerdict {
    /// The draft works.
    Compatible,
    /// The draft works, but the engine aborts at the first token that one of the vocabularies lacks.
    UnevenSizes {
        /// Vocabulary size of the target.
        target: u64,
        /// Vocabulary size of the draft.
        draft: u64,
    },
    /// The engine does not draft, or only through text: see [`MismatchHandling`].
    Incompatible(Mismatch),
    /// A fact is missing. The text names it, as in "the lock has no vocabulary of one of them".
    Unknown(&'static str),
}

/// The reason why target and draft are incompatible. In arrays, the target comes first.
#[derive(Clone, PartialEq, Debug)]
pub enum Mismatch {
    /// The target is an encoder or a diffusion model, which has no KV cache to roll back.
    NoMemory(&'static Architecture),
    /// The vocabulary types differ.
    VocabType([Box<str>; 2]),
    /// Only one of them adds BOS or EOS, or they add different tokens.
    SpecialToken {
        /// `BOS` or `EOS`.
        which: &'static str,
        /// The token of the target and that of the draft.
        tokens: [SpecialToken; 2],
    },
    /// The vocabulary sizes differ by more than the build accepts.
    VocabSize([u64; 2]),
    /// The texts of a token differ.
    TokenText {
        /// The id of the first token that differs. `None` if it is unknown.
        token: Option<u64>,
        /// The texts of the token.
        texts: Option<[Box<str>; 2]>,
    },
}

/// A special token, BOS or EOS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpecialToken {
    /// True if the engine adds the token to prompts.
    pub is_added: bool,
    /// The id. `None` if the vocabulary has no such token.
    pub token: Option<u64>,
    /// The text, if known.
    pub text: Option<Box<str>>,
}

/// The behavior of a build with an incompatible draft.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MismatchHandling {
    /// It serves without speculation.
    NoSpeculation,
    /// It converts tokens to text and back at each step.
    ViaText,
}

/// The behavior of a build with an incompatible draft.
pub fn mismatch_handling(profile: &Profile) -> MismatchHandling {
    match profile.first_spelling(SERVER, &["--spec-replace"]) {
        Some(_) => MismatchHandling::ViaText,
        None => MismatchHandling::NoSpeculation,
    }
}

/// True if a build compares BOS and EOS even if they are not added. The March 2026 tree does, b9093 does not, and the
/// option `--spec-draft-n-max` distinguishes them.
fn compares_unadded_tokens(profile: &Profile) -> bool {
    profile.first_spelling(SERVER, &["--spec-draft-n-max"]).is_none()
}

/// Decides if a pair is compatible. `overrides` are those of the target, which the draft inherits. `difference` is the
/// first difference of the two vocabularies, if the lock has it.
pub fn check_pair(
    profile: &Profile,
    (target, draft): (&Facts, &Facts),
    overrides: &[(&str, OverrideValue<'_>)],
    difference: Option<&VocabularyDifference>,
) -> PairVerdict {
    if let Some(why) = profile.family().unknown_facts() {
        return PairVerdict::Unknown(why);
    }
    let memoryless = target.architecture.as_deref().and_then(architecture).filter(|arch| !arch.has_memory());
    if let Some(architecture) = memoryless {
        return PairVerdict::Incompatible(Mismatch::NoMemory(architecture));
    }
    if draft.architecture.as_deref().is_some_and(|name| TARGET_DEPENDENT_DRAFTS.contains(&name)) {
        return PairVerdict::Unknown(DEPENDENT_DRAFT);
    }
    let (Some(one), Some(other)) = (&target.vocabulary, &draft.vocabulary) else {
        return PairVerdict::Unknown("the lock has no vocabulary of one of them");
    };
    let (Some(first), Some(second)) =
        (EffectiveVocab::new(one, overrides), EffectiveVocab::new(other, overrides))
    else {
        return PairVerdict::Unknown("one of them has a tokenizer that b11434 does not know");
    };
    let always = compares_unadded_tokens(profile);
    let same_kind = if always || mismatch_handling(profile) == MismatchHandling::ViaText {
        // These builds compare the types as booleans, and all types except "none" are true.
        true
    } else {
        first.kind == second.kind
    };
    if !same_kind {
        return PairVerdict::Incompatible(Mismatch::VocabType([one.kind.clone(), other.kind.clone()]));
    }
    for (which, tokens) in [("BOS", [first.bos, second.bos]), ("EOS", [first.eos, second.eos])] {
        let [a, b] = &tokens;
        if a.is_added != b.is_added || ((a.is_added || always) && a.token != b.token) {
            return PairVerdict::Incompatible(Mismatch::SpecialToken { which, tokens });
        }
    }
    if one.size.abs_diff(other.size) > MAX_SIZE_DIFFERENCE {
        return PairVerdict::Incompatible(Mismatch::VocabSize([one.size, other.size]));
    }
    compare_texts(one, other, difference)
}

fn compare_texts(
    one: &VocabularyFacts,
    other: &VocabularyFacts,
    difference: Option<&VocabularyDifference>,
) -> PairVerdict {
    let (Some(first), Some(second)) = (&one.sha256_from_5, &other.sha256_from_5) else {
        return PairVerdict::Unknown("the lock has no tokens of one of them");
    };
    if first == second {
        return PairVerdict::Compatible;
    }
    match difference {
        Some(VocabularyDifference { token: Some(token), texts, .. }) => {
            let texts = texts.clone().map(|[a, b]| if first <= second { [a, b] } else { [b, a] });
            PairVerdict::Incompatible(Mismatch::TokenText { token: Some(*token), texts })
        }
        Some(VocabularyDifference { token: None, .. }) => {
            PairVerdict::UnevenSizes { target: one.size, draft: other.size }
        }
        None if one.size == other.size => {
            PairVerdict::Incompatible(Mismatch::TokenText { token: None, texts: None })
        }
        None => PairVerdict::Unknown(
            "the models were never locked together: run `orchgen lock` on a machine that has both files",
        ),
    }
}

/// The type of a vocabulary (`llama_vocab_type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum VocabType {
    Spm,
    Bpe,
    Wpm,
    Ugm,
    Rwkv,
    Plamo2,
}

/// A vocabulary after loading: the values of the file, and the engine's defaults for missing ones
/// (`llama_vocab::impl::load`, b11434, `src/llama-vocab.cpp`; the same in the March 2026 tree and in b9093).
struct EffectiveVocab {
    kind: VocabType,
    bos: SpecialToken,
    eos: SpecialToken,
}

/// Pre-tokenizers with which the engine adds BOS by default.
const ADD_BOS: &[&str] = &[
    "llama3",
    "llama-v3",
    "llama-bpe",
    "falcon3",
    "falcon-h1",
    "pixtral",
    "midm-2.0",
    "lfm2",
    "jina-v5-nano",
    "tekken",
    "chameleon",
];
/// Pre-tokenizers without a default BOS token.
const NO_BOS: &[&str] = &["chatglm-bpe", "glm4", "glm5"];
/// Pre-tokenizers with which the engine always adds BOS, even if the file disables it.
const FORCE_BOS: &[&str] = &["gemma4", "granite-embed-multi-311m"];

impl EffectiveVocab {
    /// `None` if the tokenizer type is unknown.
    fn new(tokens: &VocabularyFacts, overrides: &[(&str, OverrideValue<'_>)]) -> Option<Self> {
        let pre =
            if &*tokens.kind == "gemma4" { "gemma4" } else { tokens.pre.as_deref().unwrap_or_default() };
        let (kind, bos, eos) = match &*tokens.kind {
            "llama" => (VocabType::Spm, Some(1), Some(2)),
            "bert" => (VocabType::Wpm, Some(101), None),
            "gpt2" | "whitespace" if NO_BOS.contains(&pre) => (VocabType::Bpe, None, Some(11)),
            "gpt2" | "whitespace" => (VocabType::Bpe, Some(11), Some(11)),
            "gemma4" => (VocabType::Bpe, None, None),
            "t5" => (VocabType::Ugm, None, Some(1)),
            "rwkv" => (VocabType::Rwkv, None, None),
            "plamo2" => (VocabType::Plamo2, Some(1), Some(2)),
            _ => return None,
        };
        let adds_bos = matches!(kind, VocabType::Spm | VocabType::Wpm)
            || (kind == VocabType::Bpe && ADD_BOS.contains(&pre));
        let must_add = kind == VocabType::Bpe && FORCE_BOS.contains(&pre);
        let flag = |key: &str, stored: Option<bool>, default: bool| {
            find_override(overrides, key)
                .and_then(|value| if let OverrideValue::Bool(flag) = value { Some(*flag) } else { None })
                .or(stored)
                .unwrap_or(default)
        };
        let token = |key: &str, stored: Option<u64>, default: Option<u64>| {
            let overriding = find_override(overrides, key).and_then(|value| {
                if let OverrideValue::Int(number) = value { u64::try_from(*number).ok() } else { None }
            });
            let is_in_range = |token: &u64| *token < tokens.size;
            overriding.or(stored).filter(is_in_range).or(default.filter(is_in_range))
        };
        let text = |token: Option<u64>, stored: Option<u64>, text: &Option<Box<str>>| {
            if token == stored { text.clone() } else { None }
        };
        let bos = token("tokenizer.ggml.bos_token_id", tokens.bos, bos);
        let eos = token("tokenizer.ggml.eos_token_id", tokens.eos, eos);
        Some(Self {
            kind,
            bos: SpecialToken {
                is_added: must_add || flag("tokenizer.ggml.add_bos_token", tokens.add_bos, adds_bos),
                token: bos,
                text: text(bos, tokens.bos, &tokens.bos_text),
            },
            eos: SpecialToken {
                is_added: flag("tokenizer.ggml.add_eos_token", tokens.add_eos, kind == VocabType::Ugm),
                token: eos,
                text: text(eos, tokens.eos, &tokens.eos_text),
            },
        })
    }
}

/// The first override of a key, which is the one that the engine uses.
fn find_override<'o>(overrides: &'o [(&str, OverrideValue<'_>)], key: &str) -> Option<&'o OverrideValue<'o>> {
    overrides.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
}
