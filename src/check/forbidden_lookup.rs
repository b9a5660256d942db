//! Lookup for a model whose family forbids it.

use super::forbidden::{self, ForbiddenUse};
use crate::derive::Derived;
use crate::diag::Diagnostics;
use crate::hir::ForbiddenFeature;

declare_code! {
    /// ## What it finds
    /// A role with `lookup` for a model whose family forbids it.
    ///
    /// ## Why
    /// Lookup drafts tokens from n-grams of the prompt. As with a draft model, the engine must roll back rejected
    /// tokens, which some models cannot do.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096, lookup: 3}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096}
    /// ```
    pub(super) static FORBIDDEN_LOOKUP = 304, "forbidden-lookup", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let forbidden_use = ForbiddenUse {
        code: &FORBIDDEN_LOOKUP,
        what: ForbiddenFeature::Lookup,
        field: "lookup",
        phrase: "uses lookup with",
    };
    forbidden::run(&forbidden_use, &derived.registry, |serving| Some(serving.lookup?.span), findings);
}
