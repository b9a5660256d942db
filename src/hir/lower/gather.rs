//! Gathers the items of a document: the kind, the name and the fields of each.

use super::damage::SyntaxDamage;
use super::engine_word::EngineWords;
use super::fields::{FieldReader, NodeInput};
use super::foreign::other_tool;
use super::gather_findings::moved_entries;
use super::items::{Item, Items};
use super::names::ItemRef;
use crate::diag::{Change, Diagnostics, words};
use crate::hir::codes::{BAD_NAME, DUPLICATE_FIELD, EMPTY_BLOCK, WRONG_TYPE};
use crate::hir::kind::Naming;
use crate::hir::{ItemKind, Text};
use crate::source::{Span, Spanned};
use crate::syntax::{Document, Language, Node, Scalar, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Items {
    /// Gathers the items of a document. Missing parts near a syntax error are not reported again.
    pub fn gather(
        &mut self,
        document: &Document,
        (damage, engine): (SyntaxDamage, EngineWords),
        findings: &mut Diagnostics,
    ) {
        if let Some(finding) = other_tool(document, damage.name) {
            findings.report(finding);
            return findings.record_unread_file();
        }
        self.add_words_outside_items(damage.words_outside_items(document));
        self.is_damaged |= !damage.errors.is_empty();
        let language = document.language;
        let places = BTreeMap::new();
        let mut gatherer =
            Gatherer { items: self, document, language, damage, engine, findings, places, anchors: 0 };
        match document.language {
            Language::Kdl => document.nodes.iter().for_each(|node| gatherer.read_kdl(node)),
            Language::Yaml => gatherer.read_yaml(&document.nodes),
        }
    }
}

pub(super) struct Gatherer<'a> {
    pub(super) items: &'a mut Items,
    pub(super) document: &'a Document<'a>,
    pub(super) language: Language,
    pub(super) damage: SyntaxDamage<'a>,
    engine: EngineWords,
    pub(super) findings: &'a mut Diagnostics,
    /// The codes and places of findings about items, with the item. Several items have one place through YAML aliases.
    places: BTreeMap<(u16, Span), Span>,
    /// The number of reported keys that only have an anchor.
    pub(super) anchors: usize,
}

/// A name as written. `is_valid` is false if no item can have this name.
pub(super) struct WrittenName {
    pub(super) name: Text,
    pub(super) is_valid: bool,
}

