//! Aliases and merge keys: copies of nodes, and the limit of copies.

use super::build::MAX_DEPTH;
use super::lines;
use super::value::{ListMember, YamlValue};
use crate::source::Span;
use crate::syntax::{Node, Scalar, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of nodes and scalars that one file can copy.
const MAX_COPIES: usize = 100_000;
/// The number of copies that each node and scalar in the file adds to the limit.
const COPIES_PER_NODE: usize = 10;
/// The number of copies that any file can make, even a small one.
const BASE_COPIES: usize = 10_000;
/// The number of bytes of owned text that count as one more node.
const BYTES_PER_COPY: usize = 64;

/// The anchors of a file by name, and the number of copies.
pub(super) struct AnchorTable<'a> {
    text: &'a str,
    by_name: BTreeMap<&'a str, Anchor<'a>>,
    /// Names of anchors in text that was skipped after a syntax error.
    skipped_names: BTreeSet<&'a str>,
    /// The number of nodes and scalars written in the text so far.
    pub(super) written: usize,
    copied: usize,
    limit_reported: bool,
}

struct Anchor<'a> {
    span: Span,
    state: AnchorState<'a>,
}

enum AnchorState<'a> {
    /// The anchored node is not complete yet.
    Open,
    Ready {
        item: YamlValue<'a>,
        size: CopySize,
    },
    /// The anchored node was omitted, and a finding was reported.
    Omitted,
    /// The anchored node is too large to be copied.
    TooLarge,
}

/// The result of resolving an alias.
pub(super) enum AliasTarget<'a> {
    /// A copy of the anchored value.
    Copy(YamlValue<'a>),
    /// No value, and the cause was already reported.
    Nothing,
    /// There is no such anchor.
    Unknown,
    /// The alias is inside its own anchor, which has this span.
    Inside(Span),
    /// The first copy beyond the limit, with the span of the anchor.
    TooMany(Span),
    /// The copy would exceed the maximum nesting depth.
    TooDeep,
}

#[derive(Clone, Copy)]
struct CopySize {
    nodes: usize,
    height: usize,
}

impl<'a> AnchorTable<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let (by_name, skipped_names) = (BTreeMap::new(), BTreeSet::new());
        Self { text, by_name, skipped_names, written: 0, copied: 0, limit_reported: false }
    }

    /// The name of an anchor or an alias.
    pub(super) fn name(&self, place: Span) -> &'a str {
        self.text.get(place.range()).and_then(|token| token.get(1..)).unwrap_or_default()
    }

    /// Registers an anchor at the start of its node.
    pub(super) fn open(&mut self, span: Span) {
        self.by_name.insert(self.name(span), Anchor { span, state: AnchorState::Open });
    }

    /// Records the value of an anchor. Does nothing if a later anchor of the same name has replaced it.
    pub(super) fn close(&mut self, span: Span, item: Option<&YamlValue<'a>>) {
        let name = self.name(span);
        let Some(entry) = self.by_name.get_mut(name).filter(|entry| entry.span == span) else { return };
        entry.state = AnchorState::Omitted;
        let Some(item) = item else { return };
        let size = item.size();
        let budget = Self::budget(self.written).saturating_sub(self.copied);
        if size.nodes > budget {
            entry.state = AnchorState::TooLarge;
            return;
        }
        // The stored copy counts too. Otherwise nested anchors could use unlimited memory.
        self.copied += size.nodes;
        entry.state = AnchorState::Ready { item: item.clone(), size };
    }

    /// True if the anchor of that name is a list.
    pub(super) fn is_list(&self, name: &str) -> bool {
        let anchor = self.by_name.get(name);
        anchor.is_some_and(|anchor| {
            matches!(anchor.state, AnchorState::Ready { item: YamlValue::List { .. }, .. })
        })
    }

    fn budget(written: usize) -> usize {
        MAX_COPIES.min(written.saturating_mul(COPIES_PER_NODE) + BASE_COPIES)
    }

    /// Resolves an alias inside `depth` open collections.
    pub(super) fn resolve(&mut self, name: &str, depth: usize) -> AliasTarget<'a> {
        let Some(anchor) = self.by_name.get(name) else {
            return if self.skipped_names.contains(name) {
                AliasTarget::Nothing
            } else {
                AliasTarget::Unknown
            };
        };
        let (item, size) = match &anchor.state {
            AnchorState::Open => return AliasTarget::Inside(anchor.span),
            AnchorState::Omitted => return AliasTarget::Nothing,
            AnchorState::Ready { size, .. } if depth + size.height > MAX_DEPTH => {
                return AliasTarget::TooDeep;
            }
            AnchorState::Ready { item, size } => (Some(item), size.nodes),
            AnchorState::TooLarge => (None, 0),
        };
        let copied = self.copied + size;
        match item {
            Some(item) if !self.limit_reported && copied <= Self::budget(self.written) => {
                self.copied = copied;
                AliasTarget::Copy(item.clone())
            }
            _ if std::mem::replace(&mut self.limit_reported, true) => AliasTarget::Nothing,
            _ => AliasTarget::TooMany(anchor.span),
        }
    }

    /// After a syntax error: omits the anchors that are still open, and records the names of anchors in the skipped
    /// text.
    pub(super) fn recover(&mut self, skipped: &'a str) {
        for anchor in self.by_name.values_mut().filter(|anchor| matches!(anchor.state, AnchorState::Open)) {
            anchor.state = AnchorState::Omitted;
        }
        for (at, _) in skipped.match_indices('&') {
            let name = skipped.get(lines::word(skipped, at + 1)).unwrap_or_default();
            if !name.is_empty() && !self.by_name.contains_key(name) {
                self.skipped_names.insert(name);
            }
        }
    }
}

