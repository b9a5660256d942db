//! The number of experts that a role uses, for the checks that compare it with the model.

use crate::derive::intent::EXPERT_USED_COUNT;
use crate::diag::words;
use crate::hir::{Experts, Family, Model, Override, Registry, Serving, Setting};
use crate::source::{Span, Spanned};

/// The number of experts of a role: the field `experts`, else an override of its metadata key by the role, else by the
/// family.
pub(super) fn used(registry: &Registry, serving: &Serving) -> Option<Spanned<i64>> {
    if let Some(experts) = serving.experts {
        return Some(experts.map(i64::from));
    }
    let family = registry.model_of(serving).1;
    let key = format!("{}.{EXPERT_USED_COUNT}", family.arch.value);
    let number = |one: &Override| match one.value.value {
        Setting::Integer(number) if *one.key.value == *key => Some(Spanned::new(number, one.value.span)),
        Setting::Integer(_) | Setting::Flag(_) | Setting::Float(_) | Setting::Text(_) => None,
    };
    serving.overrides.iter().chain(&family.overrides).find_map(number)
}

/// The advice about experts: of the model, then of its family.
pub(super) fn advice<'r>(model: &'r Model, family: &'r Family) -> Vec<&'r Experts> {
    let own = model.experts.as_ref().map(|experts| &experts.value);
    own.into_iter().chain(family.experts.as_ref().map(|advice| &advice.value)).collect()
}

/// The place that lists a number under `avoid`. Advice of the model takes precedence over that of its family.
pub(super) fn avoided(model: &Model, family: &Family, used: i64) -> Option<Span> {
    let is_used = |number: u32| i64::from(number) == used;
    for block in advice(model, family) {
        // A number that is both advised and avoided has a separate finding.
        if block.advise.iter().any(|advised| is_used(advised.experts.value)) {
            return None;
        }
        if let Some(avoid) = block.avoid.iter().find(|avoid| is_used(avoid.value)) {
            return Some(avoid.span);
        }
    }
    None
}

/// `1 expert`, `4 experts`.
pub(super) fn describe(used: i64) -> String {
    usize::try_from(used).map_or_else(|_| format!("{used} experts"), |used| words::count(used, "expert"))
}

/// The help text with the advised numbers.
pub(super) fn help(model: &Model, family: &Family) -> String {
    let advised: Vec<String> = (advice(model, family).iter().flat_map(|advice| &advice.advise))
        .map(|advised| match &advised.purpose {
            Some(purpose) => format!("{} ({})", advised.experts.value, words::printable(purpose)),
            None => advised.experts.value.to_string(),
        })
        .collect();
    if advised.is_empty() {
        "use another number of experts".to_owned()
    } else {
        format!("use an advised number of experts: {}", words::any_of(&advised))
    }
}
