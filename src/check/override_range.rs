//! An override with a number that the reader of its key cannot hold, or that the loader aborts at.

use super::GroundCheck;
use super::ground::Ground;
use super::intent::EXPERTS;
use super::overrides::{self, Placed};
use crate::diag::{Diagnostics, words};
use crate::engine::keys::range;
use crate::hir::{Experts, Setting};

declare_code! {
    /// ## What it finds
    /// A metadata override with a whole number that its key cannot hold, or a number of experts or groups of them at which the engine
    /// aborts.
    ///
    /// ## Why
    /// The engine keeps the lower 32 bits: `-1` becomes 4294967295, without a word. A number of experts below the number that are used,
    /// above 1024, or on a model without experts ends it with a stack trace.
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
    static OVERRIDE_RANGE = 376, "override-range", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &OVERRIDE_RANGE, run };

/// The most experts of a model (llama.cpp b11434, `src/llama-model.cpp`).
const MOST_EXPERTS: i64 = 1024;

fn run(ground: &Ground, findings: &mut Diagnostics) {
    for one in overrides::each(ground) {
        let Setting::Integer(number) = one.said.value.value else { continue };
        // The number of experts that are used has a check of its own, which knows how many there are.
        if one.said.key.ends_with(EXPERTS) {
            continue;
        }
        let Some(held) = range(one.profile, &one.family.arch, &one.said.key) else { continue };
        let expected = if held.contains(&number) {
            experts(&one, number)
        } else {
            Some(format!("{} to {}", held.start(), held.end()))
        };
        let Some(expected) = expected else { continue };
        let key = words::quoted(&one.said.key);
        let message = format!("{} overrides {key} with {number}, and the key holds {expected}", one.owner());
        let finding = OVERRIDE_RANGE
            .at(one.said.value.span, format!("expected {expected}"), message)
            .about(one.kind, one.name);
        findings.report(finding.help(format!("write a number that the key holds: {expected}")));
    }
}

/// What the loader would take instead of a number of experts or of groups of them; none where it takes the number.
fn experts(one: &Placed, number: i64) -> Option<String> {
    let name = one.said.key.strip_prefix(&**one.family.arch)?.strip_prefix('.')?;
    let declared = one.model.and_then(|model| model.experts.as_ref()).map(|experts| &experts.value);
    let of = |pick: fn(&Experts) -> Option<u32>| declared.and_then(pick).map(i64::from);
    let total = of(|experts| experts.total.map(|total| total.value));
    let used = of(|experts| experts.default.map(|default| default.value));
    match name {
        "expert_count" if one.is_dense() => {
            (number != 0).then(|| "0, since the model has no experts".to_owned())
        }
        "expert_count" => {
            let least = used.unwrap_or(1);
            (!(least..=MOST_EXPERTS).contains(&number)).then(|| format!("{least} to {MOST_EXPERTS}"))
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
