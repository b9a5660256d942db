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

/// A case, or in words why nothing is known.
type Found = Result<Box<Case>, &'static str>;

/// All served roles, in the order of declaration. Many are alike, and a graph takes longer to be placed than a role to be read.
pub(super) fn of_roles(ground: &Ground) -> Vec<RoleMemory> {
    let served: Vec<(Id<Role>, &Serving)> =
        ground.registry.roles.entries().filter_map(|(id, role)| Some((id, role.serving()?))).collect();
    let cases = served.par_iter().map(|(role, serving)| (*role, *serving, case(ground, serving)));
    let cases: Vec<(Id<Role>, &Serving, Found)> = cases.collect();
    let first = cases.iter().filter_map(|(_, serving, case)| Some((&**case.as_ref().ok()?, *serving)));
    let first: Vec<(&Case, &Serving)> = first.collect::<BTreeMap<_, _>>().into_iter().collect();
    let parts = first.par_iter().map(|(case, serving)| Some((*case, of_case(ground, serving, case)?)));
    let parts: BTreeMap<&Case, Arc<[Part]>> = parts.flatten().collect();
    let unknown: BTreeMap<&str, Arc<[Part]>> = [
        (NO_PROFILE, NO_PROFILE),
        (locked::NOT_LOCKED, "the lock has no facts of its model: run `orchgen lock` where the file is"),
        (locked::OTHER_FILE, "the lock has the facts of another file: run `orchgen lock` where its model is"),
    ]
    .map(|(why, said)| {
        let part = Part { kind: Kind::Rest, of: Whose::Model, amount: Amount::Unknown(said.to_owned()) };
        (why, [part].into())
    })
    .into();
    let of_case = |case: &Found| match case {
        Ok(case) => parts.get(&**case),
        Err(why) => unknown.get(why),
    };
    let roles = cases.iter();
    roles
        .filter_map(|(role, _, case)| Some(RoleMemory { role: *role, parts: of_case(case)?.clone() }))
        .collect()
}

/// Why nothing is known where the build is not.
const NO_PROFILE: &str = "what its engine does is not known";

/// What decides about the memory of a role; in words why nothing is known of it.
fn case(ground: &Ground, serving: &Serving) -> Found {
    let registry = &ground.registry;
    locked::facts(&ground.lock, registry.models.get(serving.model.value))?;
    let (Some(engine), Some(profile)) = (serving.engine, ground.profile_of(serving)) else {
        return Err(NO_PROFILE);
    };
    let lowered = ground.serve(serving, 0).ok_or(NO_PROFILE)?;
    let experts = serving.experts.map(|experts| experts.value);
    let env = registry.env_of(serving);
    Ok(Box::new(Case {
        engine: engine.value,
        model: serving.model.value,
        draft: serving.draft.as_ref().map(|draft| draft.model.value),
        asked: Asked::read(profile, &env, lowered.args.iter().map(|arg| &**arg)),
        overridden: format!("{experts:?} {:?}", intent::overrides(ground, serving)),
        has_gpu: !registry.hosts.get(serving.host.value).gpus.is_empty(),
    }))
}

fn of_case(ground: &Ground, serving: &Serving, case: &Case) -> Option<Arc<[Part]>> {
    let (registry, lock) = (&ground.registry, &ground.lock);
    let model = registry.models.get(case.model);
    let facts = locked::facts(lock, model).ok()?;
    let draft = case.draft.map(|draft| locked::facts(lock, registry.models.get(draft)));
    let projector = locked::projector(lock, model);
    let overrides = intent::overrides(ground, serving);
    let arch = &*registry.families.get(model.family.value).arch.value;
    let experts = serving.experts.map(|experts| (arch, i64::from(experts.value)));
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
    for of in [Some(Whose::Model), case.draft.map(|_| Whose::Draft)].into_iter().flatten() {
        if case.has_gpu && case.asked.may_offload(of) {
            let why = "the host has a GPU, which may take layers".to_owned();
            parts.push(Part { kind: Kind::Rest, of, amount: Amount::Unknown(why) });
        }
    }
    Some(parts.into())
}

/// The facts as a process sees them: `--override-kv` changes keys of the architecture, a draft's as well as its target's (llama.cpp
/// b11434, `common/speculative.cpp`).
fn overridden<'f>(
    facts: &'f Facts,
    overrides: &[(&str, Value<'_>)],
    experts: Option<(&str, i64)>,
) -> Cow<'f, Facts> {
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
    let has_experts = facts.parameters.contains_key(intent::EXPERTS);
    let used = experts.filter(|(of, _)| has_experts && *of == arch);
    let used = used.map(|(_, used)| (intent::EXPERTS.into(), Parameter::Number(used)));
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
    let held = if serving.is_locked() { Held::Locked } else { Held::Mapped };
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
                *file = Some(FilePart { bytes, held });
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
