//! The memory of a role: what is computed from the headers of its files, and what sums count.

use super::files::RoleFiles;
use super::gpu::{GpuShares, RoleGpus};
use crate::engine::memory::{Amount, Owner, Part, PartKind, Place};
use crate::engine::options::places_on_gpus;
use crate::hir::{Bytes, Host, Id, Model, Registry, Serving};
use std::sync::Arc;

/// The memory of each process of a role.
#[derive(Clone, Default, Debug)]
pub struct RoleMemory {
    /// The computed parts: weights, caches, buffers. A part can be unknown.
    pub parts: Arc<[Part]>,
    /// The memory that sums count: each file with its computed or else its declared size, and the known private parts.
    pub counted: Box<[MemoryPart]>,
    /// The memory that a process may take in addition, by defaults of its engine: prompt cache and checkpoints. Limits do
    /// not count it, because the registry does not state it.
    pub growth: Bytes,
    /// True if the size of a model or the memory of a program is unknown, so that sums count too little.
    pub lacks_size: bool,
}

/// A part of the memory of a process: a file that it reads, or its private memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryPart {
    /// The path of the file. `None` if this part is not a file.
    pub file: Option<Arc<str>>,
    /// The size in memory.
    pub bytes: Bytes,
    /// How the process has it in memory.
    pub kind: MemoryKind,
    /// The GPU that it is on, by its index in the list of the host. `None` for the memory of the host.
    pub gpu: Option<usize>,
    /// True if the size is declared, not computed.
    pub is_declared: bool,
    /// The file that needs it.
    pub owner: Owner,
    /// The model that needs it. `None` for the memory of another program.
    model: Option<Id<Model>>,
    /// The use of the memory, such as `KV cache`. Empty for weights.
    what: &'static str,
}

/// Bytes of a GiB, the unit of the limits of containers.
const GIBIBYTE: u64 = 1 << 30;

/// How a process has a file or a buffer in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryKind {
    /// The file is mapped. All processes that read it share the pages.
    Mapped,
    /// The pages are locked in memory (mlock). A draft is loaded like its target (llama.cpp b11434,
    /// `common/speculative.cpp`).
    Locked,
    /// The process has a copy in a buffer, as for a projector (llama.cpp b11434, `tools/mtmd/clip.cpp`).
    Copied,
}

impl RoleMemory {
    pub(super) fn new(host: &Host, role: MeasuredRole<'_>, parts: Arc<[Part]>) -> Self {
        let serving = role.serving;
        let mut counted = Vec::new();
        let mut lacks_size = false;
        for (owner, file) in role.files.iter() {
            match ReadFile::new(&parts, owner) {
                Some(read) => counted.extend(read.host_part(serving, (owner, &file.path))),
                None => {
                    lacks_size |= file.bytes.is_none() && owner != Owner::Projector;
                    let declared = DeclaredFile { role, host, owner, path: &file.path };
                    lacks_size |= !declared.add_to(file.bytes.unwrap_or(Bytes(0)), &mut counted);
                }
            }
        }
        let on_host = || parts.iter().filter(|part| part.place == Place::Host);
        let growth = on_host().fold(0, |sum: u64, part| sum.saturating_add(part.amount.growth()));
        let is_counted = |part: &&Part| {
            let is_known = !matches!(part.amount, Amount::Unknown(_) | Amount::MayGrow(_));
            is_known && (part.place != Place::Host || !is_file(part))
        };
        counted.extend(parts.iter().filter(is_counted).map(|part| private_part(serving, host, part)));
        Self { parts, counted: counted.into(), growth: Bytes(growth), lacks_size }
    }

    /// The known memory of a process, on the host and on GPUs.
    pub fn known(&self) -> Bytes {
        self.counted.iter().fold(Bytes(0), |sum, part| sum.plus(part.bytes))
    }

    /// True if the weights of the model are known from its header.
    pub fn is_computed(&self) -> bool {
        ReadFile::new(&self.parts, Owner::Model).is_some()
    }

