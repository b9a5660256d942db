//! An item without any use.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::hir::Head;

declare_code! {
    /// ## What it finds
    /// An engine, family or model that nothing uses.
    ///
    /// - The stack and roles use engines.
    /// - Models and rules use families.
    /// - Roles, rules and quirks use models. `retired` models are exempt.
    ///
    /// ## Why
    /// The item is probably a leftover, or its use was forgotten. A glob that matches the title of a model does not
    /// count as a use.
    ///
    /// Stores, hosts, tiers, residencies, services, cpusets and GPUs describe the machine and are never unused. If a
    /// part of the registry cannot be read, items that it could name are not reported.
    ///
    /// ## Example
    /// ```kdl
    /// model "spare" family="qwen2" title="Spare-7B" quant="Q4_K_M" size="4.4 GB" file="spare.gguf"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// model "spare" family="qwen2" title="Spare-7B" quant="Q4_K_M" size="4.4 GB" file="spare.gguf"
    /// role "list" tier="A" model="spare"
    /// ```
    pub(super) static UNUSED_ITEM = 345, "unused-item", Warning, absent Item;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for id in &registry.unused.engines {
        report(
            "engine",
            &registry.engines.get(*id).head,
            "name it as the `engine` of a role or of the stack",
            findings,
        );
    }
    for id in &registry.unused.families {
        report("family", &registry.families.get(*id).head, "name it as the `family` of a model", findings);
    }
    for id in &registry.unused.models {
        let model = registry.models.get(*id);
        if model.retired.is_none() {
            report(
                "model",
                &model.head,
                "add a role for it (a role without `residency` is only listed)",
                findings,
            );
        }
    }
}

fn report(kind: &'static str, head: &Head, alternative: &str, findings: &mut Diagnostics) {
    let message = format!("nothing uses {kind} {}", words::quoted(&head.name));
    let finding = UNUSED_ITEM.at(head.name.span, "never used", message).about((kind, &*head.name.value));
    findings.report(finding.help(format!("remove it, or {alternative}")));
}
