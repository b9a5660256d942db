//! The items of a document: which kind each is of, its name, and its fields.

use super::fields::Fields;
use super::names::By;
use super::record::Record;
use crate::diag::{Diagnostics, nearest, words};
use crate::hir::codes::{
    BAD_NAME, DUPLICATE_FIELD, DUPLICATE_NAME, EMPTY_BLOCK, MISSING_FIELD, UNKNOWN_KIND, WRONG_TYPE,
};
use crate::hir::shape::Naming;
use crate::hir::{Head, KINDS, Kind, Text};
use crate::source::{FileId, Span, Spanned};
use crate::syntax::{Document, Language, Node, Scalar, Value};
use std::collections::BTreeMap;

/// Everything that was gathered from documents, by kind; names are not resolved yet.
#[derive(Debug)]
pub struct Items {
    kinds: BTreeMap<&'static str, Vec<Item>>,
    taken: BTreeMap<(&'static str, Box<str>), Span>,
    seen: Vec<&'static str>,
    pub(super) start: Span,
}

/// One item: its name, its place and its fields.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: Text,
    pub(super) span: Span,
    pub(super) record: Record,
}

impl Item {
    /// What every item has.
    pub(super) fn head(&mut self) -> Head {
        Head { name: self.name.clone(), span: self.span, allow: self.record.allowances() }
    }
}

impl Default for Items {
    fn default() -> Self {
        Self {
            kinds: BTreeMap::new(),
            taken: BTreeMap::new(),
            seen: Vec::new(),
            start: Span::new(FileId(0), 0, 0),
        }
    }
}

impl Items {
    /// Gathers the items of a document.
    pub fn gather(&mut self, document: &Document, findings: &mut Diagnostics) {
        let mut sections: Vec<(&Kind, Span)> = Vec::new();
        for node in &document.nodes {
            let kind = match document.language {
                Language::Kdl => Kind::of_word(&node.key),
                Language::Yaml => Kind::of_plural(&node.key),
            };
            let Some(kind) = kind else {
                say_unknown_kind(node, document.language, findings);
                continue;
            };
            if !self.has_seen(kind.word) {
                self.seen.push(kind.word);
            }
            match document.language {
                Language::Kdl => self.kdl_item(kind, node, findings),
                Language::Yaml => {
                    let first = sections.iter().find(|(known, _)| *known == kind).map(|(_, span)| *span);
                    if let Some(first) = first.filter(|first| *first != node.key_span) {
                        let message = format!("`{}` stands twice in this file", node.key);
                        let finding = DUPLICATE_FIELD.at(node.key_span, "here again", message);
                        findings.say(
                            finding
                                .also(first, "first written here")
                                .help("move what is below it to the first one"),
                        );
                    }
                    sections.push((kind, node.key_span));
                    self.yaml_section(kind, node, findings);
                }
            }
        }
    }

    /// Whether an item of the kind was declared, readable or not.
    pub(super) fn has_seen(&self, kind: &str) -> bool {
        self.seen.contains(&kind)
    }

    /// Takes all items of a kind out, in the order of declaration.
    pub(super) fn take(&mut self, kind: &str) -> Vec<Item> {
        self.kinds.remove(kind).unwrap_or_default()
    }

