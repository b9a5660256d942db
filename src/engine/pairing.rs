//! Whether a model can draft for another, as the pinned build decides it when it starts.
//!
//! `common_speculative_are_compatible` (llama.cpp b11434, `common/speculative.cpp`) compares in this order: the type of the
//! vocabulary, whether BOS is added and which it is, the same for EOS, the sizes, and the texts of tokens from 5 on. The
//! March 2026 tree compares BOS and EOS whether they are added or not, and of the type only whether there is a vocabulary;
//! it and b9093 draft all the same, by way of text. From the build on that has no `--spec-replace` there is no such way: the
//! server logs one line and serves without speculation.

use super::Profile;
use super::architecture::{Architecture, architecture};
use super::dialect::Value;
use crate::facts::{Difference, Facts, MAX_SIZE_DIFFERENCE, Tokens};

const SERVER: &str = "llama-server";

/// Architectures of drafts that read the state of their target (`--spec-type draft-eagle3` and others, b11434), to which the
/// comparison of vocabularies does not apply.
const SIDECARS: &[&str] = &["dflash", "eagle3", "gemma4-assistant"];

/// What a build makes of a target and a draft.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// It drafts.
    Fits,
    /// It drafts, and aborts at the first token that one of the two vocabularies lacks.
    Uneven {
        /// Tokens of the target.
        target: u64,
        /// Tokens of the draft.
        draft: u64,
    },
    /// It does not draft, or not token by token.
    Parts(Reason),
    /// A fact is missing: which, as in "the lock has no vocabulary of it".
    Unknown(&'static str),
}

/// Why a draft does not fit, said of the target and of the draft.
#[derive(Clone, PartialEq, Debug)]
pub enum Reason {
    /// The target has no memory to roll back: encoders and diffusion models.
    NoMemory(&'static Architecture),
    /// The types of the vocabularies differ.
    Kind([Box<str>; 2]),
    /// One adds a token that the other does not add, or they add different ones.
    Special {
        /// Which: `BOS` or `EOS`.
        which: &'static str,
        /// That of the target and that of the draft.
        tokens: [Special; 2],
    },
    /// The sizes differ by more than the build accepts.
    Size([u64; 2]),
    /// The texts of a token differ.
    Token {
        /// The token; none where only that there is one is known.
        token: Option<u64>,
        /// Its texts.
        texts: Option<[Box<str>; 2]>,
    },
}

/// A special token: whether it is added, which it is, and its text where the file says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Special {
    /// Whether the engine puts it to a prompt by itself.
    pub is_added: bool,
    /// Its number; none where there is none.
    pub token: Option<u64>,
    /// Its text, where that is known.
    pub text: Option<Box<str>>,
}

/// What a build does with a draft that does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Otherwise {
    /// It serves without speculation.
    Serves,
    /// It turns tokens into text and back at each step.
    Translates,
}

/// What a build does with a draft that does not fit.
pub fn otherwise(profile: &Profile) -> Otherwise {
    match profile.spelling(SERVER, &["--spec-replace"]) {
        Some(_) => Otherwise::Translates,
        None => Otherwise::Serves,
    }
}

/// Whether a build compares BOS and EOS also where they are not added: the March 2026 tree does, b9093 does not any more, and
/// the option tells one from the other.
fn compares_always(profile: &Profile) -> bool {
    profile.spelling(SERVER, &["--spec-draft-n-max"]).is_none()
}

