//! The command lines of a role under the build of its engine.

use super::container::{ALL_ADDRESSES, ContainerDevices};
use super::drafting::{draft_kind, draft_max};
use super::endpoint::Endpoint;
use super::files::RoleFiles;
use super::gpu::{GpuLists, RoleGpus, gpu_names};
use super::locked;
use super::overrides::{engine_overrides, request_limit, trained_context, typed};
use super::placement::PerInstance;
use super::profiles::SharedProfile;
use crate::engine::architecture::architecture;
use crate::engine::dialect::{
    ContextSpec, DraftSpec, FaultKind, Intent, LookupSpec, Lowered, LoweringFault, NumaPlacement, OptionPath,
    OverrideValue, PromptSpec, RouteSpec, ServerSpec, Sparsity, WrittenOption, lower_prompt, lower_server,
    of_variables,
};
use crate::engine::memory::{MemoryOptions, default_prompt_cache};
use crate::engine::options::Owner;
use crate::engine::{Profile, Switch, Word};
use crate::facts::Lock;
use crate::hir::{
    Adapter, Context, Engine, EngineOption, EngineSetting, GatewayKind, Host, Id, Lookup, MODEL_POOLING,
    Model, NumaPolicy, Registry, Serving, Setting,
};
use crate::source::Spanned;
use std::num::NonZeroU32;
use std::sync::Arc;

/// The command lines of a role, and the engine that runs them.
#[derive(Clone, Debug)]
pub struct RoleCommand {
    /// The engine.
    pub engine: Id<Engine>,
    /// The profile of its build.
    pub profile: SharedProfile,
    /// The folder of its programs. `None` if they are in an image.
    pub bin: Option<Arc<str>>,
    /// The container image with its programs.
    pub image: Option<Arc<str>>,
    /// The server processes. The faults of the first one are those of all.
    servers: PerInstance<Lowered>,
    /// Their options that affect memory, or the reason why the facts of the model are unknown.
    pub(super) memory: Result<Box<MemoryOptions>, &'static str>,
    /// The bytes of the prompt cache of a process, if the engine's default limits it.
    pub(super) default_prompt_cache: u64,
    /// The files and folders that its options and environment variables name.
    pub paths: Box<[OptionPath]>,
    /// The machines that its options and environment variables connect to: names or addresses.
    pub peers: Box<[Arc<str>]>,
    /// True if its processes read the model files in random order: with `--numa` the engine turns read-ahead off for
    /// mapped files (llama.cpp b11434, `src/llama-mmap.cpp`).
    pub(super) reads_at_random: bool,
    /// The one-shot command of the model, if no earlier role serves the model.
    pub one_shot: Option<Box<Lowered>>,
}

impl RoleCommand {
    /// The command line of the first server process, and the faults of all.
    pub fn server(&self) -> &Lowered {
        self.servers.first()
    }

    /// The arguments of the server process of an instance.
    pub fn line(&self, endpoint: &Endpoint, instance: usize) -> Arc<[Word]> {
        endpoint.with_port(&self.servers.get(instance).args, instance)
    }

    /// True if an option or a variable makes the processes set the affinity or priority of their threads.
    pub fn places_threads(&self, env: &[(Arc<str>, Arc<str>)]) -> bool {
        let words = self.server().args.iter().map(Word::text);
        let mut words = words.chain(env.iter().map(|(name, _)| &**name));
        words.any(|word| self.profile.family().places_threads(word))
    }

    /// The full path of the server program. In an image, only its name.
    pub fn program(&self) -> String {
        program(self.bin.as_deref(), self.server().tool)
    }
}

/// The settings of a role from which its command lines are made.
#[derive(Clone, Copy)]
pub(super) struct RoleSettings<'r> {
    pub(super) registry: &'r Registry,
    pub(super) lock: &'r Lock,
    pub(super) gpus: Option<&'r RoleGpus>,
    pub(super) serving: &'r Serving,
    pub(super) files: &'r RoleFiles,
    pub(super) endpoint: &'r Endpoint,
    pub(super) env: &'r [(Arc<str>, Arc<str>)],
    /// True if no earlier role serves the model, and the model generates text.
    pub(super) has_one_shot: bool,
}

