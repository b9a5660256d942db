//! Computes the text range to delete with a field, so that the remaining text is well formed and keeps its layout: the
//! line, the comma or the whole block.

use super::{Document, Language, Node};
use crate::source::Span;
use std::collections::BTreeMap;
use std::ops::Range;

/// The text to delete to remove a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Removal {
    /// The range to delete.
    pub(super) span: Span,
    /// True if the range contains comments.
    pub(super) drops_comments: bool,
}

/// A field to remove, with its context.
struct FieldContext<'f, 'a> {
    text: &'f str,
    parent: Option<&'f Node<'a>>,
    siblings: &'f [Node<'a>],
    /// The index of the field in `siblings`.
    index: usize,
    /// All members of the same list, including this field.
    members: &'f [Node<'a>],
    /// The index of the field in `members`.
    member_index: usize,
    node: &'f Node<'a>,
}

/// The removals of all fields named `name`, by the span of each of their values. No removal if deleting the field is
/// not safe.
pub(super) fn removals(document: &Document, text: &str, name: &str) -> BTreeMap<Span, Option<Removal>> {
    let mut found = BTreeMap::new();
    // Blocks with their parents. The parsers limit the depth, so this stack stays small.
    let mut open: Vec<(Option<&Node>, &[Node])> = vec![(None, &document.nodes)];
    while let Some((parent, siblings)) = open.pop() {
        let mut index = 0;
        for members in siblings.chunk_by(|a, b| a.key_span == b.key_span) {
            for (member_index, node) in members.iter().enumerate() {
                if node.key == name {
                    let field = FieldContext { text, parent, siblings, index, members, member_index, node };
                    let range = match document.language {
                        Language::Yaml => field.yaml_range(),
                        Language::Kdl => field.kdl_range(),
                    };
                    let removal = range.and_then(|range| field.removal(range, document.language));
                    let scalars = node.args.iter().chain(node.fields.iter().flat_map(|field| &field.args));
                    found.extend(scalars.map(|scalar| (scalar.span, removal)));
                }
                if !node.fields.is_empty() {
                    open.push((Some(node), &node.fields));
                }
                index += 1;
            }
        }
    }
    found
}

impl FieldContext<'_, '_> {
    /// The removal of `range`. No removal if other text may depend on something in it, such as an anchor.
    fn removal(&self, range: Range<usize>, language: Language) -> Option<Removal> {
        let mut drops_comments = false;
        for gap in self.gaps(&range) {
            let between = self.text.get(gap)?;
            let may_be_referenced = match language {
                Language::Yaml => between.contains(['&', '*', '!', '?']),
                Language::Kdl => between.contains("/-") || between.contains('\\'),
            };
            let has_comment = match language {
                Language::Yaml => between.contains('#'),
                Language::Kdl => between.contains("//") || between.contains("/*"),
            };
            if has_comment {
                drops_comments = true;
            } else if may_be_referenced {
                return None;
            }
        }
        Some(Removal { span: Span::new(self.node.key_span.file, range.start, range.end), drops_comments })
    }

    /// The parts of `range` that are not a name or a value of the field.
    fn gaps(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        let mut open = vec![self.node];
        while let Some(node) = open.pop() {
            spans.push(node.key_span.range());
            spans.extend(node.args.iter().map(|scalar| scalar.span.range()));
            open.extend(&node.fields);
        }
        spans.sort_by_key(|span| span.start);
        let mut gaps = Vec::new();
        let mut from = range.start;
        for span in spans.into_iter().filter(|span| span.start >= range.start && span.end <= range.end) {
            if span.start > from {
                gaps.push(from..span.start);
            }
            from = from.max(span.end);
        }
        gaps.push(from..range.end);
        gaps
    }

    fn yaml_range(&self) -> Option<Range<usize>> {
        if self.members.len() > 1 {
            return self.member_range();
        }
        let own = self.entry_range()?;
        let block = self.parent?.block?;
        let next = self.siblings.get(self.index + 1).map(|next| next.key_span.range().start);
        if self.text.get(block.range())?.starts_with('{') {
            let before = self.end_of_previous(|node| node.span.range().end).unwrap_or(block.range().start);
            return self.range_with_comma(own, before, next);
        }
        self.line_range(own.clone()).or_else(|| {
            // The first entry of a list member follows the dash; the next entry takes its position.
            let next = next?;
            self.text.get(own.end..next)?.trim().is_empty().then_some(own.start..next)
        })
    }

    /// The whole entry. If the value is a bracketed list with one member, the node ends before the `]`, which belongs
    /// to it.
    fn entry_range(&self) -> Option<Range<usize>> {
        let own = self.node.span.range();
        let Some(member) = self.node.block.or(self.node.args.first().map(|one| one.span)) else {
            return Some(own);
        };
        if !self.is_bracketed(member.range().start) {
            return Some(own);
        }
        let after = self.text.get(own.end..)?;
        if after.is_empty() || self.text.get(own.clone())?.ends_with(']') {
            return Some(own);
        }
        let rest = after.trim_start();
        let rest = rest.strip_prefix(',').unwrap_or(rest).trim_start().strip_prefix(']')?;
        Some(own.start..self.text.len() - rest.len())
    }

