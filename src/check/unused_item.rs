//! An item without any use.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{Gateway, Head, Id, UnusedDefault};

declare_code! {
    /// ## What it finds
    /// An engine, gateway, family or model that nothing uses, or a value of `defaults` that no role takes.
    ///
    /// - The stack, gateways and roles use engines.
    /// - Roles use gateways.
    /// - Models and rules use families.
    /// - Roles, rules and quirks use models. `retired` models are exempt.
    /// - A role takes a default if it does not set the same field, option, override, variable or part of `placement`, and
    ///   does not name it in `unset`. A role without its own process takes only `tier`, `group`, `purpose`, `note` and
    ///   `measured`.
    ///
    /// ## Why
    /// The item is probably a leftover, or its use was forgotten. A glob that matches the title of a model does not
    /// count as a use.
    ///
    /// For an inventory of models, write `allow "unused-item"` in their store.
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
    for one in &unused.defaults {
        findings.report(unused_default(one, &registry.stack.head));
    }
    let mut report = |head: &Head, alternative: &Alternative| {
        let finding =
            UNUSED_ITEM.at(head.name.span, "never used", format!("nothing uses {head}")).about(head);
        let finding = finding.remedy(format!("remove {head}"), Change::remove(head.span));
        findings.report(alternative.offer(finding, head));
    };
    for id in &unused.engines {
        report(&registry.engines.get(*id).head, &Alternative::Engine(&registry.stack.head));
    }
    for id in &unused.families {
        report(&registry.families.get(*id).head, &Alternative::Family);
    }
    // `unreachable-peer` reports a gateway with peers.
    let without_peers = |id: &&Id<Gateway>| registry.gateways.get(**id).peers.is_empty();
    for id in unused.gateways.iter().filter(without_peers) {
        report(&registry.gateways.get(*id).head, &Alternative::Gateway);
    }
    let models = unused.models.iter().map(|id| registry.models.get(*id));
    for model in models.filter(|model| model.retired.is_none()) {
        report(
            &model.head,
            &Alternative::Model(registry.tiers.iter().next().map(|tier| &*tier.head.name.value)),
        );
    }
}

fn unused_default(default: &UnusedDefault, stack: &Head) -> Diagnostic {
    let UnusedDefault { field, name, .. } = default;
    let what = match &name.value {
        Some(name) => format!("`{field}` {}", words::quoted(name)),
        None => format!("`{field}`"),
    };
    let message = format!("no role takes {what} of the `defaults` of {stack}");
    UNUSED_ITEM.at(name.span, "has no effect", message).about(stack).remove(name.span)
}

/// How an unused item can be used instead.
enum Alternative<'r> {
    /// As the engine of the stack, or of a role.
    Engine(&'r Head),
    /// As the family of a model.
    Family,
    /// As the `gateway` of a role.
    Gateway,
    /// In a role, with the name of a tier.
    Model(Option<&'r str>),
}

impl Alternative<'_> {
    fn offer(&self, finding: Diagnostic, head: &Head) -> Diagnostic {
        let name = &*head.name.value;
        match self {
            Self::Engine(stack) => {
                let change = Change::set(stack.span, Line::of("engine", name));
                finding.remedy("or write `{}` in the stack or in a role", change)
            }
            Self::Family => finding.help("or name it as the `family` of a model"),
            Self::Gateway => finding.help("or name it as the `gateway` of a role"),
            Self::Model(None) => finding.help("or add a role for it"),
            Self::Model(Some(tier)) => {
                let role = Line::of("role", name);
                let role = role.with(Line::of("tier", *tier)).with(Line::of("model", name));
                let change = Change::Add { file: head.span.file, plural: "roles", line: role };
                finding.remedy("or add `{}`, which lists it without serving it", change)
            }
        }
    }
}
