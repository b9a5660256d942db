//! Lookup for a model whose family forbids it.

use super::Check;
use super::forbidden::{self, Deed};
use crate::diag::Diagnostics;
use crate::hir::{Forbids, Registry};

declare_code! {
    /// ## What it finds
    /// A role with `lookup` for a model whose family forbids it.
    ///
    /// ## Why
    /// Lookup drafts tokens from the prompt, and rejected ones have to be taken back as those of a draft model.
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
    static FORBIDDEN_LOOKUP = 304, "forbidden-lookup", Error;
}

pub(super) static CHECK: Check = Check { code: &FORBIDDEN_LOOKUP, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let deed =
        Deed { code: &FORBIDDEN_LOOKUP, what: Forbids::Lookup, field: "lookup", verb: "uses lookup with" };
    forbidden::run(&deed, registry, |serving| Some(serving.lookup?.span), findings);
}
