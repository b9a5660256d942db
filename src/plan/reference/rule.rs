//! Pairs and bans for the documents: drafts that work with a target, and drafts that do not.

use super::{family_label, model_label, text};
use crate::hir::{self, Date, Family, ForbiddenFeature, Id, Model, Pattern, Registry};
use serde::Serialize;
use std::sync::Arc;

/// A target with a draft that works, or without any.
#[derive(Debug, Serialize)]
pub struct Pair {
    /// The label of the target.
    pub target: Arc<str>,
    /// The label of the draft. `None` if no draft works.
    pub draft: Option<Arc<str>>,
    /// Maximum number of tokens to draft.
    pub max: Option<u32>,
    /// The measured speedup factor.
    pub speedup: Option<Arc<str>>,
    /// True if the speedup was measured with lookup.
    pub lookup: bool,
    /// The alternative; `experts` means to use fewer experts.
    pub instead: Option<Arc<str>>,
    /// A further note.
    pub note: Option<Arc<str>>,
    /// The date of the result.
    pub date: Option<Date>,
}

/// A draft that must not be used.
#[derive(Debug, Serialize)]
pub struct Ban {
    /// The label of the target.
    pub target: Arc<str>,
    /// The banned drafts.
    pub drafts: BannedDrafts,
    /// The failure.
    pub failure: Option<Arc<str>>,
    /// A further note.
    pub note: Option<Arc<str>>,
    /// The date of the result.
    pub date: Option<Date>,
}

/// The drafts of a ban.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", content = "label", rename_all = "kebab-case")]
pub enum BannedDrafts {
    /// Any model.
    Any,
    /// Any text model, because every target is a vision model.
    AnyText,
    /// N-gram lookup in the prompt.
    Lookup,
    /// The drafts with this label.
    Named(Arc<str>),
}

/// The models for which all drafts are banned.
pub(super) struct DraftBans<'r> {
    /// The first ban of all drafts, by the index of the model.
    by_model: Vec<Option<&'r hir::Ban>>,
    /// The counts of models, by the index of the family.
    counts: Vec<ModelCounts>,
}

/// The number of models of a family: in total, with all drafts banned, and with a projector.
#[derive(Clone, Copy, Default)]
struct ModelCounts {
    models: usize,
    banned: usize,
    vision: usize,
}

impl<'r> DraftBans<'r> {
    /// Finds the models for which all drafts are banned.
    pub(super) fn new(registry: &'r Registry) -> Self {
        let total: Vec<&hir::Ban> = registry.bans.iter().filter(|ban| ban.draft.matches_all()).collect();
        let ban_of = |(id, model)| total.iter().find(|ban| ban.covers(id, model)).copied();
        let by_model: Vec<_> = registry.models.entries().map(ban_of).collect();
        let mut counts = vec![ModelCounts::default(); registry.families.len()];
        for (model, ban) in registry.models.iter().zip(&by_model) {
            let family = model.family.map(|family| family.value.number());
            if let Some(counts) = family.and_then(|family| counts.get_mut(family)) {
                counts.models += 1;
                counts.banned += usize::from(ban.is_some());
                counts.vision += usize::from(model.projector.is_some());
            }
        }
        Self { by_model, counts }
    }

    /// The first ban of all drafts for a model.
    pub(super) fn ban(&self, model: Id<Model>) -> Option<&'r hir::Ban> {
        self.by_model.get(model.number()).copied().flatten()
    }

    fn counts_of(&self, family: Id<Family>) -> ModelCounts {
        self.counts.get(family.number()).copied().unwrap_or_default()
    }
}

/// All pairs.
pub(super) fn pairs(registry: &Registry) -> Vec<Pair> {
    let pair = |pair: &hir::Pair| Pair {
        target: target(registry, pair.label.as_ref(), &pair.target),
        draft: pair.draft.as_ref().map(|draft| name(registry, draft)),
        max: pair.max.map(|max| max.value),
        speedup: pair.speedup.as_ref().map(|factor| factor.0.clone()),
        lookup: pair.lookup,
        instead: text(pair.instead.as_ref()),
        note: text(pair.note.as_ref()),
        date: pair.date.map(|date| date.value),
    };
    registry.pairs.iter().map(pair).collect()
}

/// All bans, then the features that families forbid and no ban covers.
pub(super) fn bans(registry: &Registry, banned: &DraftBans) -> Vec<Ban> {
    let ban = |ban: &hir::Ban| Ban {
        target: target(registry, ban.label.as_ref(), &ban.target),
        drafts: drafts(registry, ban),
        failure: Some(ban.failure.value.clone()),
        note: text(ban.note.as_ref()),
        date: ban.date.map(|date| date.value),
    };
    let open = registry.families.entries().filter(|(id, _)| !covers(registry, banned, *id));
    let forbidden = open.flat_map(|(id, family)| forbidden(family, banned.counts_of(id)));
    registry.bans.iter().map(ban).chain(forbidden).collect()
}

/// True if bans of all drafts cover every model of a family.
fn covers(registry: &Registry, banned: &DraftBans, id: Id<Family>) -> bool {
    let counts = banned.counts_of(id);
    let names_it = |ban: &hir::Ban| ban.draft.matches_all() && ban.target.value == Pattern::Family(id);
    if counts.models == 0 { registry.bans.iter().any(names_it) } else { counts.banned == counts.models }
}

fn forbidden(family: &Family, counts: ModelCounts) -> impl Iterator<Item = Ban> {
    family.forbid.iter().map(move |forbidden| Ban {
        target: family_pattern(family),
        drafts: match () {
            () if !forbidden.what.iter().any(|what| what.value == ForbiddenFeature::Speculation) => {
                BannedDrafts::Lookup
            }
            () if counts.models > 0 && counts.vision == counts.models => BannedDrafts::AnyText,
            () => BannedDrafts::Any,
        },
        failure: text(forbidden.failure.as_ref().or(forbidden.why.as_ref())),
        note: None,
        date: None,
    })
}

fn drafts(registry: &Registry, ban: &hir::Ban) -> BannedDrafts {
    if !ban.draft.matches_all() {
        return BannedDrafts::Named(name(registry, &ban.draft));
    }
    let mut matched = registry.models.entries().filter(|(id, model)| ban.covers(*id, model)).peekable();
    let all_vision = matched.peek().is_some() && matched.all(|(_, model)| model.projector.is_some());
    if all_vision { BannedDrafts::AnyText } else { BannedDrafts::Any }
}

fn target(registry: &Registry, label: Option<&hir::Text>, pattern: &Pattern) -> Arc<str> {
    text(label).unwrap_or_else(|| name(registry, pattern))
}

fn name(registry: &Registry, pattern: &Pattern) -> Arc<str> {
    match pattern {
        Pattern::Model(id) => model_label(registry.models.get(*id)).into(),
        Pattern::Family(id) => family_pattern(registry.families.get(*id)),
        Pattern::Titles(glob) => glob.clone(),
    }
}

/// The name for all models of a family: its label with `-*`.
fn family_pattern(family: &Family) -> Arc<str> {
    format!("{}-*", family_label(family)).into()
}
