//! The command line of a server.

use std::borrow::Cow;

use super::argv::Argv;
use super::speculation::speculate;
use super::{FlashAttention, Intent, Lowered, Numa, Serve};
use super::{combined, options};
use crate::engine::{OptionRecord, Profile};

/// Tokens of a logical batch where the registry names none: the engine's default, the same in all five builds.
pub const BATCH: u32 = 2048;
/// Tokens of a physical batch: the engine's default, the same in all five builds.
pub const UBATCH: u32 = 512;
/// Context checkpoints of a slot. Each holds the whole recurrent state or sliding window; the engine keeps 32 of them
/// (llama.cpp b11434), and without any a hybrid model reads a conversation anew at every turn.
pub const CHECKPOINTS: u32 = 4;
/// The most slots that an engine has (llama.cpp b11434, `LLAMA_MAX_SEQ`).
const SLOTS: u32 = 256;
/// The program.
const TOOL: &str = "llama-server";

impl Serve<'_> {
    /// The tokens that all slots have together: what the engine is told, before it rounds each slot up to 256.
    pub fn total_context(&self) -> u64 {
        u64::from(self.context) * u64::from(self.slots)
    }

    /// The physical batch, which the compute buffers are made for. An embedder takes a whole request at once (llama.cpp b11434,
    /// `tools/server/server-context.cpp`), and aborts at its start where it pools by mean and the slots do not divide the batch:
    /// its graph is made for the next multiple (b11669, `graph_reserve` of `src/llama-context.cpp`).
    pub fn physical_batch(&self) -> u32 {
        if self.is_embedder {
            let least = self.batch.unwrap_or(0).max(self.context).max(self.slots);
            least.checked_next_multiple_of(self.slots).unwrap_or(least)
        } else {
            UBATCH.min(self.batch.unwrap_or(BATCH))
        }
    }
}

pub(super) fn lower(profile: &Profile, wanted: &Serve<'_>) -> Lowered {
    let mut argv = Argv::new(profile, TOOL);
    if !profile.has_tool(TOOL) {
        argv.cannot(Intent::Tool, format!("{} does not list {TOOL}", argv.build()));
        return argv.finish();
    }
    let said = options::read(&mut argv, wanted.options);
    combined::judge(&mut argv, wanted, &said);
    files(&mut argv, wanted);
    sizes(&mut argv, wanted);
    memory(&mut argv, wanted);
    network(&mut argv, wanted);
    pins(&mut argv, wanted, &options::records(&said));
    options::write(&mut argv, said);
    argv.finish()
}

fn files(argv: &mut Argv<'_>, wanted: &Serve<'_>) {
    argv.report((Intent::Model, "model"), &["-m", "--model"], wanted.model.to_owned());
    if let Some(projector) = wanted.projector {
        argv.report((Intent::Projector, "projector"), &["--mmproj"], projector.to_owned());
    }
    speculate(argv, wanted.draft.as_ref(), wanted.lookup);
    argv.overrides(wanted.experts, wanted.overrides);
}

fn sizes(argv: &mut Argv<'_>, wanted: &Serve<'_>) {
    let total = wanted.total_context();
    if i32::try_from(total).is_err() {
        argv.cannot(
            Intent::Context,
            format!("{total} tokens for all slots are more than the engine can count"),
        );
    }
    if !(1..=SLOTS).contains(&wanted.slots) {
        argv.cannot(
            Intent::Slots,
            format!("{} requests at once; the engine has 1 to {SLOTS} slots", wanted.slots),
        );
    }
    argv.report((Intent::Context, "context"), &["-c", "--ctx-size"], total.to_string());
    argv.report((Intent::Slots, "slots"), &["-np", "--parallel"], wanted.slots.to_string());
    if wanted.is_embedder {
        let batch = wanted.physical_batch().to_string();
        argv.report((Intent::Batch, "context"), &["-b", "--batch-size"], batch.clone());
        argv.report((Intent::Batch, "context"), &["-ub", "--ubatch-size"], batch);
        argv.set((Intent::Embeddings, "pooling"), &["--embeddings", "--embedding"]);
    } else if let Some(batch) = wanted.batch {
        if batch < wanted.slots {
            let slots = wanted.slots;
            argv.cannot(
                Intent::Batch,
                format!("a batch of {batch} tokens is less than one for each of {slots} slots"),
            );
        }
        argv.report((Intent::Batch, "batch"), &["-b", "--batch-size"], batch.to_string());
    }
    if let Some(pooling) = wanted.pooling {
        argv.report((Intent::Pooling, "pooling"), &["--pooling"], pooling.to_owned());
        if pooling == "rank" {
            // Without it the endpoint answers 501, whatever the pooling.
            argv.set((Intent::Pooling, "pooling"), &["--rerank", "--reranking"]);
        }
    }
    if let Some(threads) = wanted.threads {
        argv.report((Intent::Threads, "placement"), &["-t", "--threads"], threads.to_string());
    }
}

