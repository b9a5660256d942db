//! Lowers the specification of a process to the command line of the engine build that runs it.
//!
//! Each intent has a list of spellings, and the profile decides which of them the build accepts. If it accepts none, the
//! result is an error that names the builds that can. Checks read [`Lowered::errors`]; the plan reads [`Lowered::args`].
//!
//! | intent | spellings; the first that the program has is used |
//! |---|---|
//! | draft | `-md`, with the `--spec-type` for its kind or architecture (mostly `draft-simple`) if the build has that choice |
//! | draft length | `--spec-draft-n-max`, `--draft-max` |
//! | lookup | `--lookup-ngram-min`; `--spec-type ngram-KIND` with `--spec-ngram-KIND-size-n` or `--spec-ngram-size-n` |
//! | draft and lookup | the option of the fork in addition to the draft, or a `--spec-type` that accepts a list |
//! | locked memory | `--load-mode mmap+mlock`, `--mlock`; with `--no-repack` |
//! | names | `--alias A,B`; only the name of the role if `--alias` accepts one name |
//! | template | `--chat-template-file`, with `--jinja` if the build has it off |
//! | adapters | `--lora-scaled FILE:SCALE,...`; one option with two values for each in `ik_llama.cpp` |
//! | slots, context | `-np N --no-kv-unified -c context*N`: N separate streams of `context` tokens |
//! | shared slots | `-np N --kv-unified -c context`: one cache, and the engine caps each slot at the trained context |
//! | trained context | `-c 0` with one slot or a shared cache, else `-c` with the trained context times the slots |
//! | fitted context | `--fit on --fit-ctx N` without `-c` |
//! | text, draft, image: the program that leaves out the fewest settings | `llama-cli`; `llama-speculative`, `llama-cli`; `llama-qwen2vl-cli`, `llama-mtmd-cli`, `llama-cli` |
//!
//! No command line relies on an engine default that costs memory, opens a port or differs between builds; `serve.rs`
//! writes these settings explicitly.

mod argv;
mod combined;
mod context;
mod devices;
mod files;
mod gpu;
mod lowered;
mod options;
mod paths;
mod pattern;
mod preset;
mod prompt;
mod router;
mod serve;
mod settings;
mod speculation;
mod tensors;
mod value;

pub use argv::WrittenOption;
pub use context::ContextSpec;
pub use devices::{devices_in, rename_devices, rename_devices_in};
pub use gpu::{
    BACK_ENDS, CUDA_ORDER, Devices, DraftGpuSpec, GpuIntent, GpuSpec, HostExperts, LayersSpec,
    VISIBLE_DEVICES, computes_attention, is_device_name,
};
pub use lowered::Lowered;
pub use options::{DeprecatedKey, reason_not_allowed};
pub use paths::of_variables;
pub use preset::{PresetValue, UncarriedText};
pub use prompt::reads_commands;
pub use router::{PresetEntry, RouteSpec, RouterSpec, WAITS_FOR_REQUESTS, lower_router};
pub use serve::{BATCH, UBATCH};
pub use speculation::{
    DEPENDENT_DRAFT_MAX, DRAFT_KINDS, DRAFT_MAX, LOOKUP_KINDS, LookupKind, LookupSpec, kinds_of_architecture,
};

use super::options::Owner;
use super::profile::Profile;
use crate::engine::Access;

