//! Lowers roles and one-shot commands to the specs of `engine/dialect`, which builds the command lines. Checks and the
//! plan call the same functions, so the planned command line is the checked one.

use super::derived::Derived;
use crate::engine::architecture::architecture;
use crate::engine::dialect::{
    self, DraftSpec, FlashAttention, Lowered, NumaPlacement, OverrideValue, PromptSpec, ServerSpec, Sparsity,
};
use crate::engine::keys::{KeyVerdict, OverrideType, check_key};
use crate::hir::{Bytes, Id, Model, NumaPolicy, Override, Registry, Serving, Setting};
use crate::source::Spanned;

/// The metadata key that `experts` overrides, without its prefix (architecture and dot).
pub const EXPERT_USED_COUNT: &str = "expert_used_count";

/// The command line of an instance of a role. `None` if the profile of its engine is unknown.
pub fn lower_server(derived: &Derived, serving: &Serving, instance: usize) -> Option<Lowered> {
    let (registry, profile) = (&derived.registry, derived.profile_of(serving)?);
    let model = registry.models.get(serving.model.value);
    let host = registry.hosts.get(serving.host.value);
    let path = registry.path_of(model, &model.file);
    let projector = model.projector.as_ref().map(|projector| registry.path_of(model, &projector.file));
    let draft_path = draft_path(registry, serving);
    let on_demand = registry.is_on_demand(serving);
    let own = serving.ports.ports().nth(instance).unwrap_or(serving.ports.first);
    let addresses = if on_demand { vec!["127.0.0.1"] } else { serving.addresses() };
    let overrides = engine_overrides(derived, serving);
    let texts: Vec<Option<String>> =
        serving.options.iter().map(|option| option.value.as_ref().map(|v| to_text(v))).collect();
    let options: Vec<(&str, Option<&str>)> = serving
        .options
        .iter()
        .zip(&texts)
        .map(|(option, text)| (&*option.name.value, text.as_deref()))
        .collect();
    let spec = ServerSpec {
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
        sparsity: sparsity(registry, model),
        projector: projector.as_deref(),
        threads: serving.threads(host, instance),
        numa: numa_placement(serving, host.numa.len()),
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
    Some(dialect::lower_server(profile, &spec))
}

/// The one-shot command of a model with the settings of a role.
pub fn lower_prompt(derived: &Derived, id: Id<Model>, serving: &Serving) -> Option<Lowered> {
    let (registry, profile) = (&derived.registry, derived.profile_of(serving)?);
    let model = registry.models.get(id);
    let path = registry.path_of(model, &model.file);
    let projector = model.projector.as_ref().map(|projector| registry.path_of(model, &projector.file));
    let draft_path = draft_path(registry, serving);
    let overrides = engine_overrides(derived, serving);
    let spec = PromptSpec {
        model: &path,
        projector: projector.as_deref(),
        draft: draft(registry, serving, draft_path.as_deref()),
        lookup: lookup(serving),
        experts: experts(registry, serving),
        overrides: &overrides,
        context: u32::try_from(serving.context.value).ok(),
        threads: serving.threads(registry.hosts.get(serving.host.value), 0),
    };
    Some(dialect::lower_prompt(profile, &spec))
}

fn draft_path(registry: &Registry, serving: &Serving) -> Option<String> {
    let drafter = registry.models.get(serving.draft.as_ref()?.model.value);
    Some(registry.path_of(drafter, &drafter.file))
}

fn draft<'a>(registry: &'a Registry, serving: &Serving, path: Option<&'a str>) -> Option<DraftSpec<'a>> {
    let draft = serving.draft.as_ref()?;
    let drafter = registry.models.get(draft.model.value);
    let count = |n: Option<Spanned<u32>>| n.map(|n| n.value);
    Some(DraftSpec {
        path: path?,
        arch: &registry.families.get(drafter.family.value).arch.value,
        max: count(draft.max),
        min: count(draft.min),
        p_min: draft.p_min.map(|p| p.value),
    })
}

/// `Sparsity::Dense` if the model declares no experts and its architecture has no metadata keys for them.
fn sparsity(registry: &Registry, model: &Model) -> Sparsity {
    let arch = &registry.families.get(model.family.value).arch;
    let is_dense = model.experts.is_none() && architecture(arch).is_some_and(|arch| !arch.names_experts());
    if is_dense { Sparsity::Dense } else { Sparsity::Unknown }
}

fn lookup(serving: &Serving) -> Option<u32> {
    serving.lookup.map(|least| least.value.unwrap_or(dialect::LOOKUP_NGRAM_MIN))
}

fn experts<'r>(registry: &'r Registry, serving: &Serving) -> Option<(&'r str, u32)> {
    let model = registry.models.get(serving.model.value);
    serving.experts.map(|experts| (&*registry.families.get(model.family.value).arch.value, experts.value))
}

/// The overrides of the family, then those of the role. Overrides and `experts` of the role replace those of the family
/// with the same key.
pub fn effective_overrides<'r>(registry: &'r Registry, serving: &'r Serving) -> Vec<&'r Override> {
    let family = registry.model_of(serving).1;
    let experts = serving.experts.map(|_| format!("{}.{EXPERT_USED_COUNT}", family.arch.value));
    let is_replaced = |inherited: &&Override| {
        experts.as_deref() == Some(&inherited.key)
            || serving.overrides.iter().any(|own| own.key == inherited.key)
    };
    family.overrides.iter().filter(|inherited| !is_replaced(inherited)).chain(&serving.overrides).collect()
}

/// The overrides of a role with typed values for the command line. The engine takes the type of a key from the type of
/// its value, so an integer for a float key is written with a fraction.
pub fn engine_overrides<'r>(derived: &'r Derived, serving: &'r Serving) -> Vec<(&'r str, OverrideValue<'r>)> {
    let registry = &derived.registry;
    let (arch, profile) = (&registry.model_of(serving).1.arch, derived.profile_of(serving));
    let is_float = |name: &str| {
        let verdict = profile.map(|profile| check_key(profile, arch, name));
        matches!(verdict, Some(KeyVerdict::Known { kind: OverrideType::Float, .. }))
    };
    let all = effective_overrides(registry, serving).into_iter();
    let typed = all.map(|one| match (value(&one.value), &*one.key.value as &str) {
        (OverrideValue::Int(number), name) if is_float(name) => (name, as_float(number)),
        (value, name) => (name, value),
    });
    typed.collect()
}

/// The nearest float to an integer.
fn as_float(number: i64) -> OverrideValue<'static> {
    number.to_string().parse().map_or(OverrideValue::Int(number), OverrideValue::Float)
}

fn value(setting: &Setting) -> OverrideValue<'_> {
    match setting {
        Setting::Flag(flag) => OverrideValue::Bool(*flag),
        Setting::Integer(number) => OverrideValue::Int(*number),
        Setting::Float(number) => OverrideValue::Float(*number),
        Setting::Text(text) => OverrideValue::Str(text),
    }
}

fn to_text(setting: &Setting) -> String {
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

/// `NumaPlacement::External` for memory that is interleaved over several nodes: the unit or the wrapper sets this
/// policy, not the engine.
fn numa_placement(serving: &Serving, nodes: usize) -> NumaPlacement {
    match serving.placement.numa.as_ref().map(|numa| &numa.value) {
        Some(NumaPolicy::Interleave(named)) if named.len() > 1 || (named.is_empty() && nodes > 1) => {
            NumaPlacement::External
        }
        _ => NumaPlacement::SingleNode,
    }
}