    /// Why the memory on a GPU is not completely known, as a clause. `None` if it is, or if the role does not use the GPU.
    pub fn unknown_on<'m>(&'m self, gpu: &str) -> Option<&'m str> {
        let on_gpu = |part: &&Part| matches!(&part.place, Place::Device(name) if &**name == gpu);
        self.parts.iter().filter(on_gpu).find_map(|part| match &part.amount {
            Amount::Unknown(why) => Some(why.as_str()),
            Amount::Within { .. } | Amount::AtMost(_) | Amount::MayGrow(_) => None,
        })
    }

    /// Why the memory on the host is not completely known, as a clause. `None` if it is.
    pub fn unknown_on_host(&self) -> Option<&str> {
        let has_all = self.is_computed() && !self.lacks_size;
        self.unknown_parts().next().or((!has_all).then_some("the size of one of its files is unknown"))
    }

    /// Why facts are missing that `orchgen lock` reads, as a clause. `None` if the lock has all of them. Then only parts can be
    /// unknown that the engine computes from requests.
    pub fn lacks_facts(&self) -> Option<&str> {
        let of_lock = self.unknown_parts().find(|why| why.contains("`orchgen lock`"));
        let has_all = self.is_computed() && !self.lacks_size;
        of_lock.or_else(|| self.unknown_on_host().filter(|_| !has_all))
    }

    /// The reasons for unknown parts on the host.
    fn unknown_parts(&self) -> impl Iterator<Item = &str> {
        let on_host = self.parts.iter().filter(|part| part.place == Place::Host);
        on_host.filter_map(|part| match &part.amount {
            Amount::Unknown(why) => Some(why.as_str()),
            Amount::Within { .. } | Amount::AtMost(_) | Amount::MayGrow(_) => None,
        })
    }

    /// The limit of the memory of a container: all that a process may have in the memory of the host, mapped files included,
    /// and a margin of 1 GiB for the program and 1 GiB for the driver of each GPU. `None` if a part is unknown.
    pub fn container_limit(&self, gpus: usize) -> Option<Bytes> {
        self.unknown_on_host().is_none().then(|| self.container_request(gpus))
    }

    /// The known memory of a container on the host, with the same margins.
    pub fn container_request(&self, gpus: usize) -> Bytes {
        let counted = self.counted.iter().filter(|part| part.gpu.is_none());
        let sum = counted.fold(self.growth, |sum, part| sum.plus(part.bytes));
        with_margin(sum, gpus.saturating_add(1))
    }

    /// The memory of another program: what is declared, or unknown.
    pub(super) fn declared(bytes: Option<Bytes>) -> Self {
        let counted = bytes.map(|bytes| MemoryPart {
            file: None,
            bytes,
            kind: MemoryKind::Copied,
            gpu: None,
            is_declared: true,
            owner: Owner::Model,
            model: None,
            what: "",
        });
        let unknown =
            || Part::on_host(PartKind::Rest, Owner::Model, Amount::Unknown(NOT_DECLARED.to_owned()));
        let parts = if bytes.is_none() { [unknown()].into() } else { Arc::default() };
        let counted = counted.into_iter().collect();
        Self { parts, counted, growth: Bytes(0), lacks_size: bytes.is_none() }
    }
}

/// A number of bytes in whole GiB, with a margin of some GiB.
pub(super) fn with_margin(sum: Bytes, margin: usize) -> Bytes {
    let margin = u64::try_from(margin).unwrap_or(u64::MAX);
    Bytes(sum.0.div_ceil(GIBIBYTE).saturating_add(margin).saturating_mul(GIBIBYTE))
}

/// A role whose memory is measured.
#[derive(Clone, Copy)]
pub(super) struct MeasuredRole<'r> {
    pub(super) serving: &'r Serving,
    pub(super) files: &'r RoleFiles,
    pub(super) gpus: Option<&'r RoleGpus>,
}

/// The weights of a file, as they are known from its header.
struct ReadFile<'p> {
    /// The part in the memory of the host, if any.
    on_host: Option<&'p Part>,
}

impl<'p> ReadFile<'p> {
    /// `None` if no weights of the file are known.
    fn new(parts: &'p [Part], owner: Owner) -> Option<Self> {
        let is_known = |part: &&Part| !matches!(part.amount, Amount::Unknown(_));
        let weights = || parts.iter().filter(|part| part.owner == owner && is_file(part)).filter(is_known);
        weights().next()?;
        Some(Self { on_host: weights().rfind(|part| part.place == Place::Host) })
    }

    /// The memory of the host that the file takes.
    fn host_part(&self, serving: &Serving, (owner, path): (Owner, &Arc<str>)) -> Option<MemoryPart> {
        let part = self.on_host?;
        let kind = if part.kind == PartKind::Mapped { mapped_kind(serving) } else { MemoryKind::Copied };
        Some(MemoryPart {
            file: Some(path.clone()),
            bytes: Bytes(part.amount.bytes()),
            kind,
            gpu: None,
            is_declared: false,
            owner,
            model: Some(model_of(serving, owner)),
            what: "",
        })
    }
}

/// A file of which only the size is declared.
struct DeclaredFile<'f> {
    role: MeasuredRole<'f>,
    host: &'f Host,
    owner: Owner,
    path: &'f Arc<str>,
}

