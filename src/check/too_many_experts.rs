//! More experts than the model has.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::engine::architecture;
use crate::hir::Registry;

declare_code! {
    /// ## What it finds
    /// A role that uses more experts than its model has, or experts on a model that has none.
    ///
    /// ## Why
    /// The engine aborts on more experts than there are, with a stack trace and no word of the reason. On a dense model it
    /// ignores the number.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, experts: 200}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, experts: 4}
    /// ```
    static TOO_MANY_EXPERTS = 308, "too-many-experts", Error;
}

pub(super) static CHECK: Check = Check { code: &TOO_MANY_EXPERTS, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for (role, serving) in registry.served() {
        let Some(experts) = serving.experts else { continue };
        let (model, family) = registry.model_of(serving);
        let total = model.experts.as_ref().and_then(|experts| experts.total);
        let dense = model.experts.is_none()
            && architecture::architecture(&family.arch).is_some_and(|arch| !arch.names_experts());
        let name = words::quoted(&role.head.name);
        let title = words::quoted(&model.title);
        let finding = match total {
            Some(total) if experts.value > total.value => {
                let message =
                    format!("role {name} uses {} experts, and {title} has {}", experts.value, total.value);
                let finding =
                    TOO_MANY_EXPERTS.at(experts.span, format!("expected 1 to {}", total.value), message);
                finding.also(total.span, "so many there are").help(format!("use at most {}", total.value))
            }
            None if dense => {
                let message = format!("role {name} uses {} experts, and {title} has none", experts.value);
                let finding = TOO_MANY_EXPERTS.at(experts.span, "has no effect", message);
                let label =
                    format!("`{}` is an architecture without experts", words::printable(&family.arch));
                finding.also(family.arch.span, label).help("remove `experts`")
            }
            _ => continue,
        };
        findings.say(finding.about("role", &*role.head.name.value));
    }
}
