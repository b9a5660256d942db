//! Where a complete value belongs: a key, a field, a merge, a member or the file.

use super::build::Builder;
use super::events::Style;
use super::frame::{Frame, Item, Key, Kind, Member, no_mapping, shape};
use crate::source::Span;
use crate::syntax::{Node, Value};
use std::borrow::Cow;

impl<'a> Builder<'a, '_> {
    /// Puts a complete value where it belongs; none where it was left out. `here` is where it stands in this block,
    /// which for an alias is another place than that of what it copies.
    pub(super) fn put(&mut self, item: Option<Item<'a>>, here: Option<Span>) {
        let Some(frame) = self.frames.last_mut() else {
            return self.put_root(item, here);
        };
        let end = here.map_or(frame.end, |span| span.end);
        frame.end = frame.end.max(end);
        frame.partial |= item.is_none();
        self.anchors.written += 1;
        let key = match &mut frame.kind {
            Kind::List { members, .. } => {
                members.extend(item.map(|item| Member { item, end }));
                return;
            }
            Kind::Map { key, .. } => key.take(),
        };
        match (key, item) {
            (None, item) => self.put_key(item, here),
            (Some(Key::Named(name, span)), Some(item)) => self.put_field(name, span, item, end),
            (Some(Key::Merge(span)), Some(item)) => self.put_merge(span, item),
            (Some(Key::Bad), _) | (_, None) => {}
        }
    }

    fn put_key(&mut self, item: Option<Item<'a>>, here: Option<Span>) {
        let bad = match (item, here) {
            (Some(Item::Scalar(scalar)), Some(here)) => {
                let text = match scalar.value {
                    Value::String(text) => text,
                    Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {
                        Cow::Borrowed(self.text.get(scalar.span.range()).unwrap_or_default())
                    }
                };
                return self.key(text, here, Style::Quoted);
            }
            (Some(_), Some(here)) if self.frames.last().is_some_and(|frame| !frame.said) => Some(here),
            _ => None,
        };
        // A block that is written as a key was said when it began; one that an alias stands for was not.
        let alias = bad.filter(|here| self.text.get(here.range()).is_some_and(|text| text.starts_with('*')));
        if let Some(here) = alias {
            self.findings.report(shape(here, "stands for a block", "a key must be a word"));
        }
        if let Some(Frame { kind: Kind::Map { key, .. }, .. }) = self.frames.last_mut() {
            *key = Some(Key::Bad);
        }
    }

    fn put_field(&mut self, key: Cow<'a, str>, key_span: Span, item: Item<'a>, end: u32) {
        let Some(Frame { kind: Kind::Map { fields, .. }, .. }) = self.frames.last_mut() else { return };
        let span = |end: u32| Span { end: end.max(key_span.end), ..key_span };
        let bare = Node { key, key_span, args: Vec::new(), fields: Vec::new(), block: None, span: span(end) };
        match item {
            Item::Scalar(scalar) => fields.push(Node { args: vec![scalar], ..bare }),
            Item::Map { fields: own, block } => {
                fields.push(Node { fields: own, block: Some(block), ..bare });
            }
            Item::List { members, block } if members.is_empty() => {
                fields.push(Node { block: Some(block), ..bare });
            }
            Item::List { members, .. } if members.iter().all(Member::is_scalar) => {
                let args = members.into_iter().filter_map(Member::scalar).collect();
                fields.push(Node { args, ..bare });
            }
            Item::List { members, .. } => fields.extend(members.into_iter().map(|member| {
                // What an alias copies ends elsewhere; then the node ends with the alias.
                let inside = member.end > key_span.end && member.end <= end;
                let bare = Node { span: span(if inside { member.end } else { end }), ..bare.clone() };
                match member.item {
                    Item::Scalar(scalar) => Node { args: vec![scalar], ..bare },
                    Item::Map { fields, block } => Node { fields, block: Some(block), ..bare },
                    Item::List { block, .. } => Node { block: Some(block), ..bare },
                }
            })),
        }
    }

    fn put_merge(&mut self, key: Span, item: Item<'a>) {
        let Some(Frame { kind: Kind::Map { merges, .. }, .. }) = self.frames.last_mut() else { return };
        let mut fits = true;
        let mut add = |item| match item {
            Item::Map { fields, .. } => merges.push(fields),
            Item::Scalar(_) | Item::List { .. } => fits = false,
        };
        match item {
            Item::List { members, .. } => members.into_iter().for_each(|member| add(member.item)),
            single @ (Item::Scalar(_) | Item::Map { .. }) => add(single),
        }
        if !fits {
            let finding = shape(
                key,
                "merges what is no mapping",
                "`<<` takes a mapping, an alias of one, or a list of those",
            );
            self.findings.report(finding);
        }
    }

    fn put_root(&mut self, item: Option<Item<'a>>, here: Option<Span>) {
        match (item, here) {
            (Some(Item::Map { fields, .. }), _) => self.nodes.extend(fields),
            (Some(_), Some(here)) if here.end > here.start => {
                self.root.get_or_insert(here.start);
                self.root_shape = Some(no_mapping(here, "a single value"));
            }
            _ => {}
        }
    }
}
