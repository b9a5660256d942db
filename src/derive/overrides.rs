//! The metadata overrides of a role.

use crate::engine::Profile;
use crate::engine::dialect::OverrideValue;
use crate::engine::keys::{KeyVerdict, OverrideType, check_key};
use crate::hir::{Context, Override, Registry, Serving, Setting};
use crate::source::Spanned;

/// The metadata key that `experts` overrides, without its prefix (architecture and dot).
pub const EXPERT_USED_COUNT: &str = "expert_used_count";

/// The overrides of the family, then those of the role. Overrides and `experts` of the role replace those of the family
/// with the same key.
pub fn effective_overrides<'r>(registry: &'r Registry, serving: &'r Serving) -> Vec<&'r Override> {
    let (model, family) = registry.model_of(serving);
    let arch = registry.arch_of(model).filter(|_| serving.experts.is_some());
    let experts = arch.map(|arch| format!("{}.{EXPERT_USED_COUNT}", arch.value));
    let is_replaced = |inherited: &&Override| {
        experts.as_deref() == Some(&inherited.key)
            || serving.overrides.iter().any(|own| own.key == inherited.key)
    };
    let inherited = family.into_iter().flat_map(|family| &family.overrides);
    inherited.filter(|inherited| !is_replaced(inherited)).chain(&serving.overrides).collect()
}

/// The context length that an override of a role sets, with the place of the number.
pub fn extended_context(registry: &Registry, serving: &Serving) -> Option<Spanned<u64>> {
    let key = format!("{}.context_length", registry.arch_of(registry.model_of(serving).0)?.value);
    let overrides = effective_overrides(registry, serving);
    overrides.into_iter().filter(|one| *one.key.value == *key).find_map(|one| {
        let Spanned { value: Setting::Integer(number), span } = one.value else { return None };
        Some(Spanned::new(u64::try_from(number).ok()?, span))
    })
}

/// The context for which the engine takes the model of a role as trained: the overridden one, else that of the model.
pub fn trained_context(registry: &Registry, serving: &Serving) -> Option<u64> {
    let own = || registry.model_of(serving).0.trained_context;
    extended_context(registry, serving).or_else(own).map(|tokens| tokens.value)
}

/// The maximum number of tokens of one request. `None` if it depends on the trained context of a model without facts, or on
/// the memory that is free. The engine caps each slot of a shared cache at the trained context (all builds from March 2026
/// to b11434, `tools/server/server-context.cpp`).
pub fn request_limit(registry: &Registry, serving: &Serving) -> Option<u64> {
    match serving.context.value {
        Context::Tokens(tokens) if serving.slots.value.is_shared => {
            Some(trained_context(registry, serving)?.min(tokens.into()))
        }
        Context::Tokens(tokens) => Some(tokens.into()),
        Context::Trained => trained_context(registry, serving),
        Context::Fit(_) => None,
    }
}

/// The overrides of a role with typed values for the command line. The engine takes the type of a key from the type of
/// its value, so an integer for a float key is written with a fraction.
pub(super) fn engine_overrides<'r>(
    registry: &'r Registry,
    profile: &Profile,
    serving: &'r Serving,
) -> Vec<(&'r str, OverrideValue<'r>)> {
    let known = registry.arch_of(registry.model_of(serving).0);
    let is_float = |name: &str| {
        // A key starts with the architecture that it is for.
        let of_key = || name.split_once('.').map_or(name, |(arch, _)| arch);
        let arch = known.map_or_else(of_key, |arch| &**arch);
        matches!(check_key(profile, arch, name), KeyVerdict::Known { kind: OverrideType::Float, .. })
    };
    let all = effective_overrides(registry, serving).into_iter();
    let typed = all.map(|one| match (typed(&one.value), &*one.key.value as &str) {
        (OverrideValue::Int(number), name) if is_float(name) => (name, as_float(number)),
        (value, name) => (name, value),
    });
    typed.collect()
}

/// The nearest float to an integer.
fn as_float(number: i64) -> OverrideValue<'static> {
    number.to_string().parse().map_or(OverrideValue::Int(number), OverrideValue::Float)
}

/// A value with its type.
pub(super) fn typed(setting: &Setting) -> OverrideValue<'_> {
    match setting {
        Setting::Flag(flag) => OverrideValue::Bool(*flag),
        Setting::Integer(number) => OverrideValue::Int(*number),
        Setting::Float(number) => OverrideValue::Float(*number),
        Setting::Text(text) => OverrideValue::Str(text),
    }
}
