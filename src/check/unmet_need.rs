//! A requirement of a family that a model or role does not meet.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, words};
use crate::hir::{EngineOption, Family, Id, Model, Need, Registry};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A model without a `projector` whose family needs one, or a role that disables the template engine (`no-jinja`)
    /// although its family needs it.
    ///
    /// ## Why
    /// Without its projector a vision model starts, but answers every image with an error. Without its template a model
    /// gets prompts in a format that it was not trained on. A model that roles use only as a draft needs neither.
    ///
    /// ## Example
    /// ```kdl
    /// family "seeing" arch="qwen2vl" needs="projector"
    /// model "eye" family="seeing" title="Eye-7B" quant="Q4_K_M" size="4.4 GB" file="eye.gguf"
    /// role "look" tier="A" residency="hot" model="eye" port=9000 context=4096
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "seeing" arch="qwen2vl" needs="projector"
    /// model "eye" family="seeing" title="Eye-7B" quant="Q4_K_M" size="4.4 GB" file="eye.gguf" {
    ///     projector "mmproj-eye.gguf" size="1 GB"
    /// }
    /// role "look" tier="A" residency="hot" model="eye" port=9000 context=4096
    /// ```
    pub(super) static UNMET_NEED = 351, "unmet-need", Error;
}

/// The option that disables the template engine, without dashes (`--no-jinja`, `common/arg.cpp` of b11434).
const NO_JINJA: &str = "no-jinja";
const JINJA: &str = "jinja";

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    check_projectors(registry, findings);
    check_templates(registry, findings);
}

fn check_projectors(registry: &Registry, findings: &mut Diagnostics) {
    let mut served: BTreeSet<Id<Model>> = BTreeSet::new();
    let mut drafting: BTreeSet<Id<Model>> = BTreeSet::new();
    for (_, serving) in registry.served() {
        served.insert(serving.model.value);
        drafting.extend(serving.draft_model().map(|(_, model)| model.value));
    }
    for (id, model) in registry.models.entries() {
        let Some(family) = registry.family_of(model) else { continue };
        let only_drafts = drafting.contains(&id) && !served.contains(&id);
        let Some(need) = needs(family, Need::Projector).filter(|_| model.projector.is_none() && !only_drafts)
        else {
            continue;
        };
        let message = format!("{model} has no `projector`, but {family} needs one");
        let finding = UNMET_NEED
            .at(model.head.name.span, "`projector` is missing", message)
            .also(need, "required here")
            .about(model);
        findings.report(
            finding
                .help("name the projector file in `projector`, or use another `family`")
                .remedy(format!("or remove `{{}}` of {family}"), Change::remove(need)),
        );
    }
}

fn check_templates(registry: &Registry, findings: &mut Diagnostics) {
    for (role, serving) in registry.served() {
        let (model, family) = registry.model_of(serving);
        let Some(need) = family.and_then(|family| needs(family, Need::Jinja)) else { continue };
        let off = |option: &&EngineOption| {
            let name = option.name.trim_start_matches('-').replace('_', "-");
            name == if option.is_off() { JINJA } else { NO_JINJA }
        };
        let Some(option) = serving.options.iter().find(off) else { continue };
        let message =
            format!("{role} disables the template engine, but {} needs it", words::quoted(&model.title));
        let finding =
            UNMET_NEED.at(option.name.span, "disabled here", message).also(need, "required here").about(role);
        findings.report(finding.remedy("remove this option", Change::field("option", option.name.span)));
    }
}

/// The place where a family declares a requirement.
fn needs(family: &Family, what: Need) -> Option<Span> {
    family.needs.iter().find(|need| need.value == what).map(|need| need.span)
}
