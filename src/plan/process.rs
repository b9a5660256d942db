//! Roles with their processes: command lines, files, ports and placement.

use super::placement::Placements;
use super::{Bytes, Hardening, PortRange, Seconds, Start};
use crate::check::Checked;
use crate::engine::{Profile, Word};
use crate::hir::{self, Id, Registry, RoleKind, Serving};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A served role with all data for its units and scripts.
#[derive(Debug)]
pub struct Role {
    /// Its name.
    pub name: Box<str>,
    /// The name of its tier.
    pub tier: Arc<str>,
    /// The name of its residency.
    pub residency: Arc<str>,
    /// When it starts.
    pub start: Start,
    /// Idle time without a connection after which its model is unloaded; on-demand only.
    pub idle: Option<Seconds>,
    /// Its host, as an index into [`Plan::hosts`](super::Plan::hosts).
    pub host: usize,
    /// The title of its model.
    pub model: Arc<str>,
    /// The name of its model.
    pub model_name: Arc<str>,
    /// The purpose of the role.
    pub purpose: Option<Box<str>>,
    /// The roles that share its processes.
    pub shared_by: Vec<Box<str>>,
    /// The addresses that clients use.
    pub addresses: Arc<[Arc<str>]>,
    /// The ports that clients use, one per process.
    pub ports: PortRange,
    /// Maximum tokens of one request.
    pub context: u64,
    /// Number of concurrent requests.
    pub slots: u32,
    /// True if the role returns embeddings instead of text.
    pub is_embedder: bool,
    /// Total size of the files that a process reads.
    pub bytes: Bytes,
    /// Estimated upper limit of the load time. `None` if the speed of a store is not declared.
    pub load_time: Option<Seconds>,
    /// Its engine, as an index into [`Plan::engines`](super::Plan::engines).
    pub engine: Option<usize>,
    /// The full path of the program.
    pub program: Arc<str>,
    /// The files that a process reads: model, draft, projector; full paths.
    pub files: Arc<[Arc<str>]>,
    /// The folders that a process reads, including the folder of the program. Subfolders of other folders in the list
    /// are left out. Full paths, in byte order.
    pub folders: Arc<[Arc<str>]>,
    /// The file with the API keys.
    pub key_file: Option<Box<str>>,
    /// Environment, in byte order of names.
    pub env: Vec<(Arc<str>, Arc<str>)>,
    /// True if a process sets the affinity or priority of its threads.
    pub places_threads: bool,
    /// True if weights are locked in memory.
    pub lock: bool,
    /// The level of sandboxing of its units.
    pub hardening: Hardening,
    /// Its processes, one per port.
    pub processes: Vec<Process>,
}

/// One process: the data that differs between the instances of a role.
#[derive(Debug)]
pub struct Process {
    /// The number of the instance, from 0. `None` if there is only one.
    pub instance: Option<usize>,
    /// The port that clients use.
    pub port: u16,
    /// For an on-demand role: the hidden port of 127.0.0.1 that the process listens on.
    pub backend: Option<u16>,
    /// The arguments after the program.
    pub args: Vec<Word>,
    /// Its placement, as an index into [`Plan::placements`](super::Plan::placements).
    pub placement: Option<usize>,
}

/// Seconds of a start in addition to reading the files.
const START_OVERHEAD: u64 = 60;

/// All served roles, in the order of declaration.
pub(super) fn roles(checked: &Checked, placements: &mut Placements) -> Vec<Role> {
    let registry = checked.registry();
    let sharers = sharers(registry);
    let served = registry.roles.entries().filter_map(|(id, role)| Some((id, role, role.serving()?)));
    let mut command_lines = command_lines(checked).into_iter();
    let mut roles = Vec::with_capacity(command_lines.len());
    let mut interner = Interner::default();
    let planned = served.map(|(id, role, serving)| {
        let host = registry.hosts.get(serving.host.value);
        let residency = registry.residencies.get(serving.residency.value);
        let model = registry.models.get(serving.model.value);
        let files = files(registry, serving);
        let profile = serving.engine.and_then(|engine| checked.profile(engine.value));
        let program = program(registry, serving, profile);
        let instances = command_lines.next().unwrap_or_default();
        let env = registry.env_of(serving);
        let places_threads = profile.is_some_and(|profile| places_threads(profile, &instances, &env));
        let processes = instances.into_iter().enumerate().map(|(n, args)| Process {
            instance: (serving.ports.len() > 1).then_some(n),
            port: serving.ports.ports().nth(n).unwrap_or(serving.ports.last),
            backend: (residency.start.value == Start::OnDemand).then(|| serving.backend_port(n)).flatten(),
            args,
            placement: placements.index_of(serving, host, n),
        });
        Role {
            processes: processes.collect(),
            engine: serving.engine.map(|engine| engine.value.number()),
            name: role.head.name.value.clone(),
            tier: interner.text(&registry.tiers.get(role.tier.value).head.name),
            residency: interner.text(&residency.head.name),
            start: residency.start.value,
            idle: residency.idle.map(|idle| idle.value),
            host: serving.host.value.number(),
            model: interner.text(&model.title),
            model_name: interner.text(&model.head.name),
            purpose: role.purpose.as_ref().map(|purpose| purpose.value.clone()),
            shared_by: sharers.get(&id).cloned().unwrap_or_default(),
            addresses: interner.list(serving.addresses()),
            ports: serving.ports.value,
            context: serving.context.value,
            slots: serving.slots.value,
            is_embedder: serving.pooling.is_some(),
            bytes: files.iter().fold(Bytes(0), |sum, file| sum.plus(file.bytes)),
            load_time: load_time(&files),
            folders: interner.list(folders(&program, &files)),
            files: interner.list(files.iter().map(|file| file.path.as_str())),
            program: interner.text(&program),
            key_file: serving.key_file.as_ref().map(|file| file.value.clone()),
            env: env.into_iter().map(|(name, value)| (interner.text(name), interner.text(value))).collect(),
            places_threads,
            lock: serving.is_locked(),
            hardening: serving.hardening.map_or(registry.stack.hardening, |hardening| hardening.value),
        }
    });
    roles.extend(planned);
    roles
}

