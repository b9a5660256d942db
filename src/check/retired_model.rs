//! A retired model that is still in use.

use super::owner;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, words};
use crate::hir::{Head, Id, Model, Pattern, RoleKind};
use crate::source::Spanned;

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

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let retired = |owner: &Head, verb: &str, model: Spanned<Id<Model>>| {
        finding(owner, verb, Spanned::new(registry.models.get(model.value), model.span))
    };
    for role in registry.roles.iter() {
        let (verb, model, draft) = match &role.kind {
            RoleKind::Served(serving) => ("serves", serving.model, serving.draft_model()),
            RoleKind::Listed(model) => ("lists", *model, None),
            RoleKind::Program(_) | RoleKind::Shares(_) => continue,
        };
        let draft = draft.map(|(_, draft)| ("uses the draft", draft));
        for (verb, model) in [(verb, model)].into_iter().chain(draft) {
            findings.extend(retired(owner(registry, role, model.span), verb, model));
        }
    }
    for pair in registry.pairs.iter() {
        let draft = pair.draft.as_ref().map(|draft| ("has the draft", draft));
        for (verb, pattern) in [("has the target", &pair.target)].into_iter().chain(draft) {
            if let Pattern::Model(id) = pattern.value {
                findings.extend(retired(&pair.head, verb, Spanned::new(id, pattern.span)));
            }
        }
    }
}

fn finding(owner: &Head, verb: &str, model: Spanned<&Model>) -> Option<Diagnostic> {
    let retired = model.value.retired.as_ref()?;
    let who = if owner.kind == "pair" { "a pair".to_owned() } else { owner.to_string() };
    let why = retired.why.as_ref().map(|why| format!(": {}", words::printable(why)));
    let (title, why) = (words::quoted(&model.value.title), why.unwrap_or_default());
    let message = format!("{who} {verb} {title}, which is retired{why}");
    let finding = RETIRED_MODEL.at(model.span, "still in use", message).about(owner);
    let finding = finding.also(retired.span, "retired here");
    let finding = match owner.kind {
        "pair" => finding.remedy("remove the pair", Change::remove(owner.span)),
        _ => finding.help("use another model"),
    };
    let name = words::quoted(&model.value.head.name);
    Some(finding.remedy(format!("or remove `{{}}` of model {name}"), Change::remove(retired.span)))
}