/// Judges a pair; `overrides` are those of the target, which the draft inherits, and `difference` is where their vocabularies
/// part, where that was looked at.
pub fn judge(
    profile: &Profile,
    (target, draft): (&Facts, &Facts),
    overrides: &[(&str, Value<'_>)],
    difference: Option<&Difference>,
) -> Verdict {
    let memoryless = target.architecture.as_deref().and_then(architecture).filter(|arch| !arch.has_memory());
    if let Some(architecture) = memoryless {
        return Verdict::Parts(Reason::NoMemory(architecture));
    }
    if draft.architecture.as_deref().is_some_and(|name| SIDECARS.contains(&name)) {
        return Verdict::Unknown(
            "the draft is no model of its own, and how such a one is judged is not known",
        );
    }
    let (Some(one), Some(other)) = (&target.vocabulary, &draft.vocabulary) else {
        return Verdict::Unknown("the lock has no vocabulary of one of them");
    };
    let (Some(first), Some(second)) = (Effective::of(one, overrides), Effective::of(other, overrides)) else {
        return Verdict::Unknown("the tokenizer of one of them is not known as of b11434");
    };
    let always = compares_always(profile);
    let same_kind = if always || otherwise(profile) == Otherwise::Translates {
        // These compare the types as booleans, and all but "none" are true.
        true
    } else {
        first.kind == second.kind
    };
    if !same_kind {
        return Verdict::Parts(Reason::Kind([one.kind.clone(), other.kind.clone()]));
    }
    for (which, tokens) in [("BOS", [first.bos, second.bos]), ("EOS", [first.eos, second.eos])] {
        let [a, b] = &tokens;
        if a.is_added != b.is_added || ((a.is_added || always) && a.token != b.token) {
            return Verdict::Parts(Reason::Special { which, tokens });
        }
    }
    if one.size.abs_diff(other.size) > MAX_SIZE_DIFFERENCE {
        return Verdict::Parts(Reason::Size([one.size, other.size]));
    }
    texts(one, other, difference)
}

fn texts(one: &Tokens, other: &Tokens, difference: Option<&Difference>) -> Verdict {
    let (Some(first), Some(second)) = (&one.sha256_from_5, &other.sha256_from_5) else {
        return Verdict::Unknown("the lock has no tokens of one of them");
    };
    if first == second {
        return Verdict::Fits;
    }
    match difference {
        Some(Difference { token: Some(token), texts, .. }) => {
            let texts = texts.clone().map(|[a, b]| if first <= second { [a, b] } else { [b, a] });
            Verdict::Parts(Reason::Token { token: Some(*token), texts })
        }
        Some(Difference { token: None, .. }) => Verdict::Uneven { target: one.size, draft: other.size },
        None if one.size == other.size => Verdict::Parts(Reason::Token { token: None, texts: None }),
        None => Verdict::Unknown("the two were never locked together"),
    }
}

/// The type of a vocabulary (`llama_vocab_type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Spm,
    Bpe,
    Wpm,
    Ugm,
    Rwkv,
    Plamo2,
}

/// A vocabulary as the engine has it when it is loaded: what the file says, and the engine's own where it is silent
/// (`llama_vocab::impl::load`, b11434, `src/llama-vocab.cpp`; the trees of March 2026 and b9093 have the same).
struct Effective {
    kind: Kind,
    bos: Special,
    eos: Special,
}

/// Pre-tokenizers with which BOS is added unless the file says otherwise.
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
/// Pre-tokenizers with which there is no BOS unless the file names one.
const NO_BOS: &[&str] = &["chatglm-bpe", "glm4", "glm5"];
/// Pre-tokenizers with which BOS is added whatever the file says.
const MUST_ADD_BOS: &[&str] = &["gemma4", "granite-embed-multi-311m"];

impl Effective {
    /// None where the tokenizer is of a kind that is not known here.
    fn of(tokens: &Tokens, overrides: &[(&str, Value<'_>)]) -> Option<Self> {
        let pre =
            if &*tokens.kind == "gemma4" { "gemma4" } else { tokens.pre.as_deref().unwrap_or_default() };
        let (kind, bos, eos) = match &*tokens.kind {
            "llama" => (Kind::Spm, Some(1), Some(2)),
            "bert" => (Kind::Wpm, Some(101), None),
            "gpt2" | "whitespace" if NO_BOS.contains(&pre) => (Kind::Bpe, None, Some(11)),
            "gpt2" | "whitespace" => (Kind::Bpe, Some(11), Some(11)),
            "gemma4" => (Kind::Bpe, None, None),
            "t5" => (Kind::Ugm, None, Some(1)),
            "rwkv" => (Kind::Rwkv, None, None),
            "plamo2" => (Kind::Plamo2, Some(1), Some(2)),
            _ => return None,
        };
        let adds_bos = matches!(kind, Kind::Spm | Kind::Wpm) || (kind == Kind::Bpe && ADD_BOS.contains(&pre));
        let must_add = kind == Kind::Bpe && MUST_ADD_BOS.contains(&pre);
        let flag = |key: &str, said: Option<bool>, default: bool| {
            overridden(overrides, key)
                .and_then(|value| if let Value::Bool(flag) = value { Some(*flag) } else { None })
                .or(said)
                .unwrap_or(default)
        };
        let token = |key: &str, said: Option<u64>, default: Option<u64>| {
            let given = overridden(overrides, key).and_then(|value| {
                if let Value::Int(number) = value { u64::try_from(*number).ok() } else { None }
            });
            let is_there = |token: &u64| *token < tokens.size;
            given.or(said).filter(is_there).or(default.filter(is_there))
        };
        let text = |token: Option<u64>, said: Option<u64>, text: &Option<Box<str>>| {
            if token == said { text.clone() } else { None }
        };
        let bos = token("tokenizer.ggml.bos_token_id", tokens.bos, bos);
        let eos = token("tokenizer.ggml.eos_token_id", tokens.eos, eos);
        Some(Self {
            kind,
            bos: Special {
                is_added: must_add || flag("tokenizer.ggml.add_bos_token", tokens.add_bos, adds_bos),
                token: bos,
                text: text(bos, tokens.bos, &tokens.bos_text),
            },
            eos: Special {
                is_added: flag("tokenizer.ggml.add_eos_token", tokens.add_eos, kind == Kind::Ugm),
                token: eos,
                text: text(eos, tokens.eos, &tokens.eos_text),
            },
        })
    }
}

/// The first override of a key, which is the one that the engine takes.
fn overridden<'o>(overrides: &'o [(&str, Value<'_>)], key: &str) -> Option<&'o Value<'o>> {
    overrides.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
}