    /// True if a `[` is between the key and its first member, which begins at `first`.
    fn is_bracketed(&self, first: usize) -> bool {
        let before = self.text.get(self.node.key_span.range().end..first).unwrap_or_default();
        before.trim_start().trim_start_matches(':').trim_start().starts_with('[')
    }

    /// The end of the previous sibling, as computed by `end`.
    fn end_of_previous(&self, end: impl Fn(&Node) -> usize) -> Option<usize> {
        self.siblings.get(self.index.checked_sub(1)?).map(end)
    }

    /// The range of one member of a list with several members.
    fn member_range(&self) -> Option<Range<usize>> {
        let value_range = |node: &Node| Some(node.block.or(node.args.first().map(|one| one.span))?.range());
        let own = value_range(self.node)?;
        let first = value_range(self.members.first()?)?;
        if self.is_bracketed(first.start) {
            let next = self.members.get(self.member_index + 1).and_then(value_range).map(|next| next.start);
            let before = self.end_of_previous(|node| value_range(node).map_or(own.start, |range| range.end));
            return self.range_with_comma(own, before?, next);
        }
        let dash = self.text.get(..own.start)?.trim_end().strip_suffix('-')?.len();
        self.line_range(dash..own.end)
    }

    /// The range of an element of a flow collection, with one adjacent comma. The previous element ends at `before`.
    fn range_with_comma(
        &self,
        own: Range<usize>,
        before: usize,
        next: Option<usize>,
    ) -> Option<Range<usize>> {
        if let Some(next) = next {
            let gap = self.text.get(own.end..next)?;
            let comma = gap.trim_start().strip_prefix(',')?;
            return Some(if comma.trim().is_empty() {
                own.start..next
            } else {
                own.start..next - comma.len()
            });
        }
        let has_comment = self.text.get(before..own.start)?.contains('#');
        match self.text.get(..own.start)?.trim_end().strip_suffix(',') {
            Some(before) if !has_comment => Some(before.len()..own.end),
            // A comment is before the element. A comma before that comment may stay, as a trailing comma.
            _ => {
                let after = self.text.get(own.end..)?;
                self.line_range(own.start..own.end + usize::from(after.starts_with(',')))
            }
        }
    }

    /// The whole lines of `own`, if they contain nothing else. A comment after the last line stays.
    fn line_range(&self, own: Range<usize>) -> Option<Range<usize>> {
        let blanks = |c| matches!(c, ' ' | '\t' | '\r');
        let before = self.text.get(..own.start)?.trim_end_matches([' ', '\t']);
        let is_first = before.is_empty() || before.ends_with(['\n', '\u{feff}']);
        let after = self.text.get(own.end..)?;
        let rest = after.trim_start_matches(blanks);
        let end = own.end + (after.len() - rest.len());
        if !is_first {
            return None;
        }
        if rest.starts_with('#') || rest.starts_with("//") {
            return Some(own.start..end);
        }
        if rest.starts_with('\n') {
            return Some(before.len()..end + 1);
        }
        // Last line of a file without a final line break: delete the line break before it instead.
        let kept = before.strip_suffix('\n').map_or(before, |line| line.strip_suffix('\r').unwrap_or(line));
        rest.is_empty().then_some(kept.len()..end)
    }

    fn kdl_range(&self) -> Option<Range<usize>> {
        let own = self.node.span.range();
        let block = self.parent?.block?.range();
        let is_inside = |node: &&Node| node.span.range().start >= block.start;
        // The only child of a block: delete the whole block. Children follow the properties in `siblings`.
        if self.siblings.iter().rev().filter(is_inside).nth(1).is_none() {
            let before = self.text.get(..block.start)?.trim_end_matches([' ', '\t']);
            return (!before.ends_with(['\n', '\\', '/'])).then_some(before.len()..block.end);
        }
        let after = self.text.get(own.end..)?;
        let rest = after.trim_start_matches([' ', '\t']);
        let semicolon = rest.strip_prefix(';').map(|rest| self.text.len() - rest.len());
        let end = semicolon.unwrap_or(own.end);
        self.line_range(own.start..end).or_else(|| {
            let kept = self.text.get(..own.start)?.trim_end_matches([' ', '\t']);
            if kept.ends_with('\n') || kept.is_empty() {
                let after = self.text.get(end..)?;
                return Some(own.start..end + (after.len() - after.trim_start_matches([' ', '\t']).len()));
            }
            Some(kept.len()..end)
        })
    }
}
