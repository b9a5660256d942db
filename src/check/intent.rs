//! What a role's processes and a model's one-shot command have to do, said to the engine room. The check that asks whether the
//! build can, and the plan that takes the answer, read the same function.

use super::ground::Ground;
use crate::engine::architecture::architecture;
use crate::engine::dialect::{
    self, Draft, FlashAttention, Layers, Lowered, Numa as Placed, Prompt, Serve, Value,
};
use crate::engine::keys::{KeyVerdict, ValueKind, key};
use crate::hir::{Bytes, Id, Model, Numa, Override, Registry, Serving, Setting};
use crate::source::Spanned;

/// The key that `experts` stands for, after the architecture and a dot.
pub(super) const EXPERTS: &str = "expert_used_count";

/// The command line of an instance of a role; none where the profile of its engine is unknown.
pub(super) fn serve(ground: &Ground, serving: &Serving, instance: usize) -> Option<Lowered> {
    let (registry, profile) = (&ground.registry, ground.profile_of(serving)?);
    let model = registry.models.get(serving.model.value);
    let host = registry.hosts.get(serving.host.value);
    let path = registry.path_of(model, &model.file);
    let projector = model.projector.as_ref().map(|projector| registry.path_of(model, &projector.file));
    let draft_path = draft_path(registry, serving);
    let on_demand = registry.is_on_demand(serving);
    let own = serving.ports.ports().nth(instance).unwrap_or(serving.ports.first);
    let addresses = if on_demand { vec!["127.0.0.1"] } else { serving.addresses() };
    let overrides = overrides(ground, serving);
    let texts: Vec<Option<String>> =
        serving.options.iter().map(|option| option.value.as_ref().map(|v| spelled(v))).collect();
    let options: Vec<(&str, Option<&str>)> = serving
        .options
        .iter()
        .zip(&texts)
        .map(|(option, text)| (&*option.name.value, text.as_deref()))
        .collect();
    let wanted = Serve {
        model: &path,
        hosts: &addresses,
        port: if on_demand { serving.backend_port(instance).unwrap_or(own) } else { own },
        context: u32::try_from(serving.context.value).unwrap_or(u32::MAX),
        slots: serving.slots.value,
        batch: serving.batch.map(|batch| batch.value),
        experts: experts(registry, serving),
        overrides: &overrides,
        draft: draft(registry, serving, draft_path.as_deref()),
        lookup: lookup(serving),
        pooling: serving.pooling.as_ref().map(|pooling| &*pooling.value),
        is_embedder: serving.pooling.is_some(),
        layers: layers(registry, model),
        projector: projector.as_deref(),
        threads: serving.threads(host, instance),
        numa: placed(serving, host.numa.len()),
        lock: serving.is_locked(),
        cache_type: serving.cache_type.as_ref().map(|cache| &*cache.value),
        flash_attention: flash_attention(serving),
        prompt_cache_mib: serving
            .prompt_cache
            .map(|Spanned { value: Bytes(bytes), .. }| bytes.div_ceil(1 << 20)),
        key_file: serving.key_file.as_ref().map(|file| &*file.value),
        metrics: false,
        options: &options,
    };
    Some(dialect::serve(profile, &wanted))
}

/// The one-shot command of a model, as the role that serves it first has it.
pub(super) fn prompt(
    ground: &Ground,
    id: Id<Model>,
    serving: &Serving,
    words: (&str, &str),
) -> Option<Lowered> {
    let (registry, profile) = (&ground.registry, ground.profile_of(serving)?);
    let model = registry.models.get(id);
    let path = registry.path_of(model, &model.file);
    let projector = model.projector.as_ref().map(|projector| registry.path_of(model, &projector.file));
    let draft_path = draft_path(registry, serving);
    let overrides = overrides(ground, serving);
    let wanted = Prompt {
        model: &path,
        projector: projector.as_deref(),
        draft: draft(registry, serving, draft_path.as_deref()),
        lookup: lookup(serving),
        experts: experts(registry, serving),
        overrides: &overrides,
        context: u32::try_from(serving.context.value).ok(),
        threads: serving.threads(registry.hosts.get(serving.host.value), 0),
        prompt: words.0,
        image: words.1,
    };
    Some(dialect::prompt(profile, &wanted))
}

fn draft_path(registry: &Registry, serving: &Serving) -> Option<String> {
    let drafter = registry.models.get(serving.draft.as_ref()?.model.value);
    Some(registry.path_of(drafter, &drafter.file))
}

