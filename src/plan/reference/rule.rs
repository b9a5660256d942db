//! Which drafts work with which targets, and which do not.

use super::{family_label, model_label, text};
use crate::hir::{self, Date, Family, Forbids, Id, Model, Pattern, Registry};

/// A draft that is known to work, or that none is.
#[derive(Debug)]
pub struct Pair {
    /// What people call the target.
    pub target: Box<str>,
    /// What people call the draft; none where none is known.
    pub draft: Option<Box<str>>,
    /// The most tokens to draft.
    pub max: Option<u32>,
    /// How many times as fast it was.
    pub speedup: Option<Box<str>>,
    /// Whether that was measured with lookup.
    pub lookup: bool,
    /// What to do instead; `experts` means using fewer of them.
    pub instead: Option<Box<str>>,
    /// Whatever else people should know.
    pub note: Option<Box<str>>,
    /// When it was found out.
    pub date: Option<Date>,
}

/// A draft that must not be used.
#[derive(Debug)]
pub struct Ban {
    /// What people call the target.
    pub target: Box<str>,
    /// Which drafts.
    pub drafts: Drafts,
    /// What happens.
    pub failure: Option<Box<str>>,
    /// Whatever else people should know.
    pub note: Option<Box<str>>,
    /// When it was found out.
    pub date: Option<Date>,
}

/// What must not draft.
#[derive(Debug)]
pub enum Drafts {
    /// Any model.
    Any,
    /// Any model, where every target looks at images.
    AnyText,
    /// The prompt itself.
    Lookup,
    /// These.
    Named(Box<str>),
}

/// The models whose every draft is banned.
pub(super) struct Banned<'r> {
    /// The first ban of every draft, by the number of the model.
    by_model: Vec<Option<&'r hir::Ban>>,
    /// How many models a family has, how many of them have no draft, and how many have a projector; by its number.
    tallies: Vec<Tally>,
}

/// How many models there are, and how many of them are of a kind.
#[derive(Clone, Copy, Default)]
struct Tally {
    models: usize,
    banned: usize,
    seeing: usize,
}

impl<'r> Banned<'r> {
    /// Finds them.
    pub(super) fn of(registry: &'r Registry) -> Self {
        let total: Vec<&hir::Ban> = registry.bans.iter().filter(|ban| ban.draft.is_everything()).collect();
        let ban_of = |(id, model)| total.iter().find(|ban| ban.covers(id, model)).copied();
        let by_model: Vec<_> = registry.models.entries().map(ban_of).collect();
        let mut tallies = vec![Tally::default(); registry.families.len()];
        for (model, ban) in registry.models.iter().zip(&by_model) {
            if let Some(tally) = tallies.get_mut(model.family.value.number()) {
                tally.models += 1;
                tally.banned += usize::from(ban.is_some());
                tally.seeing += usize::from(model.projector.is_some());
            }
        }
        Self { by_model, tallies }
    }

    /// The first ban of every draft for a model.
    pub(super) fn ban(&self, model: Id<Model>) -> Option<&'r hir::Ban> {
        self.by_model.get(model.number()).copied().flatten()
    }

    fn tally(&self, family: Id<Family>) -> Tally {
        self.tallies.get(family.number()).copied().unwrap_or_default()
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

/// All bans, then what families forbid and no ban says.
pub(super) fn bans(registry: &Registry, banned: &Banned) -> Vec<Ban> {
    let ban = |ban: &hir::Ban| Ban {
        target: target(registry, ban.label.as_ref(), &ban.target),
        drafts: drafts(registry, ban),
        failure: Some(ban.failure.value.clone()),
        note: text(ban.note.as_ref()),
        date: ban.date.map(|date| date.value),
    };
    let open = registry.families.entries().filter(|(id, _)| !covers(registry, banned, *id));
    let forbidden = open.flat_map(|(id, family)| forbidden(family, banned.tally(id)));
    registry.bans.iter().map(ban).chain(forbidden).collect()
}

/// Whether bans say of every model of a family that nothing drafts for it.
fn covers(registry: &Registry, banned: &Banned, id: Id<Family>) -> bool {
    let tally = banned.tally(id);
    let names_it = |ban: &hir::Ban| ban.draft.is_everything() && ban.target.value == Pattern::Family(id);
    if tally.models == 0 { registry.bans.iter().any(names_it) } else { tally.banned == tally.models }
}

fn forbidden(family: &Family, tally: Tally) -> impl Iterator<Item = Ban> {
    family.forbid.iter().map(move |forbidden| Ban {
        target: wide(family),
        drafts: match () {
            () if !forbidden.what.iter().any(|what| what.value == Forbids::Speculation) => Drafts::Lookup,
            () if tally.models > 0 && tally.seeing == tally.models => Drafts::AnyText,
            () => Drafts::Any,
        },
        failure: text(forbidden.failure.as_ref().or(forbidden.why.as_ref())),
        note: None,
        date: None,
    })
}

fn drafts(registry: &Registry, ban: &hir::Ban) -> Drafts {
    if !ban.draft.is_everything() {
        return Drafts::Named(name(registry, &ban.draft));
    }
    let mut matched = registry.models.entries().filter(|(id, model)| ban.covers(*id, model)).peekable();
    let sees = matched.peek().is_some() && matched.all(|(_, model)| model.projector.is_some());
    if sees { Drafts::AnyText } else { Drafts::Any }
}

fn target(registry: &Registry, label: Option<&hir::Text>, pattern: &Pattern) -> Box<str> {
    text(label).unwrap_or_else(|| name(registry, pattern))
}

fn name(registry: &Registry, pattern: &Pattern) -> Box<str> {
    match pattern {
        Pattern::Model(id) => model_label(registry.models.get(*id)).into(),
        Pattern::Family(id) => wide(registry.families.get(*id)),
        Pattern::Titles(glob) => glob.clone(),
    }
}

/// All models of a family, as rules put it.
fn wide(family: &Family) -> Box<str> {
    format!("{}-*", family_label(family)).into()
}
