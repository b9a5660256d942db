//! A change of the text that cures a finding.

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
