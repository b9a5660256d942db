//! What a command line asks for, as far as it decides about memory. The line itself is read, so that it does not matter whether a
//! field of the registry, an option or the compiler wrote a word.

use crate::engine::dialect::{BATCH, UBATCH};
use crate::engine::{OptionRecord, Profile, Side};
use crate::facts::{F16, TensorType, tensor_types};

/// The program whose command lines are read.
const TOOL: &str = "llama-server";

/// What a command line asks for. Where it is silent, the engine's own default (llama.cpp b11434, `common/common.h`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line of its own")]
pub struct Asked {
    /// Tokens of all slots together (`--ctx-size`).
    pub context: u64,
    /// Requests at once; none where the engine chooses, which shares one cache among 4.
    pub slots: Option<u64>,
    /// Whether all slots share one cache.
    pub is_unified: bool,
    /// Tokens of a logical batch.
    pub batch: u64,
    /// Tokens of a physical batch.
    pub ubatch: u64,
    /// The type of keys in the cache.
    pub keys: &'static TensorType,
    /// The type of values in the cache.
    pub values: &'static TensorType,
    /// The same of the draft, keys and values.
    pub of_draft: [&'static TensorType; 2],
    /// What drafts (`--spec-type`).
    types: Vec<Box<str>>,
    lengths: Lengths,
    /// How many layers lie on a GPU where there is one, as written.
    gpu_layers: Option<Box<str>>,
    /// Whether attention is computed without its whole matrix of scores.
    pub flash_attention: bool,
    /// Whether windowed layers keep all tokens.
    pub full_window: bool,
    /// Whether weights are copied into layouts of the processor.
    pub repacks: bool,
    /// Whether files are mapped rather than read into memory of the process.
    pub maps: bool,
    /// Whether it answers with embeddings.
    pub embeds: bool,
    /// How embeddings are pooled, where it is said.
    pub pooling: Option<Box<str>>,
    /// Bytes of the prompt cache at the most; none where there is no bound.
    pub prompt_cache: Option<u64>,
    /// Context checkpoints of a slot at the most.
    pub checkpoints: u64,
    /// What it says besides that takes memory of a kind that is not known here: each as the end of a sentence.
    pub unknown: Vec<String>,
}

/// The most tokens that each type of speculation drafts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Lengths {
    draft: u64,
    simple: u64,
    map_k: u64,
    map_k4v: u64,
    modulo: u64,
}

/// The type of a cache that nothing is said of.
const PLAIN: &TensorType = &F16;

fn named(name: &str) -> Option<&'static TensorType> {
    tensor_types().iter().find(|known| known.name == name)
}

