//! Reads the context and the slots of a role.

use super::read::Fields;
use crate::hir::codes::CONFLICTING_FIELDS;
use crate::hir::{Context, ContextField, Slots, SlotsField};
use crate::source::{Span, Spanned};
use std::num::NonZeroU32;

/// The context, by default the trained one. `None` if it could not be read.
pub(super) fn context(fields: &mut Fields) -> Option<Spanned<Context>> {
    let (place, has_field) = (fields.owner().place, has(fields, "context"));
    let Some(ContextField { tokens, least }) = fields.get::<Option<ContextField>>("context")? else {
        return (!has_field).then_some(Spanned::new(Context::Trained, place));
    };
    match (tokens.value, least) {
        (Context::Fit(_), least) => {
            let least = least.and_then(|least| NonZeroU32::new(least.value));
            Some(Spanned::new(Context::Fit(least), tokens.span))
        }
        (Context::Tokens(_) | Context::Trained, Some(least)) => {
            let message = "has an effect only if the engine fits the context";
            report(fields, ("least", message), (least.span, tokens.span));
            Some(tokens)
        }
        (Context::Tokens(_) | Context::Trained, None) => Some(tokens),
    }
}

/// The slots, by default one. `None` if they could not be read.
pub(super) fn slots(fields: &mut Fields) -> Option<Spanned<Slots>> {
    let (place, has_field) = (fields.owner().place, has(fields, "slots"));
    let Some(SlotsField { n, shared }) = fields.get::<Option<SlotsField>>("slots")? else {
        return (!has_field).then_some(Spanned::new(Slots { count: 1, is_shared: false }, place));
    };
    let shared = shared.filter(|shared| shared.value);
    if let (Some(shared), 1) = (shared, n.value) {
        report(fields, ("shared", "has an effect only with several slots"), (shared.span, n.span));
    }
    Some(n.map(|count| Slots { count, is_shared: shared.is_some() && count > 1 }))
}

fn has(fields: &Fields, field: &str) -> bool {
    fields.record.is_reported(field) || fields.record.blocks(field).next().is_some()
}

fn report(fields: &mut Fields, (part, why): (&str, &str), (place, other): (Span, Span)) {
    let owner = fields.owner();
    let message = format!("`{part}` of {} {why}", owner.describe());
    let finding = CONFLICTING_FIELDS.at(place, "has no effect", message).also(other, "because of this");
    owner.report(finding.remove(place), fields.findings);
}