impl Gatherer<'_> {
    fn read_kdl(&mut self, node: &Node) {
        let Some(kind) = ItemKind::of_word(&node.key) else {
            return self.report_unknown_kind(node);
        };
        self.items.mark_seen(kind);
        let place = node.args.first().map_or(node.key_span, |arg| arg.span);
        match kind.naming {
            Naming::One => self.add_item(kind, None, NodeInput { node, args: &node.args, place }),
            Naming::None => match node.args.first() {
                Some(extra) => {
                    let finding =
                        BAD_NAME.at(extra.span, "unexpected name", format!("a {} takes no name", kind.word));
                    self.findings.report(finding.help("remove the name, and write only fields"));
                    self.note_unread(node.span);
                }
                None => self.add_item(
                    kind,
                    Some(name_from_target(node, node.key_span)),
                    NodeInput { node, args: &[], place },
                ),
            },
            Naming::Word | Naming::Text => {
                if self.report_names_with_colon(kind, node) {
                    return;
                }
                let written = self.read_kdl_name(kind, node);
                self.add_item(kind, written, NodeInput { node, args: &[], place });
            }
        }
    }

    fn read_kdl_name(&mut self, kind: &ItemKind, node: &Node) -> Option<WrittenName> {
        let example = format!("expected a name, such as `{} \"a\"`", kind.word);
        let (span, label, message) = match node.args.as_slice() {
            [Scalar { value: Value::String(name), span }] => return Some(self.check_name(kind, name, *span)),
            [] => (node.key_span, example, format!("this {} has no name", kind.word)),
            [Scalar { value: Value::String(_), .. }, extra, ..] => (
                extra.span,
                "expected one name".to_owned(),
                format!("this {} has more than one name", kind.word),
            ),
            [other, ..] => {
                let noun = other.value.noun();
                (other.span, example, format!("the name of this {} is {noun}, not a string", kind.word))
            }
        };
        let finding = BAD_NAME.at(span, label, message);
        self.findings.report(match node.args.as_slice() {
            // `gateway "front" 8000`
            [Scalar { value: Value::String(_), .. }, Scalar { value: Value::Integer(port), .. }]
                if kind.table.field("port").is_some() =>
            {
                finding.remedy("write `{}`", Change::Text { span, text: format!("port={port}") })
            }
            _ => finding.help("write one name in quotes"),
        });
        match node.args.first() {
            Some(Scalar { value: Value::String(name), span }) => {
                Some(WrittenName { name: Spanned::new(name.as_ref().into(), *span), is_valid: false })
            }
            _ => None,
        }
    }

    fn read_yaml(&mut self, sections: &[Node]) {
        let mut seen: Vec<(&ItemKind, Span)> = Vec::new();
        // The members of one list have the same key span.
        for members in sections.chunk_by(|a, b| a.key_span == b.key_span) {
            let Some(node) = members.first() else { continue };
            let Some(kind) = ItemKind::of_plural(&node.key) else {
                self.report_unknown_kind(node);
                continue;
            };
            if members.len() > 1 || !is_null(node) {
                self.items.mark_seen(kind);
            }
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == kind) {
                let message = format!("`{}` appears twice in this file", node.key);
                let finding = DUPLICATE_FIELD.at(node.key_span, "repeated here", message);
                let help = moved_entries(node);
                self.findings.report(finding.also(*first, "first written here").help(help));
            }
            seen.push((kind, node.key_span));
            self.read_yaml_section(kind, members);
        }
    }

    fn read_yaml_section(&mut self, kind: &'static ItemKind, members: &[Node]) {
        match (kind.naming, members) {
            (Naming::None | Naming::One, members) => {
                for node in members {
                    if self.is_block(kind, node) {
                        let place = node.fields.first().map_or(node.key_span, |field| field.key_span);
                        let written = (kind.naming == Naming::None).then(|| name_from_target(node, place));
                        let place = if kind.naming == Naming::None { place } else { node.key_span };
                        self.add_item(kind, written, NodeInput { node, args: &[], place });
                    }
                }
            }
            (Naming::Word | Naming::Text, [node]) if !is_single_item_list(kind, node) => {
                if self.is_block(kind, node) {
                    let items = node.fields.chunk_by(|a, b| a.key_span == b.key_span);
                    items.for_each(|members| self.read_yaml_item(kind, members));
                }
            }
            (Naming::Word | Naming::Text, members) => self.report_listed(kind, members),
        }
    }

    /// True if a section is a block of fields. Reports any other content.
    fn is_block(&mut self, kind: &ItemKind, node: &Node) -> bool {
        let expected = match kind.naming {
            Naming::None => format!("a list of {}", kind.plural),
            Naming::One => "a block of fields".to_owned(),
            Naming::Word | Naming::Text => "a block with names as keys".to_owned(),
        };
        let is_item = |field: &Node| field.block.is_some() && kind.table.field(&field.key).is_none();
        if is_null(node) {
            return false;
        }
        let finding = if let Some(first) = node.args.first() {
            let message = format!("`{}` is {}, not {expected}", node.key, first.value.noun());
            WRONG_TYPE.at(first.span, format!("expected {expected}"), message)
        } else if node.fields.is_empty() {
            let message = format!("the block of `{}` is empty", node.key);
            EMPTY_BLOCK.at(node.block.unwrap_or(node.span), "empty block", message)
        } else if kind.naming == Naming::None && node.fields.iter().all(is_item) {
            let place = node.fields.first().map_or(node.key_span, |field| field.key_span);
            BAD_NAME.at(place, "unexpected name", format!("a {} takes no name", kind.word))
        } else {
            return true;
        };
        self.note_unread(node.span);
        let help = match kind.naming {
            Naming::None if finding.code.name == BAD_NAME.name => {
                "remove the name, and write only fields".to_owned()
            }
            Naming::None => format!("write `{}: [{{..}}, {{..}}]`", kind.plural),
            Naming::One => format!("write `{}: {{name: .., ..}}`", kind.plural),
            Naming::Word | Naming::Text => {
                format!("write `{}: {{NAME: {{..}}}}`, or remove it", kind.plural)
            }
        };
        self.findings.report(finding.help(help));
        false
    }

    fn read_yaml_item(&mut self, kind: &'static ItemKind, members: &[Node]) {
        let Some(item) = members.first() else { return };
        let written = self.check_name(kind, &item.key, item.key_span);
        let found = match (members, item.args.first()) {
            ([_, _, ..], _) => "a list",
            (_, Some(_)) if item.args.len() > 1 => "a list",
            (_, Some(first)) if !is_null(item) => first.value.noun(),
            _ => {
                let input = NodeInput { node: item, args: &[], place: item.key_span };
                return self.add_item(kind, Some(written), input);
            }
        };
        for node in members {
            self.note_unread(node.span);
        }
        let message = format!("{} {} is {found}, not a block of fields", kind.word, words::quoted(&item.key));
        let place = item.args.first().map_or(item.key_span, |first| first.span);
        let finding = WRONG_TYPE.at(place, "expected a block of fields", message);
        let finding = finding.about((kind.word, &*item.key));
        self.findings.report(match item.args.as_slice() {
            // `front: 8000`
            [Scalar { value: Value::Integer(port), span }] if kind.table.field("port").is_some() => {
                finding.remedy("write `{}`", Change::Text { span: *span, text: format!("{{port: {port}}}") })
            }
            _ => finding.help("write its fields below its name"),
        });
        self.items.add_unread(kind, written.name);
    }

    /// Reads the fields of an item, and adds it if it has a name.
    fn add_item(&mut self, kind: &'static ItemKind, written: Option<WrittenName>, input: NodeInput) {
        let peeked = input.args.first().and_then(text_of).or_else(|| field_text(input.node, "name"));
        let shown = match (&written, kind.naming) {
            (Some(written), _) => written.name.value.clone(),
            (None, Naming::One) => peeked.map(|name| name.value).unwrap_or_default(),
            (None, Naming::Word | Naming::Text | Naming::None) => Arc::default(),
        };
        let owner = ItemRef { kind: kind.word, name: &shown, place: input.place };
        let is_damaged = self.damage.overlaps(input.node.span);
        let findings_before = self.findings.findings().len();
        let mut record = FieldReader {
            owner,
            language: self.language,
            text: self.damage.text,
            errors: self.damage.errors,
            engine: self.engine,
            findings: &mut *self.findings,
            path: Vec::new(),
            is_damaged,
        }
        .read_item(input, kind.table);
        if is_damaged || self.findings.findings().len() > findings_before {
            self.note_unread(input.node.span);
            self.items.unread_names.add_missing_fields(&record, kind.table);
            let (places, item) = (&mut self.places, input.node.key_span);
            self.findings.retain_from(findings_before, |finding| {
                *places.entry((finding.code.number, finding.primary.span)).or_insert(item) == item
            });
        }
        let written = match kind.naming {
            Naming::One => Some(match record.text("name") {
                Some(name) => self.check_name(kind, &name, name.span),
                None => WrittenName { name: Spanned::new(shown, input.place), is_valid: false },
            }),
            Naming::Word | Naming::Text | Naming::None => written,
        };
        let Some(WrittenName { name, is_valid }) = written else { return };
        if !is_valid {
            record.mark_incomplete();
        }
        let item = Item { kind: kind.word, name, span: input.node.span, record };
        self.items.add(kind, item, self.findings);
    }

    /// Records the words of unparsed text.
    pub(super) fn note_unread(&mut self, span: Span) {
        self.items.unread_names.add_text(self.damage.text.get(span.range()).unwrap_or_default());
    }
}

