//! A draft for a target whose family forbids speculation.

use super::forbidden::{self, ForbiddenUse};
use crate::derive::Derived;
use crate::diag::Diagnostics;
use crate::hir::{ForbiddenFeature, Serving};

declare_code! {
    /// ## What it finds
    /// A role with `draft` for a model whose family forbids `speculation`.
    ///
    /// ## Why
    /// Some models cannot roll back rejected tokens. For example, not all builds can roll back a recurrent state. The
    /// server starts anyway.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096, draft: tiny}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: recurrent, port: 9000, context: 4096}
    /// ```
    pub(super) static FORBIDDEN_SPECULATION = 303, "forbidden-speculation", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let forbidden_use = ForbiddenUse {
        code: &FORBIDDEN_SPECULATION,
        what: ForbiddenFeature::Speculation,
        field: "draft",
        phrase: "uses a draft for",
    };
    // `banned-draft` reports a banned draft, and `contradicted-pair` reports one that a pair names.
    let drafts = |serving: &Serving| {
        let draft = serving.draft.as_ref()?;
        let (target, drafter) = (serving.model.value, draft.model.value);
        let is_reported =
            registry.ban_of(target, drafter).is_some() || registry.exact_pair(target, drafter).is_some();
        (!is_reported).then_some(draft.span)
    };
    forbidden::run(&forbidden_use, registry, drafts, findings);
}
