//! A draft that is larger than its target.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::engine::architecture::lacks_experts;
use crate::hir::{Model, Registry};

declare_code! {
    /// ## What it finds
    /// A role with a dense draft whose file is larger than that of its target.
    ///
    /// ## Why
    /// The engine reads all weights of a dense model for each token, so this draft is slower than the target alone. The
    /// two models were probably swapped. Mixture-of-experts drafts are not reported, because only a part of their
    /// weights is read per token.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: tiny, port: 9000, context: 4096, draft: plain}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, draft: tiny}
    /// ```
    pub(super) static LARGER_DRAFT = 350, "larger-draft", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let Some(draft) = &serving.draft else { continue };
        let (target, drafter) =
            (registry.models.get(serving.model.value), registry.models.get(draft.model.value));
        let is_larger = drafter.size.value > target.size.value;
        if !is_larger || !is_dense(registry, drafter) || registry.forbids_draft(serving, draft) {
            continue;
        }
        let message = format!(
            "{role} uses the draft {}, which is larger than its target {}",
            words::quoted(&drafter.title),
            words::quoted(&target.title)
        );
        let finding = LARGER_DRAFT
            .at(draft.model.span, format!("file size {}", drafter.size.value), message)
            .also(serving.model.span, format!("file size {}", target.size.value))
            .about(role);
        findings.report(finding.help("swap `model` and `draft`, or use a smaller draft"));
    }
}

/// True if the engine certainly reads all weights of a model for each token.
fn is_dense(registry: &Registry, model: &Model) -> bool {
    let arch = &registry.families.get(model.family.value).arch;
    model.experts.is_none() && lacks_experts(arch)
}
