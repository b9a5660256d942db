//! Rules about drafts: pairs that work, and pairs that must not be used.

use super::shape::{Field, Shape, Table};
use super::{Date, Factor, Family, Head, Id, Model, Registry, Text};
use crate::source::Spanned;

/// What a rule speaks of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Pattern {
    /// One model.
    Model(Id<Model>),
    /// All models of a family.
    Family(Id<Family>),
    /// All models whose title matches; rules outlive models, so it may be none.
    Titles(Box<str>),
}

/// A draft that is known to work with a target, or that none is.
#[derive(Clone, PartialEq, Debug)]
pub struct Pair {
    /// What it is about, and where it stands.
    pub head: Head,
    /// The target.
    pub target: Spanned<Pattern>,
    /// The draft; none says that no draft is known.
    pub draft: Option<Spanned<Pattern>>,
    /// Titles that are left out of the target.
    pub except: Option<Text>,
    /// What people call the target.
    pub label: Option<Text>,
    /// The most tokens to draft.
    pub max: Option<Spanned<u32>>,
    /// How many times as fast it was.
    pub speedup: Option<Factor>,
    /// Whether the measurement used lookup.
    pub lookup: bool,
    /// What to do instead.
    pub instead: Option<Text>,
    /// Whatever else people should know.
    pub note: Option<Text>,
    /// When it was found out.
    pub date: Option<Spanned<Date>>,
}

/// A draft that must not be used with a target.
#[derive(Clone, PartialEq, Debug)]
pub struct Ban {
    /// What it is about, and where it stands.
    pub head: Head,
    /// The target.
    pub target: Spanned<Pattern>,
    /// The draft.
    pub draft: Spanned<Pattern>,
    /// Titles that are left out of the target.
    pub except: Option<Text>,
    /// What people call the target.
    pub label: Option<Text>,
    /// What happens.
    pub failure: Text,
    /// Whatever else people should know.
    pub note: Option<Text>,
    /// When it was found out.
    pub date: Option<Spanned<Date>>,
}

impl Pattern {
    /// Whether the pattern speaks of a model of that id, family and title.
    pub fn covers(&self, id: Id<Model>, model: &Model) -> bool {
        match self {
            Self::Model(named) => *named == id,
            Self::Family(family) => *family == model.family.value,
            Self::Titles(glob) => glob_matches(glob, &model.title),
        }
    }

    /// Whether it speaks of every model there can be.
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::Titles(glob) if &**glob == "*")
    }
}

impl Pair {
    /// Whether the rule's target is that model.
    pub fn covers(&self, id: Id<Model>, model: &Model) -> bool {
        self.target.covers(id, model) && !excepted(self.except.as_ref(), model)
    }
}

impl Ban {
    /// Whether the rule's target is that model.
    pub fn covers(&self, id: Id<Model>, model: &Model) -> bool {
        self.target.covers(id, model) && !excepted(self.except.as_ref(), model)
    }
}

impl Registry {
    /// The first ban of a draft with a target.
    pub fn ban_of(&self, target: Id<Model>, draft: Id<Model>) -> Option<&Ban> {
        let (model, drafter) = (self.models.get(target), self.models.get(draft));
        self.bans.iter().find(|ban| ban.covers(target, model) && ban.draft.covers(draft, drafter))
    }

    /// The first pair that names exactly these two models.
    pub fn pair_naming(&self, target: Id<Model>, draft: Id<Model>) -> Option<&Pair> {
        let model = self.models.get(target);
        self.pairs.iter().find(|pair| pair.names(target, draft) && pair.covers(target, model))
    }
}

impl Pair {
    /// Whether the rule names exactly these two models.
    fn names(&self, target: Id<Model>, draft: Id<Model>) -> bool {
        self.target.value == Pattern::Model(target)
            && self.draft.as_ref().is_some_and(|pattern| pattern.value == Pattern::Model(draft))
    }
}

fn excepted(except: Option<&Text>, model: &Model) -> bool {
    except.is_some_and(|glob| glob_matches(glob, &model.title))
}

/// Whether a text matches a glob in which `*` stands for any characters and `?` for one; linear in both, whatever the
/// glob.
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
    Field::required("target", Shape::Rule, "A model, a family, or a glob over model titles, as `Qwen3-*`."),
    Field::optional("draft", Shape::Rule, "The draft, likewise; left out where none is known.")
        .example("Qwen3-0.6B*"),
    Field::optional("except", Shape::Text, "A glob over titles that are left out, as `Qwen3-Coder-*`."),
    Field::optional("label", Shape::Text, "What people call the target.").example("Qwen3 (non-coder)"),
    Field::optional("max", Shape::Count(1, 1024), "The most tokens to draft, 1 to 1024.")
        .example("16")
        .counting("tokens"),
    Field::optional("speedup", Shape::Factor, "How many times as fast, as `5.4x`."),
    Field::optional("lookup", Shape::Flag, "Whether that was measured with lookup; default false.")
        .default("false"),
    Field::optional("instead", Shape::Text, "What to do instead; `experts` means using fewer experts.")
        .example("experts"),
    Field::optional("note", Shape::Text, "Whatever else people should know.").example("measured twice"),
    Field::optional("date", Shape::Date, "When it was found out."),
]);

/// The fields of a ban.
pub(super) static BAN: Table = Table::of(&[
    Field::required("target", Shape::Rule, "A model, a family, or a glob over model titles, as `Qwen3-*`."),
    Field::required("draft", Shape::Rule, "The draft, likewise; `*` is any.").example("*-Instruct-2507"),
    Field::optional("except", Shape::Text, "A glob over titles that are left out, as `Qwen3-Coder-*`."),
    Field::optional("label", Shape::Text, "What people call the target.").example("Qwen3 (non-coder)"),
    Field::required("failure", Shape::Text, "What happens.").example("BOS token mismatch"),
    Field::optional("note", Shape::Text, "Whatever else people should know.").example("measured twice"),
    Field::optional("date", Shape::Date, "When it was found out."),
]);
