//! Computes the text range to delete with a field, so that the remaining text is well formed and keeps its layout: the
//! line, the comma or the whole block.

use super::insertion::Layout;
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
    language: Language,
    parent: Option<&'f Node<'a>>,
    siblings: &'f [Node<'a>],
    /// All members of the same list, including this field.
    members: &'f [Node<'a>],
    node: &'f Node<'a>,
}

/// The removals of all fields named `name`, by the span of each of their values. No removal if deleting the field is
/// not safe.
pub(super) fn removals(document: &Document, text: &str, name: &str) -> BTreeMap<Span, Option<Removal>> {
    let language = document.language;
    let mut found = BTreeMap::new();
    // Blocks with their parents. The parsers limit the depth, so this stack stays small.
    let mut open: Vec<(Option<&Node>, &[Node])> = vec![(None, &document.nodes)];
    while let Some((parent, siblings)) = open.pop() {
        for members in siblings.chunk_by(|a, b| a.key_span == b.key_span) {
            for node in members.iter().filter(|node| node.key == name) {
                let field = FieldContext { text, language, parent, siblings, members, node };
                if language == Language::Yaml && node.args.len() > 1 {
                    // Only one of several values.
                    found.extend(node.args.iter().map(|value| (value.span, field.value_removal(value.span))));
                    continue;
                }
                let removal = field.range().and_then(|range| field.removal(range));
                let scalars = node.args.iter().chain(node.fields.iter().flat_map(|field| &field.args));
                found.extend(scalars.map(|scalar| (scalar.span, removal)));
            }
        }
        open.extend(siblings.iter().map(|node| (Some(node), node.fields.as_slice())));
    }
    found
}

/// The removal of the item or the field at a place: its span, its name or one of its values. An item that is the only
/// one of its section in YAML takes the section with it. Also returns the text to name in the help.
pub(super) fn removal_at(layout: Layout, place: Span) -> Option<(String, Option<Removal>)> {
    let Layout { document, text } = layout;
    let is_it = |node: &Node| {
        node.span == place || node.key_span == place || node.args.iter().any(|arg| arg.span == place)
    };
    let path = layout.find(is_it, place)?;
    let (mut node, mut parents) = path.split_last()?;
    let code = short_text(text, node);
    while let Some((parent, above)) = parents.split_last()
        && is_all_of(node, parent, above.len(), document.language)
    {
        (node, parents) = (parent, above);
    }
    let parent = parents.last().copied();
    let siblings = parent.map_or(document.nodes.as_slice(), |parent| &parent.fields);
    let members = siblings.chunk_by(|a, b| a.key_span == b.key_span);
    let members = members.into_iter().find(|members| members.iter().any(|one| one.span == node.span))?;
    let field = FieldContext { text, language: document.language, parent, siblings, members, node };
    let range = if parent.is_some() || members.len() > 1 {
        field.range()
    } else {
        field.line_range(node.span.range())
    };
    Some((code, range.and_then(|range| field.removal(range))))
}

/// The removals of lists of YAML of which all members are removed: the whole field for the first member, and nothing more
/// for the others. `places` are the spans of the members or of one of their values; those of values have the name of the
/// field.
pub(super) fn list_removals(
    layout: Layout,
    places: &BTreeMap<Span, Option<&str>>,
) -> BTreeMap<Span, Option<Removal>> {
    let Layout { document, text } = layout;
    let mut found = BTreeMap::new();
    for (place, name) in places {
        let is_value_in =
            |node: &Node| name.is_some_and(|name| node.key == name) && place_in(node, places).is_some();
        let path = layout.find(|node| node.span == *place || is_value_in(node), *place);
        let Some([.., parent, node]) = path.as_deref() else { continue };
        let members = parent.fields.iter().filter(|field| field.key_span == node.key_span);
        let members: Vec<(&Node, Option<Span>)> = members.map(|one| (one, place_in(one, places))).collect();
        let ([(first, Some(at)), others @ ..], Some((last, _))) = (members.as_slice(), members.last()) else {
            continue;
        };
        if at != place || others.is_empty() || others.iter().any(|(_, at)| at.is_none()) {
            continue;
        }
        let (language, siblings) = (document.language, parent.fields.as_slice());
        let field =
            FieldContext { text, language, parent: Some(parent), siblings, members: &[], node: first };
        let Some(removal) = field.whole_list(last) else { continue };
        found.extend(others.iter().filter_map(|(_, at)| Some((at.as_ref().copied()?, None))));
        found.insert(*place, Some(removal));
    }
    found
}

