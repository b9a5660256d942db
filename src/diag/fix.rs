//! Fixes of findings: first as a proposal, independent of the file's language, then as text edits.

use crate::source::Span;
use serde::Serialize;

/// A fix as text edits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// The title, an imperative: ``write `context` ``.
    pub title: String,
    /// How safe it is to apply the fix.
    pub safety: Safety,
    /// The edits, none of which overlaps another.
    pub edits: Vec<Edit>,
}

/// How safe it is to apply a fix automatically.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// The intent is certain: no other text can have been intended.
    Safe,
    /// The user must review it: there are other fixes, or the meaning may change.
    Unsafe,
}

/// A range of a text and its replacement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// The replaced range; empty for an insertion.
    pub span: Span,
    /// The new text, in the language of the file.
    pub text: String,
}

impl Fix {
    /// A safe fix that replaces one range.
    pub fn safe(title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        Self { title: title.into(), safety: Safety::Safe, edits: vec![Edit { span, text: text.into() }] }
    }
}

/// A fix as proposed by a check, which knows neither the language nor the layout of the file. `syntax` turns it into a
/// [`Fix`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProposedFix {
    /// The title, an imperative: ``write `context` ``.
    pub title: String,
    /// How safe it is to apply the fix.
    pub safety: Safety,
    /// The proposed change.
    pub change: Change,
}

/// The change of a proposed fix.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Replace a name, a key or a text.
    Word {
        /// The replaced range, quotes included.
        span: Span,
        /// The new word, without quotes.
        replacement: String,
    },
    /// Remove a field with everything in it.
    Field {
        /// The name of the field.
        name: &'static str,
        /// The place of one of its values, which distinguishes it from fields of the same name.
        value_span: Span,
    },
}
