//! Complete values, open collections, and findings about their shape.

use super::anchors::merge;
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::syntax::codes::UNEXPECTED_SHAPE;
use crate::syntax::{Node, Scalar};
use std::borrow::Cow;

/// A complete value.
#[derive(Clone)]
pub(super) enum YamlValue<'a> {
    /// A scalar.
    Scalar(Scalar<'a>),
    /// A mapping.
    Map {
        /// The entries.
        fields: Vec<Node<'a>>,
        /// The span of its braces or lines.
        block: Span,
    },
    /// A list. It contains no lists.
    List {
        /// The members: scalars and mappings.
        members: Vec<ListMember<'a>>,
        /// The span of its brackets or lines.
        block: Span,
    },
}

/// A member of a list.
#[derive(Clone)]
pub(super) struct ListMember<'a> {
    /// The value.
    pub(super) item: YamlValue<'a>,
    /// The byte offset where the member ends in the list. For an alias, this is the end of the alias.
    pub(super) end: u32,
}

/// A mapping or list that has begun and not ended.
pub(super) struct OpenCollection<'a> {
    pub(super) start: Span,
    /// The end of the last complete part.
    pub(super) end: u32,
    pub(super) flow: bool,
    pub(super) anchor: Option<Span>,
    /// True if the shape of this collection, or of one around it, was reported as wrong.
    pub(super) shape_reported: bool,
    /// True if a part was omitted and reported.
    pub(super) partial: bool,
    pub(super) kind: CollectionKind<'a>,
}

/// The kind of an open collection.
pub(super) enum CollectionKind<'a> {
    /// A mapping: the key of the next value, and the complete entries.
    Map { key: Option<MapKey<'a>>, fields: Vec<Node<'a>>, merges: Vec<Vec<Node<'a>>> },
    /// A list. `nested` is true if a list inside it was reported.
    List { members: Vec<ListMember<'a>>, nested: bool },
}

/// The key of a field.
pub(super) enum MapKey<'a> {
    /// A name with its span.
    Named(Cow<'a, str>, Span),
    /// The merge key `<<` with its span.
    Merge(Span),
    /// A key that is a block. It was reported.
    Bad,
}

impl<'a> OpenCollection<'a> {
    /// The value of the collection, which ends at `end`, and its span. No value if the collection was reported or if all
    /// its parts were omitted.
    pub(super) fn complete(self, end: u32) -> (Option<YamlValue<'a>>, Span) {
        let block = Span { end, ..self.start };
        let (item, is_empty) = match self.kind {
            CollectionKind::Map { mut fields, merges, .. } => {
                merge(&mut fields, merges);
                // Save memory: a large registry has many mappings with one or two fields.
                fields.shrink_to_fit();
                let is_empty = fields.is_empty();
                (YamlValue::Map { fields, block }, is_empty)
            }
            CollectionKind::List { members, .. } => {
                let is_empty = members.is_empty();
                (YamlValue::List { members, block }, is_empty)
            }
        };
        let is_omitted = self.shape_reported || self.partial && is_empty;
        (Some(item).filter(|_| !is_omitted), block)
    }
}

/// The finding for a list in a list, which is the value of a key.
pub(super) fn nested_list(at: Span, key: Option<&str>) -> Diagnostic {
    let help = match key {
        Some("set" | "sets") => "write each inner list as `roles` of a block",
        _ => "write the members into one list",
    };
    UNEXPECTED_SHAPE.at(at, "a list in a list", "a list cannot contain a list").help(help)
}

/// The finding for a file that is not a mapping.
pub(super) fn not_a_mapping(at: Span, what: &str) -> Diagnostic {
    let message = format!("a registry file must be a mapping, found {what}");
    let help = "write the kinds of items as keys, such as `roles: {chat: {model: NAME}}`";
    UNEXPECTED_SHAPE.at(at, "expected a key such as `models:`", message).help(help)
}
