//! The options of a server that affect its memory, wherever they come from: a field of the registry, an `option`, the
//! environment, or the compiler. The table of options has the effect of each.

use super::Owner;
use super::placement::PlacementOptions;
use crate::engine::Profile;
use crate::engine::llama::SERVER;
use crate::engine::options::{Given, MemoryEffect, ROWS};
use crate::facts::{F16, TensorType, tensor_types};

/// The memory options of a command line. Absent options have the default of the engine (llama.cpp b11434,
/// `common/common.h`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate switch of the command line")]
pub struct MemoryOptions {
    /// Tokens of all slots together (`--ctx-size`).
    pub context: u64,
    /// True if the engine fits the context (`--fit`).
    pub fits: bool,
    /// The least context of a stream that the engine fits (`--fit-ctx`).
    pub least_context: u64,
    /// Number of slots (`--parallel`). No value if the engine chooses: 4 slots with one shared cache.
    pub slots: Option<u64>,
    /// True if all slots share one cache (`--kv-unified`).
    pub kv_unified: bool,
    /// Tokens of a logical batch (`--batch-size`).
    pub batch: u64,
    /// Tokens of a physical batch (`--ubatch-size`).
    pub ubatch: u64,
    /// The cache type of keys.
    pub cache_type_k: &'static TensorType,
    /// The cache type of values.
    pub cache_type_v: &'static TensorType,
    /// The cache types of the draft: keys and values.
    pub draft_cache_types: [&'static TensorType; 2],
    /// Tokens of a physical batch of the draft; 0 for the value of the target.
    pub draft_ubatch: u64,
    /// The types of speculative decoding (`--spec-type`).
    pub(in crate::engine::llama) spec_types: Vec<Box<str>>,
    pub(in crate::engine::llama) draft_lengths: DraftLengths,
    pub(in crate::engine::llama) placement: PlacementOptions,
    /// True if the backend samples tokens: for the model and for the draft.
    pub(in crate::engine::llama) backend_sampling: [bool; 2],
    /// True if flash attention is used.
    pub flash_attention: bool,
    /// True if the engine turns flash attention off where a device cannot run it.
    pub auto_flash_attention: bool,
    /// True if layers with a sliding window cache all tokens (`--swa-full`).
    pub swa_full: bool,
    /// True if weights are repacked into layouts of the CPU.
    pub repack: bool,
    /// True if files are mapped, not read into process memory.
    pub mmap: bool,
    /// True if the server returns embeddings.
    pub embeddings: bool,
    /// The pooling of embeddings, if given.
    pub pooling: Option<Box<str>>,
    /// Maximum bytes of the prompt cache. No value for no limit.
    pub prompt_cache: Option<u64>,
    /// True if this limit is the engine's default. The cache then counts as what the process may grow by.
    pub prompt_cache_is_default: bool,
    /// Maximum number of context checkpoints per slot.
    pub checkpoints: u64,
    /// True if this number is the engine's default.
    pub checkpoints_are_default: bool,
    /// The files of the adapters (`LoRA`).
    pub adapters: Vec<Box<str>>,
    /// Options whose effect on memory is not known, each as a clause.
    pub unknown: Vec<String>,
}

/// The option and value that an environment variable sets (llama.cpp b11434, `common/arg.cpp`). For a switch, a true
/// value turns it on; a name with `NO_`, or any other value of a switch with a negative form, turns it off. `None` if
/// the variable has no effect on memory.
fn from_variable<'g>(profile: &'g Profile, name: &str, value: &'g str) -> Option<Given<'g>> {
    let option = profile.variable(name).filter(|option| profile.tool_accepts(SERVER, option))?;
    let is_off = option.env.as_deref() != Some(name);
    let is_true = matches!(value, "on" | "enabled" | "true" | "1");
    let (is_on, value) = match option.arity() {
        0 if !is_off && !is_true && option.negative.is_empty() => return None,
        0 => (is_true && !is_off, ""),
        _ => (true, value),
    };
    Some(Given { row: option.row()?, title: option.title(), is_on, value, is_default: false })
}

/// Maximum number of drafted tokens per type of speculation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(in crate::engine::llama) struct DraftLengths {
    pub(in crate::engine::llama) draft: u64,
    pub(in crate::engine::llama) simple: u64,
    pub(in crate::engine::llama) map_k: u64,
    pub(in crate::engine::llama) map_k4v: u64,
    pub(in crate::engine::llama) modulo: u64,
}

/// The default cache type.
const F16_CACHE: &TensorType = &F16;

impl Given<'_> {
    /// The value as a number; 0 if it is none.
    pub(in crate::engine::llama) fn number(&self) -> u64 {
        self.value.parse().unwrap_or(0)
    }

    /// The value in MiB as bytes. `None` for no limit.
    pub(in crate::engine::llama) fn mebibytes(&self) -> Option<u64> {
        self.value.parse::<u64>().ok().map(|mib| mib.saturating_mul(1 << 20))
    }

    /// The value as a cache type.
    pub(in crate::engine::llama) fn cache_type(&self) -> &'static TensorType {
        tensor_types().iter().find(|known| known.name == self.value).unwrap_or(F16_CACHE)
    }
}

