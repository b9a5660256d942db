//! What each role takes in memory: its command line and the headers of its files, put to the engine room.

use super::ground::Ground;
use super::intent;
use super::locked;
use crate::engine::dialect::Value;
use crate::engine::memory::{Amount, Asked, Kind, Part, Process, Whose, memory};
use crate::facts::{Facts, Parameter};
use crate::hir::{Bytes, Engine, FilePart, Held, Id, Model, Own, Role, Serving, Taking};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is said of a role where no header is known.
pub const LESS: &str = "the lock has no facts of its model: run `orchgen lock` where the files are";

/// What each process of a role takes.
#[derive(Clone, PartialEq, Debug)]
pub struct RoleMemory {
    /// The role.
    pub role: Id<Role>,
    /// What is known of it, and what is not.
    pub parts: Arc<[Part]>,
}

/// All that what a process takes follows from.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Case {
    engine: Id<Engine>,
    model: Id<Model>,
    draft: Option<Id<Model>>,
    asked: Asked,
    /// What is overridden in the metadata, as it is written.
    overridden: String,
    has_gpu: bool,
}

/// The roles whose model the lock has the facts of, in the order of declaration. Many roles are alike, and a graph takes longer to be
/// placed than a role to be read.
pub(super) fn of_roles(ground: &Ground) -> Vec<RoleMemory> {
    if ground.lock.models.is_empty() {
        return Vec::new();
    }
    let served: Vec<(Id<Role>, &Serving)> =
        ground.registry.roles.entries().filter_map(|(id, role)| Some((id, role.serving()?))).collect();
    let known = served.par_iter().filter_map(|(id, serving)| Some((*id, *serving, case(ground, serving)?)));
    let known: Vec<(Id<Role>, &Serving, Case)> = known.collect();
    let first: BTreeMap<&Case, &Serving> = known.iter().map(|(_, serving, case)| (case, *serving)).collect();
    let first: Vec<(&Case, &Serving)> = first.into_iter().collect();
    let parts = first.par_iter().map(|(case, serving)| Some((*case, of_case(ground, serving, case)?)));
    let parts: BTreeMap<&Case, Arc<[Part]>> = parts.flatten().collect();
    let roles = known.iter();
    roles
        .filter_map(|(role, _, case)| Some(RoleMemory { role: *role, parts: parts.get(case)?.clone() }))
        .collect()
}

/// What decides about the memory of a role; none where the lock knows nothing of its model.
fn case(ground: &Ground, serving: &Serving) -> Option<Case> {
    let registry = &ground.registry;
    locked::facts(&ground.lock, registry.models.get(serving.model.value)).ok()?;
    let profile = ground.profile_of(serving)?;
    let lowered = ground.serve(serving, 0)?;
    let experts = serving.experts.map(|experts| experts.value);
    Some(Case {
        engine: serving.engine?.value,
        model: serving.model.value,
        draft: serving.draft.as_ref().map(|draft| draft.model.value),
        asked: Asked::read(profile, lowered.args.iter().map(|arg| &**arg)),
        overridden: format!("{experts:?} {:?}", intent::overrides(ground, serving)),
        has_gpu: !registry.hosts.get(serving.host.value).gpus.is_empty(),
    })
}

fn of_case(ground: &Ground, serving: &Serving, case: &Case) -> Option<Arc<[Part]>> {
    let (registry, lock) = (&ground.registry, &ground.lock);
    let model = registry.models.get(case.model);
    let facts = locked::facts(lock, model).ok()?;
    let draft = case.draft.map(|draft| locked::facts(lock, registry.models.get(draft)));
    let projector = locked::projector(lock, model);
    let overrides = intent::overrides(ground, serving);
    let experts = serving.experts.map(|experts| i64::from(experts.value));
    let changed = |facts| overridden(facts, &overrides, experts);
    let (own, drafts) =
        (changed(&facts.facts), draft.and_then(Result::ok).map(|draft| changed(&draft.facts)));
    let process = Process {
        profile: ground.profile(case.engine)?,
        asked: &case.asked,
        model: &own,
        draft: drafts.as_deref(),
        projector: projector.and_then(Result::ok).map(|projector| &projector.facts),
    };
    let mut parts = memory(&process);
    let missing =
        [(Whose::Draft, draft.and_then(Result::err)), (Whose::Projector, projector.and_then(Result::err))];
    parts.extend(missing.into_iter().filter_map(|(of, why)| {
        Some(Part { kind: Kind::Rest, of, amount: Amount::Unknown(why?.to_owned()) })
    }));
    if case.has_gpu && case.asked.may_offload() {
        let why = "the host has a GPU, which may take layers".to_owned();
        parts.push(Part { kind: Kind::Rest, of: Whose::Model, amount: Amount::Unknown(why) });
    }
    Some(parts.into())
}