impl RoleSettings<'_> {
    pub(super) fn command(self, engine: Id<Engine>, profile: &SharedProfile) -> RoleCommand {
        let overrides = engine_overrides(self.registry, profile, self.serving);
        let host = self.registry.hosts.get(self.serving.host.value);
        let declared = self.registry.engines.get(engine);
        let is_container = declared.image.is_some();
        let mut servers = PerInstance::new(self.serving, host, |n| self.server(profile, &overrides, host, n));
        let model = self.registry.models.get(self.serving.model.value);
        let options = || {
            let env: Vec<(&str, &str)> = self.env.iter().map(|(name, value)| (&**name, &**value)).collect();
            let given = servers.first().settings.iter().map(WrittenOption::given);
            let mut options = MemoryOptions::new(profile, &env, given);
            self.gpus.inspect(|gpus| gpus.name_found(&mut options));
            Box::new(options)
        };
        let is_single = numa_placement(self.serving, host.numa.len()) == NumaPlacement::SingleNode;
        let reads_at_random = !is_single && options().mmap;
        let memory = locked::facts(self.lock, model).map(|_| options());
        let given = servers.first().settings.iter().map(WrittenOption::given);
        let default_prompt_cache = default_prompt_cache(given);
        let (mut paths, mut peers) = of_variables(profile, self.env);
        paths.extend_from_slice(&servers.first().paths);
        peers.extend_from_slice(&servers.first().peers);
        // Nothing else reads them, and they are large.
        let forget = |line: &mut Lowered| line.settings = Box::default();
        servers.change(forget);
        if is_container {
            let devices = ContainerDevices::of(self.gpus);
            servers.change(|line| line.args = devices.rename(&line.args));
        }
        let mut one_shot = self.has_one_shot.then(|| self.one_shot(profile, &overrides, host));
        one_shot.iter_mut().for_each(forget);
        RoleCommand {
            engine,
            profile: profile.clone(),
            bin: declared.bin.as_ref().filter(|_| !is_container).map(|bin| without_slashes(bin)),
            image: declared.image.as_ref().map(|image| image.value.clone()),
            servers,
            memory,
            default_prompt_cache,
            paths: paths.into(),
            peers: peers.into(),
            reads_at_random,
            one_shot: one_shot.map(Box::new),
        }
    }

    fn server(
        self,
        profile: &Profile,
        overrides: &[(&str, OverrideValue<'_>)],
        host: &Host,
        instance: usize,
    ) -> Lowered {
        let Self { registry, serving, files, endpoint, .. } = self;
        let options = Options::new(serving, profile);
        let settings = self.settings();
        let (known_gpus, gpus) = (gpu_names(host), self.gpus.map(|gpus| GpuLists::new(host, serving, gpus)));
        let gateway = serving.gateway.map(|gateway| registry.gateways.get(gateway.value));
        let is_routed = gateway.is_some_and(|gateway| gateway.kind == GatewayKind::Router);
        let names: Vec<&str> = endpoint.names.iter().map(|name| &**name).collect();
        let spec = ServerSpec {
            model: &files.model.path,
            names: &names,
            aliases: serving.aliases().len(),
            hosts: &self.addresses(),
            port: endpoint.server_port(instance),
            context: self.context(),
            slots: serving.slots.value.count,
            shared: serving.slots.value.is_shared,
            batch: serving.batch.map(|batch| batch.value),
            arch: self.arch(),
            experts: self.experts(),
            overrides,
            draft: self.draft(),
            lookup: self.lookup(),
            pooling: serving
                .pooling
                .as_ref()
                .map(|pooling| &*pooling.value)
                .filter(|word| *word != MODEL_POOLING),
            is_embedder: serving.pooling.is_some(),
            is_decision: self.is_decision(),
            sparsity: sparsity(registry, registry.models.get(serving.model.value)),
            projector: files.projector.as_ref().map(|file| &*file.path),
            template: serving.template().map(|file| &*file.value),
            adapters: &adapters(serving),
            threads: serving.threads(host, instance),
            gpus: known_gpus.as_deref(),
            gpu: gpus.as_ref().map(GpuLists::spec),
            numa: numa_placement(serving, host.numa.len()),
            lock: serving.is_locked(),
            settings: &settings,
            // A router asks for the keys itself, and its servers listen only for it.
            key_file: serving.key_file.as_ref().filter(|_| !is_routed).map(|file| &*file.value),
            metrics: gateway.is_some_and(|gateway| gateway.metrics),
            route: is_routed.then(|| self.route()),
            options: &options.pairs(),
        };
        lower_server(profile, &spec)
    }

    /// The addresses that a server listens on. A container publishes its port at those for clients.
    fn addresses(&self) -> Vec<&str> {
        if self.registry.is_container(self.serving) {
            vec![ALL_ADDRESSES]
        } else {
            self.endpoint.server_addresses()
        }
    }

    /// The settings of a server behind a gateway.
    fn route(self) -> RouteSpec {
        let residency = self.registry.residencies.get(self.serving.residency.value);
        RouteSpec { sleep: residency.idle.map(|idle| idle.value.0) }
    }

    fn one_shot(self, profile: &Profile, overrides: &[(&str, OverrideValue<'_>)], host: &Host) -> Lowered {
        let options = Options::new(self.serving, profile);
        let gpus = self.gpus.map(|gpus| GpuLists::new(host, self.serving, gpus));
        let spec = PromptSpec {
            gpu: gpus.as_ref().map(GpuLists::spec),
            model: &self.files.model.path,
            projector: self.files.projector.as_ref().map(|file| &*file.path),
            template: self.serving.template().map(|file| &*file.value),
            adapters: &adapters(self.serving),
            draft: self.draft(),
            lookup: self.lookup(),
            experts: self.experts(),
            overrides,
            context: self.request_context(),
            batch: self.serving.batch.map(|batch| batch.value),
            threads: self.serving.threads(host, 0),
            numa: numa_placement(self.serving, host.numa.len()),
            lock: self.serving.is_locked(),
            settings: &self.settings(),
            options: &options.pairs(),
        };
        lower_prompt(profile, &spec)
    }
}

/// The engine options of a role as the build writes them, with their values as text.
struct Options<'r> {
    named: Vec<(&'r str, Option<String>)>,
}

impl<'r> Options<'r> {
    fn new(serving: &'r Serving, profile: &'r Profile) -> Self {
        Self { named: serving.options.iter().map(|option| written(option, profile)).collect() }
    }

    fn pairs(&self) -> Vec<(&'r str, Option<&str>)> {
        self.named.iter().map(|(name, text)| (*name, text.as_deref())).collect()
    }
}

/// The faults that an option has with each role: its name is unknown or removed, a field sets it, or its value is wrong.
pub fn faults_of_option(option: &EngineOption, profile: &Profile) -> Vec<LoweringFault> {
    let (name, text) = written(option, profile);
    let options = &[(name, text.as_deref())];
    let spec = ServerSpec { model: "/model.gguf", port: 1, slots: 1, options, ..ServerSpec::default() };
    let is_general = |fault: &LoweringFault| {
        use FaultKind::{BadValue, OwnedByField, Removed, UnknownOption};
        let is_fault = matches!(fault.kind, BadValue | OwnedByField | Removed | UnknownOption);
        is_fault && matches!(fault.intent, Intent::OptionName(_))
    };
    lower_server(profile, &spec).errors.into_iter().filter(is_general).collect()
}

/// An option with its value. `true` and `false` of a switch are the switch and its negative form.
fn written<'r>(option: &'r EngineOption, profile: &'r Profile) -> (&'r str, Option<String>) {
    let name = &*option.name.value;
    let text = option.value.as_ref().map(|value| to_text(value));
    let Some(Setting::Flag(flag)) = option.value.as_ref().map(|value| &value.value) else {
        return (name, text);
    };
    let found = profile.find(profile.server(), name).filter(|(record, ..)| record.arity() == 0);
    match (found, flag) {
        (None, _) => (name, text),
        (Some(_), true) => (name, None),
        (Some((record, _, Switch::Off)), false) => (record.title(), None),
        (Some((record, _, Switch::On)), false) => match record.negative.first() {
            Some(negative) => (negative, None),
            None => (name, text),
        },
    }
}

impl<'r> RoleSettings<'r> {
    fn settings(self) -> Vec<(Owner, OverrideValue<'r>)> {
        let owner = |setting: &EngineSetting| Owner { field: setting.field, part: setting.part };
        self.serving.settings.iter().map(|setting| (owner(setting), typed(&setting.value))).collect()
    }

    fn context(self) -> ContextSpec {
        match self.serving.context.value {
            Context::Tokens(tokens) => ContextSpec::Tokens(tokens),
            Context::Fit(least) => ContextSpec::Fit(least.map(NonZeroU32::get)),
            Context::Trained => {
                let tokens = trained_context(self.registry, self.serving);
                ContextSpec::Trained(tokens.and_then(|tokens| u32::try_from(tokens).ok()))
            }
        }
    }

    /// The context of one request: a slot of a shared cache has at most the trained context.
    fn request_context(self) -> ContextSpec {
        match (self.context(), request_limit(self.registry, self.serving)) {
            (ContextSpec::Tokens(tokens), Some(limit)) => {
                ContextSpec::Tokens(u32::try_from(limit).map_or(tokens, |limit| limit.min(tokens)))
            }
            (other, _) => other,
        }
    }

    fn draft(self) -> Option<DraftSpec<'r>> {
        let draft = self.serving.draft.as_deref()?;
        let drafter = draft.model.map(|model| self.registry.models.get(model.value));
        let count = |n: Option<Spanned<u32>>| n.map(|n| n.value);
        Some(DraftSpec {
            path: self.files.draft.as_ref().map_or("", |file| &file.path),
            arch: drafter.and_then(|model| self.registry.arch_of(model)).map_or("", |arch| &**arch),
            kind: draft_kind(self.registry, self.lock, self.serving),
            max: Some(draft_max(draft)),
            min: count(draft.min),
            p_min: draft.p_min.map(|p| p.value),
        })
    }

    fn lookup(self) -> Option<LookupSpec> {
        let Lookup { ngram_min, kind } = &self.serving.lookup.as_deref()?.value;
        Some(LookupSpec { kind: kind.map(|kind| kind.word()), ngram: ngram_min.map(|ngram| ngram.value) })
    }

    /// True for a decision model, as far as the lock or the architecture shows it (`common_get_decision_type` in
    /// `common/common.cpp` of llama.cpp b12032).
    fn is_decision(self) -> bool {
        let model = self.registry.models.get(self.serving.model.value);
        let is_named = self.registry.arch_of(model).is_some_and(|arch| &*arch.value == "vllm-decision2");
        is_named
            || locked::facts(self.lock, model)
                .is_ok_and(|locked| locked.facts.flag("decision.type") == Some(true))
    }

    /// The architecture of the model; empty if it is unknown.
    fn arch(self) -> &'r str {
        let arch = self.registry.arch_of(self.registry.models.get(self.serving.model.value));
        arch.map_or("", |arch| &**arch)
    }

    fn experts(self) -> Option<(&'r str, u32)> {
        let arch = self.registry.arch_of(self.registry.model_of(self.serving).0)?;
        self.serving.experts.map(|experts| (&*arch.value, experts.value))
    }
}

