//! Aliases and merge keys: copies of nodes, and a bound on how many.

use super::build::MAX_DEPTH;
use super::frame::{Item, Member};
use super::lines;
use crate::source::Span;
use crate::syntax::{Node, Scalar, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The most nodes and scalars that are copied in one file.
const MAX_COPIES: usize = 100_000;
/// How many copies there may be for each node and scalar that is written.
const COPIES_FOR_EACH: usize = 10;
/// How many copies any file may have, small as it is.
const COPIES_FOR_ALL: usize = 10_000;
/// So many bytes of text that must be copied count as one more node.
const BYTES_OF_A_COPY: usize = 64;

/// The anchors of a file by name, and what was spent on copies of them.
#[derive(Default)]
pub(super) struct Anchors<'a> {
    known: BTreeMap<&'a str, Anchor<'a>>,
    /// Names of anchors in text that was passed over after a fault.
    lost: BTreeSet<&'a str>,
    made: usize,
    /// Nodes and scalars that the text itself has so far.
    pub(super) written: usize,
    copied: usize,
    exhausted: bool,
}

struct Anchor<'a> {
    id: usize,
    span: Span,
    state: State<'a>,
}

enum State<'a> {
    /// Its node has begun and not ended.
    Open,
    Ready {
        item: Item<'a>,
        size: Size,
    },
    /// Its node was left out, which was said.
    LeftOut,
    /// There are too many nodes in it to be copied.
    TooLarge,
}

/// An anchor whose node is being read.
#[derive(Clone, Copy)]
pub(super) struct AnchorId<'a> {
    name: &'a str,
    id: usize,
}

/// What an alias stands for.
pub(super) enum Found<'a> {
    /// A copy of it.
    Copy(Item<'a>),
    /// Nothing, and that was said.
    Nothing,
    /// No such anchor.
    Unknown,
    /// The anchor, at the place given, is not complete.
    Inside(Span),
    /// The first copy that is too many.
    TooMany(Span),
    /// Blocks in blocks beyond the limit.
    TooDeep,
}

#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    height: usize,
}

impl<'a> Anchors<'a> {
    /// An anchor's node begins.
    pub(super) fn open(&mut self, name: &'a str, span: Span) -> AnchorId<'a> {
        self.made += 1;
        let id = self.made;
        self.known.insert(name, Anchor { id, span, state: State::Open });
        AnchorId { name, id }
    }

    /// An anchor's node is complete; a later anchor of the same name hides it.
    pub(super) fn close(&mut self, anchor: AnchorId<'a>, item: Option<&Item<'a>>) {
        let Some(known) = self.known.get_mut(anchor.name).filter(|known| known.id == anchor.id) else {
            return;
        };
        known.state = State::LeftOut;
        let Some(item) = item else { return };
        let size = item.size();
        let budget = Self::budget(self.written).saturating_sub(self.copied);
        if size.nodes > budget {
            known.state = State::TooLarge;
            return;
        }
        // The copy that is kept counts as one, so that anchors in anchors in anchors stay bounded.
        self.copied += size.nodes;
        known.state = State::Ready { item: item.clone(), size };
    }

    /// Whether the anchor of that name is a list.
    pub(super) fn is_list(&self, name: &str) -> bool {
        let anchor = self.known.get(name);
        anchor.is_some_and(|anchor| matches!(anchor.state, State::Ready { item: Item::List { .. }, .. }))
    }

    fn budget(written: usize) -> usize {
        MAX_COPIES.min(written.saturating_mul(COPIES_FOR_EACH) + COPIES_FOR_ALL)
    }

    /// What the alias of that name stands for, where so many blocks are open.
    pub(super) fn resolve(&mut self, name: &str, depth: usize) -> Found<'a> {
        let Some(anchor) = self.known.get(name) else {
            return if self.lost.contains(name) { Found::Nothing } else { Found::Unknown };
        };
        let spent = match &anchor.state {
            State::Open => return Found::Inside(anchor.span),
            State::LeftOut => return Found::Nothing,
            State::Ready { size, .. } if depth + size.height > MAX_DEPTH => return Found::TooDeep,
            State::Ready { size, .. } => self.copied.saturating_add(size.nodes),
            State::TooLarge => usize::MAX,
        };
        if self.exhausted || spent > Self::budget(self.written) {
            let first = !std::mem::replace(&mut self.exhausted, true);
            return if first { Found::TooMany(anchor.span) } else { Found::Nothing };
        }
        self.copied = spent;
        match &anchor.state {
            State::Ready { item, .. } => Found::Copy(item.clone()),
            State::Open | State::LeftOut | State::TooLarge => Found::Nothing,
        }
    }

    /// Forgets anchors that a fault left open, and remembers the names of those in the text that is passed over.
    pub(super) fn lose(&mut self, skipped: &'a str) {
        for anchor in self.known.values_mut().filter(|anchor| matches!(anchor.state, State::Open)) {
            anchor.state = State::LeftOut;
        }
        for (at, _) in skipped.match_indices('&') {
            let name = skipped.get(lines::word(skipped, at + 1)).unwrap_or_default();
            if !name.is_empty() && !self.known.contains_key(name) {
                self.lost.insert(name);
            }
        }
    }
}

impl Item<'_> {
    /// How much a copy would take. Items are never deeper than [`MAX_DEPTH`].
    fn size(&self) -> Size {
        match self {
            Item::Scalar(scalar) => Size { nodes: scalar_size(scalar), height: 0 },
            Item::Map { fields, .. } => {
                fields.iter().fold(Size { nodes: 1, height: 1 }, |size, field| size.with(node_size(field)))
            }
            Item::List { members, .. } => {
                members.iter().fold(Size { nodes: 1, height: 1 }, |size, member: &Member<'_>| {
                    size.with(member.item.size())
                })
            }
        }
    }
}

impl Size {
    fn with(self, part: Self) -> Self {
        Self { nodes: self.nodes + part.nodes, height: self.height.max(part.height + 1) }
    }
}

fn node_size(node: &Node<'_>) -> Size {
    let own = text_size(&node.key) + node.args.iter().map(scalar_size).sum::<usize>();
    // A list of scalars is one level of the text and none of the node's.
    let height = usize::from(node.block.is_some() || node.args.len() > 1);
    node.fields.iter().fold(Size { nodes: own, height }, |size, field| size.with(node_size(field)))
}

fn scalar_size(scalar: &Scalar<'_>) -> usize {
    match &scalar.value {
        Value::String(text) => text_size(text),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => 1,
    }
}

/// Text of the file is borrowed and costs nothing more, so only what was made for it counts.
#[expect(clippy::ptr_arg, reason = "whether the text is borrowed is what is asked")]
fn text_size(text: &Cow<'_, str>) -> usize {
    if let Cow::Owned(text) = text { 1 + text.len() / BYTES_OF_A_COPY } else { 1 }
}

/// Appends merged fields whose names the own fields do not have; of two merges the earlier wins. Fields of one name
/// that come from one merge are a list, and stay together.
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
