//! Values that are complete, blocks that are not, and the findings about their shape.

use super::anchors::AnchorId;
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::syntax::codes::UNEXPECTED_SHAPE;
use crate::syntax::{Node, Scalar};
use std::borrow::Cow;

/// A value that is complete.
#[derive(Clone)]
pub(super) enum Item<'a> {
    /// A scalar.
    Scalar(Scalar<'a>),
    /// A mapping: its entries, and its braces or lines.
    Map {
        /// The entries.
        fields: Vec<Node<'a>>,
        /// Where it stands.
        block: Span,
    },
    /// A list without lists in it.
    List {
        /// Scalars and mappings.
        members: Vec<Member<'a>>,
        /// Where it stands.
        block: Span,
    },
}

/// A member of a list, and the byte at which it ends in the list.
#[derive(Clone)]
pub(super) struct Member<'a> {
    /// The member.
    pub(super) item: Item<'a>,
    pub(super) end: u32,
}

/// A block that has begun and not ended.
pub(super) struct Frame<'a> {
    pub(super) start: Span,
    /// Where its last part so far ends.
    pub(super) end: u32,
    pub(super) flow: bool,
    pub(super) anchor: Option<AnchorId<'a>>,
    /// What is wrong with its shape was said, here or of a block around it.
    pub(super) said: bool,
    /// Some of it was left out, which was said.
    pub(super) partial: bool,
    pub(super) kind: Kind<'a>,
}

/// What has begun.
pub(super) enum Kind<'a> {
    /// A mapping: the key whose value comes next, and what is complete.
    Map { key: Option<Key<'a>>, fields: Vec<Node<'a>>, merges: Vec<Vec<Node<'a>>> },
    /// A list; `nested` where it was said that there is a list in it.
    List { members: Vec<Member<'a>>, nested: bool },
}

/// The key of a field.
pub(super) enum Key<'a> {
    /// A word.
    Named(Cow<'a, str>, Span),
    /// `<<`.
    Merge(Span),
    /// A key that is no word, which was said.
    Bad,
}

impl<'a> Member<'a> {
    /// Whether it is a scalar.
    pub(super) fn is_scalar(&self) -> bool {
        matches!(self.item, Item::Scalar(_))
    }

    /// It, if it is a scalar.
    pub(super) fn scalar(self) -> Option<Scalar<'a>> {
        match self.item {
            Item::Scalar(scalar) => Some(scalar),
            Item::Map { .. } | Item::List { .. } => None,
        }
    }
}

/// A finding about a shape that the language does not have.
pub(super) fn shape(at: Span, label: &str, message: &str) -> Diagnostic {
    UNEXPECTED_SHAPE.at(at, label, message)
}

/// A list in a list.
pub(super) fn nested(at: Span) -> Diagnostic {
    shape(at, "a list in a list", "a list cannot hold a list").help("write the members into one list")
}

/// A file that is something else than a mapping.
pub(super) fn no_mapping(at: Span, what: &str) -> Diagnostic {
    let message = format!("a registry file is a mapping, and this one is {what}");
    UNEXPECTED_SHAPE.at(at, "expected a key such as `models:`", message)
}
