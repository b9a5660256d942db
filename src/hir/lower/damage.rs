//! Syntax errors of a file: the items that they affect, and the words outside all items.

use super::unread_names;
use crate::source::Span;
use crate::syntax::{Document, Language, Node};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The path and the text of a file with the places of its syntax errors.
#[derive(Clone, Copy, Debug)]
pub struct SyntaxDamage<'a> {
    /// The path of the file.
    pub name: &'a str,
    /// The whole text.
    pub text: &'a str,
    /// The places that the parser reported.
    pub errors: &'a [Span],
}

impl SyntaxDamage<'_> {
    /// True if an error is inside the item, or after it on its last line: part of the item may be missing.
    pub(super) fn overlaps(self, item: Span) -> bool {
        self.errors.iter().any(|error| {
            let between = self.text.get(item.end as usize..error.start as usize).unwrap_or_default();
            item.start <= error.start && !between.contains('\n')
        })
    }

    /// The words outside all parsed items: they may include names of items that could not be parsed.
    pub(super) fn words_outside_items(self, document: &Document) -> BTreeSet<Arc<str>> {
        if self.errors.is_empty() {
            return BTreeSet::new();
        }
        let mut read: Vec<Span> = items(document).map(|item| item.span).collect();
        read.sort_unstable();
        let (mut words, mut from) = (BTreeSet::new(), 0);
        let end = Span::new(document.file, self.text.len(), self.text.len());
        for span in read.into_iter().chain([end]) {
            let outside = self.text.get(from..span.start as usize).unwrap_or_default();
            words.extend(unread_names::possible_names(outside).map(Into::into));
            from = from.max(span.end as usize);
        }
        words
    }
}

/// The nodes of items. In YAML they are the fields of their kind.
fn items<'n, 'd>(document: &'n Document<'d>) -> impl Iterator<Item = &'n Node<'d>> {
    document.nodes.iter().flat_map(|node| match document.language {
        Language::Kdl => std::slice::from_ref(node),
        Language::Yaml => node.fields.as_slice(),
    })
}
