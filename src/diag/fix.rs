//! Changes that cure a finding: first as what is meant, then as bytes.

use crate::source::Span;

/// A change of the text that cures a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// What it does, an imperative: ``write `context` ``.
    pub title: String,
    /// Whether it may be made without asking.
    pub safety: Safety,
    /// The changes, none of which overlaps another.
    pub edits: Vec<Edit>,
}

/// Whether a fix may be made without asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Safety {
    /// It says what was meant, and nothing else can have been.
    Safe,
    /// Somebody has to look: there are other cures, or the meaning may change.
    Unsafe,
}

/// A range of a text and what stands there instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// What is replaced; empty where something is put in.
    pub span: Span,
    /// The text instead, in the language of the file.
    pub text: String,
}

impl Fix {
    /// One place that is written otherwise, and nothing else can have been meant.
    pub fn safe(title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        Self { title: title.into(), safety: Safety::Safe, edits: vec![Edit { span, text: text.into() }] }
    }
}

/// A change that cures a finding, in the words of whoever says the finding, who knows neither the language of the file nor its
/// layout. `syntax` makes a [`Fix`] of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProposedFix {
    /// What it does, an imperative: ``write `context` ``.
    pub title: String,
    /// Whether it may be made without asking.
    pub safety: Safety,
    /// What is changed.
    pub change: Change,
}

/// What a cure changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A name, a key or a text is another one.
    Word {
        /// Where it stands, quotes included.
        span: Span,
        /// What it is to be, without quotes.
        meant: String,
    },
    /// A field goes, with all that is in it.
    Field {
        /// Its name.
        name: &'static str,
        /// Where a value of it stands, which tells it from others of its name.
        holding: Span,
    },
}
