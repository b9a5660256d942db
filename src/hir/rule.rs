//! Rules about drafts: pairs that work, and pairs that must not be used.

use super::{Date, Draft, Factor, Family, ForbiddenFeature, Id, Model, Registry, Serving, Shape, Text};
use crate::source::Spanned;
use std::sync::Arc;

/// The models to which a rule applies.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Pattern {
    /// One model.
    Model(Id<Model>),
    /// All models of a family.
    Family(Id<Family>),
    /// All models whose title matches the glob. A glob may match nothing, because a rule can remain after its models
    /// are removed.
    Titles(Arc<str>),
}

declare! {
    /// A draft that is known to work with a target, or the fact that no draft is known.
    pub item Pair {
        /// The target: a model, a family, or a glob of model titles, such as `Qwen3-*`.
        target: Spanned<Pattern> = required("target", Shape::Rule),
        /// The draft: a model, a family, or a glob of model titles. Omit it if no draft is known.
        draft: Option<Spanned<Pattern>> = optional("draft", Shape::Rule).example("Qwen3-0.6B*"),
        /// A glob of model titles that are excluded from the target, such as `Qwen3-Coder-*`.
        except: Option<Text> = optional("except", Shape::Text),
        /// Name of the target in the documents.
        label: Option<Text> = optional("label", Shape::Text).example("Qwen3 (non-coder)"),
        /// Maximum number of draft tokens, 1 to 1024.
        max: Option<Spanned<u32>> = optional("max", Shape::Count(1, 1024)).example("16").unit("tokens"),
        /// The measured speedup factor, such as `5.4x`.
        speedup: Option<Factor> = optional("speedup", Shape::Factor),
        /// True if the measurement also used lookup; default false.
        lookup: bool = optional("lookup", Shape::Flag).default("false"),
        /// The recommended alternative. `experts` means fewer experts per token.
        instead: Option<Text> = optional("instead", Shape::Text).example("experts"),
        /// A note for users.
        note: Option<Text> = optional("note", Shape::Text).example("measured twice"),
        /// The date of the result.
        date: Option<Spanned<Date>> = optional("date", Shape::Date),
    }
}

declare! {
    /// A draft that must not be used with a target.
    pub item Ban {
        /// The target: a model, a family, or a glob of model titles, such as `Qwen3-*`.
        target: Spanned<Pattern> = required("target", Shape::Rule),
        /// The draft: a model, a family, or a glob of model titles. `*` means every draft.
        draft: Spanned<Pattern> = required("draft", Shape::Rule).example("*-Instruct-2507"),
        /// A glob of model titles that are excluded from the target, such as `Qwen3-Coder-*`.
        except: Option<Text> = optional("except", Shape::Text),
        /// Name of the target in the documents.
        label: Option<Text> = optional("label", Shape::Text).example("Qwen3 (non-coder)"),
        /// The failure that the draft causes.
        failure: Text = required("failure", Shape::Text).example("BOS token mismatch"),
        /// A note for users.
        note: Option<Text> = optional("note", Shape::Text).example("measured twice"),
        /// The date of the result.
        date: Option<Spanned<Date>> = optional("date", Shape::Date),
    }
}

impl Pattern {
    /// True if the pattern matches the model.
    pub fn covers(&self, id: Id<Model>, model: &Model) -> bool {
        match self {
            Self::Model(named) => *named == id,
            Self::Family(family) => model.family.is_some_and(|own| own.value == *family),
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

    /// True if a ban or the family of the target forbids the draft of a role.
    pub fn forbids_draft(&self, serving: &Serving, draft: &Draft) -> bool {
        let is_banned = |model: Spanned<Id<Model>>| self.ban_of(serving.model.value, model.value).is_some();
        let family = self.model_of(serving).1;
        family.is_some_and(|family| family.forbids(ForbiddenFeature::Speculation).is_some())
            || draft.model.is_some_and(is_banned)
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
