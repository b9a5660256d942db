//! Inserts a complete value: as a key, a field, a merge, a list member or the root.

use super::build::NodeBuilder;
use super::events::ScalarStyle;
use super::value::{
    CollectionKind, ListMember, MapKey, OpenCollection, YamlValue, not_a_mapping, shape_finding,
};
use crate::source::Span;
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
        let bad = match (item, here) {
            (Some(YamlValue::Scalar(scalar)), Some(here)) => {
                let text = match scalar.value {
                    Value::String(text) => text,
                    Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {
                        Cow::Borrowed(self.text.get(scalar.span.range()).unwrap_or_default())
                    }
                };
                return self.set_key(text, here, ScalarStyle::Quoted);
            }
            (Some(_), Some(here))
                if self.open.last().is_some_and(|collection| !collection.shape_reported) =>
            {
                Some(here)
            }
            _ => None,
        };
        // A block as a key was reported at its start. A block that comes from an alias was not.
        let alias = bad.filter(|here| self.text.get(here.range()).is_some_and(|text| text.starts_with('*')));
        if let Some(here) = alias {
            self.findings.report(shape_finding(
                here,
                "an alias of a mapping or list",
                "a key must be a word",
            ));
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
        match item {
            YamlValue::Scalar(scalar) => fields.push(Node { args: vec![scalar], ..bare }),
            YamlValue::Map { fields: own, block } => {
                fields.push(Node { fields: own, block: Some(block), ..bare });
            }
            YamlValue::List { members, block } if members.is_empty() => {
                fields.push(Node { block: Some(block), ..bare });
            }
            YamlValue::List { members, .. } if members.iter().all(ListMember::is_scalar) => {
                let args = members.into_iter().filter_map(ListMember::scalar).collect();
                fields.push(Node { args, ..bare });
            }
            YamlValue::List { members, .. } => fields.extend(members.into_iter().map(|member| {
                // The members of a copied list end elsewhere in the text. Then the node ends with the alias.
                let inside = member.end > key_span.end && member.end <= end;
                let bare = Node { span: span(if inside { member.end } else { end }), ..bare.clone() };
                match member.item {
                    YamlValue::Scalar(scalar) => Node { args: vec![scalar], ..bare },
                    YamlValue::Map { fields, block } => Node { fields, block: Some(block), ..bare },
                    YamlValue::List { block, .. } => Node { block: Some(block), ..bare },
                }
            })),
        }
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
            let finding = shape_finding(
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