/// The place of a member of a list among `places`.
fn place_in(member: &Node, places: &BTreeMap<Span, Option<&str>>) -> Option<Span> {
    let values = member.args.iter().chain(member.fields.iter().flat_map(|field| &field.args));
    let mut spans = std::iter::once(member.span).chain(values.map(|value| value.span));
    spans.find(|span| places.contains_key(span))
}

/// The removal of the entry of a map that has its key at a place.
pub(super) fn key_removal(layout: Layout, place: Span) -> Option<Removal> {
    layout.find(|node| node.key_span == place, place)?;
    removal_at(layout, place)?.1
}

/// The removal of one value of a list, or of the whole field if it has no other value. Also returns the text to name in
/// the help.
pub(super) fn value_removal(layout: Layout, place: Span) -> Option<(String, Option<Removal>)> {
    let Layout { document, text } = layout;
    let path = layout.find(|node| node.args.iter().any(|arg| arg.span == place), place)?;
    let (node, parents) = path.split_last()?;
    if node.args.len() < 2 {
        return removal_at(layout, place);
    }
    let (language, parent) = (document.language, parents.last().copied());
    let field = FieldContext { text, language, parent, siblings: &[], members: &[], node };
    Some((text.get(place.range())?.to_owned(), field.value_removal(place)))
}

/// True if nothing of the parent would be left without the node: a block with one field, or a section of YAML with one
/// item.
fn is_all_of(node: &Node, parent: &Node, depth: usize, language: Language) -> bool {
    let is_only =
        matches!(parent.fields.as_slice(), [only] if only.span == node.span) && parent.args.is_empty();
    // An item is at the top of a KDL file, and in a section of a YAML file.
    let is_block = match language {
        Language::Kdl => depth >= 1,
        Language::Yaml => depth >= 2 || depth == 0 && node.block.is_some(),
    };
    is_only && is_block
}

/// The longest text of a field that a help prints, in bytes.
const MAX_SHOWN: usize = 60;

/// The text of a field if it is short and on one line, otherwise its name.
fn short_text(text: &str, node: &Node) -> String {
    let whole = text.get(node.span.range()).unwrap_or_default();
    let is_short = whole.len() <= MAX_SHOWN && !whole.contains('\n');
    if is_short { whole.to_owned() } else { node.key.to_string() }
}

impl FieldContext<'_, '_> {
    /// The removal of the list from this member, its first one, to the last one.
    fn whole_list(&self, last: &Node) -> Option<Removal> {
        let end = value_range(last)?.end;
        let rest = self.text.get(end..)?.trim_start();
        let close = rest.strip_prefix(',').unwrap_or(rest).trim_start().strip_prefix(']');
        let end = close.map_or(end, |rest| self.text.len() - rest.len());
        let own = self.node.key_span.range().start..end;
        let is_flow = self.text.get(self.parent?.block?.range())?.starts_with('{');
        let range = if is_flow { self.element_range(own, ',') } else { self.line_range(own) };
        self.removal(range?)
    }

    /// The removal of one of several values.
    fn value_removal(&self, place: Span) -> Option<Removal> {
        let (text, own) = (self.text, place.range());
        let range = match self.language {
            Language::Kdl => Some(text.get(..own.start)?.trim_end_matches(BLANKS).len()..own.end),
            Language::Yaml if self.is_bracketed(self.node)? => self.element_range(own, ','),
            Language::Yaml => {
                let dash = text.get(..own.start)?.trim_end().strip_suffix('-')?.len();
                self.line_range(dash..own.end)
            }
        };
        self.removal(range?)
    }

    /// The removal of `range`. No removal if other text may depend on something in it, such as an anchor.
    fn removal(&self, range: Range<usize>) -> Option<Removal> {
        let (comments, references): (&[&str], &[&str]) = match self.language {
            Language::Yaml => (&["#"], &["&", "*", "!", "?"]),
            Language::Kdl => (&["//", "/*"], &["/-", "\\"]),
        };
        let mut drops_comments = false;
        for gap in self.gaps(&range) {
            let has = |marks: &[&str]| marks.iter().any(|mark| gap.contains(mark));
            if has(comments) {
                drops_comments = true;
            } else if has(references) {
                return None;
            }
        }
        Some(Removal { span: Span::new(self.node.key_span.file, range.start, range.end), drops_comments })
    }

    /// The texts in `range` that are not a name or a value of the field.
    fn gaps(&self, range: &Range<usize>) -> Vec<&str> {
        let mut spans = Vec::new();
        let mut open = vec![self.node];
        while let Some(node) = open.pop() {
            spans.push(node.key_span.range());
            spans.extend(node.args.iter().map(|scalar| scalar.span.range()));
            open.extend(&node.fields);
        }
        spans.retain(|span| span.start >= range.start && span.end <= range.end);
        spans.push(range.end..range.end);
        spans.sort_by_key(|span| span.start);
        let mut from = range.start;
        let gap = |span: Range<usize>| {
            let gap = self.text.get(from..span.start);
            from = from.max(span.end);
            gap
        };
        spans.into_iter().filter_map(gap).collect()
    }

