//! A kind of drafting that does not fit the file of the draft.

use crate::derive::Derived;
use crate::derive::locked::facts;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::engine::dialect::kinds_of_architecture;
use crate::engine::pairing::{MTP_LAYERS, has_fitting_mtp_layers};
use crate::hir::{Draft, DraftKind, Id, Model, Role, Serving};
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A draft whose `kind` contradicts the architecture of its file, or MTP layers that are not as wide as the target.
    ///
    /// ## Why
    /// Drafts that read the state of their target have files of special architectures: `eagle3`, `dflash` and
    /// `gemma4-assistant`. With another kind, llama-server aborts, or it serves without speculation (seen with
    /// llama-server b11669). Without `kind`, orchgen writes the kind for the architecture.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     draft "tiny" kind="eagle3"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     draft "tiny" kind="simple"
    /// }
    /// ```
    pub(super) static WRONG_DRAFT_KIND = 387, "wrong-draft-kind", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for (role, serving) in derived.registry.served() {
        let Some((draft, model)) = serving.draft_model() else { continue };
        let drafter = derived.registry.models.get(model.value);
        let Some(kind) = draft.kind else {
            if derived.registry.arch_of(drafter).is_none() {
                let why =
                    format!("the architecture of {drafter} is unknown: run `orchgen lock` where its file is");
                findings.skip(&WRONG_DRAFT_KIND, role, why);
            }
            continue;
        };
        findings.extend(contradiction(derived, (role, kind), model).map(|finding| finding.about(role)));
        if kind.value == DraftKind::Mtp {
            findings.extend(narrow(derived, role, serving, draft).map(|finding| finding.about(role)));
        }
    }
}

/// A kind that the architecture of the draft excludes.
fn contradiction(
    derived: &Derived,
    (role, kind): (&Role, Spanned<DraftKind>),
    model: Spanned<Id<Model>>,
) -> Option<Diagnostic> {
    let drafter = derived.registry.models.get(model.value);
    let arch = derived.registry.arch_of(drafter)?;
    let word = kind.value.word();
    let (title, shown) = (words::quoted(&drafter.title), words::quoted(arch));
    let possible = kinds_of_architecture(arch);
    let is_ordinary = possible.is_empty();
    let is_for_ordinary = matches!(kind.value, DraftKind::Simple | DraftKind::Mtp);
    let fits = possible.contains(&word) || is_ordinary && is_for_ordinary;
    (!fits).then(|| {
        let message = format!("{role} drafts with {title} as `{word}`, but its architecture is {shown}");
        let finding = WRONG_DRAFT_KIND
            .at(kind.span, format!("not for {shown}"), message)
            .also(arch.span, "the architecture");
        match possible.first() {
            Some(first) => {
                let change = Change::rewrite(kind.span, Line::of("kind", *first));
                finding.remedy("write `{}`", change)
            }
            None => {
                let change = Change::rewrite(kind.span, Line::of("kind", DraftKind::Simple.word()));
                finding.remedy("write `{}` for an ordinary draft model", change)
            }
        }
    })
}

/// MTP layers of another width than the target. The server aborts.
fn narrow(derived: &Derived, role: &Role, serving: &Serving, draft: &Draft) -> Option<Diagnostic> {
    let (kind, model) = (draft.kind?, draft.model?);
    let models = [serving.model.value, model.value].map(|id| derived.registry.models.get(id));
    let [target, drafter] = models.map(|model| facts(&derived.lock, model).ok());
    let (target, drafter) = (&target?.facts, &drafter?.facts);
    let widths = [target, drafter].map(|facts| facts.number("embedding_length"));
    let [Some(wide), Some(own)] = widths else { return None };
    let is_wrong = drafter.number(MTP_LAYERS).is_some_and(|layers| layers > 0)
        && !has_fitting_mtp_layers(target, drafter);
    is_wrong.then(|| {
        let message = format!("{role} needs MTP layers of width {wide}; those of its draft have {own}");
        let finding = WRONG_DRAFT_KIND.at(kind.span, "MTP layers of another model", message);
        let change = Change::rewrite(kind.span, Line::of("kind", DraftKind::Simple.word()));
        finding.remedy("write `{}` for an ordinary draft model", change)
    })
}