impl Asked {
    /// Reads the arguments of a server of that build.
    pub fn read<'a>(profile: &Profile, args: impl IntoIterator<Item = &'a str>) -> Self {
        let mut asked = Self {
            context: 0,
            slots: None,
            is_unified: false,
            batch: u64::from(BATCH),
            ubatch: u64::from(UBATCH),
            keys: PLAIN,
            values: PLAIN,
            of_draft: [PLAIN; 2],
            types: Vec::new(),
            lengths: Lengths { draft: 3, simple: 48, map_k: 48, map_k4v: 48, modulo: 64 },
            gpu_layers: None,
            flash_attention: profile.option(TOOL, "-fa").is_some_and(|option| option.arity() > 0),
            full_window: false,
            repacks: true,
            maps: true,
            embeds: false,
            pooling: None,
            // 8 GiB where the build has one (llama.cpp b11434, `common/common.h`).
            prompt_cache: Some(if profile.option(TOOL, "--cache-ram").is_some() { 8192 << 20 } else { 0 }),
            checkpoints: if profile.option(TOOL, "--ctx-checkpoints").is_some() { 32 } else { 0 },
            unknown: Vec::new(),
        };
        let mut words = args.into_iter();
        while let Some(word) = words.next() {
            let Some((option, _, side)) = profile.find(TOOL, word).filter(|_| word.starts_with('-')) else {
                continue;
            };
            let value = if option.arity() > 0 { words.next().unwrap_or_default() } else { "" };
            for _ in 1..option.arity() {
                words.next();
            }
            asked.take(option, side, value);
        }
        asked
    }

    fn take(&mut self, option: &OptionRecord, side: Side, value: &str) {
        let is = |name: &str| option.names.iter().chain(&option.negative).any(|known| known == name);
        let number = || value.parse::<u64>().unwrap_or(0);
        let kind = || named(value).unwrap_or(PLAIN);
        let is_on = side == Side::On;
        match () {
            () if is("--ctx-size") => self.context = number(),
            () if is("--parallel") => self.slots = value.parse().ok(),
            () if is("--kv-unified") => self.is_unified = is_on,
            () if is("--batch-size") => self.batch = number(),
            () if is("--ubatch-size") => self.ubatch = number(),
            () if is("--cache-type-k") => self.keys = kind(),
            () if is("--cache-type-v") => self.values = kind(),
            () if is("--cache-type-k-draft") => self.of_draft[0] = kind(),
            () if is("--cache-type-v-draft") => self.of_draft[1] = kind(),
            () if is("--spec-type") => self.types.extend(value.split(',').map(Into::into)),
            () if is("--draft-max") || is("--spec-draft-n-max") => self.lengths.draft = number(),
            () if is("--spec-ngram-simple-size-m") => self.lengths.simple = number(),
            () if is("--spec-ngram-map-k-size-m") => self.lengths.map_k = number(),
            () if is("--spec-ngram-map-k4v-size-m") => self.lengths.map_k4v = number(),
            () if is("--spec-ngram-mod-n-max") => self.lengths.modulo = number(),
            () if is("--flash-attn") => self.flash_attention = option.arity() == 0 || value != "off",
            () if is("--swa-full") => self.full_window = is_on,
            () if is("--repack") || is("--no-repack") => self.repacks = is_on,
            () if is("--mmap") || is("--no-mmap") => self.maps = is_on,
            () if is("--load-mode") => self.maps = !matches!(value, "none" | "mlock" | "dio"),
            () if is("--embeddings") || is("--embedding") => self.embeds = true,
            () if is("--pooling") => self.pooling = Some(value.into()),
            () if is("--cache-ram") => {
                self.prompt_cache = value.parse::<u64>().ok().map(|mib| mib.saturating_mul(1 << 20));
            }
            () if is("--ctx-checkpoints") => self.checkpoints = number(),
            () if is("--gpu-layers") || is("--n-gpu-layers") => self.gpu_layers = Some(value.into()),
            () => self.note(option.title()),
        }
    }

    /// Tokens that are drafted at the most in one step, 0 where nothing drafts (llama.cpp b11434, `common_speculative_n_max` of
    /// `common/speculative.cpp`).
    pub fn drafted(&self) -> u64 {
        let length = |kind: &str| match kind {
            "ngram-simple" => self.lengths.simple,
            "ngram-map-k" => self.lengths.map_k,
            "ngram-map-k4v" => self.lengths.map_k4v,
            "ngram-mod" => self.lengths.modulo,
            "ngram-cache" => 8,
            draft if draft.starts_with("draft-") => self.lengths.draft,
            _ => 0,
        };
        self.types.iter().map(|kind| length(kind)).max().unwrap_or(0)
    }

    fn note(&mut self, title: &str) {
        let why = match title {
            "--lora" | "--lora-scaled" => "an adapter is loaded besides",
            "--control-vector" | "--control-vector-scaled" => "a control vector is loaded besides",
            "--override-tensor" | "--device" | "--split-mode" | "--tensor-split" | "--rpc" => {
                "weights may lie elsewhere"
            }
            "--model-vocoder" => "a vocoder is loaded besides",
            _ => return,
        };
        self.unknown.push(format!("`{title}` is given, so {why}"));
    }

    /// Whether the draft predicts a block of tokens at once.
    pub fn predicts_blocks(&self) -> bool {
        self.types.iter().any(|kind| matches!(&**kind, "draft-dflash" | "draft-dspark"))
    }

    /// Tokens that a recurrent state can be rolled back by, where the architecture can (llama.cpp b11434, `src/llama-context.cpp`).
    pub fn rolled_back(&self) -> u64 {
        let kinds = ["draft-mtp", "draft-eagle3", "draft-dflash", "draft-dspark"];
        if self.types.iter().any(|kind| kinds.contains(&&**kind)) { self.lengths.draft } else { 0 }
    }

    /// Whether layers lie on a GPU where there is one: as many as fit, where nothing is said (llama.cpp b11434, `common/common.h`).
    pub fn may_offload(&self) -> bool {
        self.gpu_layers.as_deref() != Some("0")
    }

    /// Whether layers predict tokens by themselves.
    pub fn predicts(&self) -> bool {
        self.types.iter().any(|kind| &**kind == "draft-mtp")
    }
}
