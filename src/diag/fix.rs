//! Fixes of findings: first as a proposal, independent of the file's language, then as text edits.

use super::{Line, Literal};
use crate::source::{FileId, Span};
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// The intent is certain: no other text can have been intended.
    Safe,
    /// The user must review it: there are other fixes, or the meaning may change.
    Unsafe,
    /// Only the user can decide. orchgen never applies the fix; a help prints it.
    Manual,
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
    /// The title, an imperative: ``write `context` ``. `{}` is replaced by the text that the change writes.
    pub title: String,
    /// How safe it is to apply the fix.
    pub safety: Safety,
    /// True if the title is also a help.
    pub is_help: bool,
    /// The number of helps before this one that are texts without a change.
    pub texts_before: usize,
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
    /// Replace one value.
    Value {
        /// The replaced range, quotes included.
        span: Span,
        /// The new value.
        to: Literal,
    },
    /// Write a field of an item. Replaces a field of the same name.
    Set {
        /// The place of the item, from its name to its end.
        item: Span,
        /// The names of the blocks around the field, from the outside.
        path: Vec<&'static str>,
        /// The field.
        line: Line,
    },
    /// Write a field of an item, next to its fields of the same name.
    Append {
        /// The place of the item, from its name to its end.
        item: Span,
        /// The field.
        line: Line,
    },
    /// Replace a field with another one.
    Rewrite {
        /// The place of the field, or of one of its values.
        place: Span,
        /// The new field.
        line: Line,
    },
    /// Write a field of an item instead of another one of the same item.
    Instead {
        /// The name of the field to remove.
        old: &'static str,
        /// The place of one of its values.
        value_span: Span,
        /// The place of the item, from its name to its end.
        item: Span,
        /// The names of the blocks around the new field, from the outside.
        path: Vec<&'static str>,
        /// The new field.
        line: Line,
    },
    /// Replace a range by a text in the language of the file.
    Text {
        /// The replaced range.
        span: Span,
        /// The new text.
        text: String,
    },
    /// Several changes in one file.
    All(Vec<Self>),
    /// Remove an item, or a field.
    Remove {
        /// Its place, from its name to its end, or the place of its name or of one of its values.
        place: Span,
    },
    /// Remove one value of a list, or the field if it has no other value.
    RemoveValue {
        /// The place of the value.
        place: Span,
    },
    /// Show an item that only the user can complete. orchgen does not write it.
    Example {
        /// The file in whose language the item is shown.
        file: FileId,
        /// The key of its kind in YAML.
        plural: &'static str,
        /// The item.
        line: Line,
    },
    /// Add an item at the end of a file.
    Add {
        /// The file.
        file: FileId,
        /// The key of its kind in YAML.
        plural: &'static str,
        /// The item: KDL writes its kind, name and fields.
        line: Line,
    },
}

impl Change {
    /// Writes a field of the item at `item`.
    pub fn set(item: Span, line: Line) -> Self {
        Self::Set { item, path: Vec::new(), line }
    }

    /// Writes a field of a block of the item at `item`.
    pub fn set_in(item: Span, block: &'static str, line: Line) -> Self {
        Self::Set { item, path: vec![block], line }
    }

    /// Replaces the field that has a value at `place`.
    pub fn rewrite(place: Span, line: Line) -> Self {
        Self::Rewrite { place, line }
    }

    /// Removes the field with this name that has a value at `value_span`.
    pub fn field(name: &'static str, value_span: Span) -> Self {
        Self::Field { name, value_span }
    }

    /// Removes the item or the field at `place`.
    pub fn remove(place: Span) -> Self {
        Self::Remove { place }
    }

    /// Writes the names of items into the lines that need one. The error is the field for which there is no item.
    pub(super) fn name_items(
        &mut self,
        name_of: &impl Fn(&'static str) -> Option<String>,
    ) -> Result<(), String> {
        match self {
            Self::All(changes) => changes.iter_mut().try_for_each(|change| change.name_items(name_of)),
            Self::Set { line, .. } | Self::Instead { line, .. } => {
                for value in &mut line.values {
                    if let Literal::NameOf(kind) = *value {
                        *value = Literal::Text(name_of(kind).ok_or_else(|| line.name.clone())?);
                    }
                }
                Ok(())
            }
            Self::Word { .. }
            | Self::Field { .. }
            | Self::Value { .. }
            | Self::Append { .. }
            | Self::Rewrite { .. }
            | Self::Text { .. }
            | Self::Remove { .. }
            | Self::RemoveValue { .. }
            | Self::Example { .. }
            | Self::Add { .. } => Ok(()),
        }
    }
}