/// The specification of a server process.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate fact of the role")]
pub struct ServerSpec<'a> {
    /// The model file.
    pub model: &'a str,
    /// The names at the API: of the role, of roles that share it, and its aliases. Empty: the default of the engine.
    pub names: &'a [&'a str],
    /// The number of aliases among the names, which are the last ones.
    pub aliases: usize,
    /// The addresses to listen on. Empty means 127.0.0.1.
    pub hosts: &'a [&'a str],
    /// The port, 1 to 65535.
    pub port: u16,
    /// Maximum tokens of one request, prompt and answer together. With shared slots the tokens of all.
    pub context: ContextSpec,
    /// Simultaneous requests, 1 to 256 (llama.cpp b11434, `LLAMA_MAX_SEQ`).
    pub slots: u32,
    /// True if all slots share one cache.
    pub shared: bool,
    /// Tokens of one logical batch.
    pub batch: Option<u32>,
    /// The architecture of the model; empty if it is unknown.
    pub arch: &'a str,
    /// The architecture of the model, and the number of experts per token.
    pub experts: Option<(&'a str, u32)>,
    /// Metadata overrides, in order.
    pub overrides: &'a [(&'a str, OverrideValue<'a>)],
    /// The draft model.
    pub draft: Option<DraftSpec<'a>>,
    /// Prompt lookup.
    pub lookup: Option<LookupSpec>,
    /// The pooling type of embeddings.
    pub pooling: Option<&'a str>,
    /// True if the server returns embeddings, not text.
    pub is_embedder: bool,
    /// True for a decision model. By default builds since b11669 keep no prompts of such a model.
    pub is_decision: bool,
    /// The sparsity of the model: [`Sparsity::Dense`] disables options for experts.
    pub sparsity: Sparsity,
    /// The projector of a vision model.
    pub projector: Option<&'a str>,
    /// The file with the chat template.
    pub template: Option<&'a str>,
    /// The adapters (`LoRA`) with their scales.
    pub adapters: &'a [(&'a str, f64)],
    /// The number of threads. The engine's default counts the cores of the whole machine and ignores the placement.
    pub threads: Option<u32>,
    /// The names of the GPUs of the host. `None` if they are unknown.
    pub gpus: Option<&'a [&'a str]>,
    /// The placement of the process on GPUs. `None` on a host without GPUs.
    pub gpu: Option<GpuSpec<'a>>,
    /// The NUMA placement of the process.
    pub numa: NumaPlacement,
    /// True if the weights are locked in memory.
    pub lock: bool,
    /// The fields that become options as they are, with their values: see [`Setter`](super::options::Setter).
    pub settings: &'a [(Owner, OverrideValue<'a>)],
    /// The file of API keys; a request needs one of them.
    pub key_file: Option<&'a str>,
    /// True if `/metrics` is enabled.
    pub metrics: bool,
    /// The settings behind a router, which sets the addresses, the port and the first name itself.
    pub route: Option<RouteSpec>,
    /// Engine options without a field, with their values.
    pub options: &'a [(&'a str, Option<&'a str>)],
}

/// The specification of a one-shot command. With a projector the command reads an image; with a draft it speculates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PromptSpec<'a> {
    /// The model file.
    pub model: &'a str,
    /// The projector. The command then also reads an image.
    pub projector: Option<&'a str>,
    /// The file with the chat template.
    pub template: Option<&'a str>,
    /// The adapters, as for [`ServerSpec::adapters`].
    pub adapters: &'a [(&'a str, f64)],
    /// The draft model.
    pub draft: Option<DraftSpec<'a>>,
    /// Prompt lookup, as for [`ServerSpec::lookup`].
    pub lookup: Option<LookupSpec>,
    /// The architecture of the model, and the number of experts per token.
    pub experts: Option<(&'a str, u32)>,
    /// Metadata overrides, in order.
    pub overrides: &'a [(&'a str, OverrideValue<'a>)],
    /// Maximum tokens of prompt and answer together.
    pub context: ContextSpec,
    /// Tokens of one logical batch.
    pub batch: Option<u32>,
    /// The number of threads.
    pub threads: Option<u32>,
    /// The placement of the process on GPUs. `None` on a host without GPUs.
    pub gpu: Option<GpuSpec<'a>>,
    /// The NUMA placement of the process.
    pub numa: NumaPlacement,
    /// True if the weights are locked in memory.
    pub lock: bool,
    /// The fields that become options as they are, as for [`ServerSpec::settings`].
    pub settings: &'a [(Owner, OverrideValue<'a>)],
    /// Engine options of the role. Those that the program does not have are left out.
    pub options: &'a [(&'a str, Option<&'a str>)],
}

/// The sparsity of a model, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sparsity {
    /// The model may have experts.
    #[default]
    Unknown,
    /// The model has no experts.
    Dense,
}

/// A draft and the number of tokens that it drafts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DraftSpec<'a> {
    /// The file. Empty if the model drafts with its own layers.
    pub path: &'a str,
    /// The architecture, which determines the type of speculation. Empty means an ordinary model.
    pub arch: &'a str,
    /// The kind, a word of [`DRAFT_KINDS`]. `None` means the one for the architecture.
    pub kind: Option<&'static str>,
    /// Maximum number of drafted tokens. The default is [`DRAFT_MAX`], because the engine's default differs between
    /// builds.
    pub max: Option<u32>,
    /// Minimum number of drafted tokens.
    pub min: Option<u32>,
    /// The probability below which drafting stops, 0 to 1. `None` means the engine's default.
    pub p_min: Option<f64>,
}

/// A typed value of a metadata override.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OverrideValue<'a> {
    /// `int`
    Int(i64),
    /// `float`
    Float(f64),
    /// `bool`
    Bool(bool),
    /// `str`, at most 127 bytes
    Str(&'a str),
}

/// The NUMA placement of a process, as far as the engine must know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumaPlacement {
    /// One node, or no placement.
    #[default]
    SingleNode,
    /// systemd or numactl distributes the process over several nodes. The engine must keep to the CPUs that they allow.
    External,
    /// The engine distributes its threads over all nodes, and sets the CPUs of each (`ggml/src/ggml-cpu/ggml-cpu.c`).
    Distributed,
}

