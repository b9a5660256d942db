//! What a server process takes in memory, from the headers of its files and its command line.
//!
//! The formulas are those of llama.cpp b11434 for a processor; a build before it takes its compute buffers otherwise. Each part
//! says how far off it may be, or why it is not known; nothing is filled with a guess.
//!
//! Not counted: the program itself with its libraries, the tables of the tokenizer, what its threads multiply in
//! (`ggml_graph_plan` of `ggml/src/ggml-cpu/ggml-cpu.c`, about the widest layer of one batch), and requests on their way.

mod asked;
mod cache;
mod sizes;
mod weights;

pub use asked::Asked;
pub use cache::undivided;

use super::Profile;
use super::architecture::{Architecture, Class, architecture};
use super::compute::{self, Sizes};
use super::layers::{Layers, layers};
use crate::facts::Facts;

/// The build since which the buffers of a context are known.
const KNOWN_SINCE: u32 = 11434;
/// The same for encoders: those of b11434 take less, since what a token sees is not rounded up there (`src/llama-graph.cpp`).
const ENCODERS_KNOWN_SINCE: u32 = 11669;

/// The table of `ngram-mod`: 4 Mi entries of 4 bytes (llama.cpp b11434, `common/speculative.cpp`).
const NGRAM_TABLE: u64 = 16 << 20;

/// What a process loads, and how.
#[derive(Clone, Copy, Debug)]
pub struct Process<'p> {
    /// The build.
    pub profile: &'p Profile,
    /// What its command line asks for.
    pub asked: &'p Asked,
    /// The facts of the model, with what is overridden in them.
    pub model: &'p Facts,
    /// The facts of the draft; none where there is no draft.
    pub draft: Option<&'p Facts>,
    /// The facts of the projector; none where there is no projector.
    pub projector: Option<&'p Facts>,
}

/// One part of what a process takes.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// Whose it is.
    pub of: Whose,
    /// How much.
    pub amount: Amount,
}

/// What a part of the memory is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Weights in pages of their file, the same for all processes that map it.
    Mapped,
    /// Weights in memory of the process.
    Loaded,
    /// Weights copied into a layout of the processor.
    Repacked,
    /// Keys and values of all slots.
    Cache,
    /// Recurrent state of all slots.
    State,
    /// What a step is computed in.
    Compute,
    /// What a step puts out.
    Output,
    /// Prompts of earlier requests.
    PromptCache,
    /// Copies of state or window to go back to.
    Checkpoints,
    /// Anything else.
    Rest,
}

/// Whose a part is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Whose {
    /// The model's.
    Model,
    /// The draft's.
    Draft,
    /// The projector's.
    Projector,
}

/// How much it is, and how well that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Amount {
    /// So many bytes, up to some percent.
    Within {
        /// Bytes.
        bytes: u64,
        /// By how many percent that may be off, either way.
        percent: u8,
    },
    /// No more bytes than these.
    AtMost(u64),
    /// Not known, and why, as the end of a sentence.
    Unknown(String),
}

impl Amount {
    /// The bytes that are counted; 0 where nothing is known.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Within { bytes, .. } | Self::AtMost(bytes) => *bytes,
            Self::Unknown(_) => 0,
        }
    }

    fn exact(bytes: u64) -> Self {
        // Tensors are aligned in a buffer of their own.
        Self::Within { bytes, percent: 1 }
    }
}

/// All parts of what a process takes, those of nothing left out.
pub fn memory(process: &Process<'_>) -> Vec<Part> {
    let Process { asked, model, draft, projector, .. } = *process;
    let mut parts = context(process, model, Whose::Model);
    if let Some(draft) = draft {
        parts.extend(of_draft(process, draft));
    }
    if let Some(projector) = projector {
        let amount = Amount::exact(weights::all(projector));
        parts.push(Part { kind: Kind::Loaded, of: Whose::Projector, amount });
        let why = "what a projector computes in depends on the image".to_owned();
        parts.push(Part { kind: Kind::Compute, of: Whose::Projector, amount: Amount::Unknown(why) });
    }
    if asked.hashes_ngrams() {
        parts.push(Part { kind: Kind::Rest, of: Whose::Model, amount: Amount::exact(NGRAM_TABLE) });
    }
    let prompts = match asked.prompt_cache {
        Some(bytes) => Amount::AtMost(bytes),
        None => Amount::Unknown("the prompt cache has no bound".to_owned()),
    };
    parts.push(Part { kind: Kind::PromptCache, of: Whose::Model, amount: prompts });
    let unknown = asked.unknown.iter().cloned().chain(asked.speculation().map(ToOwned::to_owned));
    parts.extend(unknown.map(|why| Part {
        kind: Kind::Rest,
        of: Whose::Model,
        amount: Amount::Unknown(why),
    }));
    // That nothing of a file is mapped has to be said.
    let is_file = |part: &Part| matches!(part.kind, Kind::Mapped | Kind::Loaded);
    parts.retain(|part| {
        is_file(part) || !matches!(part.amount, Amount::Within { bytes: 0, .. } | Amount::AtMost(0))
    });
    parts
}

