//! The command line of a server.

use super::argv::ArgvBuilder;
use super::context::write_fit;
use super::gpu::{self, Devices, Files, LayersSpec};
use super::speculation::speculate;
use super::{
    ContextSpec, DraftSpec, FaultKind, Intent, Lowered, NumaPlacement, OverrideValue, RouteSpec, ServerSpec,
};
use super::{combined, files, options, settings};
use crate::engine::llama::SERVER;
use crate::engine::llama::options::{CACHE_RAM, CTX_CHECKPOINTS, Owner};
use crate::engine::{OptionRecord, Profile, Word};

/// Default size of a logical batch in tokens: the engine's own default, unchanged from March 2026 to b11434.
pub const BATCH: u32 = 2048;
/// Default size of a physical batch in tokens: the engine's own default, unchanged from March 2026 to b11434.
pub const UBATCH: u32 = 512;
/// The maximum number of slots (llama.cpp b11434, `LLAMA_MAX_SEQ`).
const MAX_SLOTS: u32 = 256;

impl ServerSpec<'_> {
    /// True if the engine fits the context or the layers.
    pub(super) fn fits(&self) -> bool {
        matches!(self.context, ContextSpec::Fit(_)) || self.gpu.is_some_and(|gpu| gpu.fits_layers())
    }

    /// True if the number of layers on devices is written.
    fn has_fixed_layers(&self) -> bool {
        self.gpu.is_some_and(|gpu| gpu.devices != Devices::Host && gpu.layers != LayersSpec::Fit)
    }

    /// The context of all slots together, in tokens; 0 for the trained context. The engine gets this number, and rounds
    /// the context of each slot up to a multiple of 256. `None` if it is not known.
    ///
    /// 0 means the trained context of the model for all slots together. It also keeps the engine from fitting the context
    /// (llama.cpp, from March 2026 to b12032: `--ctx-size` of `common/arg.cpp`, `src/llama-context.cpp`).
    pub fn total_context(&self) -> Option<u64> {
        if (self.slots <= 1 || self.shared) && matches!(self.context, ContextSpec::Trained(_)) {
            return Some(0);
        }
        let streams = if self.shared { 1 } else { self.slots };
        Some(u64::from(self.context.tokens()?) * u64::from(streams))
    }

    /// The physical batch, which determines the size of the compute buffers. An embedding server processes a whole
    /// request at once (llama.cpp b11434, `tools/server/server-context.cpp`). With pooling `mean` it aborts at startup
    /// if the batch is not a multiple of the number of slots, because its graph is built for the next multiple (b11669,
    /// `graph_reserve` in `src/llama-context.cpp`).
    pub fn physical_batch(&self) -> u32 {
        if self.is_embedder {
            let context = self.context.tokens().unwrap_or_default();
            let least = self.batch.unwrap_or(0).max(context).max(self.slots);
            least.checked_next_multiple_of(self.slots).unwrap_or(least)
        } else {
            UBATCH.min(self.batch.unwrap_or(BATCH))
        }
    }
}

pub(super) fn lower(profile: &Profile, spec: &ServerSpec<'_>) -> Lowered {
    let mut argv = ArgvBuilder::new(profile, SERVER);
    argv.preset = spec.route.map(|_| Vec::new());
    if !profile.has_tool(SERVER) {
        argv.add_error(Intent::Tool, format!("{} does not list {SERVER}", argv.build()));
        return argv.finish();
    }
    argv.gpus = spec.gpus.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    let accepted = options::read(&mut argv, spec.options);
    combined::check(&mut argv, spec, &accepted);
    write_files(&mut argv, spec);
    write_names(&mut argv, spec);
    let records = options::records(&accepted);
    if let Some(template) = spec.template {
        if spec.is_embedder {
            argv.add_error(Intent::Template, "the server returns embeddings and has no chat".to_owned());
        }
        files::write_template(&mut argv, template, &records);
    }
    files::write_adapters(&mut argv, spec.adapters);
    write_sizes(&mut argv, spec);
    write_memory(&mut argv, spec);
    match spec.route {
        Some(route) => write_route(&mut argv, route),
        None => write_network(&mut argv, spec),
    }
    if spec.metrics {
        argv.write_flag((Intent::Metrics, "metrics"), &["--metrics"]);
    }
    write_fixed_settings(&mut argv, spec, &records);
    options::write(&mut argv, accepted);
    argv.finish()
}

