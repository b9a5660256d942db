//! How many experts a role uses: shared by the checks that hold the number against the model.

use super::intent::EXPERTS;
use crate::hir::{Override, Registry, Serving, Setting};
use crate::source::Spanned;

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