/// A draft has the sizes of its target and caches of its own types (llama.cpp b11434, `common_base_params_to_speculative` of
/// `common/speculative.cpp`).
fn of_draft(process: &Process<'_>, draft: &Facts) -> Vec<Part> {
    let asked = process.asked;
    if process.profile.option("llama-server", "--ctx-size-draft").is_none() {
        return context(process, draft, Whose::Draft);
    }
    let mut parts = weights::of(draft, asked, Whose::Draft);
    for kind in [Kind::Cache, Kind::Compute] {
        let why = "how a build with `--ctx-size-draft` makes the contexts of a draft is not known".to_owned();
        parts.push(Part { kind, of: Whose::Draft, amount: Amount::Unknown(why) });
    }
    parts
}

/// What a model and its context take.
fn context(process: &Process<'_>, facts: &Facts, of: Whose) -> Vec<Part> {
    let asked = process.asked;
    let mut parts = weights::of(facts, asked, of);
    let mut report = |kind, amount| parts.push(Part { kind, of, amount });
    let layers = match layers(facts) {
        Ok(layers) => layers,
        Err(why) => {
            report(Kind::Rest, Amount::Unknown(why));
            return parts;
        }
    };
    let sizes = sizes_of(asked, facts, &layers, of);
    let types = if of == Whose::Draft { asked.of_draft } else { [asked.keys, asked.values] };
    report(
        Kind::Cache,
        cache::keys_and_values(&layers, &sizes, types).map_or_else(Amount::Unknown, Amount::exact),
    );
    report(Kind::State, Amount::exact(cache::state(&layers, &sizes, rollback(asked, facts, of))));
    let checkpoints = cache::checkpoint(&layers, &sizes, types);
    let of_drafting = process.draft.is_some() && layers.each.iter().any(|layer| layer.has_state);
    let copies = asked.checkpoints.saturating_add(u64::from(of_drafting));
    let kept = checkpoints.map(|bytes| bytes.saturating_mul(copies).saturating_mul(sizes.slots));
    report(Kind::Checkpoints, kept.map_or_else(Amount::Unknown, Amount::AtMost));
    let has_memory =
        facts.architecture.as_deref().and_then(architecture).is_none_or(Architecture::has_memory);
    let since = if has_memory { KNOWN_SINCE } else { ENCODERS_KNOWN_SINCE };
    let is_known = process.profile.build_number().is_some_and(|build| build >= since);
    // A graph has no more outputs than tokens, whatever an older build reserves for.
    let computed = if is_known { sizes } else { Sizes { outputs: sizes.ubatch, ..sizes } };
    let amount = match compute::compute(facts, &computed) {
        Ok(_) if !is_known && of == Whose::Draft => {
            Amount::Unknown("how a build before b11434 makes the contexts of a draft is not known".to_owned())
        }
        Ok(estimate) if is_known => Amount::Within { bytes: estimate.bytes, percent: estimate.within },
        Ok(estimate) => Amount::AtMost(estimate.bytes),
        Err(why) => Amount::Unknown(why),
    };
    report(Kind::Compute, amount);
    // It grows with the first batch that puts out more than a token for each slot.
    let rows = Sizes { slots: sizes.outputs.max(sizes.slots), ..sizes };
    let chosen = if asked.samples(of) { sampled(facts, rows.slots) } else { 0 };
    report(Kind::Output, Amount::AtMost(compute::output(facts, &rows).saturating_add(chosen)));
    parts
}

/// What is put out besides where tokens are chosen where logits are computed: logits and probabilities, f32, and candidates, i32
/// (llama.cpp b11434, `output_reserve` of `src/llama-context.cpp`).
fn sampled(facts: &Facts, rows: u64) -> u64 {
    let tokens = facts.vocabulary.as_ref().map_or(0, |vocabulary| vocabulary.size);
    rows.saturating_mul(tokens.saturating_mul(12).saturating_add(4))
}

/// The sizes of the context of a model or of its draft, as the engine makes them of what is asked.
pub fn sizes_of(asked: &Asked, facts: &Facts, layers: &Layers, of: Whose) -> Sizes {
    match of {
        Whose::Draft => sizes::of_draft(asked, facts, layers.window),
        Whose::Model | Whose::Projector => sizes::of(asked, facts, layers.window),
    }
}

/// Rows of state that are kept to go back to, besides the current one (llama.cpp b11434, `src/llama-context.cpp`).
fn rollback(asked: &Asked, facts: &Facts, of: Whose) -> u64 {
    let arch = facts.architecture.as_deref().and_then(architecture);
    let can = arch.is_some_and(|arch| arch.is(Class::RecurrentPartialRollback));
    if of == Whose::Model && can { asked.rolled_back() } else { 0 }
}
