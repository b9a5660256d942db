//! A number of experts that the model does not have.

use super::experts;
use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::engine::architecture;

declare_code! {
    /// ## What it finds
    /// A role that uses more experts than its model has, uses zero experts, or sets `experts` for a dense model.
    ///
    /// ## Why
    /// If the number exceeds the experts of the model, the engine aborts with a stack trace that does not show the
    /// reason. For a dense model it ignores the number.
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
    pub(super) static TOO_MANY_EXPERTS = 308, "too-many-experts", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let Some(used) = experts::used(registry, serving) else { continue };
        let (model, family) = registry.model_of(serving);
        let (name, title) = (words::quoted(&role.head.name), words::quoted(&model.title));
        let total = model.experts.as_ref().and_then(|experts| experts.total);
        let is_dense = model.experts.is_none()
            && architecture::architecture(&family.arch).is_some_and(|arch| !arch.names_experts());
        let finding = match total {
            Some(total) if !(1..=i64::from(total.value)).contains(&used.value) => {
                let message =
                    format!("role {name} uses {} experts, but {title} has {}", used.value, total.value);
                let finding =
                    TOO_MANY_EXPERTS.at(used.span, format!("expected 1 to {}", total.value), message);
                finding
                    .also(total.span, "the number of experts of the model")
                    .help(format!("use at most {} experts", total.value))
            }
            None if is_dense => {
                let message = format!("role {name} uses {} experts, but {title} has none", used.value);
                let finding = TOO_MANY_EXPERTS.at(used.span, "has no effect", message);
                let label =
                    format!("`{}` is an architecture without experts", words::printable(&family.arch));
                finding.also(family.arch.span, label).help(if serving.experts.is_some() {
                    "remove `experts`"
                } else {
                    "remove the override"
                })
            }
            None if used.value < 1 => {
                let message = format!("role {name} uses {} experts of {title}", used.value);
                TOO_MANY_EXPERTS.at(used.span, "expected at least 1", message).help("use at least 1 expert")
            }
            Some(_) | None => continue,
        };
        findings.report(finding.about(role));
    }
}
