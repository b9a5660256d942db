//! What a command line asks for, as far as it decides about memory. The line itself is read, so that it does not matter whether a
//! field of the registry, an option or the compiler wrote a word.

use super::Whose;
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
    /// Tokens of a physical batch of the draft; 0 for as many as the target's.
    pub draft_ubatch: u64,
    /// What drafts (`--spec-type`).
    types: Vec<Box<str>>,
    lengths: Lengths,
    /// How many layers lie on a GPU where there is one, as written; of the model and of the draft.
    gpu_layers: [Option<Box<str>>; 2],
    /// Whether tokens are chosen where logits are computed; of the model and of the draft.
    samples: [bool; 2],
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

/// What a variable of the environment stands for (llama.cpp b11434, `common/arg.cpp`): an option and its value; a switch where it
/// says so, and off where `NO_` stands in its name. None where it says nothing.
fn variable<'p, 'v>(
    profile: &'p Profile,
    name: &str,
    value: &'v str,
) -> Option<(&'p OptionRecord, Side, &'v str)> {
    let option = profile.variable(name).filter(|option| profile.takes(TOOL, option))?;
    if option.arity() > 0 {
        return Some((option, Side::On, value));
    }
    let is_off = option.env.as_deref() != Some(name);
    let is_true = matches!(value, "on" | "enabled" | "true" | "1");
    match (is_off, is_true) {
        (true, _) => Some((option, Side::Off, "")),
        (false, true) => Some((option, Side::On, "")),
        (false, false) => (!option.negative.is_empty()).then_some((option, Side::Off, "")),
    }
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
    /// Reads the environment and the arguments of a server of that build, which go before it.
    pub fn read<'a>(
        profile: &Profile,
        env: &[(&str, &str)],
        args: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut asked = Self {
            context: 0,
            slots: None,
            is_unified: false,
            batch: u64::from(BATCH),
            ubatch: u64::from(UBATCH),
            keys: PLAIN,
            values: PLAIN,
            of_draft: [PLAIN; 2],
            draft_ubatch: 0,
            types: Vec::new(),
            lengths: Lengths { draft: 3, simple: 48, map_k: 48, map_k4v: 48, modulo: 64 },
            gpu_layers: [None, None],
            // A draft does so unless it is told not to (llama.cpp b11434, `common/common.h`).
            samples: [false, profile.option(TOOL, "--spec-draft-backend-sampling").is_some()],
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
        for (name, value) in env {
            if let Some((option, side, value)) = variable(profile, name, value) {
                asked.take(option, side, value);
            }
        }
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

    /// Whether an option decides about memory, as far as is known here.
    pub fn heeds(profile: &Profile, option: &OptionRecord) -> bool {
        let mut untouched = Self::read(profile, &[], []);
        untouched.take(option, Side::On, "1")
    }

    /// Takes an option; says whether it decides about memory.
    fn take(&mut self, option: &OptionRecord, side: Side, value: &str) -> bool {
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
            // It stands for that type (llama.cpp b11434, `common/arg.cpp`).
            () if is("--spec-default") => self.types.push("ngram-mod".into()),
            () if is("--backend-sampling") => self.samples[0] = is_on,
            () if is("--spec-draft-backend-sampling") => self.samples[1] = is_on,
            () if is("--draft-max") || is("--spec-draft-n-max") => self.lengths.draft = number(),
            () if is("--spec-ngram-simple-size-m") => self.lengths.simple = number(),
            () if is("--spec-ngram-map-k-size-m") => self.lengths.map_k = number(),
            () if is("--spec-ngram-map-k4v-size-m") => self.lengths.map_k4v = number(),
            () if is("--spec-ngram-size-m") => {
                let length = number();
                (self.lengths.simple, self.lengths.map_k, self.lengths.map_k4v) = (length, length, length);
            }
            () if is("--spec-draft-n-ubatch") => self.draft_ubatch = number(),
            () if is("--ctx-size-draft") => {}
            () if is("--spec-ngram-mod-n-max") => self.lengths.modulo = number(),
            () if is("--flash-attn") => self.flash_attention = option.arity() == 0 || value != "off",
            () if is("--swa-full") => self.full_window = is_on,
            () if is("--repack") || is("--no-repack") => self.repacks = is_on,
            () if is("--mmap") || is("--no-mmap") => self.maps = is_on,
            () if is("--load-mode") => self.maps = !matches!(value, "none" | "mlock" | "dio"),
            () if is("--embeddings") || is("--embedding") => self.embeds = true,
            () if is("--rerank") || is("--reranking") => {
                (self.embeds, self.pooling) = (true, Some("rank".into()));
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
            () => return self.note(option.title()),
        }
        true
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

    fn note(&mut self, title: &str) -> bool {
        let why = match title {
            "--lora" | "--lora-scaled" | "--lora-init-without-apply" => "an adapter is loaded besides",
            "--control-vector" | "--control-vector-scaled" => "a control vector is loaded besides",
            "--override-tensor"
            | "--override-tensor-draft"
            | "--spec-draft-override-tensor"
            | "--device"
            | "--device-draft"
            | "--spec-draft-device"
            | "--split-mode"
            | "--tensor-split"
            | "--main-gpu"
            | "--rpc" => "weights may lie elsewhere",
            "--model-vocoder" => "a vocoder is loaded besides",
            "--lookup-cache-static" | "--lookup-cache-dynamic" => "a table of n-grams is loaded besides",
            "--direct-io" | "--lazy-mode" | "--moe-cache-mib" => "which weights are mapped is not known",
            "--kv-unified-per-slot" => "how large its cache is is not known",
            "--sleep-idle-seconds" => "it lets go of its memory at times",
            "--models-dir" | "--models-preset" | "--models-max" => "it serves other models besides",
            "--hf-repo" | "--hf-file" | "--hf-repo-draft" | "--spec-draft-hf" | "--docker-repo"
            | "--model-url" | "--mmproj-url" => "another file may be loaded",
            preset if preset.ends_with("-default") || preset.ends_with("b-spec") => {
                "another model may be served"
            }
            _ => return false,
        };
        self.unknown.push(format!("`{title}` is given, so {why}"));
        true
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

    /// Whether layers of the model, or of its draft, lie on a GPU where there is one: as many as fit, where nothing is said (llama.cpp
    /// b11434, `common/common.h`).
    pub fn may_offload(&self, of: Whose) -> bool {
        let [own, of_draft] = &self.gpu_layers;
        let layers = if of == Whose::Draft { of_draft } else { own };
        layers.as_deref() != Some("0")
    }

    /// Whether tokens are chosen where logits are computed, by the model or by its draft.
    pub(super) fn samples(&self, of: Whose) -> bool {
        let [own, of_draft] = self.samples;
        if of == Whose::Draft { of_draft } else { own }
    }

    /// What types of speculation keep besides: each as the end of a sentence.
    pub(super) fn speculation(&self) -> Option<&'static str> {
        self.types.iter().find_map(|kind| match &**kind {
            "draft-mtp" => {
                Some("layers that predict tokens have a context of their own, which is not counted")
            }
            "draft-eagle3" | "draft-dflash" | "draft-dspark" => {
                Some("what the draft reads of the layers of its target is not counted")
            }
            _ => None,
        })
    }

    /// Whether a table of n-grams is kept, which has a fixed size (`ngram-mod`).
    pub(super) fn hashes_ngrams(&self) -> bool {
        self.types.iter().any(|kind| &**kind == "ngram-mod")
    }

    /// Whether layers predict tokens by themselves.
    pub fn predicts(&self) -> bool {
        self.types.iter().any(|kind| &**kind == "draft-mtp")
    }
}
