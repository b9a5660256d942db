//! Drafts that a ban covers, that are their own target, or that are larger than it.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, words};
use crate::engine::architecture::lacks_experts;
use crate::hir::{Ban, ForbiddenFeature, Id, Model, Pair, Pattern, Registry, Role, Serving};
use crate::source::{Span, Spanned};

declare_code! {
    /// ## What it finds
    /// A role whose draft must not be used with its target, according to a `ban`.
    ///
    /// ## Why
    /// llama-server logs an incompatible draft once, answers its health check with ok, and serves without speculation.
    /// The role runs at a fraction of its speed, and no monitoring shows it.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, draft: tiny}
    /// bans:
    ///   - {target: plain, draft: tiny, failure: "vocabulary differs"}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096}
    /// bans:
    ///   - {target: plain, draft: tiny, failure: "vocabulary differs"}
    /// ```
    pub(super) static BANNED_DRAFT = 301, "banned-draft", Error;
}

declare_code! {
    /// ## What it finds
    /// A role or a pair whose draft is also its target.
    ///
    /// ## Why
    /// A draft saves time because it is smaller than its target. The same model needs as much time for each drafted
    /// token as without a draft, and then verifies it. It also needs a second KV cache.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, draft: plain}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, draft: tiny}
    /// ```
    pub(super) static OWN_DRAFT = 349, "own-draft", Warning;
}

declare_code! {
    /// ## What it finds
    /// A role with a dense draft whose file is larger than that of its target.
    ///
    /// ## Why
    /// The engine reads all weights of a dense model for each token, so this draft is slower than the target alone. The
    /// two models were probably swapped. Mixture-of-experts drafts are not reported, because only a part of their
    /// weights is read per token.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: tiny, port: 9000, context: 4096, draft: plain}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, draft: tiny}
    /// ```
    pub(super) static LARGER_DRAFT = 350, "larger-draft", Warning;
}

/// A role with a draft, and the two models.
struct DraftUse<'r> {
    role: &'r Role,
    serving: &'r Serving,
    draft: Spanned<Id<Model>>,
    target: &'r Model,
    drafter: &'r Model,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let Some((_, draft)) = serving.draft_model() else { continue };
        let ((target, family), drafter) = (registry.model_of(serving), registry.models.get(draft.value));
        let used = DraftUse { role, serving, draft, target, drafter };
        let ids = (serving.model.value, draft.value);
        let finding = match registry.ban_of(ids.0, ids.1) {
            // If a pair names these two models, `contradicted-pair` reports it.
            Some(_) if registry.exact_pair(ids.0, ids.1).is_some() => None,
            Some(ban) => Some(banned(registry, &used, ban)),
            // `forbidden-speculation` reports this.
            None if family.is_some_and(|family| family.forbids(ForbiddenFeature::Speculation).is_some()) => {
                None
            }
            None if ids.0 == ids.1 => {
                let finding = own(&role.to_string(), target, (serving.model.span, draft.span));
                let finding = finding.help("use a smaller model with the same vocabulary as the draft");
                Some(finding.remedy("or remove `{}`", Change::field("draft", draft.span)))
            }
            None => larger(registry, &used),
        };
        findings.extend(finding.map(|finding| finding.about(role)));
    }
    findings.extend(registry.pairs.iter().filter_map(|pair| own_in_pair(registry, pair)));
}

fn banned(registry: &Registry, used: &DraftUse, ban: &Ban) -> Diagnostic {
    let DraftUse { role, serving, draft, target, drafter } = used;
    let (title, draft_title) = (words::quoted(&target.title), words::quoted(&drafter.title));
    let failure = words::printable(&ban.failure);
    let message = format!("{role} uses the draft {draft_title} for {title}, but a ban forbids it: {failure}");
    let mut finding = BANNED_DRAFT
        .at(draft.span, "this draft must not be used", message)
        .also(serving.model.span, "with this target")
        .also(ban.target.span, "banned here");
    finding.notes.extend(ban.note.as_ref().map(|note| words::printable(note)));
    suggest_draft(finding, registry, used)
}

fn own(who: &str, model: &Model, (target, draft): (Span, Span)) -> Diagnostic {
    let message = format!("{who} uses {} as both target and draft", words::quoted(&model.title));
    OWN_DRAFT.at(draft, "same model as the target", message).also(target, "the target")
}

fn own_in_pair(registry: &Registry, pair: &Pair) -> Option<Diagnostic> {
    let draft = pair.draft.as_ref()?;
    let (Pattern::Model(target), Pattern::Model(drafter)) = (&pair.target.value, &draft.value) else {
        return None;
    };
    let is_own = target == drafter && registry.ban_of(*target, *drafter).is_none();
    let finding = own("a pair", registry.models.get(*target), (pair.target.span, draft.span)).about(pair);
    is_own.then(|| {
        let finding = finding.help("name a smaller draft with the same vocabulary");
        finding.remedy("or remove the pair", Change::remove(pair.head.span))
    })
}

fn larger(registry: &Registry, used: &DraftUse) -> Option<Diagnostic> {
    let DraftUse { role, serving, draft, target, drafter } = used;
    // The engine certainly reads all weights of such a draft for each token.
    let arch = registry.arch_of(drafter)?;
    let is_dense = drafter.experts.is_none() && lacks_experts(arch);
    let (size, draft_size) = (target.size?.value, drafter.size?.value);
    if draft_size <= size || !is_dense {
        return None;
    }
    let (title, draft_title) = (words::quoted(&target.title), words::quoted(&drafter.title));
    let message = format!("{role} uses the draft {draft_title}, which is larger than its target {title}");
    let finding = LARGER_DRAFT
        .at(draft.span, format!("file size {draft_size}"), message)
        .also(serving.model.span, format!("file size {size}"));
    let finding = finding.help("swap `model` and `draft`, or use a smaller draft");
    Some(finding.remedy("or remove `{}`", Change::field("draft", draft.span)))
}

/// The help: a draft that a pair names for this target, else the `instead` of a pair, else to remove the draft.
fn suggest_draft(finding: Diagnostic, registry: &Registry, used: &DraftUse) -> Diagnostic {
    let DraftUse { serving, target, draft, .. } = used;
    let covering = || registry.pairs.iter().filter(|pair| pair.covers(serving.model.value, target));
    let known = covering().filter_map(|pair| pair.draft.as_ref()).find_map(|pattern| {
        let fits = |(id, model): &(_, &Model)| {
            pattern.covers(*id, model) && registry.ban_of(serving.model.value, *id).is_none()
        };
        registry.models.entries().find(fits).map(|(_, model)| model.head.name.value.clone())
    });
    let instead = covering().filter(|pair| pair.draft.is_none()).find_map(|pair| pair.instead.as_ref());
    let remove = Change::field("draft", draft.span);
    match (known, instead) {
        (Some(known), _) => {
            let change = Change::Value { span: draft.span, to: (*known).into() };
            finding.remedy("write `{}` as the draft: a pair names it for this target", change)
        }
        (None, Some(instead)) if &***instead == "experts" => {
            finding.remedy("remove `{}`, and reduce `experts` instead", remove)
        }
        (None, Some(instead)) => {
            let instead = words::printable(instead);
            finding.remedy(format!("remove `{{}}`; the pair suggests instead: {instead}"), remove)
        }
        (None, None) => finding.remedy("remove `{}`: no draft is known to work with this target", remove),
    }
}