fn write_files(argv: &mut ArgvBuilder<'_>, spec: &ServerSpec<'_>) {
    argv.write_model(spec.model, spec.projector);
    speculate(argv, spec.draft.as_ref(), spec.lookup);
    argv.write_overrides(spec.experts, spec.overrides);
}

/// Writes the names at the API. A server of one model ignores the name in a request, so a build with only one name also
/// answers to the names of roles that share this one (`ik_llama.cpp` 8337e4cd3, `examples/server/server.cpp`).
fn write_names(argv: &mut ArgvBuilder<'_>, spec: &ServerSpec<'_>) {
    let spellings = &["--alias"];
    let Some((role, others)) = spec.names.split_first() else { return };
    // The name of a section is the first name of its model.
    if spec.route.is_some() && others.is_empty() {
        return;
    }
    let several = argv.find_option(spellings).map(|(_, option)| option.takes_comma_list());
    let names = match several {
        Some(true) if spec.route.is_some() => others.join(","),
        Some(true) => spec.names.join(","),
        Some(false) if spec.aliases > 0 => {
            return argv
                .add_error(Intent::Alias, format!("`--alias` of {} accepts only one name", argv.build()));
        }
        Some(false) => (*role).to_owned(),
        None if spec.aliases == 0 => return,
        None => String::new(),
    };
    argv.write_option((Intent::Alias, "alias"), spellings, names);
}

fn write_sizes(argv: &mut ArgvBuilder<'_>, spec: &ServerSpec<'_>) {
    let total = spec.total_context().unwrap_or_default();
    let fit = if let ContextSpec::Fit(least) = spec.context { Some(least) } else { None };
    if let Some(what) = unknown_context(spec) {
        argv.add_fault(FaultKind::UnknownContext, Intent::Context, what.to_owned());
    }
    if i32::try_from(total).is_err() {
        argv.add_error(
            Intent::Context,
            format!("all slots together need {total} tokens; the maximum is {}", i32::MAX),
        );
    }
    if !(1..=MAX_SLOTS).contains(&spec.slots) {
        argv.add_error(
            Intent::Slots,
            format!("{} slots are requested; the engine supports 1 to {MAX_SLOTS}", spec.slots),
        );
    }
    match fit {
        Some(least) => {
            write_fit(argv, spec, least);
            spec.gpu.iter().for_each(|gpu| gpu::write_margins(argv, gpu));
        }
        None => {
            argv.write_option((Intent::Context, "context"), &["-c", "--ctx-size"], total.to_string());
        }
    }
    argv.write_option((Intent::Slots, "slots"), &["-np", "--parallel"], spec.slots.to_string());
    if spec.shared {
        argv.write_flag((Intent::Slots, "slots"), &["--kv-unified", "-kvu"]);
    }
    if spec.is_embedder {
        let batch = spec.physical_batch().to_string();
        argv.write_option((Intent::Batch, "context"), &["-b", "--batch-size"], batch.clone());
        argv.write_option((Intent::Batch, "context"), &["-ub", "--ubatch-size"], batch);
        argv.write_flag((Intent::Embeddings, "pooling"), &["--embeddings", "--embedding"]);
    } else if let Some(batch) = spec.batch {
        if batch < spec.slots {
            let slots = spec.slots;
            argv.add_error(
                Intent::Batch,
                format!("a batch of {batch} tokens is smaller than the number of slots, {slots}"),
            );
        }
        argv.write_option((Intent::Batch, "batch"), &["-b", "--batch-size"], batch.to_string());
    }
    if let Some(pooling) = spec.pooling {
        argv.write_option((Intent::Pooling, "pooling"), &["--pooling"], pooling.to_owned());
        if pooling == "rank" {
            // Without this flag `/rerank` answers 501, with any pooling.
            argv.write_flag((Intent::Pooling, "pooling"), &["--rerank", "--reranking"]);
        }
    }
    if let Some(threads) = spec.threads {
        argv.write_option((Intent::Threads, "placement"), &["-t", "--threads"], threads.to_string());
    }
    if spec.numa == NumaPlacement::Distributed {
        argv.write_option((Intent::Numa, "placement"), &["--numa"], "distribute");
    }
}

