//! What has to go with a field so that what is left is well formed and laid out as before: its line, its comma, its block.

use super::{Document, Language, Node};
use crate::source::Span;
use std::collections::BTreeMap;
use std::ops::Range;

/// The text that goes with a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cut {
    /// All that goes.
    pub(super) span: Span,
    /// Whether comments go with it.
    pub(super) loses_comments: bool,
}

/// A field that is to go, and what stands around it.
struct Field<'f, 'a> {
    text: &'f str,
    parent: Option<&'f Node<'a>>,
    siblings: &'f [Node<'a>],
    /// Its place among its siblings.
    at: usize,
    /// The members of the same list, it among them.
    members: &'f [Node<'a>],
    /// Its place among them.
    nth: usize,
    node: &'f Node<'a>,
}

/// The cuts of all fields of a name, by the place of each value that they hold; none for one that cannot be cut out.
pub(super) fn cuts(document: &Document, text: &str, name: &str) -> BTreeMap<Span, Option<Cut>> {
    let mut found = BTreeMap::new();
    // A block and its owner; they are nested no deeper than the readers allow.
    let mut open: Vec<(Option<&Node>, &[Node])> = vec![(None, &document.nodes)];
    while let Some((parent, siblings)) = open.pop() {
        let mut at = 0;
        for members in siblings.chunk_by(|a, b| a.key_span == b.key_span) {
            for (nth, node) in members.iter().enumerate() {
                if node.key == name {
                    let field = Field { text, parent, siblings, at, members, nth, node };
                    let range = match document.language {
                        Language::Yaml => field.yaml(),
                        Language::Kdl => field.kdl(),
                    };
                    let cut = range.and_then(|range| field.cut(range, document.language));
                    let own = node.args.iter().chain(node.fields.iter().flat_map(|field| &field.args));
                    found.extend(own.map(|scalar| (scalar.span, cut)));
                }
                if !node.fields.is_empty() {
                    open.push((Some(node), &node.fields));
                }
                at += 1;
            }
        }
    }
    found
}

impl Field<'_, '_> {
    /// The cut, unless its text has something in it that other text depends on.
    fn cut(&self, range: Range<usize>, language: Language) -> Option<Cut> {
        let mut loses_comments = false;
        for gap in self.gaps(&range) {
            let between = self.text.get(gap)?;
            let depends = match language {
                Language::Yaml => between.contains(['&', '*', '!', '?']),
                Language::Kdl => between.contains("/-") || between.contains('\\'),
            };
            let has_comment = match language {
                Language::Yaml => between.contains('#'),
                Language::Kdl => between.contains("//") || between.contains("/*"),
            };
            if has_comment {
                loses_comments = true;
            } else if depends {
                return None;
            }
        }
        Some(Cut { span: Span::new(self.node.key_span.file, range.start, range.end), loses_comments })
    }

    /// The parts of a range in which no name and no value of the field stands.
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

    fn yaml(&self) -> Option<Range<usize>> {
        if self.members.len() > 1 {
            return self.member();
        }
        let own = self.entry()?;
        let block = self.parent?.block?;
        let next = self.siblings.get(self.at + 1).map(|next| next.key_span.range().start);
        if self.text.get(block.range())?.starts_with('{') {
            let before = self.before(|node| node.span.range().end).unwrap_or(block.range().start);
            return self.between_commas(own, before, next);
        }
        self.lines(own.clone()).or_else(|| {
            // The first entry of a member of a list stands behind the dash; the next one takes its place.
            let next = next?;
            self.text.get(own.end..next)?.trim().is_empty().then_some(own.start..next)
        })
    }

    /// The whole entry: of a list between brackets that has one member, the node ends with the member.
    fn entry(&self) -> Option<Range<usize>> {
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

    /// Whether a bracket opens between the key and its first member, which begins at `first`.
    fn is_bracketed(&self, first: usize) -> bool {
        let before = self.text.get(self.node.key_span.range().end..first).unwrap_or_default();
        before.trim_start().trim_start_matches(':').trim_start().starts_with('[')
    }

    /// Where the field before it ends.
    fn before(&self, end: impl Fn(&Node) -> usize) -> Option<usize> {
        self.siblings.get(self.at.checked_sub(1)?).map(end)
    }

    /// A member of a list of several.
    fn member(&self) -> Option<Range<usize>> {
        let place = |node: &Node| Some(node.block.or(node.args.first().map(|one| one.span))?.range());
        let own = place(self.node)?;
        let first = place(self.members.first()?)?;
        if self.is_bracketed(first.start) {
            let next = self.members.get(self.nth + 1).and_then(place).map(|next| next.start);
            let before = self.before(|node| place(node).map_or(own.start, |place| place.end));
            return self.between_commas(own, before?, next);
        }
        let dash = self.text.get(..own.start)?.trim_end().strip_suffix('-')?.len();
        self.lines(dash..own.end)
    }

    /// A part of a flow collection, with one of the commas around it. What stands before it ends at `before`.
    fn between_commas(&self, own: Range<usize>, before: usize, next: Option<usize>) -> Option<Range<usize>> {
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
            // Behind a comment; the comma before it may end the collection.
            _ => {
                let after = self.text.get(own.end..)?;
                self.lines(own.start..own.end + usize::from(after.starts_with(',')))
            }
        }
    }

    /// Whole lines where nothing else stands on them; a comment behind the last one stays.
    fn lines(&self, own: Range<usize>) -> Option<Range<usize>> {
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
        // The last line of a file that ends without a line break: the one before it goes instead.
        let kept = before.strip_suffix('\n').map_or(before, |line| line.strip_suffix('\r').unwrap_or(line));
        rest.is_empty().then_some(kept.len()..end)
    }

    fn kdl(&self) -> Option<Range<usize>> {
        let own = self.node.span.range();
        let block = self.parent?.block?.range();
        let is_inside = |node: &&Node| node.span.range().start >= block.start;
        // Children stand last.
        if self.siblings.iter().rev().filter(is_inside).nth(1).is_none() {
            let before = self.text.get(..block.start)?.trim_end_matches([' ', '\t']);
            return (!before.ends_with(['\n', '\\', '/'])).then_some(before.len()..block.end);
        }
        let after = self.text.get(own.end..)?;
        let rest = after.trim_start_matches([' ', '\t']);
        let semicolon = rest.strip_prefix(';').map(|rest| self.text.len() - rest.len());
        let end = semicolon.unwrap_or(own.end);
        self.lines(own.start..end).or_else(|| {
            let kept = self.text.get(..own.start)?.trim_end_matches([' ', '\t']);
            if kept.ends_with('\n') || kept.is_empty() {
                let after = self.text.get(end..)?;
                return Some(own.start..end + (after.len() - after.trim_start_matches([' ', '\t']).len()));
            }
            Some(kept.len()..end)
        })
    }
}
