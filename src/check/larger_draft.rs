//! A draft that is larger than its target.

use super::{Check, forbidden};
use crate::diag::{Diagnostics, words};
use crate::engine::architecture;
use crate::hir::{Model, Registry};

declare_code! {
    /// ## What it finds
    /// A role whose draft has a larger file than its target, where the draft is dense.
    ///
    /// ## Why
    /// A dense model reads all its weights for each token, so such a draft is slower than the target alone; the two were most
    /// likely swapped. Of a mixture of experts only a part is read, and nothing is said.
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
    static LARGER_DRAFT = 350, "larger-draft", Warning;
}

pub(super) static CHECK: Check = Check { code: &LARGER_DRAFT, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for (role, serving) in registry.served() {
        let Some(draft) = &serving.draft else { continue };
        let (target, drafter) =
            (registry.models.get(serving.model.value), registry.models.get(draft.model.value));
        let is_larger = drafter.size.value > target.size.value;
        if !is_larger || !is_dense(registry, drafter) || forbidden::is_refused(registry, serving, draft) {
            continue;
        }
        let message = format!(
            "role {} drafts for {} with {}, which is larger",
            words::quoted(&role.head.name),
            words::quoted(&target.title),
            words::quoted(&drafter.title)
        );
        let finding = LARGER_DRAFT
            .at(draft.model.span, format!("a file of {}", drafter.size.value), message)
            .also(serving.model.span, format!("a file of {}", target.size.value))
            .about("role", &*role.head.name.value);
        findings.report(finding.help("swap the two, or draft with a smaller model"));
    }
}

/// Whether a model surely reads all its weights for each token.
fn is_dense(registry: &Registry, model: &Model) -> bool {
    let arch = &registry.families.get(model.family.value).arch;
    model.experts.is_none() && architecture::architecture(arch).is_some_and(|arch| !arch.names_experts())
}