/// The path of a program, or only its name without a folder.
pub(super) fn program(bin: Option<&str>, tool: &str) -> String {
    bin.map_or_else(|| tool.to_owned(), |bin| format!("{}/{tool}", bin.trim_end_matches('/')))
}

/// A path without slashes at its end. All roles share the text of a path that has none.
fn without_slashes(path: &Arc<str>) -> Arc<str> {
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() == path.len() { path.clone() } else { trimmed.into() }
}

/// The adapters of a role with their scales.
fn adapters(serving: &Serving) -> Vec<(&str, f64)> {
    let scale = |adapter: &Adapter| adapter.scale.map_or(1.0, |scale| scale.value);
    serving.adapters().iter().map(|adapter| (&*adapter.file.value, scale(adapter))).collect()
}

/// `Sparsity::Dense` if the model declares no experts and its architecture has no metadata keys for them.
fn sparsity(registry: &Registry, model: &Model) -> Sparsity {
    let arch = registry.arch_of(model).and_then(|arch| architecture(arch));
    let is_dense = model.experts.is_none() && arch.is_some_and(|arch| !arch.names_experts());
    if is_dense { Sparsity::Dense } else { Sparsity::Unknown }
}

fn to_text(setting: &Setting) -> String {
    match setting {
        Setting::Flag(flag) => flag.to_string(),
        Setting::Integer(number) => number.to_string(),
        Setting::Float(number) => number.to_string(),
        Setting::Text(text) => text.to_string(),
    }
}

/// [`NumaPlacement::External`] for memory that is interleaved over several nodes: the unit or the wrapper sets this
/// policy, not the engine.
fn numa_placement(serving: &Serving, nodes: usize) -> NumaPlacement {
    match serving.placement.numa.as_ref().map(|numa| &numa.value) {
        Some(NumaPolicy::Interleave(named)) if named.len() > 1 || (named.is_empty() && nodes > 1) => {
            NumaPlacement::External
        }
        Some(NumaPolicy::Distribute) => NumaPlacement::Distributed,
        _ => NumaPlacement::SingleNode,
    }
}
