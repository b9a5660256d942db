//! One finding as plain data; the report formats render it.

use super::fix::{Change, ProposedFix, Safety};
use super::suggest::Suggestion;
use super::{Absence, Code, Fix, Line, Severity, words};
use crate::source::Span;
use serde::Serialize;
use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

/// One finding: a code, a message, at least one place, and what to do about it.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The kind of finding.
    pub code: &'static Code,
    /// The severity in this run: that of the code, unless the command line changes it.
    pub severity: Severity,
    /// The headline in the user's own names: lower case, no full stop.
    pub message: String,
    /// The item that the finding is about. A syntax error has none; its subject is the file.
    pub subject: Option<Subject>,
    /// Where it is wrong.
    pub primary: Label,
    /// The word at the primary place that is wrong, if the place is a longer text.
    pub word: Option<&'static str>,
    /// Other places that show why it is wrong, in any file.
    pub secondary: Vec<Label>,
    /// Computed details, such as the lines of a sum or a list.
    pub notes: Vec<String>,
    /// Instructions for the user; each text is an imperative.
    pub help: Vec<String>,
    /// Alternative fixes that are not yet text edits; `syntax` turns them into `fixes`.
    pub proposed_fixes: Vec<ProposedFix>,
    /// Alternative fixes as text edits.
    pub fixes: Vec<Fix>,
    /// The value of a secret; no format may print this part of the text.
    pub concealed: Option<Span>,
    /// The absence that the finding reports, if it does.
    pub absence: Option<Absence>,
    /// A declared number that the finding is about, such as the port of a conflict. With another number it is another
    /// finding, which a baseline does not have.
    pub number: Option<Box<str>>,
}

/// See [`Diagnostic::identity`].
pub(super) type Identity = u64;

/// A place with the text that is printed at it.
#[derive(Clone, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The meaning of the place, such as "first declared here".
    pub text: String,
}

/// The item that a finding is about. For a port or a draft it is the role.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
pub struct Subject {
    /// The kind as written in a registry: `role`, `model`, `host`.
    pub kind: &'static str,
    /// The name. For an item without a name: what it refers to.
    pub name: String,
}

impl Subject {
    /// The item with this kind and name.
    pub fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl<N: Into<String>> From<(&'static str, N)> for Subject {
    fn from((kind, name): (&'static str, N)) -> Self {
        Self::new(kind, name)
    }
}

impl Code {
    /// Creates a finding of this kind from the place where it is wrong, the label of that place, and the headline.
    pub fn at(&'static self, span: Span, label: impl Into<String>, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code: self,
            severity: self.severity,
            message: message.into(),
            subject: None,
            primary: Label { span, text: label.into() },
            word: None,
            secondary: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            proposed_fixes: Vec::new(),
            fixes: Vec::new(),
            concealed: None,
            absence: self.absence,
            number: None,
        }
    }
}

impl Diagnostic {
    /// Compares by place in the text, then by code number, then by message.
    pub fn order(&self, other: &Self) -> Ordering {
        let key = |one: &Self| (one.primary.span, one.code.number);
        key(self).cmp(&key(other)).then_with(|| self.message.cmp(&other.message))
    }

    /// A hash of the place, the code, the item and the texts. Two findings with the same identity are one finding.
    pub(super) fn identity(&self) -> Identity {
        let mut hasher = DefaultHasher::new();
        let item = self.subject.as_ref().map(|subject| (subject.kind, &subject.name));
        let Span { file, start, end } = self.primary.span;
        (file, start, end, self.code.number, item, &self.message, &self.notes).hash(&mut hasher);
        hasher.finish()
    }

    /// Sets the item that the finding is about.
    #[must_use]
    pub fn about(mut self, item: impl Into<Subject>) -> Self {
        self.subject = Some(item.into());
        self
    }

    /// Marks only this word of the primary place.
    #[must_use]
    pub fn at_word(mut self, word: &'static str) -> Self {
        self.word = Some(word);
        self
    }

    /// Sets the declared number that the finding is about.
    #[must_use]
    pub fn with_number(mut self, number: &impl ToString) -> Self {
        self.number = Some(number.to_string().into());
        self
    }

    /// Adds a secondary place that shows why.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        add(&mut self.secondary, Label { span, text: text.into() });
        self
    }

    /// Adds secondary places with their texts.
    #[must_use]
    pub fn also_each<T: Into<String>>(mut self, places: impl IntoIterator<Item = (Span, T)>) -> Self {
        self.secondary.extend(places.into_iter().map(|(span, text)| Label { span, text: text.into() }));
        self
    }

    /// Adds a block of computed details, which may have several lines.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        add(&mut self.notes, text.into());
        self
    }

    /// Adds a help text.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        add(&mut self.help, text.into());
        self
    }

    /// Adds a help text, if there is one.
    #[must_use]
    pub fn maybe_help(mut self, text: Option<impl Into<String>>) -> Self {
        self.help.extend(text.map(Into::into));
        self
    }

    /// Adds a help that names a change: `title` with the text of the change for `{}`. orchgen does not apply it.
    #[must_use]
    pub fn remedy(self, title: impl Into<String>, change: Change) -> Self {
        self.propose(ProposedFix {
            title: title.into(),
            safety: Safety::Manual,
            is_help: true,
            texts_before: 0,
            change,
        })
    }

    /// Adds a help that writes a field of the item at `item`.
    #[must_use]
    pub fn write(self, item: Span, line: Line) -> Self {
        self.remedy("write `{}`", Change::set(item, line))
    }

    /// Adds a help that removes the item or the field at `place`.
    #[must_use]
    pub fn remove(self, place: Span) -> Self {
        self.remedy("remove `{}`", Change::remove(place))
    }

    /// Adds a help that names a change and that orchgen may apply.
    #[must_use]
    pub fn remedy_as(self, safety: Safety, title: impl Into<String>, change: Change) -> Self {
        self.propose(ProposedFix { title: title.into(), safety, is_help: true, texts_before: 0, change })
    }

    /// Adds a fix that is not yet a text edit.
    #[must_use]
    pub fn propose(mut self, fix: ProposedFix) -> Self {
        let texts_before = self.help.len();
        add(&mut self.proposed_fixes, ProposedFix { texts_before, ..fix });
        self
    }

    /// Proposes to replace `span` with the suggested name, unless another name is equally similar.
    #[must_use]
    pub fn suggest(self, suggestion: Option<Suggestion>, span: Span) -> Self {
        match suggestion.and_then(|found| Some((found.name, found.safety()?))) {
            Some((name, safety)) => self.suggest_word(name, span, safety),
            None => self,
        }
    }

    /// Proposes to replace `span` with another word.
    #[must_use]
    pub fn suggest_word(self, word: &str, span: Span, safety: Safety) -> Self {
        let title = format!("write {}", words::quoted(word));
        self.propose(ProposedFix {
            title,
            safety,
            is_help: false,
            texts_before: 0,
            change: Change::Word { span, replacement: word.to_owned() },
        })
    }

    /// Marks a part of the text as a secret. No format prints it, not even in an excerpt of another finding.
    #[must_use]
    pub fn conceal(mut self, secret: Span) -> Self {
        self.concealed = Some(secret);
        self
    }

    /// Adds a fix as text edits.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        add(&mut self.fixes, fix);
        self
    }
}

/// Adds an element without room for more: nearly all findings have at most one, and there may be thousands of findings.
fn add<T>(list: &mut Vec<T>, element: T) {
    list.reserve_exact(1);
    list.push(element);
}
