//! How many experts a role uses: shared by the checks that hold the number against the model.

use super::intent::EXPERTS;
use crate::diag::words;
use crate::hir::{ExpertAdvice, Family, Model, Override, Registry, Serving, Setting};
use crate::source::{Span, Spanned};

/// The number, by the field `experts` or by an override of the key that it stands for; a role's comes before its family's.
pub(super) fn used(registry: &Registry, serving: &Serving) -> Option<Spanned<i64>> {
    if let Some(experts) = serving.experts {
        return Some(experts.map(i64::from));
    }
    let family = registry.model_of(serving).1;
    let key = format!("{}.{EXPERTS}", family.arch.value);
    let said = |one: &Override| match one.value.value {
        Setting::Integer(number) if *one.key.value == *key => Some(Spanned::new(number, one.value.span)),
        Setting::Integer(_) | Setting::Flag(_) | Setting::Float(_) | Setting::Text(_) => None,
    };
    serving.overrides.iter().chain(&family.overrides).find_map(said)
}

/// What is advised for a model: by itself, then by its family.
pub(super) fn advice<'r>(model: &'r Model, family: &'r Family) -> Vec<&'r ExpertAdvice> {
    let own = model.experts.as_ref().map(|experts| &experts.advice);
    own.into_iter().chain(family.experts.as_ref().map(|advice| &advice.value)).collect()
}

/// Where a number is said to be avoided; a model's own advice comes before what its family avoids.
pub(super) fn avoided(model: &Model, family: &Family, used: i64) -> Option<Span> {
    let is_used = |number: u32| i64::from(number) == used;
    for block in advice(model, family) {
        // What is advised and avoided at once is said where it stands.
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
pub(super) fn counted(used: i64) -> String {
    usize::try_from(used).map_or_else(|_| format!("{used} experts"), |used| words::count(used, "expert"))
}

/// The numbers that are advised, as what to do.
pub(super) fn way_out(model: &Model, family: &Family) -> String {
    let advised: Vec<String> = (advice(model, family).iter().flat_map(|advice| &advice.advise))
        .map(|advised| match &advised.purpose {
            Some(purpose) => format!("{} ({})", advised.experts.value, words::printable(purpose)),
            None => advised.experts.value.to_string(),
        })
        .collect();
    if advised.is_empty() {
        "use another number".to_owned()
    } else {
        format!("use {}", words::any_of(&advised))
    }
}
