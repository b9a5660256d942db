//! The rows of the table of options.

use super::row::row;
use super::{CACHE_RAM, CTX_CHECKPOINTS, Exposure, Given, Idle, MemoryOptions, Numbers, OptionRow, PathForm};
use super::{Refusal, Unit};

/// The first builds for which bounds are known: read in the source of b11434, tested with the program of b11669.
const B11434: u32 = 11434;
const B11669: u32 = 11669;
/// The maximum number of layers of a model (llama.cpp b11434, `LLAMA_MAX_LAYERS`). The engine writes a line for each
/// layer, so with many millions it never finishes.
const LAYERS: Numbers = Numbers::Whole(0, 512, B11434);
/// The largest whole number that the engine parses.
pub const MAX_INT: i64 = i32::MAX as i64;
const FROM_ZERO: Numbers = Numbers::Whole(0, MAX_INT, B11669);
const NGRAM: Numbers = Numbers::Whole(1, 1024, B11434);
const HITS: Numbers = Numbers::Whole(1, 65535, B11434);

const NGRAM_CACHE: Idle = Idle::WithoutType("ngram-cache");
const NGRAM_SIMPLE: Idle = Idle::WithoutType("ngram-simple");
const NGRAM_MAP_K: Idle = Idle::WithoutType("ngram-map-k");
const NGRAM_MAP_K4V: Idle = Idle::WithoutType("ngram-map-k4v");
const NGRAM_MOD: Idle = Idle::WithoutType("ngram-mod");
const WITHOUT_THREADS_BATCH: Idle = Idle::Without("threads-batch");

const COMMON_H: &str = "llama.cpp b11434, `common/common.h`";
const CACHES: &str = "llama.cpp from March 2026 to b12032, and `ik_llama.cpp` 8337e4cd3: `common/common.h`";

const MOVES_WEIGHTS: &str = "may move weights to other devices";
const LOADS_FILE: &str = "may load another file";
const LOADS_VECTOR: &str = "loads a control vector of unknown size";
const LOADS_TABLE: &str = "loads an n-gram table of unknown size";
const CHANGES_MAPPING: &str = "changes which weights are mapped";
const SERVES_OTHERS: &str = "serves other models too";

fn add_adapters(options: &mut MemoryOptions, given: Given<'_>) {
    options
        .adapters
        .extend(given.row.path.into_iter().flat_map(|used| used.paths(given.value)).map(Into::into));
}

fn moves_weights(options: &mut MemoryOptions, given: Given<'_>) {
    options.placement.unknown.push(format!("`{}` {MOVES_WEIGHTS}", given.title));
}

/// The same for an option that also moves weights without a list of devices.
fn moves_any_weights(options: &mut MemoryOptions, given: Given<'_>) {
    options.unknown.push(format!("`{}` {MOVES_WEIGHTS}", given.title));
    moves_weights(options, given);
}

/// The row of options that select a predefined model.
pub static PRESET: OptionRow =
    row(&[]).refused(Refusal::SelectsModel).memory_unknown("may serve another model");