    fn range(&self) -> Option<Range<usize>> {
        let own = self.node.span.range();
        let parent = self.parent?;
        let is_property = |block: Span| own.start < block.range().start;
        if self.language == Language::Kdl && parent.block.is_none_or(is_property) {
            let before = self.text.get(..own.start)?.trim_end_matches(BLANKS);
            return (!before.ends_with(['\n', '\\', '/'])).then_some(before.len()..own.end);
        }
        let block = parent.block?.range();
        if self.language == Language::Kdl {
            let is_inside = |node: &&Node| node.span.range().start >= block.start;
            // The only child of a block: delete the whole block. Children follow the properties in `siblings`.
            if self.siblings.iter().rev().filter(is_inside).nth(1).is_none() {
                let before = self.text.get(..block.start)?.trim_end_matches(BLANKS);
                return (!before.ends_with(['\n', '\\', '/'])).then_some(before.len()..block.end);
            }
            return self.element_range(own, ';');
        }
        if self.members.len() > 1 {
            return self.member_range();
        }
        let own = self.entry_range()?;
        if self.text.get(block)?.starts_with('{') {
            return self.element_range(own, ',');
        }
        self.line_range(own.clone()).or_else(|| {
            // The first entry of a list member follows the dash; the next entry takes its position.
            let is_last = self.siblings.last().is_none_or(|last| last.key_span == self.node.key_span);
            let rest = self.text.get(own.end..)?.trim_start();
            (!is_last && !rest.starts_with('#')).then_some(own.start..self.text.len() - rest.len())
        })
    }

    /// The whole entry. If the value is a bracketed list with one member, the node ends before the `]`, which belongs
    /// to it.
    fn entry_range(&self) -> Option<Range<usize>> {
        let own = self.node.span.range();
        let is_complete = self.text.get(own.clone())?.ends_with(']');
        let rest = self.text.get(own.end..)?.trim_start();
        let rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        Some(match rest.strip_prefix(']') {
            Some(rest) if !is_complete && self.is_bracketed(self.node)? => {
                own.start..self.text.len() - rest.len()
            }
            _ => own,
        })
    }

    /// True if a `[` is between the key and the value of the first member of a list.
    fn is_bracketed(&self, first: &Node) -> Option<bool> {
        let before = self.text.get(first.key_span.range().end..value_range(first)?.start)?;
        Some(before.trim_start_matches([' ', '\t', '\r', '\n', ':']).starts_with('['))
    }

    /// The range of one member of a list with several members.
    fn member_range(&self) -> Option<Range<usize>> {
        let own = value_range(self.node)?;
        if self.is_bracketed(self.members.first()?)? {
            return self.element_range(own, ',');
        }
        let dash = self.text.get(..own.start)?.trim_end().strip_suffix('-')?.len();
        self.line_range(dash..own.end)
    }

    /// The range of an element of a flow collection or of a KDL block, with one adjacent separator.
    fn element_range(&self, own: Range<usize>, separator: char) -> Option<Range<usize>> {
        let rest = self.text.get(own.end..)?.trim_start_matches(BLANKS);
        let after = rest.strip_prefix(separator);
        let end = after.map_or(own.end, |after| self.text.len() - after.len());
        self.line_range(own.start..end).or_else(|| {
            let Some(after) = after else {
                // The last element. A `;`, or a `,` on a line above, may stay.
                let before = self.text.get(..own.start)?.trim_end_matches(BLANKS);
                let kept = before.strip_suffix(',').unwrap_or(before);
                return Some(if before.ends_with('\n') { own } else { kept.len()..own.end });
            };
            let rest = after.trim_start_matches(BLANKS);
            let keeps_blanks = rest.starts_with('#');
            Some(own.start..if keeps_blanks { end } else { self.text.len() - rest.len() })
        })
    }

    /// The whole lines of `own`, if they contain nothing else. A comment after the last line stays.
    fn line_range(&self, own: Range<usize>) -> Option<Range<usize>> {
        let before = self.text.get(..own.start)?.trim_end_matches([' ', '\t']);
        let is_first = before.is_empty() || before.ends_with(['\n', '\u{feff}']);
        let after = self.text.get(own.end..)?;
        let rest = after.trim_start_matches(BLANKS);
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
}

/// The characters between two elements on a line.
const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// The range of the value of a list member.
fn value_range(node: &Node) -> Option<Range<usize>> {
    Some(node.block.or(node.args.first().map(|one| one.span))?.range())
}