/// The reason why the command line needs the trained context of the model, if that is not known.
fn unknown_context(spec: &ServerSpec<'_>) -> Option<&'static str> {
    if spec.context.tokens().is_some() || matches!(spec.context, ContextSpec::Fit(_)) {
        return None;
    }
    if spec.is_embedder {
        return Some("an embedder processes a whole request in one batch, which has the size of the context");
    }
    (spec.slots > 1 && !spec.shared).then_some("several slots need the sum of their contexts")
}

fn write_memory(argv: &mut ArgvBuilder<'_>, spec: &ServerSpec<'_>) {
    if let Some(gpu) = &spec.gpu {
        gpu::check(argv, gpu, spec);
        let files = Files { draft: has_draft_file(spec.draft.as_ref()), projector: spec.projector.is_some() };
        gpu::write(argv, gpu, files);
        let fits_context = matches!(spec.context, ContextSpec::Fit(_));
        if gpu.fits_layers() && !fits_context {
            gpu::write_fit(argv, gpu);
        }
    }
    if spec.lock {
        write_lock(argv);
    }
    check_cache_type(argv, spec);
    settings::write(argv, spec.settings);
}

/// True if a draft has its own file.
pub(super) fn has_draft_file(draft: Option<&DraftSpec<'_>>) -> bool {
    draft.is_some_and(|draft| !draft.path.is_empty())
}

/// A quantized cache of values needs flash attention; one of keys does not (the check `is_quantized(params.type_v)` in
/// `src/llama-context.cpp` of all builds from March 2026 to b11434).
fn check_cache_type(argv: &mut ArgvBuilder<'_>, spec: &ServerSpec<'_>) {
    let is_off = spec.settings.contains(&(Owner::of("flash-attention"), OverrideValue::Str("off")));
    for (at, (owner, value)) in spec.settings.iter().enumerate() {
        if let OverrideValue::Str(kind) = value
            && is_off
            && matches!(owner, Owner { field: "cache-type", part: None | Some("v") })
            && !matches!(*kind, "f32" | "f16" | "bf16")
        {
            let why = format!("the quantized type `{kind}` of values needs flash attention, which is off");
            argv.add_error(Intent::Setting(at), why);
        }
    }
}

/// Locks the weights in memory: the file stays mapped and its pages are locked. The engine never locks repacked copies
/// (llama.cpp b11434, `src/llama-model.cpp`), so repacking is disabled.
pub(super) fn write_lock(argv: &mut ArgvBuilder<'_>) {
    let modes =
        argv.find_option(&["--load-mode"]).is_some_and(|(_, option)| option.lists_value("mmap+mlock"));
    if modes {
        argv.write_option((Intent::Lock, "placement"), &["--load-mode"], "mmap+mlock");
    } else {
        argv.write_flag((Intent::Lock, "placement"), &["--mlock"]);
    }
    if argv.find_option(&["--no-repack"]).is_some() {
        argv.write_flag((Intent::Lock, "placement"), &["--no-repack"]);
    }
}

pub(super) fn write_network(argv: &mut ArgvBuilder<'_>, spec: &ServerSpec<'_>) {
    if spec.hosts.len() > 1 && !argv.profile.serves_several_addresses() {
        let why = format!("`--host` of {} accepts only one address", argv.build());
        argv.add_error(Intent::Listen, why);
    }
    let hosts = if spec.hosts.is_empty() { "127.0.0.1".to_owned() } else { spec.hosts.join(",") };
    argv.write_option((Intent::Listen, "listen"), &["--host"], Word::Host(hosts.into()));
    if spec.port == 0 {
        argv.add_error(Intent::Port, "port 0 means any free port".to_owned());
    }
    argv.write_option((Intent::Port, "port"), &["--port"], Word::Port(spec.port.to_string().into()));
    if let Some(file) = spec.key_file {
        argv.write_option((Intent::KeyFile, "key-file"), &["--api-key-file"], Word::KeyFile(file.into()));
    }
}

/// Writes how a server behind a router frees its model. The router sets the rest of its address.
fn write_route(argv: &mut ArgvBuilder<'_>, route: RouteSpec) {
    if let Some(seconds) = route.sleep {
        let spellings = &["--sleep-idle-seconds"];
        argv.write_option((Intent::Idle, "idle"), spellings, seconds.to_string());
    }
}

/// Fixes settings whose engine default costs memory or differs between builds, unless the build lacks the option or an
/// `option` of the role sets it.
fn write_fixed_settings(argv: &mut ArgvBuilder<'_>, spec: &ServerSpec<'_>, accepted: &[&OptionRecord]) {
    let mut write = |spellings: &[&'static str], value: &'static str| {
        argv.write_unless_set(spellings, Some(value.into()), accepted);
    };
    // On by default: shrinks the context if memory seems scarce. It looks at the machine, not at the unit's limit. With a number
    // of layers the engine gives up fitting (`common_params_fit_impl` in `common/fit.cpp` of llama.cpp b11434).
    if !spec.has_fixed_layers() {
        write(&["--fit"], "off");
    }
    if spec.numa == NumaPlacement::External {
        write(&["--numa"], "numactl");
    }
    write_caches(argv, spec, accepted);
    argv.write_unless_set(&["-b", "--batch-size"], Some(BATCH.to_string().into()), accepted);
    argv.write_unless_set(
        &["-ub", "--ubatch-size"],
        Some(spec.physical_batch().to_string().into()),
        accepted,
    );
    // The default type differs between builds. Older builds also speculate without a type if a draft file is given.
    let speculates = spec.draft.is_some() || spec.lookup.is_some();
    if !speculates && !accepted.iter().any(|option| option.title() == "--spec-default") {
        argv.write_unless_set(&["--spec-type"], Some("none".into()), accepted);
    }
    // By default the engine shares one cache between the slots if it chooses their number. Each slot must have its own
    // `context` tokens.
    argv.write_unless_set(&["--no-kv-unified"], None, accepted);
    // Copies the weights that have a faster layout. Memory sums assume that it is on.
    argv.write_unless_set(&["--repack"], None, accepted);
    // By default a draft has the context of its target.
    if let (Some(_), Some(context)) = (spec.draft, spec.context.tokens()) {
        argv.write_unless_set(&["-cd", "--ctx-size-draft"], Some(context.to_string().into()), accepted);
    }
}

/// Writes how many prompts and checkpoints the server keeps by default. An embedder keeps none: a request is one batch, and
/// no later request continues it.
fn write_caches(argv: &mut ArgvBuilder<'_>, spec: &ServerSpec<'_>, accepted: &[&OptionRecord]) {
    if keeps_prompts(argv.profile, spec) {
        argv.write_default(CACHE_RAM, accepted);
    } else {
        argv.write_unless_set(CACHE_RAM, Some("0".into()), accepted);
    }
    if spec.is_embedder {
        argv.write_unless_set(CTX_CHECKPOINTS, Some("0".into()), accepted);
    } else {
        argv.write_default(CTX_CHECKPOINTS, accepted);
    }
}

/// True if a server has a prompt cache by default. Builds since b11669 have none for decision models (`--help`).
pub(super) fn keeps_prompts(profile: &Profile, spec: &ServerSpec<'_>) -> bool {
    let is_off = || profile.build_number().is_some_and(|build| build >= NO_CACHE_FOR_DECISIONS);
    !(spec.is_embedder || spec.is_decision && is_off())
}

/// The first built-in build without a prompt cache for decision models.
const NO_CACHE_FOR_DECISIONS: u32 = 11669;
