//! The options of a server that affect its memory. They are read from the finished command line, so their source (a
//! field of the registry, an `option`, or the compiler) does not matter.

use super::Owner;
use crate::engine::dialect::{BATCH, UBATCH};
use crate::engine::llama::SERVER;
use crate::engine::{OptionRecord, Profile, Switch};
use crate::facts::{F16, TensorType, tensor_types};

/// The memory options of a command line. Absent options have the default of the engine (llama.cpp b11434,
/// `common/common.h`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate switch of the command line")]
pub struct MemoryOptions {
    /// Tokens of all slots together (`--ctx-size`).
    pub context: u64,
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
    spec_types: Vec<Box<str>>,
    draft_lengths: DraftLengths,
    /// The layers to offload to a GPU, as written: of the model and of the draft.
    gpu_layers: [Option<Box<str>>; 2],
    /// True if the backend samples tokens: for the model and for the draft.
    backend_sampling: [bool; 2],
    /// True if flash attention is used.
    pub flash_attention: bool,
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
    /// Maximum number of context checkpoints per slot.
    pub checkpoints: u64,
    /// Options whose effect on memory is not known, each as a clause.
    pub unknown: Vec<String>,
}

/// The option and value that an environment variable sets (llama.cpp b11434, `common/arg.cpp`). For a switch, a true
/// value turns it on; a name with `NO_`, or any other value of a switch with a negative form, turns it off. `None` if
/// the variable has no effect.
fn from_variable<'p, 'v>(
    profile: &'p Profile,
    name: &str,
    value: &'v str,
) -> Option<(&'p OptionRecord, Switch, &'v str)> {
    let option = profile.variable(name).filter(|option| profile.tool_accepts(SERVER, option))?;
    if option.arity() > 0 {
        return Some((option, Switch::On, value));
    }
    let is_off = option.env.as_deref() != Some(name);
    let is_true = matches!(value, "on" | "enabled" | "true" | "1");
    match (is_off, is_true) {
        (true, _) => Some((option, Switch::Off, "")),
        (false, true) => Some((option, Switch::On, "")),
        (false, false) => (!option.negative.is_empty()).then_some((option, Switch::Off, "")),
    }
}

/// Maximum number of drafted tokens per type of speculation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct DraftLengths {
    draft: u64,
    simple: u64,
    map_k: u64,
    map_k4v: u64,
    modulo: u64,
}

/// The default cache type.
const F16_CACHE: &TensorType = &F16;

fn cache_type(name: &str) -> Option<&'static TensorType> {
    tensor_types().iter().find(|known| known.name == name)
}

