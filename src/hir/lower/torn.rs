//! What the parser could not read of a file: the items that it tore, and the words that were lost with it.

use super::heard;
use crate::source::Span;
use crate::syntax::{Document, Language, Node};
use std::collections::BTreeSet;

/// A file with the places of its faults of text.
#[derive(Clone, Copy, Debug)]
pub struct Torn<'a> {
    /// The whole text.
    pub text: &'a str,
    /// Where the parser said something.
    pub faults: &'a [Span],
}

impl Torn<'_> {
    /// Whether a fault lies in an item, or behind it on the line where it ends: part of it may be missing.
    pub(super) fn tears(self, item: Span) -> bool {
        self.faults.iter().any(|fault| {
            let between = self.text.get(item.end as usize..fault.start as usize).unwrap_or_default();
            item.start <= fault.start && !between.contains('\n')
        })
    }

    /// The words that stand in no item that was read: names of items that were lost may be among them.
    pub(super) fn lost_words(self, document: &Document) -> BTreeSet<Box<str>> {
        if self.faults.is_empty() {
            return BTreeSet::new();
        }
        let mut read: Vec<Span> = items(document).map(|item| item.span).collect();
        read.sort_unstable();
        let (mut words, mut from) = (BTreeSet::new(), 0);
        let end = Span::new(document.file, self.text.len(), self.text.len());
        for span in read.into_iter().chain([end]) {
            let outside = self.text.get(from..span.start as usize).unwrap_or_default();
            words.extend(heard::words(outside).map(Into::into));
            from = from.max(span.end as usize);
        }
        words
    }
}

/// The nodes of items: in YAML those with names stand below their kind.
fn items<'n, 'd>(document: &'n Document<'d>) -> impl Iterator<Item = &'n Node<'d>> {
    document.nodes.iter().flat_map(|node| match document.language {
        Language::Kdl => std::slice::from_ref(node),
        Language::Yaml => node.fields.as_slice(),
    })
}
