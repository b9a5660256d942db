//! A draft for a target whose family forbids speculation.

use super::Check;
use super::forbidden::{self, Deed};
use crate::diag::Diagnostics;
use crate::hir::{Forbids, Registry, Serving};

declare_code! {
    /// ## What it finds
    /// A role that drafts for a model whose family forbids `speculation`.
    ///
    /// ## Why
    /// Some models cannot take back tokens that were drafted and rejected; a recurrent state, for one, cannot be rolled back by
    /// every build. Builds start all the same.
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
    static FORBIDDEN_SPECULATION = 303, "forbidden-speculation", Error;
}

pub(super) static CHECK: Check = Check { code: &FORBIDDEN_SPECULATION, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let deed =
        Deed { code: &FORBIDDEN_SPECULATION, what: Forbids::Speculation, field: "draft", verb: "drafts for" };
    // A draft that a ban names is said there, and one that a pair names at the pair.
    let drafts = |serving: &Serving| {
        let draft = serving.draft.as_ref()?;
        let (target, drafter) = (serving.model.value, draft.model.value);
        let is_said =
            registry.ban_of(target, drafter).is_some() || registry.pair_naming(target, drafter).is_some();
        (!is_said).then_some(draft.span)
    };
    forbidden::run(&deed, registry, drafts, findings);
}
