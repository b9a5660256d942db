//! A retired model that is still in use.

use super::owner;
use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::hir::{Id, Model, Pattern, Registry, RoleKind};
use crate::source::{Span, Spanned};
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A `retired` model that is still used: by a role, as the draft of a role, or by a pair that names it.
    ///
    /// ## Why
    /// The model was retired for a reason, but the stack still loads it. Bans and quirks may name retired models, and
    /// rules for a family or a glob may match them: neither is reported.
    ///
    /// ## Example
    /// ```kdl
    /// model "old" family="qwen2" title="Old-7B" quant="Q4_K_M" size="4.4 GB" file="old.gguf" retired="worse than Plain-7B"
    /// role "extra" tier="A" residency="hot" model="old" port=9000 context=4096
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// model "old" family="qwen2" title="Old-7B" quant="Q4_K_M" size="4.4 GB" file="old.gguf" retired="worse than Plain-7B"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096
    /// ```
    pub(super) static RETIRED_MODEL = 344, "retired-model", Warning;
}

/// A use of a model: its owner, and the verb for the message.
struct Use<'r> {
    owner: (&'static str, &'r str),
    verb: &'static str,
    model: Spanned<Id<Model>>,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for role in registry.roles.iter() {
        let (model, draft) = match &role.kind {
            RoleKind::Served(serving) => (serving.model, serving.draft.as_ref().map(|draft| draft.model)),
            RoleKind::Listed(model) => (*model, None),
            RoleKind::Shares(_) => continue,
        };
        let verb = if role.serving().is_some() { "serves" } else { "lists" };
        for (verb, model) in [(verb, Some(model)), ("uses the draft", draft)] {
            let Some(model) = model else { continue };
            let owner = owner(registry, role, model.span);
            // A default has one place for many roles.
            if owner.0 == "role" || reported.insert(model.span) {
                report(registry, &Use { owner, verb, model }, findings);
            }
        }
    }
    for pair in registry.pairs.iter() {
        for (verb, pattern) in
            [("has the target", Some(&pair.target)), ("has the draft", pair.draft.as_ref())]
        {
            if let Some(Spanned { value: Pattern::Model(id), span }) = pattern {
                let owner = ("pair", &*pair.head.name.value);
                report(registry, &Use { owner, verb, model: Spanned::new(*id, *span) }, findings);
            }
        }
    }
}

fn report(registry: &Registry, used: &Use, findings: &mut Diagnostics) {
    let model = registry.models.get(used.model.value);
    let Some(retired) = &model.retired else { return };
    let (kind, name) = used.owner;
    let who = if kind == "pair" { "a pair".to_owned() } else { format!("{kind} {}", words::quoted(name)) };
    let why = retired.why.as_ref().map(|why| format!(": {}", words::printable(why)));
    let message = format!(
        "{who} {} {}, which is retired{}",
        used.verb,
        words::quoted(&model.title),
        why.unwrap_or_default()
    );
    let finding = RETIRED_MODEL.at(used.model.span, "still in use", message).about((kind, name));
    let help = if kind == "pair" { "remove the pair" } else { "use another model" };
    let help = format!("{help}, or remove `retired`");
    findings.report(finding.also(retired.span, "retired here").help(help));
}