impl DeclaredFile<'_> {
    /// Adds its size where all of it is: on the host, or divided between GPUs. False if it is unknown how much is on the
    /// GPUs.
    fn add_to(&self, bytes: Bytes, counted: &mut Vec<MemoryPart>) -> bool {
        let serving = self.role.serving;
        let kind = if self.owner == Owner::Projector { MemoryKind::Copied } else { mapped_kind(serving) };
        let part = |bytes: Bytes, kind, gpu: Option<usize>| MemoryPart {
            file: gpu.is_none().then(|| self.path.clone()),
            bytes,
            kind,
            gpu,
            is_declared: true,
            owner: self.owner,
            model: Some(model_of(serving, self.owner)),
            what: "",
        };
        // These options are faults, and it is unknown where they put the model.
        let has_faults = serving.options.iter().any(|option| places_on_gpus(&option.name));
        let shares = match self.role.gpus {
            _ if has_faults => GpuShares::Unknown,
            Some(gpus) => gpus.shares_of(self.owner, serving),
            None => GpuShares::None,
        };
        match shares {
            GpuShares::None => counted.push(part(bytes, kind, None)),
            GpuShares::Unknown => return false,
            GpuShares::All(shares) => {
                let sum = shares.iter().fold(0, |sum: u64, (_, share)| sum.saturating_add(*share)).max(1);
                for (name, share) in shares {
                    let index = self.host.gpus.iter().position(|gpu| *gpu.name.value == *name);
                    let bytes = u128::from(bytes.0) * u128::from(share) / u128::from(sum);
                    let bytes = Bytes(u64::try_from(bytes).unwrap_or(u64::MAX));
                    counted.extend(index.map(|index| part(bytes, MemoryKind::Copied, Some(index))));
                }
            }
        }
        true
    }
}

/// A part that is no mapped file.
fn private_part(serving: &Serving, host: &Host, part: &Part) -> MemoryPart {
    let gpu = match &part.place {
        Place::Host => None,
        // A device that the host does not declare is beyond all its GPUs: no sum counts it.
        Place::Device(name) => {
            Some(host.gpus.iter().position(|gpu| *gpu.name.value == **name).unwrap_or(usize::MAX))
        }
    };
    let what = if is_file(part) { "" } else { kind_words(part.kind).1 };
    MemoryPart {
        file: None,
        bytes: Bytes(part.amount.bytes()),
        kind: MemoryKind::Copied,
        gpu,
        is_declared: false,
        owner: part.owner,
        model: Some(model_of(serving, part.owner)),
        what,
    }
}

fn mapped_kind(serving: &Serving) -> MemoryKind {
    if serving.is_locked() { MemoryKind::Locked } else { MemoryKind::Mapped }
}

impl MemoryPart {
    /// The title of the model, followed by the name of the part in parentheses, unless it is the model itself.
    pub fn label(&self, registry: &Registry) -> String {
        let Some(model) = self.model else { return PROGRAM.to_owned() };
        let title = &*registry.models.get(model).title;
        match [owner_label(self.owner), self.what] {
            ["", ""] => title.to_string(),
            [one, ""] | ["", one] => format!("{title} ({one})"),
            [of, part] => format!("{title} ({of}, {part})"),
        }
    }
}

/// True if a part is the weights of a file as the process reads them.
pub fn is_file(part: &Part) -> bool {
    matches!(part.kind, PartKind::Mapped | PartKind::Loaded)
}

/// The name of the memory of another program in memory tables.
pub const PROGRAM: &str = "program";

/// The reason why the memory of another program is unknown.
const NOT_DECLARED: &str = "it has a `command` without `memory`";

/// The name of a draft in memory tables.
const DRAFT: &str = "draft";

fn owner_label(owner: Owner) -> &'static str {
    match owner {
        Owner::Model => "",
        Owner::Draft => DRAFT,
        Owner::Projector => "projector",
    }
}

fn model_of(serving: &Serving, owner: Owner) -> Id<Model> {
    let draft = serving.draft_model().filter(|_| owner == Owner::Draft);
    draft.map_or(serving.model.value, |(_, draft)| draft.value)
}

/// The name of a kind of memory in reports, and its label in tables.
pub fn kind_words(kind: PartKind) -> (&'static str, &'static str) {
    match kind {
        PartKind::Mapped => ("mapped", "weights, mapped"),
        PartKind::Loaded => ("loaded", "weights, loaded"),
        PartKind::Repacked => ("repacked", "weights, repacked"),
        PartKind::Cache => ("cache", "KV cache"),
        PartKind::State => ("state", "state"),
        PartKind::Compute => ("compute", "compute buffer"),
        PartKind::Output => ("output", "output buffer"),
        PartKind::PromptCache => ("prompt_cache", "prompt cache"),
        PartKind::Checkpoints => ("checkpoints", "checkpoints"),
        PartKind::Adapters => ("adapters", "adapters"),
        PartKind::Rest => ("rest", "everything else"),
    }
}