    fn kdl_item(&mut self, kind: &'static Kind, node: &Node, findings: &mut Diagnostics) {
        let place = node.args.first().map_or(node.key_span, |arg| arg.span);
        let name = match (kind.naming, node.args.as_slice()) {
            (Naming::None, []) => Some(Spanned::new("".into(), node.key_span)),
            (Naming::None, [extra, ..]) => {
                let message = format!("a {} has no name", kind.word);
                findings.say(BAD_NAME.at(extra.span, "expected fields, as `target=\"..\"`", message));
                return;
            }
            (_, [Scalar { value: Value::String(name), span }]) => name_of(kind, name, *span, findings),
            (_, []) if kind.naming == Naming::One => {
                field_text(node, "name").and_then(|n| name_of(kind, &n, n.span, findings))
            }
            (_, []) => {
                let label = format!("expected a name, as `{} \"a\"`", kind.word);
                findings.say(BAD_NAME.at(node.key_span, label, format!("a {} has no name", kind.word)));
                None
            }
            (_, [Scalar { value: Value::String(_), .. }, extra, ..]) => {
                let message = format!("a {} has more than one name", kind.word);
                findings.say(BAD_NAME.at(extra.span, "expected one name", message));
                None
            }
            (_, [other, ..]) => {
                let message = format!("the name of a {} is {}, not text", kind.word, other.value.noun());
                findings.say(BAD_NAME.at(other.span, "expected a name between quotes", message));
                None
            }
        };
        let unnamed = Node { args: Vec::new(), ..node.clone() };
        self.add(kind, name, &unnamed, (place, Language::Kdl), findings);
    }

    fn yaml_section(&mut self, kind: &'static Kind, node: &Node, findings: &mut Diagnostics) {
        if let [Scalar { value: Value::Null, .. }] = node.args.as_slice() {
            return;
        }
        if let Some(first) = node.args.first() {
            let message = format!("`{}` is {}, not a block of {}", node.key, first.value.noun(), kind.plural);
            findings.say(WRONG_TYPE.at(first.span, "expected a block", message));
            return;
        }
        if node.fields.is_empty() {
            let message = format!("the block of `{}` is empty", node.key);
            findings.say(EMPTY_BLOCK.at(node.block.unwrap_or(node.span), "nothing in it", message));
            return;
        }
        match kind.naming {
            Naming::None => {
                let name =
                    Some(Spanned::new("".into(), node.fields.first().map_or(node.key_span, |f| f.key_span)));
                self.add(
                    kind,
                    name,
                    node,
                    (node.fields.first().map_or(node.key_span, |f| f.key_span), Language::Yaml),
                    findings,
                );
            }
            Naming::One => {
                let name = match field_text(node, "name") {
                    Some(name) => name_of(kind, &name, name.span, findings),
                    None => {
                        let finding = MISSING_FIELD.at(
                            node.key_span,
                            "`name` is missing",
                            format!("the {} has no `name`", kind.word),
                        );
                        findings.say(finding.help("add `name`: the first part of every unit's name"));
                        None
                    }
                };
                self.add(kind, name, node, (node.key_span, Language::Yaml), findings);
            }
            Naming::Word | Naming::Text => {
                for item in &node.fields {
                    self.yaml_item(kind, item, findings);
                }
            }
        }
    }

    fn yaml_item(&mut self, kind: &'static Kind, item: &Node, findings: &mut Diagnostics) {
        let name = name_of(kind, &item.key, item.key_span, findings);
        match item.args.first() {
            Some(Scalar { value: Value::Null, .. }) | None => {
                let fields = Node { args: Vec::new(), ..item.clone() };
                self.add(kind, name, &fields, (item.key_span, Language::Yaml), findings);
            }
            Some(first) => {
                let message = format!(
                    "{} {} is {}, not a block of fields",
                    kind.word,
                    words::quoted(&item.key),
                    first.value.noun()
                );
                let finding = WRONG_TYPE.at(first.span, "expected a block of fields", message);
                findings.say(finding.about(kind.word, &*item.key));
                if let Some(name) = name {
                    self.claim(kind, &name, findings);
                    let mut record = Record::default();
                    record.mark_incomplete();
                    self.kinds.entry(kind.word).or_default().push(Item { name, span: item.span, record });
                }
            }
        }
    }