impl MemoryOptions {
    /// The options of a server of this build, from its environment and its command line, which overrides the
    /// environment.
    pub fn new<'a>(
        profile: &Profile,
        env: &[(&str, &str)],
        given: impl IntoIterator<Item = Given<'a>>,
    ) -> Self {
        let mut options = Self::defaults(profile);
        env.iter()
            .filter_map(|(name, value)| from_variable(profile, name, value))
            .for_each(|one| options.apply(one));
        given.into_iter().for_each(|one| options.apply(one));
        options
    }

    /// The defaults of the engine.
    fn defaults(profile: &Profile) -> Self {
        let mut options = Self {
            context: 0,
            fits: false,
            least_context: 0,
            slots: None,
            kv_unified: false,
            batch: 0,
            ubatch: 0,
            cache_type_k: F16_CACHE,
            cache_type_v: F16_CACHE,
            draft_cache_types: [F16_CACHE; 2],
            draft_ubatch: 0,
            spec_types: Vec::new(),
            draft_lengths: DraftLengths::default(),
            placement: PlacementOptions::default(),
            backend_sampling: [false; 2],
            // Builds where `-fa` is a switch have it off by default; later ones decide by the back end.
            auto_flash_attention: true,
            flash_attention: profile.option(SERVER, "-fa").is_some_and(|option| option.arity() > 0),
            swa_full: false,
            repack: false,
            mmap: false,
            embeddings: false,
            pooling: None,
            prompt_cache: Some(0),
            prompt_cache_is_default: true,
            checkpoints: 0,
            checkpoints_are_default: true,
            adapters: Vec::new(),
            unknown: Vec::new(),
        };
        for row in ROWS {
            let is_known = || row.names.iter().any(|name| profile.option(SERVER, name).is_some());
            if let Some(default) = row.default.filter(|default| !default.is_new || is_known()) {
                options.apply(Given { row, title: "", is_on: true, value: default.value, is_default: true });
            }
        }
        options
    }

    /// Applies an option.
    fn apply(&mut self, given: Given<'_>) {
        match given.row.memory {
            MemoryEffect::None => {}
            MemoryEffect::Known(apply) => apply(self, given),
            MemoryEffect::Unknown(why) => self.unknown.push(format!("`{}` {why}", given.title)),
        }
    }

    /// Maximum number of drafted tokens per step; 0 without speculation (llama.cpp b11434, `common_speculative_n_max`
    /// of `common/speculative.cpp`).
    pub fn max_drafted(&self) -> u64 {
        let length = |kind: &str| match kind {
            "ngram-simple" => self.draft_lengths.simple,
            "ngram-map-k" => self.draft_lengths.map_k,
            "ngram-map-k4v" => self.draft_lengths.map_k4v,
            "ngram-mod" => self.draft_lengths.modulo,
            "ngram-cache" => 8,
            draft if draft.starts_with("draft-") => self.draft_lengths.draft,
            _ => 0,
        };
        self.spec_types.iter().map(|kind| length(kind)).max().unwrap_or(0)
    }

    /// True if the draft predicts a block of tokens at once.
    pub fn drafts_blocks(&self) -> bool {
        self.spec_types.iter().any(|kind| matches!(&**kind, "draft-dflash" | "draft-dspark"))
    }

    /// Tokens by which a recurrent state can be rolled back, if the architecture supports it (llama.cpp b11434,
    /// `src/llama-context.cpp`).
    pub fn rollback_tokens(&self) -> u64 {
        let kinds = ["draft-mtp", "draft-eagle3", "draft-dflash", "draft-dspark"];
        if self.spec_types.iter().any(|kind| kinds.contains(&&**kind)) { self.draft_lengths.draft } else { 0 }
    }

    /// Sets the context of each slot, in tokens. With a shared cache, that of all slots.
    pub fn set_context(&mut self, tokens: u32) {
        let slots = if self.kv_unified { 1 } else { self.slots.unwrap_or(1).max(1) };
        self.context = u64::from(tokens).saturating_mul(slots);
    }

    /// True if the backend samples the tokens of the model or its draft.
    pub(super) fn samples_in_backend(&self, owner: Owner) -> bool {
        let [model, draft] = self.backend_sampling;
        if owner == Owner::Draft { draft } else { model }
    }

    /// Why the memory of a type of speculation is not completely known, as a clause.
    pub(super) fn unknown_speculation(&self) -> Option<&'static str> {
        self.spec_types.iter().find_map(|kind| match &**kind {
            "draft-mtp" => Some("the rows of the target that the MTP layers read are not counted"),
            "draft-eagle3" | "draft-dflash" | "draft-dspark" => {
                Some("the memory for target layers that the draft reads is not counted")
            }
            _ => None,
        })
    }

    /// True if the server has the n-gram table of `ngram-mod`, which has a fixed size.
    pub(super) fn has_ngram_table(&self) -> bool {
        self.spec_types.iter().any(|kind| &**kind == "ngram-mod")
    }

    /// True if the model drafts with its multi-token prediction (MTP) layers.
    pub fn uses_mtp(&self) -> bool {
        self.spec_types.iter().any(|kind| &**kind == "draft-mtp")
    }
}
