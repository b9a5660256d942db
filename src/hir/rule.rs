//! Rules about drafts: pairs that work, and pairs that must not be used.

use super::shape::{Field, Shape, Table};
use super::{Date, Factor, Family, Head, Id, Model, Registry, Text};
use crate::source::Spanned;

/// The models to which a rule applies.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Pattern {
    /// One model.
    Model(Id<Model>),
    /// All models of a family.
    Family(Id<Family>),
    /// All models whose title matches the glob. A glob may match nothing, because a rule can remain after its models
    /// are removed.
    Titles(Box<str>),
}

/// A draft that is known to work with a target, or the fact that no draft is known.
#[derive(Clone, PartialEq, Debug)]
pub struct Pair {
    /// A description and the place.
    pub head: Head,
    /// The target.
    pub target: Spanned<Pattern>,
    /// The draft. `None` means that no draft is known.
    pub draft: Option<Spanned<Pattern>>,
    /// A glob of titles that are excluded from the target.
    pub except: Option<Text>,
    /// The name of the target in the documents.
    pub label: Option<Text>,
    /// The maximum number of draft tokens.
    pub max: Option<Spanned<u32>>,
    /// The measured speedup factor.
    pub speedup: Option<Factor>,
    /// True if the measurement also used lookup.
    pub lookup: bool,
    /// The recommended alternative.
    pub instead: Option<Text>,
    /// A note for users.
    pub note: Option<Text>,
    /// The date of the result.
    pub date: Option<Spanned<Date>>,
}

/// A draft that must not be used with a target.
#[derive(Clone, PartialEq, Debug)]
pub struct Ban {
    /// A description and the place.
    pub head: Head,
    /// The target.
    pub target: Spanned<Pattern>,
    /// The draft.
    pub draft: Spanned<Pattern>,
    /// A glob of titles that are excluded from the target.
    pub except: Option<Text>,
    /// The name of the target in the documents.
    pub label: Option<Text>,
    /// The failure that the draft causes.
    pub failure: Text,
    /// A note for users.
    pub note: Option<Text>,
    /// The date of the result.
    pub date: Option<Spanned<Date>>,
}

impl Pattern {
    /// True if the pattern matches the model.
    pub fn covers(&self, id: Id<Model>, model: &Model) -> bool {
        match self {
            Self::Model(named) => *named == id,
            Self::Family(family) => *family == model.family.value,
            Self::Titles(glob) => glob_matches(glob, &model.title),
        }
    }

    /// True if the pattern matches every model.
    pub fn matches_all(&self) -> bool {
        matches!(self, Self::Titles(glob) if &**glob == "*")
    }
}

impl Pair {
    /// True if the target of the rule includes the model.
    pub fn covers(&self, id: Id<Model>, model: &Model) -> bool {
        self.target.covers(id, model) && !excepted(self.except.as_ref(), model)
    }
}

impl Ban {
    /// True if the target of the rule includes the model.
    pub fn covers(&self, id: Id<Model>, model: &Model) -> bool {
        self.target.covers(id, model) && !excepted(self.except.as_ref(), model)
    }
}

impl Registry {
    /// The first ban that applies to a target and a draft.
    pub fn ban_of(&self, target: Id<Model>, draft: Id<Model>) -> Option<&Ban> {
        let (model, draft_model) = (self.models.get(target), self.models.get(draft));
        self.bans.iter().find(|ban| ban.covers(target, model) && ban.draft.covers(draft, draft_model))
    }

    /// The first pair that names exactly this target and this draft.
    pub fn exact_pair(&self, target: Id<Model>, draft: Id<Model>) -> Option<&Pair> {
        let model = self.models.get(target);
        self.pairs.iter().find(|pair| pair.names(target, draft) && pair.covers(target, model))
    }
}

impl Pair {
    /// True if the rule names exactly this target and this draft.
    fn names(&self, target: Id<Model>, draft: Id<Model>) -> bool {
        self.target.value == Pattern::Model(target)
            && self.draft.as_ref().is_some_and(|pattern| pattern.value == Pattern::Model(draft))
    }
}

fn excepted(except: Option<&Text>, model: &Model) -> bool {
    except.is_some_and(|glob| glob_matches(glob, &model.title))
}

/// True if a text matches a glob, in which `*` matches any characters and `?` matches one. The search backtracks only
/// to the last `*`, so it never takes exponential time.
pub fn glob_matches(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    let (mut at, mut pattern) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match glob.get(pattern) {
            Some('*') => {
                star = Some((pattern, at));
                pattern += 1;
            }
            Some(c) if *c == '?' || text.get(at) == Some(c) => {
                at += 1;
                pattern += 1;
            }
            _ => match star {
                Some((star_at, matched)) => {
                    star = Some((star_at, matched + 1));
                    at = matched + 1;
                    pattern = star_at + 1;
                }
                None => return false,
            },
        }
    }
    glob.get(pattern..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

/// The fields of a pair.
pub(super) static PAIR: Table = Table::of(&[
    Field::required(
        "target",
        Shape::Rule,
        "The target: a model, a family, or a glob of model titles, such as `Qwen3-*`.",
    ),
    Field::optional(
        "draft",
        Shape::Rule,
        "The draft: a model, a family, or a glob of model titles. Omit it if no draft is known.",
    )
    .example("Qwen3-0.6B*"),
    Field::optional(
        "except",
        Shape::Text,
        "A glob of model titles that are excluded from the target, such as `Qwen3-Coder-*`.",
    ),
    Field::optional("label", Shape::Text, "Name of the target in the documents.")
        .example("Qwen3 (non-coder)"),
    Field::optional("max", Shape::Count(1, 1024), "Maximum number of draft tokens, 1 to 1024.")
        .example("16")
        .unit("tokens"),
    Field::optional("speedup", Shape::Factor, "The measured speedup factor, such as `5.4x`."),
    Field::optional("lookup", Shape::Flag, "True if the measurement also used lookup; default false.")
        .default("false"),
    Field::optional(
        "instead",
        Shape::Text,
        "The recommended alternative. `experts` means fewer experts per token.",
    )
    .example("experts"),
    Field::optional("note", Shape::Text, "A note for users.").example("measured twice"),
    Field::optional("date", Shape::Date, "The date of the result."),
]);

/// The fields of a ban.
pub(super) static BAN: Table = Table::of(&[
    Field::required(
        "target",
        Shape::Rule,
        "The target: a model, a family, or a glob of model titles, such as `Qwen3-*`.",
    ),
    Field::required(
        "draft",
        Shape::Rule,
        "The draft: a model, a family, or a glob of model titles. `*` means every draft.",
    )
    .example("*-Instruct-2507"),
    Field::optional(
        "except",
        Shape::Text,
        "A glob of model titles that are excluded from the target, such as `Qwen3-Coder-*`.",
    ),
    Field::optional("label", Shape::Text, "Name of the target in the documents.")
        .example("Qwen3 (non-coder)"),
    Field::required("failure", Shape::Text, "The failure that the draft causes.")
        .example("BOS token mismatch"),
    Field::optional("note", Shape::Text, "A note for users.").example("measured twice"),
    Field::optional("date", Shape::Date, "The date of the result."),
]);