fn sharers(registry: &Registry) -> BTreeMap<Id<hir::Role>, Vec<Box<str>>> {
    let mut sharers: BTreeMap<_, Vec<Box<str>>> = BTreeMap::new();
    for role in registry.roles.iter() {
        if let RoleKind::Shares(shared) = &role.kind {
            sharers.entry(shared.value).or_default().push(role.head.name.value.clone());
        }
    }
    sharers
}

/// The arguments of each process of each served role, in the order of declaration.
fn command_lines(checked: &Checked) -> Vec<Vec<Vec<Word>>> {
    let servings: Vec<&Serving> = checked.registry().roles.iter().filter_map(hir::Role::serving).collect();
    let line = |serving: &Serving, n| checked.lower_server(serving, n).map(|lowered| lowered.args);
    let command_lines = servings
        .par_iter()
        .map(|serving| (0..serving.ports.len()).map(|n| line(serving, n).unwrap_or_default()).collect());
    command_lines.collect()
}

/// Stores each distinct text once, because many roles have the same texts.
#[derive(Default)]
struct Interner {
    texts: BTreeSet<Arc<str>>,
    lists: BTreeSet<Arc<[Arc<str>]>>,
}

impl Interner {
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.texts.insert(new.clone());
        new
    }

    fn list<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> Arc<[Arc<str>]> {
        let list: Vec<Arc<str>> = texts.into_iter().map(|text| self.text(text)).collect();
        if let Some(known) = self.lists.get(list.as_slice()) {
            return known.clone();
        }
        let new: Arc<[Arc<str>]> = list.into();
        self.lists.insert(new.clone());
        new
    }
}

/// True if an option or a variable makes the processes set the affinity or priority of their threads.
fn places_threads(profile: &Profile, instances: &[Vec<Word>], env: &[(&str, &str)]) -> bool {
    let words = instances.iter().flatten().map(Word::text);
    words.chain(env.iter().map(|(name, _)| *name)).any(|word| profile.family().places_threads(word))
}

/// The program of a role's processes.
fn program(registry: &Registry, serving: &Serving, profile: Option<&Profile>) -> String {
    let engine = serving.engine.map(|engine| registry.engines.get(engine.value));
    let bin = engine.map(|engine| engine.bin.value.clone()).unwrap_or_default();
    let server = profile.map(Profile::server).unwrap_or_default();
    format!("{}/{server}", bin.trim_end_matches('/'))
}

struct File {
    path: String,
    bytes: Bytes,
    speed: Option<Bytes>,
}

fn files(registry: &Registry, serving: &Serving) -> Vec<File> {
    let file = |model: &hir::Model, path: &str, bytes: Bytes| {
        let store =
            model.store.filter(|_| !path.starts_with('/')).map(|store| registry.stores.get(store.value));
        let speed = store.and_then(|store| store.speed).map(|speed| speed.value);
        File { path: registry.path_of(model, path), bytes, speed }
    };
    let model = registry.models.get(serving.model.value);
    let mut files = vec![file(model, &model.file, model.size.value)];
    if let Some(draft) = &serving.draft {
        let drafter = registry.models.get(draft.model.value);
        files.push(file(drafter, &drafter.file, drafter.size.value));
    }
    if let Some(projector) = &model.projector {
        files.push(file(model, &projector.file, projector.size.map_or(Bytes(0), |size| size.value)));
    }
    files
}

fn load_time(files: &[File]) -> Option<Seconds> {
    let seconds = files.iter().map(|file| Some(file.bytes.0.div_ceil(file.speed?.0.max(1))));
    seconds.sum::<Option<u64>>().map(|seconds| Seconds(seconds + START_OVERHEAD))
}

fn folders<'f>(program: &'f str, files: &'f [File]) -> Vec<&'f str> {
    let paths = files.iter().map(|file| file.path.as_str()).chain([program]);
    let all: BTreeSet<&str> =
        paths.filter_map(|path| path.rsplit_once('/')).map(|(folder, _)| folder).collect();
    let below =
        |folder: &str, other: &str| folder.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
    let kept = all.iter().filter(|folder| !all.iter().any(|other| below(folder, other)));
    kept.map(|folder| if folder.is_empty() { "/" } else { *folder }).collect()
}
