//! One finding as a plain value: data first, picture last.

use super::fix::{Change, ProposedFix, Safety};
use super::suggest::Near;
use super::{Code, Fix, Severity, words};
use crate::source::Span;
use std::cmp::Ordering;

/// One finding: a code, a message, at least one place, and what to do about it.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Its kind.
    pub code: &'static Code,
    /// What it counts as in this run: the code's, unless the run says otherwise.
    pub severity: Severity,
    /// The headline in the user's own names: lower case, no full stop.
    pub message: String,
    /// The item it speaks of; none for a fault of the text, which speaks of its file.
    pub subject: Option<Subject>,
    /// Where it is wrong.
    pub primary: Label,
    /// Why it is wrong: other places, in any file.
    pub secondary: Vec<Label>,
    /// What was reckoned, line by line: a sum, a list.
    pub notes: Vec<String>,
    /// What to do, each an imperative.
    pub help: Vec<String>,
    /// What would cure it, each by itself; becomes `fixes` as soon as somebody knows the text.
    pub proposed_fixes: Vec<ProposedFix>,
    /// Changes of the text that cure it, each by itself.
    pub fixes: Vec<Fix>,
    /// What stands in the text and must not be repeated by any format: the value of a secret.
    pub concealed: Option<Span>,
}

/// Codes below are of text and shape.
const FIRST_OF_MEANING: u16 = 300;

/// A place with the words that are drawn at it.
#[derive(Clone, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The role of the place, as "first declared here".
    pub text: String,
}

/// The item that a finding speaks of: for a pair, a port or a draft it is the role.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Subject {
    /// The kind as the language writes it: `role`, `model`, `host`.
    pub kind: &'static str,
    /// Its name; for an item without a name, what it is about.
    pub name: String,
}

impl Subject {
    /// The item of that kind and name.
    pub fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl Code {
    /// Begins a finding of this kind: the place where it is wrong with the words drawn there, and the headline.
    pub fn at(&'static self, span: Span, label: impl Into<String>, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code: self,
            severity: self.severity,
            message: message.into(),
            subject: None,
            primary: Label { span, text: label.into() },
            secondary: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            proposed_fixes: Vec::new(),
            fixes: Vec::new(),
            concealed: None,
        }
    }
}

impl Diagnostic {
    /// The order of the text; of several at one place, that of their numbers.
    pub fn order(&self, other: &Self) -> Ordering {
        let key = |one: &Self| (one.primary.span, one.code.number);
        key(self).cmp(&key(other)).then_with(|| self.message.cmp(&other.message))
    }

    /// Whether something could not be read because of it, so that what is not found may yet be there.
    pub fn hides_findings(&self) -> bool {
        self.severity == Severity::Error && self.code.number < FIRST_OF_MEANING
    }

    /// Names the item that the finding speaks of.
    #[must_use]
    pub fn about(mut self, kind: &'static str, name: impl Into<String>) -> Self {
        self.subject = Some(Subject::new(kind, name));
        self
    }

    /// Adds another place that shows why.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Adds a block of what was reckoned; may have several lines.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds what to do where there is something to say.
    #[must_use]
    pub fn maybe_help(mut self, text: Option<impl Into<String>>) -> Self {
        self.help.extend(text.map(Into::into));
        self
    }

    /// Adds what would cure it.
    #[must_use]
    pub fn propose(mut self, cure: ProposedFix) -> Self {
        self.proposed_fixes.push(cure);
        self
    }

    /// Offers to write at `span` the name that is nearest to what stands there, unless another one is as near.
    #[must_use]
    pub fn meant(self, near: Option<Near>, span: Span) -> Self {
        match near.and_then(|near| Some((near.name, near.safety()?))) {
            Some((name, safety)) => self.write(name, span, safety),
            None => self,
        }
    }

    /// Offers to write another word at `span`.
    #[must_use]
    pub fn write(self, word: &str, span: Span, safety: Safety) -> Self {
        let title = format!("write {}", words::quoted(word));
        self.propose(ProposedFix { title, safety, change: Change::Word { span, meant: word.to_owned() } })
    }

    /// Marks a part of the text as a secret: no format draws it, whichever finding its line belongs to.
    #[must_use]
    pub fn conceal(mut self, secret: Span) -> Self {
        self.concealed = Some(secret);
        self
    }

    /// Adds a change of the text that cures it.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }
}
