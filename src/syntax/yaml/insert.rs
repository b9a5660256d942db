//! Inserts a complete value: as a key, a field, a merge, a list member or the root.

use super::build::NodeBuilder;
use super::events::ScalarStyle;
use super::value::{CollectionKind, ListMember, MapKey, OpenCollection, YamlValue, not_a_mapping};
use crate::source::Span;
use crate::syntax::codes::UNEXPECTED_SHAPE;
use crate::syntax::{Node, Value};
use std::borrow::Cow;

impl<'a> NodeBuilder<'a, '_> {
    /// Inserts a complete value into the innermost open collection; `item` is none if the value was omitted. `here` is
    /// its span in this collection: for an alias, the span of the alias and not of the copied value.
    pub(super) fn insert(&mut self, item: Option<YamlValue<'a>>, here: Option<Span>) {
        let Some(collection) = self.open.last_mut() else {
            return self.insert_root(item, here);
        };
        let end = here.map_or(collection.end, |span| span.end);
        collection.end = collection.end.max(end);
        collection.partial |= item.is_none();
        self.anchors.written += 1;
        let key = match &mut collection.kind {
            CollectionKind::List { members, .. } => {
                members.extend(item.map(|item| ListMember { item, end }));
                return;
            }
            CollectionKind::Map { key, .. } => key.take(),
        };
        match (key, item) {
            (None, item) => self.insert_key(item, here),
            (Some(MapKey::Named(name, span)), Some(item)) => self.insert_field(name, span, item, end),
            (Some(MapKey::Merge(span)), Some(item)) => self.insert_merge(span, item),
            (Some(MapKey::Bad), _) | (_, None) => {}
        }
    }

    fn insert_key(&mut self, item: Option<YamlValue<'a>>, here: Option<Span>) {
        let is_reported = self.open.last().is_some_and(|collection| collection.shape_reported);
        if let (Some(item), Some(here)) = (item, here) {
            let written = |span: Span| self.text.get(span.range()).unwrap_or_default();
            if let YamlValue::Scalar(scalar) = item {
                let text = match scalar.value {
                    Value::String(text) => text,
                    Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {
                        Cow::Borrowed(written(scalar.span))
                    }
                };
                return self.set_key(text, here, ScalarStyle::Quoted);
            }
            // A block as a key was reported at its start. A block that comes from an alias was not.
            if !is_reported && written(here).starts_with('*') {
                let label = "an alias of a mapping or list";
                self.findings.report(UNEXPECTED_SHAPE.at(here, label, "a key must be a word"));
            }
        }
        if let Some(OpenCollection { kind: CollectionKind::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(MapKey::Bad);
        }
    }

    fn insert_field(&mut self, key: Cow<'a, str>, key_span: Span, item: YamlValue<'a>, end: u32) {
        let Some(OpenCollection { kind: CollectionKind::Map { fields, .. }, .. }) = self.open.last_mut()
        else {
            return;
        };
        let span = |end: u32| Span { end: end.max(key_span.end), ..key_span };
        let bare = Node { key, key_span, args: Vec::new(), fields: Vec::new(), block: None, span: span(end) };
        let members = match item {
            YamlValue::List { members, .. } if !members.is_empty() => members,
            YamlValue::Scalar(_) | YamlValue::Map { .. } | YamlValue::List { .. } => {
                return fields.push(node(bare, item));
            }
        };
        if members.iter().all(|member| matches!(member.item, YamlValue::Scalar(_))) {
            let args = members.into_iter().filter_map(|member| match member.item {
                YamlValue::Scalar(scalar) => Some(scalar),
                YamlValue::Map { .. } | YamlValue::List { .. } => None,
            });
            return fields.push(Node { args: args.collect(), ..bare });
        }
        fields.extend(members.into_iter().map(|member| {
            // The members of a copied list end elsewhere in the text. Then the node ends with the alias.
            let inside = member.end > key_span.end && member.end <= end;
            let end = if inside { member.end } else { end };
            node(Node { span: span(end), ..bare.clone() }, member.item)
        }));
    }

    fn insert_merge(&mut self, key: Span, item: YamlValue<'a>) {
        let Some(OpenCollection { kind: CollectionKind::Map { merges, .. }, .. }) = self.open.last_mut()
        else {
            return;
        };
        let mut all_are_maps = true;
        let mut add = |item| match item {
            YamlValue::Map { fields, .. } => merges.push(fields),
            YamlValue::Scalar(_) | YamlValue::List { .. } => all_are_maps = false,
        };
        match item {
            YamlValue::List { members, .. } => members.into_iter().for_each(|member| add(member.item)),
            single @ (YamlValue::Scalar(_) | YamlValue::Map { .. }) => add(single),
        }
        if !all_are_maps {
            let finding = UNEXPECTED_SHAPE.at(
                key,
                "merges a value that is not a mapping",
                "`<<` needs a mapping, an alias of a mapping, or a list of these",
            );
            self.findings.report(finding);
        }
    }

    fn insert_root(&mut self, item: Option<YamlValue<'a>>, here: Option<Span>) {
        match (item, here) {
            (Some(YamlValue::Map { fields, .. }), _) => self.nodes.extend(fields),
            (Some(_), Some(here)) if here.end > here.start => {
                self.root.get_or_insert(here.start);
                self.root_finding = Some(not_a_mapping(here, "a single value"));
            }
            _ => {}
        }
    }
}

/// Adds a value to a node. A list is empty or was reported.
fn node<'a>(bare: Node<'a>, value: YamlValue<'a>) -> Node<'a> {
    match value {
        YamlValue::Scalar(scalar) => Node { args: vec![scalar], ..bare },
        YamlValue::Map { fields, block } => Node { fields, block: Some(block), ..bare },
        YamlValue::List { block, .. } => Node { block: Some(block), ..bare },
    }
}
