//! An item without any use.

use crate::derive::Derived;
use crate::diag::Diagnostics;
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
    let (registry, unused) = (&derived.registry, &derived.registry.unused);
    let mut report = |head: &Head, alternative: &str| {
        let finding =
            UNUSED_ITEM.at(head.name.span, "never used", format!("nothing uses {head}")).about(head);
        findings.report(finding.help(format!("remove it, or {alternative}")));
    };
    for id in &unused.engines {
        report(&registry.engines.get(*id).head, "name it as the `engine` of a role or of the stack");
    }
    for id in &unused.families {
        report(&registry.families.get(*id).head, "name it as the `family` of a model");
    }
    let models = unused.models.iter().map(|id| registry.models.get(*id));
    for model in models.filter(|model| model.retired.is_none()) {
        report(&model.head, "add a role for it (a role without `residency` is only listed)");
    }
}