pub(super) fn is_null(node: &Node) -> bool {
    matches!(node.args.as_slice(), [Scalar { value: Value::Null, .. }]) && node.fields.is_empty()
}

/// True if a section has the fields of one item instead of items by name. A list of one item parses to this.
fn is_single_item_list(kind: &ItemKind, node: &Node) -> bool {
    let is_field = |field: &Node| {
        let plain = field.block.is_none() && !field.args.is_empty() && !is_null(field);
        plain && (*field.key == *"name" || kind.table.field(&field.key).is_some())
    };
    !node.fields.is_empty() && node.fields.iter().all(is_field)
}

pub(super) fn text_of(scalar: &Scalar) -> Option<Text> {
    match &scalar.value {
        Value::String(text) => Some(Spanned::new(text.as_ref().into(), scalar.span)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => None,
    }
}

pub(super) fn field_text(node: &Node, key: &str) -> Option<Text> {
    let field = node.fields.iter().find(|field| field.key == key)?;
    match field.args.as_slice() {
        [one] => text_of(one),
        _ => None,
    }
}

/// The name to show for an item without a name: its target and draft.
fn name_from_target(node: &Node, place: Span) -> WrittenName {
    let target = field_text(node, "target").map(|text| text.value);
    let draft = field_text(node, "draft").map(|text| text.value);
    let name = match (target, draft) {
        (Some(target), Some(draft)) => format!("{target} + {draft}").into(),
        (Some(target), None) => target,
        (None, _) => Arc::default(),
    };
    WrittenName { name: Spanned::new(name, place), is_valid: true }
}
