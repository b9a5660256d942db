//! An item that nothing names.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Head, Registry};

declare_code! {
    /// ## What it finds
    /// An engine that neither the stack nor a role names, a family without models and rules, a model that no role, no rule and no
    /// quirk names. A model that is `retired` is left where it is.
    ///
    /// ## Why
    /// It is most likely left over, or meant to be used and forgotten. A glob that happens to match a title does not count, since it
    /// would match anything called so. Stores, hosts, tiers, residencies and services describe what is there, as do the CPU sets and
    /// cards of a host, and are never unused. Where text could not be read, nothing is said of what it may name.
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
    static UNUSED_ITEM = 345, "unused-item", Warning;
}

pub(super) static CHECK: Check = Check { code: &UNUSED_ITEM, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for id in &registry.unused.engines {
        report("engine", &registry.engines.get(*id).head, "name it in a role or in the stack", findings);
    }
    for id in &registry.unused.families {
        report("family", &registry.families.get(*id).head, "name it in a model", findings);
    }
    for id in &registry.unused.models {
        let model = registry.models.get(*id);
        if model.retired.is_none() {
            report("model", &model.head, "name it in a role, which may be without a residency", findings);
        }
    }
}

fn report(kind: &'static str, head: &Head, way_out: &str, findings: &mut Diagnostics) {
    let message = format!("nothing uses {kind} {}", words::quoted(&head.name));
    let finding = UNUSED_ITEM.at(head.name.span, "named by nothing", message).about(kind, &*head.name.value);
    findings.report(finding.help(format!("remove it, or {way_out}")));
}