/// The facts as a process sees them: `--override-kv` changes keys of the architecture, a draft's as well as its target's (llama.cpp
/// b11434, `common/speculative.cpp`).
fn overridden<'f>(facts: &'f Facts, overrides: &[(&str, Value<'_>)], experts: Option<i64>) -> Cow<'f, Facts> {
    let Some(arch) = facts.architecture.as_deref() else { return Cow::Borrowed(facts) };
    let own = overrides.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix(arch)?.strip_prefix('.')?;
        let value = match value {
            Value::Int(number) => Parameter::Number(*number),
            Value::Bool(flag) => Parameter::Flag(*flag),
            Value::Float(_) | Value::Str(_) => return None,
        };
        // A list cannot be overridden, and what is not there is not read from elsewhere.
        let is_list = matches!(facts.parameters.get(key), Some(Parameter::List(_)));
        (!is_list).then(|| (key.into(), value))
    });
    let used = experts.filter(|_| facts.parameters.contains_key(intent::EXPERTS));
    let used = used.map(|used| (intent::EXPERTS.into(), Parameter::Number(used)));
    let changes: Vec<(Box<str>, Parameter)> = own.chain(used).collect();
    if changes.is_empty() {
        return Cow::Borrowed(facts);
    }
    let mut changed = facts.clone();
    changed.parameters.extend(changes);
    Cow::Owned(changed)
}

/// What sums count of a role.
pub(super) fn taking(ground: &Ground, memory: &RoleMemory) -> Taking {
    let mut taking = Taking::default();
    let Some(serving) = ground.registry.roles.get(memory.role).serving() else { return taking };
    let locks = serving.placement.lock.is_some_and(|lock| lock.value);
    for part in &*memory.parts {
        let bytes = Bytes(part.amount.bytes());
        if matches!(part.amount, Amount::Unknown(_)) {
            continue;
        }
        let file = match part.of {
            Whose::Model => &mut taking.model,
            Whose::Draft => &mut taking.draft,
            Whose::Projector => &mut taking.projector,
        };
        match part.kind {
            Kind::Mapped => {
                *file = Some(FilePart { bytes, held: if locks { Held::Locked } else { Held::Mapped } });
            }
            Kind::Loaded => *file = Some(FilePart { bytes, held: Held::Copied }),
            Kind::Repacked
            | Kind::Cache
            | Kind::State
            | Kind::Compute
            | Kind::Output
            | Kind::PromptCache
            | Kind::Checkpoints
            | Kind::Rest => {
                let model = model_of(serving, part.of);
                taking.own.push(Own {
                    model,
                    of_draft: part.of == Whose::Draft,
                    part: named(part.kind),
                    bytes,
                });
            }
        }
    }
    taking
}

fn model_of(serving: &Serving, of: Whose) -> Id<Model> {
    let draft = serving.draft.as_ref().filter(|_| of == Whose::Draft);
    draft.map_or(serving.model.value, |draft| draft.model.value)
}

/// What a part is called.
pub fn named(kind: Kind) -> &'static str {
    match kind {
        Kind::Mapped => "weights, mapped",
        Kind::Loaded => "weights, loaded",
        Kind::Repacked => "weights, repacked",
        Kind::Cache => "KV cache",
        Kind::State => "state",
        Kind::Compute => "compute buffer",
        Kind::Output => "output buffer",
        Kind::PromptCache => "prompt cache",
        Kind::Checkpoints => "checkpoints",
        Kind::Rest => "all else",
    }
}