/// All rows, by subject.
pub static ROWS: &[OptionRow] = &[
    // Files of the model.
    row(&["model", "m"]).owner("model"),
    row(&["model-url", "mu"]).owner("model").memory_unknown(LOADS_FILE),
    row(&["hf-repo", "hfr", "hf"]).owner("model").memory_unknown(LOADS_FILE),
    row(&["hf-file", "hff"]).owner("model").memory_unknown(LOADS_FILE),
    row(&["docker-repo", "dr"]).owner("model").memory_unknown(LOADS_FILE),
    row(&["hf-token", "hft"]).secret(),
    row(&["models-dir"]).owner("model").memory_unknown(SERVES_OTHERS),
    row(&["models-preset"]).owner("model").memory_unknown(SERVES_OTHERS),
    row(&["models-max"]).memory_unknown(SERVES_OTHERS),
    row(&["mmproj", "mm"]).owner("projector"),
    row(&["mmproj-url", "mmu"]).owner("projector").memory_unknown(LOADS_FILE),
    row(&["override-kv"]).owner("override"),
    row(&["lora"]).owner("lora").reads_list(PathForm::List).memory(add_adapters),
    row(&["lora-scaled"]).owner("lora").reads_list(PathForm::ScaledList).memory(add_adapters),
    row(&["lora-init-without-apply"]).idle(Idle::Without("lora")),
    row(&["control-vector"]).reads_list(PathForm::List).memory_unknown(LOADS_VECTOR),
    row(&["control-vector-scaled"]).reads_list(PathForm::ScaledList).memory_unknown(LOADS_VECTOR),
    row(&["model-vocoder"]).reads().memory_unknown("loads a vocoder of unknown size"),
    // Context and batches.
    row(&["ctx-size", "c"]).owner("context").memory(|m, given| m.context = given.number()),
    row(&["fit"]).owner("context").memory(|m, given| {
        (m.fits, m.placement.never_fits) = (given.value == "on", given.value == "off");
    }),
    row(&["fit-ctx", "fitc"])
        .part("context", "least")
        .memory(|m, given| m.least_context = given.number())
        .default("4096", "llama.cpp from March 2026 to b12032: `common/common.h`"),
    row(&["fit-target", "fitt"]).idle(Idle::WithoutFit),
    row(&["parallel", "np"]).owner("slots").memory(|m, given| m.slots = given.value.parse().ok()),
    row(&["kv-unified", "kvu"]).owner("slots").memory(|m, given| m.kv_unified = given.is_on),
    // Limits the context of each slot, also without a unified cache (seen with llama-server b11669).
    row(&["kv-unified-per-slot"]).owner("context").memory_unknown("changes the size of the KV cache"),
    row(&["batch-size", "b"])
        .owner("batch")
        .memory(|m, given| m.batch = given.number())
        .default("2048", "`--help` of all builds from March 2026 to b11434"),
    row(&["ubatch-size"])
        .memory(|m, given| m.ubatch = given.number())
        .default("512", "`--help` of all builds from March 2026 to b11434"),
    row(&["embeddings", "embedding"]).owner("pooling").memory(|m, _| m.embeddings = true),
    row(&["pooling"]).owner("pooling").memory(|m, given| m.pooling = Some(given.value.into())),
    row(&["reranking", "rerank"]).owner("pooling").memory(|m, _| {
        (m.embeddings, m.pooling) = (true, Some("rank".into()));
    }),
    row(&["sleep-idle-seconds"])
        // Sums count the model as loaded.
        .numbers(Numbers::WholeOrNever(1, MAX_INT, B11434)),
    // Caches.
    row(&["cache-type-k", "ctk"])
        .set_by_part(("cache-type", "k"), &["-ctk", "--cache-type-k"])
        .memory(|m, given| m.cache_type_k = given.cache_type())
        .default("f16", COMMON_H),
    row(&["cache-type-v", "ctv"])
        .set_by_part(("cache-type", "v"), &["-ctv", "--cache-type-v"])
        .memory(|m, given| m.cache_type_v = given.cache_type())
        .default("f16", COMMON_H),
    row(&["flash-attn", "fa"]).set_by("flash-attention", &["-fa", "--flash-attn"], Unit::Same).memory(
        |m, given| {
            (m.flash_attention, m.auto_flash_attention) = (given.value != "off", given.value != "on");
        },
    ),
    row(&["cache-ram", "cram"])
        .set_by("prompt-cache", CACHE_RAM, Unit::Mebibytes)
        .memory(|m, given| {
            (m.prompt_cache, m.prompt_cache_is_default) = (given.mebibytes(), given.is_default);
        })
        .default_if_known("8192", CACHES),
    row(&["ctx-checkpoints", "ctxcp", "swa-checkpoints", "ctx-ckpt"])
        .set_by("checkpoints", CTX_CHECKPOINTS, Unit::Same)
        .memory(|m, given| (m.checkpoints, m.checkpoints_are_default) = (given.number(), given.is_default))
        .default_if_known("32", CACHES),
    row(&["checkpoint-min-step"]).numbers(FROM_ZERO),
    row(&["swa-full"]).memory(|m, given| m.swa_full = given.is_on),
    row(&["cache-idle-slots"]).idle(Idle::WithoutPromptCache),
    row(&["cache-reuse"]).idle(Idle::WithProjector),
    row(&["context-shift"]).idle(Idle::WithProjector),
    row(&["slot-save-path"]).writes_folder(),
    row(&["slot-prompt-similarity"]).numbers(Numbers::Fraction),
    row(&["defrag-thold"]).numbers(Numbers::Fraction),
    // Weights in memory and on devices.
    row(&["mlock"]).part("placement", "lock").memory(|m, given| m.placement.locks = given.is_on),
    row(&["numa"]).part("placement", "numa").places_threads(),
    row(&["repack", "no-repack"]).memory(|m, given| m.repack = given.is_on).default("", COMMON_H),
    row(&["mmap", "no-mmap"]).memory(|m, given| m.mmap = given.is_on).default("", COMMON_H),
    row(&["load-mode"]).memory(|m, given| {
        m.mmap = !matches!(given.value, "none" | "mlock" | "dio");
        m.placement.locks = given.value == "mmap+mlock";
    }),
    row(&["direct-io"]).memory_unknown(CHANGES_MAPPING),
    row(&["lazy-mode"]).memory_unknown(CHANGES_MAPPING),
    row(&["gpu-layers", "n-gpu-layers", "ngl"])
        .part("placement", "layers")
        .memory(|m, given| m.placement.gpu_layers[0] = Some(given.value.into())),
    row(&["device", "dev"])
        .part("placement", "gpu")
        .memory(|m, given| m.placement.devices[0] = Some(given.value.into())),
    row(&["split-mode", "sm"])
        .part("placement", "split-mode")
        .memory(|m, given| m.placement.split_mode = Some(given.value.into())),
    row(&["tensor-split", "ts"])
        .part("placement", "split")
        .memory(|m, given| m.placement.tensor_split = Some(given.value.into())),
    row(&["main-gpu", "mg"])
        .part("placement", "gpu")
        .memory(|m, given| m.placement.main_gpu = Some(given.value.into())),
    row(&["override-tensor"]).memory(moves_any_weights),
    row(&["rpc"]).exposes(Exposure::Connects).memory_unknown(MOVES_WEIGHTS),
    row(&["cpu-moe", "cmoe"])
        .part("placement", "cpu-experts")
        .memory(|m, _| m.placement.host_experts[0] = u64::MAX),
    row(&["n-cpu-moe", "ncmoe"])
        .part("placement", "cpu-experts")
        .numbers(LAYERS)
        .memory(|m, given| m.placement.add_host_experts(0, given.number())),
    row(&["n-cpu-ffn"]).numbers(LAYERS).memory(moves_weights),
    row(&["moe-cache-mib"]).numbers(FROM_ZERO).idle(Idle::WithDenseModel).memory(moves_weights),
    row(&["kv-offload", "kvo", "no-kv-offload", "nkvo"])
        .part("placement", "kv")
        .memory(|m, given| m.placement.cache_on_host = !given.is_on),
    row(&["op-offload", "no-op-offload"]).memory(|m, given| m.placement.no_op_offload = !given.is_on),
    row(&["no-host"]).memory(|m, given| m.placement.no_host = given.is_on),
    row(&["mmproj-offload", "no-mmproj-offload"])
        .part("projector", "gpu")
        .memory(|m, given| m.placement.projector_on_host = !given.is_on),
    row(&["mmproj-device"]).part("projector", "gpu").memory(|m, given| {
        // `none` means the host (`--help` of b11669).
        m.placement.projector_on_host = given.value == "none";
        m.placement.projector_device = (given.value != "none").then(|| given.value.into());
    }),
    // Threads.
    row(&["threads", "t"]).part("placement", "threads"),
    row(&["threads-batch", "tb"]).set_by("threads-batch", &["-tb", "--threads-batch"], Unit::Same),
    row(&["prio"]).numbers(Numbers::Whole(-1, 3, B11434)).places_threads(),
    row(&["prio-batch"]).numbers(Numbers::Whole(0, 3, B11434)).places_threads().idle(WITHOUT_THREADS_BATCH),
    row(&["cpu-mask", "C", "cpu-range", "Cr"]).places_threads(),
    row(&["cpu-mask-batch", "Cb"]).places_threads().idle(WITHOUT_THREADS_BATCH),
    row(&["cpu-range-batch", "Crb"]).places_threads().idle(WITHOUT_THREADS_BATCH),
    row(&["cpu-strict-batch", "poll-batch"]).idle(WITHOUT_THREADS_BATCH),
    // Drafts.
    row(&["spec-draft-model", "model-draft", "md"]).owner("draft"),
    row(&["spec-draft-hf", "hf-repo-draft", "hfrd", "hfd"]).owner("draft").memory_unknown(LOADS_FILE),
    row(&["spec-draft-n-max", "draft-max"])
        .part("draft", "max")
        .memory(|m, given| m.draft_lengths.draft = given.number())
        .default("3", "`--help` since b10434"),
    row(&["spec-draft-n-min", "draft-n-min", "draft-min"]).part("draft", "min"),
    row(&["spec-draft-p-min", "draft-p-min"]).part("draft", "p-min").numbers(Numbers::Fraction),
    row(&["spec-draft-p-split", "draft-p-split"]).numbers(Numbers::Fraction),
    row(&["ctx-size-draft", "cd"]).owner("context").memory(|_, _| {}),
    row(&["spec-draft-n-ubatch"]).numbers(FROM_ZERO).memory(|m, given| m.draft_ubatch = given.number()),
    row(&["cache-type-k-draft"])
        .memory(|m, given| m.draft_cache_types[0] = given.cache_type())
        .default("f16", COMMON_H),
    row(&["cache-type-v-draft"])
        .memory(|m, given| m.draft_cache_types[1] = given.cache_type())
        .default("f16", COMMON_H),
    row(&["gpu-layers-draft", "n-gpu-layers-draft", "spec-draft-ngl", "ngld"])
        .part("draft", "layers")
        .memory(|m, given| m.placement.gpu_layers[1] = Some(given.value.into())),
    row(&["cpu-moe-draft", "spec-draft-cpu-moe", "cmoed"])
        .part("draft", "cpu-experts")
        .memory(|m, _| m.placement.host_experts[1] = u64::MAX),
    row(&["n-cpu-moe-draft", "spec-draft-n-cpu-moe", "ncmoed"])
        .part("draft", "cpu-experts")
        .numbers(LAYERS)
        .memory(|m, given| m.placement.add_host_experts(1, given.number())),
    row(&["override-tensor-draft", "spec-draft-override-tensor"]).memory(moves_any_weights),
    row(&["device-draft", "spec-draft-device", "devd"])
        .part("draft", "gpu")
        .memory(|m, given| m.placement.devices[1] = Some(given.value.into())),
    row(&["spec-draft-cpu-mask", "spec-draft-cpu-mask-batch"]).idle(Idle::Always),
    row(&["spec-draft-cpu-range", "spec-draft-cpu-range-batch"]).idle(Idle::Always),
    row(&["spec-draft-cpu-strict", "spec-draft-cpu-strict-batch"]).idle(Idle::Always),
    row(&["spec-draft-poll", "spec-draft-poll-batch"]).idle(Idle::Always),
    row(&["spec-draft-prio", "spec-draft-prio-batch"])
        .numbers(Numbers::Whole(0, 3, B11669))
        .idle(Idle::Always),
    row(&["spec-draft-backend-sampling"])
        .memory(|m, given| m.backend_sampling[1] = given.is_on)
        .default_if_known("", COMMON_H),
    row(&["backend-sampling"]).memory(|m, given| m.backend_sampling[0] = given.is_on),
    // Speculation.
    row(&["spec-type"]).memory(|m, given| m.spec_types.extend(given.value.split(',').map(Into::into))),
    // A shorthand for `--spec-type ngram-mod`.
    row(&["spec-default"]).memory(|m, _| m.spec_types.push("ngram-mod".into())),
    row(&["spec-synth-len"]).numbers(Numbers::FractionFromZero),
    row(&["lookup-ngram-min"]).owner("lookup"),
    row(&["lookup-cache-static"]).idle(NGRAM_CACHE).reads().memory_unknown(LOADS_TABLE),
    row(&["lookup-cache-dynamic"]).idle(NGRAM_CACHE).writes().memory_unknown(LOADS_TABLE),
    row(&["spec-ngram-size-m"]).memory(|m, given| {
        let length = given.number();
        (m.draft_lengths.simple, m.draft_lengths.map_k, m.draft_lengths.map_k4v) = (length, length, length);
    }),
    row(&["spec-ngram-simple-size-m"])
        .idle(NGRAM_SIMPLE)
        .numbers(NGRAM)
        .memory(|m, given| m.draft_lengths.simple = given.number())
        .default("48", COMMON_H),
    row(&["spec-ngram-simple-size-n"]).idle(NGRAM_SIMPLE).numbers(NGRAM),
    row(&["spec-ngram-simple-min-hits"]).idle(NGRAM_SIMPLE).numbers(HITS),
    row(&["spec-ngram-map-k-size-m"])
        .idle(NGRAM_MAP_K)
        .numbers(NGRAM)
        .memory(|m, given| m.draft_lengths.map_k = given.number())
        .default("48", COMMON_H),
    row(&["spec-ngram-map-k-size-n"]).idle(NGRAM_MAP_K).numbers(NGRAM),
    row(&["spec-ngram-map-k-min-hits"]).idle(NGRAM_MAP_K).numbers(HITS),
    row(&["spec-ngram-map-k4v-size-m"])
        .idle(NGRAM_MAP_K4V)
        .numbers(NGRAM)
        .memory(|m, given| m.draft_lengths.map_k4v = given.number())
        .default("48", COMMON_H),
    row(&["spec-ngram-map-k4v-size-n"]).idle(NGRAM_MAP_K4V).numbers(NGRAM),
    row(&["spec-ngram-map-k4v-min-hits"]).idle(NGRAM_MAP_K4V).numbers(HITS),
    row(&["spec-ngram-mod-n-match"]).idle(NGRAM_MOD).numbers(NGRAM),
    row(&["spec-ngram-mod-n-min"]).idle(NGRAM_MOD).numbers(Numbers::Whole(0, 1024, B11434)),
    row(&["spec-ngram-mod-n-max"])
        .idle(NGRAM_MOD)
        .numbers(Numbers::Whole(0, 1024, B11434))
        .memory(|m, given| m.draft_lengths.modulo = given.number())
        .default("64", COMMON_H),
    // Network and clients.
    row(&["host"]).owner("listen"),
    row(&["port", "reuse-port"]).owner("port"),
    row(&["alias", "a"]).owner("alias"),
    row(&["api-key"]).owner("key-file").exposes(Exposure::Keys).secret(),
    row(&["api-key-file"]).owner("key-file").exposes(Exposure::Keys),
    row(&["api-prefix"]).refused(Refusal::HidesHealth),
    row(&["ssl-cert-file", "ssl-key-file"]).refused(Refusal::HidesHealth),
    row(&["cors-credentials"]).exposes(Exposure::Browsers),
    row(&["connect"]).exposes(Exposure::Tunnel),
    row(&["connect-code"]).idle(Idle::Without("connect")).secret(),
    row(&["tools", "agent", "ag"]).exposes(Exposure::RunsTools),
    row(&["mcp-servers-json"]).exposes(Exposure::RunsTools),
    row(&["mcp-servers-config"]).exposes(Exposure::RunsTools).reads(),
    row(&["ui-mcp-proxy", "webui-mcp-proxy"]).exposes(Exposure::RunsTools),
    row(&["path", "media-path"]).exposes(Exposure::ServesFiles).reads_folder(),
    // Further files.
    row(&["chat-template-file"]).owner("template").reads(),
    row(&["grammar-file", "json-schema-file"]).reads(),
    row(&["ui-config-file", "webui-config-file"]).reads(),
    row(&["video-ffmpeg-dir"]).reads_folder(),
    row(&["log-file"]).writes(),
    row(&["log-prompts-dir"]).writes_folder(),
    // Options of `ik_llama.cpp`: `common/common.cpp` of 8337e4cd3.
    row(&["banned-string-file", "expiring-logit-bias-file", "system-prompt-file"]).reads(),
    row(&["sqlite-zstd-ext-file"]).reads(),
    row(&["sql-save-file"]).writes(),
    row(&["logdir"]).writes_folder(),
    row(&["dry-run"]).refused(Refusal::SkipsWeights),
    // Programs that print something and exit.
    row(&["help", "version", "license", "cache-list", "completion-bash", "list-devices"])
        .refused(Refusal::PrintsAndExits),
    // Other values.
    row(&["chat-template-kwargs"]).object(),
    row(&["reasoning-budget"]).numbers(Numbers::Whole(-1, MAX_INT, B11669)),
    row(&["repeat-last-n", "dry-penalty-last-n"]).numbers(FROM_ZERO),
    row(&["repeat-penalty"]).numbers(Numbers::FractionAboveZero(B11669)),
    row(&["adaptive-decay", "adaptive-target", "dry-base", "dry-multiplier"]).numbers(Numbers::Fraction),
    row(&["dynatemp-exp", "dynatemp-range"]).numbers(Numbers::Fraction),
    row(&["frequency-penalty", "presence-penalty"]).numbers(Numbers::Fraction),
    row(&["min-p", "top-p", "typical", "typical-p"]).numbers(Numbers::Fraction),
    row(&["mirostat-ent", "mirostat-lr"]).numbers(Numbers::Fraction),
    row(&["rope-freq-base", "rope-freq-scale", "rope-scale"]).numbers(Numbers::Fraction),
    row(&["temp", "temperature", "top-n-sigma", "top-nsigma"]).numbers(Numbers::Fraction),
    row(&["video-fps", "xtc-probability", "xtc-threshold"]).numbers(Numbers::Fraction),
    row(&["yarn-attn-factor", "yarn-beta-fast", "yarn-beta-slow", "yarn-ext-factor"])
        .numbers(Numbers::Fraction),
];
