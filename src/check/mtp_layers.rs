//! Drafting with the MTP layers of a model that has none.

use crate::derive::Derived;
use crate::derive::locked::{self, is_unusable};
use crate::diag::{Change, Diagnostics, words};
use crate::engine::dialect::kinds_of_architecture;
use crate::engine::options::spec_types;
use crate::engine::pairing::MTP_LAYERS;
use crate::hir::{DraftKind, EngineOption, Id, Model, Serving, Setting};
use crate::source::Span;

declare_code! {
    /// ## What it finds
    /// A role that drafts with layers for multi-token prediction (MTP), which the file does not have: that of the model
    /// for `draft self=#true`, else that of the draft model.
    ///
    /// ## Why
    /// llama-server drafts with these layers of the model, and exits if there are none (seen with llama-server b11669). The
    /// lock records their number, `nextn_predict_layers`.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     draft self=#true max=2
    /// }
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {"plain": {"file": "plain.gguf", "header": "0", "size": 4400000000}}}
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {"plain": {"file": "plain.gguf", "header": "0", "size": 4400000000}}}
    /// ```
    pub(super) static MISSING_MTP_LAYERS = 384, "missing-mtp-layers", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, lock) = (&derived.registry, &derived.lock);
    for (role, serving) in registry.served() {
        let Some((place, model, removal)) = mtp_use(serving) else { continue };
        let model = registry.models.get(model);
        let arch = registry.arch_of(model);
        // The whole file is MTP layers.
        if arch.is_some_and(|arch| !kinds_of_architecture(arch).is_empty()) {
            continue;
        }
        match locked::facts(lock, model) {
            Ok(entry) if entry.facts.number(MTP_LAYERS).is_some_and(|layers| layers > 0) => {}
            Ok(_) => {
                let message = format!("{role} drafts with MTP layers, but the file of {model} has none");
                let finding = MISSING_MTP_LAYERS
                    .at(place, "needs MTP layers", message)
                    .also(model.file.span, format!("no `{MTP_LAYERS}` in the header"))
                    .about(role);
                let is_option = matches!(removal, Change::Field { name: "option", .. });
                let what = if is_option { "this option" } else { "`{}`" };
                let title = format!("remove {what}: llama-server exits with it");
                findings.report(finding.remedy(title, removal));
            }
            Err(_) if is_unusable(lock) => {
                let why =
                    "the MTP layers of the model are unknown without `registry.lock`: run `orchgen lock`";
                findings.skip(&MISSING_MTP_LAYERS, &role.head, why);
            }
            Err(why) => {
                findings.skip(
                    &MISSING_MTP_LAYERS,
                    &role.head,
                    format!("MTP layers: {}", words::printable(why)),
                );
            }
        }
    }
}

/// The place that asks for MTP layers, the model that needs them, and the change that removes it.
fn mtp_use(serving: &Serving) -> Option<(Span, Id<Model>, Change)> {
    if let Some(draft) = serving.draft.as_deref() {
        let asks = draft.kind.filter(|kind| kind.value == DraftKind::Mtp).map(|kind| kind.span);
        return match (draft.model, draft.own.filter(|own| own.value)) {
            (Some(model), _) => Some((asks?, model.value, Change::remove(asks?))),
            (None, own) => Some((own?.span, serving.model.value, Change::field("draft", own?.span))),
        };
    }
    let uses_mtp = |option: &&EngineOption| match option.value.as_ref().map(|value| &value.value) {
        Some(Setting::Text(text)) => spec_types(&option.name, text).any(|kind| kind == "draft-mtp"),
        _ => false,
    };
    let option = serving.options.iter().find(uses_mtp)?;
    let place = option.value.as_ref().map_or(option.name.span, |value| value.span);
    Some((place, serving.model.value, Change::field("option", option.name.span)))
}
