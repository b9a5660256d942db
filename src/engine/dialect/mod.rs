//! Lowering: what a process has to do, in the words of the build that will run it.
//!
//! By capability, not by version: every intent has a list of spellings, and the profile decides which of them it takes.
//! What the build cannot express is named with the builds that can; nothing is dropped in silence. The checker reads
//! [`Lowered::cannot`], the planner takes [`Lowered::args`], of one and the same function.
//!
//! | intent | spellings, the first that the program has |
//! |---|---|
//! | draft | `-md`; with `--spec-type` and the word for its architecture, mostly `draft-simple`, where that is a choice |
//! | draft length | `--spec-draft-n-max`, `--draft-max` |
//! | lookup | `--lookup-ngram-min`; `--spec-type ngram-simple` with `--spec-ngram-simple-size-n` or `--spec-ngram-size-n` |
//! | both | the fork's own option beside the draft, or a `--spec-type` that takes a list |
//! | locked memory | `--load-mode mmap+mlock`, `--mlock`; with `--no-repack` |
//! | slots, context | `-np N --no-kv-unified -c context*N`: N separate streams of `context` tokens |
//! | text, draft, image | `llama-cli`; `llama-speculative`, `llama-cli`; `llama-qwen2vl-cli`, `llama-mtmd-cli`, `llama-cli` |
//!
//! No line relies on a default that costs memory, opens a port or has moved between builds; `serve.rs` pins them.

mod argv;
mod combined;
mod options;
mod owned;
mod prompt;
mod serve;
mod speculation;
mod value;

use std::borrow::Cow;

pub use owned::owned;
pub use serve::{BATCH, CHECKPOINTS, UBATCH};
pub use speculation::{DRAFT_MAX, LOOKUP};

use super::profile::Profile;

/// What one server process has to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Serve<'a> {
    /// The model file.
    pub model: &'a str,
    /// The addresses to listen on; none means 127.0.0.1.
    pub hosts: &'a [&'a str],
    /// The port, 1 to 65535.
    pub port: u16,
    /// Tokens of one request, prompt and answer.
    pub context: u32,
    /// Requests at once, 1 to 256 (llama.cpp b11434, `LLAMA_MAX_SEQ`).
    pub slots: u32,
    /// Tokens of one logical batch.
    pub batch: Option<u32>,
    /// The architecture of the model and how many experts a token uses.
    pub experts: Option<(&'a str, u32)>,
    /// Metadata overrides, in order.
    pub overrides: &'a [(&'a str, Value<'a>)],
    /// The draft model.
    pub draft: Option<Draft<'a>>,
    /// Prompt lookup with n-grams of at least this many tokens, 1 to 1024; [`LOOKUP`] where the registry names none.
    pub lookup: Option<u32>,
    /// How an embedding is pooled.
    pub pooling: Option<&'a str>,
    /// Whether it serves embeddings rather than text.
    pub is_embedder: bool,
    /// What is known of the experts of the model.
    pub layers: Layers,
    /// The projector of a vision model.
    pub projector: Option<&'a str>,
    /// Threads; the engine's own number counts the whole machine, whatever the placement.
    pub threads: Option<u32>,
    /// Who places the process on the NUMA nodes.
    pub numa: Numa,
    /// Whether the weights are locked in memory.
    pub lock: bool,
    /// The type of the KV cache: `q8_0`.
    pub cache_type: Option<&'a str>,
    /// Flash attention; none leaves it to the engine.
    pub flash_attention: Option<FlashAttention>,
    /// The prompt cache in MiB; none is no cache.
    pub prompt_cache_mib: Option<u64>,
    /// The file with the keys that a request has to carry one of.
    pub key_file: Option<&'a str>,
    /// Whether `/metrics` answers.
    pub metrics: bool,
    /// Engine options that have no field, with their values.
    pub options: &'a [(&'a str, Option<&'a str>)],
}

/// The one-shot command of a model, for a person. With a projector it looks at an image, with a draft it speculates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt<'a> {
    /// The model file.
    pub model: &'a str,
    /// The projector; the command then takes `image`.
    pub projector: Option<&'a str>,
    /// The draft model.
    pub draft: Option<Draft<'a>>,
    /// Prompt lookup, as for [`Serve::lookup`].
    pub lookup: Option<u32>,
    /// The architecture of the model and how many experts a token uses.
    pub experts: Option<(&'a str, u32)>,
    /// Metadata overrides, in order.
    pub overrides: &'a [(&'a str, Value<'a>)],
    /// Tokens of prompt and answer; none leaves the whole trained context to the engine.
    pub context: Option<u32>,
    /// Threads.
    pub threads: Option<u32>,
    /// What it is asked, or what stands for it.
    pub prompt: &'a str,
    /// The image that it looks at, or what stands for it.
    pub image: &'a str,
}

/// What is known of the layers of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layers {
    /// It may have experts.
    #[default]
    Unknown,
    /// It has none.
    Dense,
}

/// A draft model and how far it runs ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Draft<'a> {
    /// Its file.
    pub path: &'a str,
    /// Its architecture, which decides how it drafts; empty where it is a model like any other.
    pub arch: &'a str,
    /// Tokens at most; [`DRAFT_MAX`] where none is named, since the engine's default has moved.
    pub max: Option<u32>,
    /// Tokens at least.
    pub min: Option<u32>,
    /// The probability below which it stops, 0 to 1; the engine's own where none is named.
    pub p_min: Option<f64>,
}

