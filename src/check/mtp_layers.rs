//! Drafting with the MTP layers of a model that has none.

use crate::derive::Derived;
use crate::derive::locked::{self, is_unusable};
use crate::diag::{Change, Diagnostics, words};
use crate::engine::options::spec_types;
use crate::hir::{EngineOption, Setting};

declare_code! {
    /// ## What it finds
    /// A role with the option `spec-type` `draft-mtp`, whose model file has no layers for multi-token prediction (MTP).
    ///
    /// ## Why
    /// llama-server drafts with these layers of the model, and exits if there are none (seen with llama-server b11669). The
    /// lock records their number, `nextn_predict_layers`.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "spec-type" value="draft-mtp"
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

/// The number of MTP layers: a key of the architecture (`src/llama-arch.cpp` of llama.cpp b11434).
const MTP_LAYERS: &str = "nextn_predict_layers";

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, lock) = (&derived.registry, &derived.lock);
    for (role, serving) in registry.served() {
        let uses_mtp = |option: &&EngineOption| match option.value.as_ref().map(|value| &value.value) {
            Some(Setting::Text(text)) => spec_types(&option.name, text).any(|kind| kind == "draft-mtp"),
            _ => false,
        };
        let Some(option) = serving.options.iter().find(uses_mtp).filter(|_| serving.draft.is_none()) else {
            continue;
        };
        let (model, _) = registry.model_of(serving);
        match locked::facts(lock, model) {
            Ok(entry) if entry.facts.number(MTP_LAYERS).is_some_and(|layers| layers > 0) => {}
            Ok(_) => {
                let message =
                    format!("{role} drafts with `draft-mtp`, but the file of {model} has no MTP layers");
                let place = option.value.as_ref().map_or(option.name.span, |value| value.span);
                let finding = MISSING_MTP_LAYERS
                    .at(place, "needs MTP layers", message)
                    .also(model.file.span, format!("no `{MTP_LAYERS}` in the header"))
                    .about(role);
                let removal = Change::field("option", option.name.span);
                let title = "remove this option: llama-server exits with it";
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