impl MemoryOptions {
    /// Reads the environment and the arguments of a server of this build. Arguments override the environment.
    pub fn read<'a>(
        profile: &Profile,
        env: &[(&str, &str)],
        args: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut options = Self {
            context: 0,
            slots: None,
            kv_unified: false,
            batch: u64::from(BATCH),
            ubatch: u64::from(UBATCH),
            cache_type_k: F16_CACHE,
            cache_type_v: F16_CACHE,
            draft_cache_types: [F16_CACHE; 2],
            draft_ubatch: 0,
            spec_types: Vec::new(),
            draft_lengths: DraftLengths { draft: 3, simple: 48, map_k: 48, map_k4v: 48, modulo: 64 },
            gpu_layers: [None, None],
            // On by default for drafts (llama.cpp b11434, `common/common.h`).
            backend_sampling: [false, profile.option(SERVER, "--spec-draft-backend-sampling").is_some()],
            flash_attention: profile.option(SERVER, "-fa").is_some_and(|option| option.arity() > 0),
            swa_full: false,
            repack: true,
            mmap: true,
            embeddings: false,
            pooling: None,
            // 8 GiB if the build has a prompt cache (llama.cpp b11434, `common/common.h`).
            prompt_cache: Some(if profile.option(SERVER, "--cache-ram").is_some() { 8192 << 20 } else { 0 }),
            checkpoints: if profile.option(SERVER, "--ctx-checkpoints").is_some() { 32 } else { 0 },
            unknown: Vec::new(),
        };
        for (name, value) in env {
            if let Some((option, switch, value)) = from_variable(profile, name, value) {
                options.apply(option, switch, value);
            }
        }
        let mut words = args.into_iter();
        while let Some(word) = words.next() {
            let Some((option, _, switch)) = profile.find(SERVER, word).filter(|_| word.starts_with('-'))
            else {
                continue;
            };
            let value = if option.arity() > 0 { words.next().unwrap_or_default() } else { "" };
            for _ in 1..option.arity() {
                words.next();
            }
            options.apply(option, switch, value);
        }
        options
    }

    /// True if an option is known to affect memory.
    pub fn affects_memory(profile: &Profile, option: &OptionRecord) -> bool {
        let mut defaults = Self::read(profile, &[], []);
        defaults.apply(option, Switch::On, "1")
    }

    /// Applies an option. Returns true if it affects memory.
    fn apply(&mut self, option: &OptionRecord, switch: Switch, value: &str) -> bool {
        let is = |name: &str| option.names.iter().chain(&option.negative).any(|known| known == name);
        let number = || value.parse::<u64>().unwrap_or(0);
        let cache_type = || cache_type(value).unwrap_or(F16_CACHE);
        let is_on = switch == Switch::On;
        match () {
            () if is("--ctx-size") => self.context = number(),
            () if is("--parallel") => self.slots = value.parse().ok(),
            () if is("--kv-unified") => self.kv_unified = is_on,
            () if is("--batch-size") => self.batch = number(),
            () if is("--ubatch-size") => self.ubatch = number(),
            () if is("--cache-type-k") => self.cache_type_k = cache_type(),
            () if is("--cache-type-v") => self.cache_type_v = cache_type(),
            () if is("--cache-type-k-draft") => self.draft_cache_types[0] = cache_type(),
            () if is("--cache-type-v-draft") => self.draft_cache_types[1] = cache_type(),
            () if is("--spec-type") => self.spec_types.extend(value.split(',').map(Into::into)),
            // A shorthand for `--spec-type ngram-mod` (llama.cpp b11434, `common/arg.cpp`).
            () if is("--spec-default") => self.spec_types.push("ngram-mod".into()),
            () if is("--backend-sampling") => self.backend_sampling[0] = is_on,
            () if is("--spec-draft-backend-sampling") => self.backend_sampling[1] = is_on,
            () if is("--draft-max") || is("--spec-draft-n-max") => self.draft_lengths.draft = number(),
            () if is("--spec-ngram-simple-size-m") => self.draft_lengths.simple = number(),
            () if is("--spec-ngram-map-k-size-m") => self.draft_lengths.map_k = number(),
            () if is("--spec-ngram-map-k4v-size-m") => self.draft_lengths.map_k4v = number(),
            () if is("--spec-ngram-size-m") => {
                let length = number();
                let DraftLengths { simple, map_k, map_k4v, .. } = &mut self.draft_lengths;
                (*simple, *map_k, *map_k4v) = (length, length, length);
            }
            () if is("--spec-draft-n-ubatch") => self.draft_ubatch = number(),
            () if is("--ctx-size-draft") => {}
            () if is("--spec-ngram-mod-n-max") => self.draft_lengths.modulo = number(),
            () if is("--flash-attn") => self.flash_attention = option.arity() == 0 || value != "off",
            () if is("--swa-full") => self.swa_full = is_on,
            () if is("--repack") || is("--no-repack") => self.repack = is_on,
            () if is("--mmap") || is("--no-mmap") => self.mmap = is_on,
            () if is("--load-mode") => self.mmap = !matches!(value, "none" | "mlock" | "dio"),
            () if is("--embeddings") || is("--embedding") => self.embeddings = true,
            () if is("--rerank") || is("--reranking") => {
                (self.embeddings, self.pooling) = (true, Some("rank".into()));
            }
            () if is("--pooling") => self.pooling = Some(value.into()),
            () if is("--cache-ram") => {
                self.prompt_cache = value.parse::<u64>().ok().map(|mib| mib.saturating_mul(1 << 20));
            }
            () if is("--ctx-checkpoints") => self.checkpoints = number(),
            () if is("--gpu-layers") || is("--n-gpu-layers") => self.gpu_layers[0] = Some(value.into()),
            () if is("--gpu-layers-draft") || is("--n-gpu-layers-draft") => {
                self.gpu_layers[1] = Some(value.into());
            }
            () => return self.note_unknown(option.title()),
        }
        true
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

    /// Records an option whose effect on memory is not known. Returns true if it is such an option.
    fn note_unknown(&mut self, title: &str) -> bool {
        let why = match title {
            "--lora" | "--lora-scaled" | "--lora-init-without-apply" => "loads an adapter of unknown size",
            "--control-vector" | "--control-vector-scaled" => "loads a control vector of unknown size",
            "--override-tensor"
            | "--override-tensor-draft"
            | "--spec-draft-override-tensor"
            | "--device"
            | "--device-draft"
            | "--spec-draft-device"
            | "--split-mode"
            | "--tensor-split"
            | "--main-gpu"
            | "--rpc" => "may move weights to other devices",
            "--model-vocoder" => "loads a vocoder of unknown size",
            "--lookup-cache-static" | "--lookup-cache-dynamic" => "loads an n-gram table of unknown size",
            "--direct-io" | "--lazy-mode" | "--moe-cache-mib" => "changes which weights are mapped",
            "--kv-unified-per-slot" => "changes the size of the KV cache",
            "--sleep-idle-seconds" => "unloads the model when the server is idle",
            "--models-dir" | "--models-preset" | "--models-max" => "serves other models too",
            "--hf-repo" | "--hf-file" | "--hf-repo-draft" | "--spec-draft-hf" | "--docker-repo"
            | "--model-url" | "--mmproj-url" => "may load another file",
            preset if preset.ends_with("-default") || preset.ends_with("b-spec") => "may serve another model",
            _ => return false,
        };
        self.unknown.push(format!("`{title}` {why}"));
        true
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

    /// True if layers of the model or its draft may be offloaded to a GPU. By default the engine offloads as many as
    /// fit (llama.cpp b11434, `common/common.h`).
    pub fn may_offload(&self, owner: Owner) -> bool {
        let [model, draft] = &self.gpu_layers;
        let layers = if owner == Owner::Draft { draft } else { model };
        layers.as_deref() != Some("0")
    }

    /// True if the backend samples the tokens of the model or its draft.
    pub(super) fn samples_in_backend(&self, owner: Owner) -> bool {
        let [model, draft] = self.backend_sampling;
        if owner == Owner::Draft { draft } else { model }
    }

    /// Why the memory of a type of speculation is not completely known, as a clause.
    pub(super) fn unknown_speculation(&self) -> Option<&'static str> {
        self.spec_types.iter().find_map(|kind| match &**kind {
            "draft-mtp" => Some("the separate context of the MTP layers is not counted"),
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
