//! An override with a number that is out of range for its key, or that makes the loader abort.

use super::overrides::{self, DeclaredOverride};
use crate::derive::Derived;
use crate::derive::intent::EXPERT_USED_COUNT;
use crate::diag::{Diagnostics, words};
use crate::engine::keys::integer_range;
use crate::hir::{Experts, Setting};

declare_code! {
    /// ## What it finds
    /// A metadata override with a whole number out of range for its key, or with a number of experts or expert groups
    /// that makes the engine abort.
    ///
    /// ## Why
    /// The engine silently keeps the lower 32 bits: `-1` becomes 4294967295. It aborts with a stack trace if the number
    /// of experts is below the number of used experts, is above 1024, or is set on a model without experts.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra:
    ///     {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, override: {key: qwen3moe.context_length, value: -1}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra:
    ///     {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, override: {key: qwen3moe.context_length, value: 65536}}
    /// ```
    pub(super) static OVERRIDE_RANGE = 376, "override-range", Error;
}

/// The maximum number of experts of a model (llama.cpp b11434, `src/llama-model.cpp`).
const MAX_EXPERTS: i64 = 1024;

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for one in overrides::each(derived) {
        let Setting::Integer(number) = one.entry.value.value else { continue };
        // Other checks cover the number of used experts; they know the total.
        if one.entry.key.ends_with(EXPERT_USED_COUNT) {
            continue;
        }
        let Some(range) = integer_range(one.profile, &one.family.arch, &one.entry.key) else { continue };
        let expected = if range.contains(&number) {
            experts(&one, number)
        } else {
            Some(format!("{} to {}", range.start(), range.end()))
        };
        let Some(expected) = expected else { continue };
        let key = words::quoted(&one.entry.key);
        let message = format!("{} overrides {key} with {number}; expected {expected}", one.owner());
        let finding = OVERRIDE_RANGE
            .at(one.entry.value.span, format!("expected {expected}"), message)
            .about((one.kind, one.name));
        findings.report(finding.help(format!("write another value: {expected}")));
    }
}

/// The numbers that the loader accepts for a key of experts or expert groups. `None` if it accepts this number.
fn experts(one: &DeclaredOverride, number: i64) -> Option<String> {
    let name = one.entry.key.strip_prefix(&**one.family.arch)?.strip_prefix('.')?;
    let declared = one.model.and_then(|model| model.experts.as_ref()).map(|experts| &experts.value);
    let of = |pick: fn(&Experts) -> Option<u32>| declared.and_then(pick).map(i64::from);
    let total = of(|experts| experts.total.map(|total| total.value));
    let used = of(|experts| experts.default.map(|default| default.value));
    match name {
        "expert_count" if one.is_dense() => {
            (number != 0).then(|| "0, because the model has no experts".to_owned())
        }
        "expert_count" => {
            let least = used.unwrap_or(1);
            (!(least..=MAX_EXPERTS).contains(&number)).then(|| format!("{least} to {MAX_EXPERTS}"))
        }
        "expert_group_count" => {
            let total = total?;
            let divides = number <= 1 || (number < total && total % number == 0);
            (!divides).then(|| format!("a number below {total} that divides it"))
        }
        "expert_group_used_count" => (number == 0).then(|| "at least 1".to_owned()),
        _ => None,
    }
}