/// A setting of the registry that a build may be unable to express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Intent {
    /// The program itself.
    Tool,
    /// The model file.
    Model,
    /// The names at the API.
    Alias,
    /// The addresses.
    Listen,
    /// The port.
    Port,
    /// The context.
    Context,
    /// The number of slots.
    Slots,
    /// The batch.
    Batch,
    /// The number of experts.
    Experts,
    /// The override with this index.
    Override(usize),
    /// A draft model.
    Draft,
    /// The maximum number of drafted tokens.
    DraftMax,
    /// The minimum number of drafted tokens.
    DraftMin,
    /// The minimum probability of drafted tokens.
    DraftPMin,
    /// Prompt lookup.
    Lookup,
    /// Prompt lookup together with a draft model.
    DraftWithLookup,
    /// Pooling.
    Pooling,
    /// Embeddings.
    Embeddings,
    /// The projector.
    Projector,
    /// The chat template.
    Template,
    /// The adapter with this index.
    Adapter(usize),
    /// The threads.
    Threads,
    /// The NUMA policy.
    Numa,
    /// Locked memory.
    Lock,
    /// A part of the placement on GPUs.
    Gpu(GpuIntent),
    /// The field of [`ServerSpec::settings`] with this index.
    Setting(usize),
    /// The key file.
    KeyFile,
    /// The metrics.
    Metrics,
    /// The idle time after which the model is unloaded.
    Idle,
    /// The `option` with this index.
    OptionName(usize),
}

impl Intent {
    /// True if a build that cannot express one intent is no solution for the other. A missing program blocks every
    /// intent, and lookup is the same intent with or without a draft.
    fn is_like(self, other: Self) -> bool {
        let lookup = |intent| matches!(intent, Self::Lookup | Self::DraftWithLookup);
        self == other || self == Self::Tool || other == Self::Tool || (lookup(self) && lookup(other))
    }
}

/// The kind of a [`LoweringFault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The build cannot express a field.
    NotExpressible,
    /// The program has no option with this name.
    UnknownOption,
    /// The option was removed.
    Removed,
    /// The option still works but is deprecated.
    Deprecated,
    /// The option does not accept this value.
    BadValue,
    /// The option is given twice, and only the last value counts.
    Repeated,
    /// A field sets the option, or a server with the option would not serve requests.
    OwnedByField,
    /// The option needs another option or field.
    Incomplete,
    /// The option has no effect.
    NoEffect,
    /// The command line depends on the trained context of the model, which is not known.
    UnknownContext,
}

/// An intent that a build cannot express, or that deserves a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoweringFault {
    /// The intent.
    pub intent: Intent,
    /// The kind of fault.
    pub kind: FaultKind,
    /// The reason, as a clause without a full stop.
    pub why: String,
    /// The help, an imperative. `None` if the reason is enough.
    pub help: Option<String>,
    /// The built-in builds that can express the intent.
    pub builds: Vec<&'static str>,
}

/// A file or folder that an option or an environment variable names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionPath {
    /// The path.
    pub path: Box<str>,
    /// The use of it.
    pub access: Access,
    /// True if it is a folder.
    pub is_folder: bool,
    /// The index of the `option`. `None` for a variable.
    pub option: Option<usize>,
}

/// An intent that the profile has no data to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncheckedIntent {
    /// The intent.
    pub intent: Intent,
    /// The missing fact.
    pub why: String,
}

/// Lowers a server to its command line.
pub fn lower_server(profile: &Profile, spec: &ServerSpec<'_>) -> Lowered {
    add_capable_builds(serve::lower(profile, spec), profile, |other| serve::lower(other, spec))
}

/// Lowers a one-shot command. If the profile lists only `llama-server`, there are no arguments and [`Intent::Tool`] is
/// not checked.
pub fn lower_prompt(profile: &Profile, spec: &PromptSpec<'_>) -> Lowered {
    add_capable_builds(prompt::lower(profile, spec), profile, |other| prompt::lower(other, spec))
}

/// Adds to each error the built-in builds that can express the intent. Does nothing if there are no errors, so
/// that the normal case stays fast.
fn add_capable_builds(
    mut lowered: Lowered,
    profile: &Profile,
    lower: impl Fn(&Profile) -> Lowered,
) -> Lowered {
    if lowered.errors.is_empty() {
        return lowered;
    }
    let builds = Profile::built_in_of(profile.family());
    for build in builds.filter(|build| build.name() != profile.name()) {
        let other = lower(build);
        for failed in &mut lowered.errors {
            let is_same = |intent: Intent| intent.is_like(failed.intent);
            let is_unproven = other.errors.iter().any(|error| is_same(error.intent))
                || other.not_checked.iter().any(|unchecked| is_same(unchecked.intent));
            if !is_unproven {
                failed.builds.push(build.name());
            }
        }
    }
    lowered
}