fn draft<'a>(registry: &'a Registry, serving: &Serving, path: Option<&'a str>) -> Option<Draft<'a>> {
    let draft = serving.draft.as_ref()?;
    let drafter = registry.models.get(draft.model.value);
    let count = |n: Option<Spanned<u32>>| n.map(|n| n.value);
    Some(Draft {
        path: path?,
        arch: &registry.families.get(drafter.family.value).arch.value,
        max: count(draft.max),
        min: count(draft.min),
        p_min: draft.p_min.map(|p| p.value),
    })
}

/// Whether a model is known to have no experts: it declares none, and its architecture names none.
fn layers(registry: &Registry, model: &Model) -> Layers {
    let arch = &registry.families.get(model.family.value).arch;
    let is_dense = model.experts.is_none() && architecture(arch).is_some_and(|arch| !arch.names_experts());
    if is_dense { Layers::Dense } else { Layers::Unknown }
}

fn lookup(serving: &Serving) -> Option<u32> {
    serving.lookup.map(|least| least.value.unwrap_or(dialect::LOOKUP))
}

fn experts<'r>(registry: &'r Registry, serving: &Serving) -> Option<(&'r str, u32)> {
    let model = registry.models.get(serving.model.value);
    serving.experts.map(|experts| (&*registry.families.get(model.family.value).arch.value, experts.value))
}

/// The overrides of the family, then those of the role; a key or number of experts of the role wins over one of the family.
pub(super) fn said_overrides<'r>(registry: &'r Registry, serving: &'r Serving) -> Vec<&'r Override> {
    let family = registry.model_of(serving).1;
    let experts = serving.experts.map(|_| format!("{}.{EXPERTS}", family.arch.value));
    let is_replaced = |inherited: &&Override| {
        experts.as_deref() == Some(&inherited.key)
            || serving.overrides.iter().any(|own| own.key == inherited.key)
    };
    family.overrides.iter().filter(|inherited| !is_replaced(inherited)).chain(&serving.overrides).collect()
}

/// The same for the command line. The engine reads a key by the type of its value alone, so a whole number for a key with
/// fractions is said as one with a fraction.
pub(super) fn overrides<'r>(ground: &'r Ground, serving: &'r Serving) -> Vec<(&'r str, Value<'r>)> {
    let registry = &ground.registry;
    let (arch, profile) = (&registry.model_of(serving).1.arch, ground.profile_of(serving));
    let is_float = |name: &str| {
        let verdict = profile.map(|profile| key(profile, arch, name));
        matches!(verdict, Some(KeyVerdict::Known { kind: ValueKind::Float, .. }))
    };
    let said = said_overrides(registry, serving).into_iter();
    let spelled = said.map(|one| match (value(&one.value), &*one.key.value as &str) {
        (Value::Int(number), name) if is_float(name) => (name, whole(number)),
        (value, name) => (name, value),
    });
    spelled.collect()
}

/// A whole number as one with a fraction, the nearest that there is.
fn whole(number: i64) -> Value<'static> {
    number.to_string().parse().map_or(Value::Int(number), Value::Float)
}

fn value(setting: &Setting) -> Value<'_> {
    match setting {
        Setting::Flag(flag) => Value::Bool(*flag),
        Setting::Integer(number) => Value::Int(*number),
        Setting::Float(number) => Value::Float(*number),
        Setting::Text(text) => Value::Str(text),
    }
}

fn spelled(setting: &Setting) -> String {
    match setting {
        Setting::Flag(flag) => flag.to_string(),
        Setting::Integer(number) => number.to_string(),
        Setting::Float(number) => number.to_string(),
        Setting::Text(text) => text.to_string(),
    }
}

fn flash_attention(serving: &Serving) -> Option<FlashAttention> {
    match &*serving.flash_attention.as_ref()?.value {
        "on" => Some(FlashAttention::On),
        "off" => Some(FlashAttention::Off),
        _ => Some(FlashAttention::Auto),
    }
}

/// Memory over several nodes is placed from outside, by the unit or the wrapper.
fn placed(serving: &Serving, nodes: usize) -> Placed {
    match serving.placement.numa.as_ref().map(|numa| &numa.value) {
        Some(Numa::Interleave(named)) if named.len() > 1 || (named.is_empty() && nodes > 1) => {
            Placed::Outside
        }
        _ => Placed::Single,
    }
}