impl YamlValue<'_> {
    /// The size of a copy. The recursion is safe: values are never deeper than [`MAX_DEPTH`].
    fn size(&self) -> CopySize {
        match self {
            YamlValue::Scalar(scalar) => CopySize { nodes: scalar_size(scalar), height: 0 },
            YamlValue::Map { fields, .. } => fields
                .iter()
                .fold(CopySize { nodes: 1, height: 1 }, |size, field| size.with(node_size(field))),
            YamlValue::List { members, .. } => {
                members.iter().fold(CopySize { nodes: 1, height: 1 }, |size, member: &ListMember<'_>| {
                    size.with(member.item.size())
                })
            }
        }
    }
}

impl CopySize {
    fn with(self, part: Self) -> Self {
        Self { nodes: self.nodes + part.nodes, height: self.height.max(part.height + 1) }
    }
}

fn node_size(node: &Node<'_>) -> CopySize {
    let own = text_size(&node.key) + node.args.iter().map(scalar_size).sum::<usize>();
    // A list of scalars adds a nesting level in the text, but not in the node.
    let height = usize::from(node.block.is_some() || node.args.len() > 1);
    node.fields.iter().fold(CopySize { nodes: own, height }, |size, field| size.with(node_size(field)))
}

fn scalar_size(scalar: &Scalar<'_>) -> usize {
    match &scalar.value {
        Value::String(text) => text_size(text),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => 1,
    }
}

/// Only owned text counts: borrowed text needs no extra memory when it is copied.
#[expect(clippy::ptr_arg, reason = "the function tests whether the text is borrowed")]
fn text_size(text: &Cow<'_, str>) -> usize {
    if let Cow::Owned(text) = text { 1 + text.len() / BYTES_PER_COPY } else { 1 }
}

/// Appends the merged fields whose names are not in `fields`. The first merge with a name wins. Several fields of one
/// name in the same merge are a list, so all of them are added.
pub(super) fn merge<'a>(fields: &mut Vec<Node<'a>>, merges: Vec<Vec<Node<'a>>>) {
    if merges.is_empty() {
        return;
    }
    let mut names: BTreeSet<Cow<'a, str>> = fields.iter().map(|field| field.key.clone()).collect();
    for merged in merges {
        let new: Vec<Node<'a>> = merged.into_iter().filter(|field| !names.contains(&field.key)).collect();
        names.extend(new.iter().map(|field| field.key.clone()));
        fields.extend(new);
    }
}