/// A typed value of a metadata override.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// `int`
    Int(i64),
    /// `float`
    Float(f64),
    /// `bool`
    Bool(bool),
    /// `str`, at most 127 bytes
    Str(&'a str),
}

/// Who places a process on the NUMA nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numa {
    /// Nobody, or all of it lies on one node.
    #[default]
    Single,
    /// systemd or numactl, over several nodes; the engine then keeps to the CPUs that it was given.
    Outside,
}

/// Flash attention as the engine spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashAttention {
    /// Always.
    On,
    /// Never.
    Off,
    /// Where the backend has it.
    Auto,
}

/// What the registry wanted, as far as a build may fail to express it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Intent {
    /// The program itself.
    Tool,
    /// The model file.
    Model,
    /// The addresses.
    Listen,
    /// The port.
    Port,
    /// The tokens of a request.
    Context,
    /// The requests at once.
    Slots,
    /// The batch.
    Batch,
    /// The number of experts.
    Experts,
    /// The override of that index.
    Override(usize),
    /// A draft model.
    Draft,
    /// Its length at most.
    DraftMax,
    /// Its length at least.
    DraftMin,
    /// Its least probability.
    DraftPMin,
    /// Prompt lookup.
    Lookup,
    /// Prompt lookup beside a draft model.
    DraftWithLookup,
    /// Pooling.
    Pooling,
    /// Embeddings.
    Embeddings,
    /// The projector.
    Projector,
    /// The threads.
    Threads,
    /// Locked memory.
    Lock,
    /// The type of the KV cache.
    CacheType,
    /// Flash attention.
    FlashAttention,
    /// The prompt cache.
    PromptCache,
    /// The key file.
    KeyFile,
    /// The metrics.
    Metrics,
    /// The `option` of that index.
    OptionName(usize),
}

impl Intent {
    /// Whether a build that fails at one is no help for the other: without the program nothing can be said, and lookup is
    /// lookup, beside a draft or not.
    fn is_like(self, other: Self) -> bool {
        let lookup = |intent| matches!(intent, Self::Lookup | Self::DraftWithLookup);
        self == other || self == Self::Tool || other == Self::Tool || (lookup(self) && lookup(other))
    }
}

/// What kind of fault it is that something cannot be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The build has no words for a field.
    Intent,
    /// The program has no option of that name.
    Unknown,
    /// It had one, and has it no longer.
    Removed,
    /// It still takes the option, and will not for long.
    Deprecated,
    /// The option does not take that value.
    Value,
    /// Given twice, and the last one counts.
    Repeated,
    /// A field says it, or a server with it would not serve.
    Owned,
    /// It needs another option or field.
    Alone,
    /// It has no effect.
    Idle,
}

/// An intent that a build cannot express, or has to be warned of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inexpressible {
    /// What was wanted.
    pub intent: Intent,
    /// What kind of fault it is.
    pub fault: Fault,
    /// Why not, as a clause without a full stop.
    pub why: String,
    /// What to do, an imperative; none where the fault itself says it.
    pub help: Option<String>,
    /// The built-in builds that can.
    pub builds: Vec<&'static str>,
}

/// An intent that the profile says nothing about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotChecked {
    /// What was wanted.
    pub intent: Intent,
    /// What is not known.
    pub why: String,
}

/// A command line, and what it could not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lowered {
    /// The program, without its directory.
    pub tool: &'static str,
    /// The arguments after it, one by one, unquoted. Complete where `cannot` is empty and no [`Intent::Tool`] is unchecked.
    pub args: Vec<Cow<'static, str>>,
    /// What the build cannot express.
    pub cannot: Vec<Inexpressible>,
    /// What it takes and should not be given.
    pub warned: Vec<Inexpressible>,
    /// What the profile does not know.
    pub not_checked: Vec<NotChecked>,
}

/// The command line of a server.
pub fn serve(profile: &Profile, wanted: &Serve<'_>) -> Lowered {
    name_builds(serve::lower(profile, wanted), profile, |other| serve::lower(other, wanted))
}

/// The one-shot command of a model. Where the profile knows `llama-server` alone there are no arguments, and
/// [`Intent::Tool`] is not checked.
pub fn prompt(profile: &Profile, wanted: &Prompt<'_>) -> Lowered {
    name_builds(prompt::lower(profile, wanted), profile, |other| prompt::lower(other, wanted))
}

/// Asks the other built-in builds about what this one cannot say. Only a failure pays for it.
fn name_builds(mut lowered: Lowered, profile: &Profile, lower: impl Fn(&Profile) -> Lowered) -> Lowered {
    if lowered.cannot.is_empty() {
        return lowered;
    }
    for name in Profile::names().iter().filter(|name| **name != profile.name()) {
        let Some(other) = Profile::built_in(name).map(&lower) else { continue };
        for failed in &mut lowered.cannot {
            let meets = |intent: Intent| intent.is_like(failed.intent);
            let open = other.cannot.iter().any(|c| meets(c.intent))
                || other.not_checked.iter().any(|n| meets(n.intent));
            if !open {
                failed.builds.push(name);
            }
        }
    }
    lowered
}