fn memory(argv: &mut Argv<'_>, wanted: &Serve<'_>) {
    if wanted.lock {
        lock(argv);
    }
    if let Some(kind) = wanted.cache_type {
        let quantized = !matches!(kind, "f32" | "f16" | "bf16");
        if quantized && wanted.flash_attention == Some(FlashAttention::Off) {
            argv.cannot(
                Intent::CacheType,
                format!("a cache of `{kind}` needs flash attention, which is off"),
            );
        }
        argv.report((Intent::CacheType, "cache-type"), &["-ctk", "--cache-type-k"], kind.to_owned());
        argv.report((Intent::CacheType, "cache-type"), &["-ctv", "--cache-type-v"], kind.to_owned());
    }
    if let Some(wish) = wanted.flash_attention {
        flash_attention(argv, wish);
    }
    if let Some(size) = wanted.prompt_cache_mib {
        argv.report((Intent::PromptCache, "prompt-cache"), &["--cache-ram", "-cram"], size.to_string());
    }
}

/// Locked memory: the file stays mapped and its pages are locked. Repacked copies are never locked (llama.cpp b11434,
/// `src/llama-model.cpp`), so they must not be made.
fn lock(argv: &mut Argv<'_>) {
    let modes = argv.known(&["--load-mode"]).is_some_and(|(_, option)| option.lists("mmap+mlock"));
    if modes {
        argv.report((Intent::Lock, "placement"), &["--load-mode"], "mmap+mlock");
    } else {
        argv.set((Intent::Lock, "placement"), &["--mlock"]);
    }
    if argv.known(&["--no-repack"]).is_some() {
        argv.set((Intent::Lock, "placement"), &["--no-repack"]);
    }
}

fn flash_attention(argv: &mut Argv<'_>, wish: FlashAttention) {
    let word = match wish {
        FlashAttention::On => "on",
        FlashAttention::Off => "off",
        FlashAttention::Auto => "auto",
    };
    let field = (Intent::FlashAttention, "flash-attention");
    let switch = argv.known(&["-fa"]).is_some_and(|(_, option)| option.arity() == 0);
    match (switch, wish) {
        (false, _) => {
            argv.report(field, &["-fa", "--flash-attn"], word);
        }
        (true, FlashAttention::On) => argv.set(field, &["-fa", "--flash-attn"]),
        // Where it is a switch it is off by default (builds before September 2025).
        (true, FlashAttention::Off) => {}
        (true, FlashAttention::Auto) => {
            let why = format!("`-fa` of {} is a switch, on or off", argv.build());
            argv.cannot(Intent::FlashAttention, why);
        }
    }
}

fn network(argv: &mut Argv<'_>, wanted: &Serve<'_>) {
    let several = argv.known(&["--host"]).is_some_and(|(_, option)| option.takes_several());
    if wanted.hosts.len() > 1 && !several {
        let why = format!("`--host` of {} takes one address", argv.build());
        argv.cannot(Intent::Listen, why);
    }
    let hosts = if wanted.hosts.is_empty() { "127.0.0.1".to_owned() } else { wanted.hosts.join(",") };
    argv.report((Intent::Listen, "listen"), &["--host"], hosts);
    if wanted.port == 0 {
        argv.cannot(Intent::Port, "port 0 is any port".to_owned());
    }
    argv.report((Intent::Port, "port"), &["--port"], wanted.port.to_string());
    if let Some(file) = wanted.key_file {
        argv.report((Intent::KeyFile, "key-file"), &["--api-key-file"], file.to_owned());
    }
    if wanted.metrics {
        argv.set((Intent::Metrics, "metrics"), &["--metrics"]);
    }
}

/// Settles what costs memory or has moved between builds, where the build has a word for it and no `option` says otherwise.
fn pins(argv: &mut Argv<'_>, wanted: &Serve<'_>, said: &[&OptionRecord]) {
    let mut pin = |spellings: &[&'static str], value: &'static str| {
        argv.pin(spellings, Some(Cow::Borrowed(value)), said);
    };
    // On by default: shrinks the context in silence when it deems memory scarce, by the machine's and not the unit's.
    pin(&["--fit"], "off");
    // 8 GiB a process by default.
    pin(&["--cache-ram", "-cram"], "0");
    if wanted.numa == Numa::Outside {
        pin(&["--numa"], "numactl");
    }
    let checkpoints = if wanted.is_embedder { 0 } else { CHECKPOINTS };
    argv.pin(&["-ctxcp", "--ctx-checkpoints"], Some(checkpoints.to_string().into()), said);
    argv.pin(&["-b", "--batch-size"], Some(BATCH.to_string().into()), said);
    argv.pin(&["-ub", "--ubatch-size"], Some(wanted.physical_batch().to_string().into()), said);
    // What it drafts with where nothing is said has moved between builds, and a draft is told by its file in older ones.
    let speculates = wanted.draft.is_some() || wanted.lookup.is_some();
    if !speculates && !said.iter().any(|option| option.title() == "--spec-default") {
        argv.pin(&["--spec-type"], Some(Cow::Borrowed("none")), said);
    }
    // Without a number of slots all of them share one cache; with one they must not, or `context` is not each one's own.
    argv.pin(&["--no-kv-unified"], None, said);
    // Copies the weights that it can; the memory is planned with it.
    argv.pin(&["--repack"], None, said);
    if wanted.draft.is_some() {
        argv.pin(&["-cd", "--ctx-size-draft"], Some(wanted.context.to_string().into()), said);
    }
}