    fn add(
        &mut self,
        kind: &'static Kind,
        name: Option<Text>,
        node: &Node,
        (place, language): (Span, Language),
        findings: &mut Diagnostics,
    ) {
        let shown = match (&name, kind.naming) {
            (_, Naming::None) => about(node),
            (Some(name), _) => name.value.clone(),
            (None, _) => "".into(),
        };
        let by = By { kind: kind.word, name: &shown };
        let record = Fields { by, language, findings: &mut *findings }.item(node, place, kind.table);
        let Some(name) = name else { return };
        let name = if kind.naming == Naming::None { Spanned::new(shown, name.span) } else { name };
        if kind.naming != Naming::None && !self.claim(kind, &name, findings) {
            return;
        }
        self.kinds.entry(kind.word).or_default().push(Item { name, span: node.span, record });
    }

    /// Whether the name is free; a taken one is said.
    fn claim(&mut self, kind: &Kind, name: &Text, findings: &mut Diagnostics) -> bool {
        let key = if kind.naming == Naming::One { "".into() } else { name.value.clone() };
        if let Some(first) = self.taken.get(&(kind.word, key.clone())) {
            let message = match kind.naming {
                Naming::One => format!("a second {} is declared", kind.word),
                _ => format!("{} {} is declared twice", kind.word, words::quoted(name)),
            };
            let finding = DUPLICATE_NAME
                .at(name.span, "declared again here", message)
                .also(*first, "first declared here");
            findings.say(finding.about(kind.word, &*name.value).help("rename or remove one of them"));
            return false;
        }
        self.taken.insert((kind.word, key), name.span);
        true
    }
}

fn say_unknown_kind(node: &Node, language: Language, findings: &mut Diagnostics) {
    let words_of: Vec<&str> =
        KINDS.iter().map(|kind| if language == Language::Kdl { kind.word } else { kind.plural }).collect();
    let other = match language {
        Language::Kdl => Kind::of_plural(&node.key).map(|kind| kind.word),
        Language::Yaml => Kind::of_word(&node.key).map(|kind| kind.plural),
    };
    let near = other.or_else(|| nearest(&node.key, words_of.iter().copied()));
    let label =
        near.map_or_else(|| "not a kind of item".to_owned(), |near| format!("did you mean `{near}`?"));
    let listed: Vec<String> = words_of.iter().map(|word| format!("`{word}`")).collect();
    let help = near.is_none().then(|| format!("the kinds are {}", words::all_of(&listed)));
    let message = format!("{} is no kind of item", words::quoted(&node.key));
    findings.say(UNKNOWN_KIND.at(node.key_span, label, message).maybe_help(help));
}

fn name_of(kind: &Kind, name: &str, span: Span, findings: &mut Diagnostics) -> Option<Text> {
    let sound = match kind.naming {
        Naming::Word | Naming::One => is_word(name),
        Naming::Text | Naming::None => !name.trim().is_empty() && !name.contains('\0'),
    };
    if sound {
        return Some(Spanned::new(name.into(), span));
    }
    let expected = match kind.naming {
        Naming::Word | Naming::One => "letters, digits, `.`, `_` and `-`, beginning with a letter or a digit",
        Naming::Text | Naming::None => "a text that is not empty",
    };
    let message = format!("{} cannot be the name of a {}", words::quoted(name), kind.word);
    findings.say(BAD_NAME.at(span, format!("expected {expected}"), message).about(kind.word, name));
    None
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 128
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn field_text(node: &Node, key: &str) -> Option<Text> {
    let field = node.fields.iter().find(|field| field.key == key)?;
    match field.args.as_slice() {
        [Scalar { value: Value::String(text), span }] => Some(Spanned::new(text.as_ref().into(), *span)),
        _ => None,
    }
}

/// What an item without a name is about: its target and draft.
fn about(node: &Node) -> Box<str> {
    let target = field_text(node, "target").map(|text| text.value);
    let draft = field_text(node, "draft").map(|text| text.value);
    match (target, draft) {
        (Some(target), Some(draft)) => format!("{target} + {draft}").into(),
        (Some(target), None) => target,
        (None, _) => "".into(),
    }
}
