//! The items of a document: which kind each is of, its name, and its fields.

use super::fields::{Fields, Given};
use super::items::{Item, Items};
use super::names::By;
use super::torn::Torn;
use crate::diag::{Diagnostics, Safety, near, words};
use crate::hir::codes::{BAD_NAME, DUPLICATE_FIELD, EMPTY_BLOCK, UNKNOWN_KIND, WRONG_TYPE};
use crate::hir::kind::Naming;
use crate::hir::{KINDS, Kind, Text};
use crate::source::{Span, Spanned};
use crate::syntax::{Document, Language, Node, Scalar, Value};

impl Items {
    /// Gathers the items of a document; what its text has lost is silent.
    pub fn gather(&mut self, document: &Document, torn: Torn, findings: &mut Diagnostics) {
        self.lose(torn.lost_words(document));
        let mut gatherer = Gatherer { items: self, language: document.language, torn, findings };
        match document.language {
            Language::Kdl => document.nodes.iter().for_each(|node| gatherer.kdl(node)),
            Language::Yaml => gatherer.yaml(&document.nodes),
        }
    }
}

struct Gatherer<'a> {
    items: &'a mut Items,
    language: Language,
    torn: Torn<'a>,
    findings: &'a mut Diagnostics,
}

/// A name as it was written, and whether an item can have it.
struct Said {
    name: Text,
    is_sound: bool,
}

impl Gatherer<'_> {
    fn kdl(&mut self, node: &Node) {
        let Some(kind) = Kind::of_word(&node.key) else {
            return self.unknown_kind(node);
        };
        self.items.see(kind);
        let place = node.args.first().map_or(node.key_span, |arg| arg.span);
        match kind.naming {
            Naming::One => self.add(kind, None, Given { node, args: &node.args, place }),
            Naming::None => match node.args.first() {
                Some(extra) => {
                    let finding =
                        BAD_NAME.at(extra.span, "not expected", format!("a {} has no name", kind.word));
                    self.findings.report(finding.help("write its fields alone"));
                    self.hear(node.span);
                }
                None => self.add(kind, Some(about(node, node.key_span)), Given { node, args: &[], place }),
            },
            Naming::Word | Naming::Text => {
                let said = self.kdl_name(kind, node);
                self.add(kind, said, Given { node, args: &[], place });
            }
        }
    }

    fn kdl_name(&mut self, kind: &Kind, node: &Node) -> Option<Said> {
        let example = format!("expected a name, as `{} \"a\"`", kind.word);
        let (span, label, message) = match node.args.as_slice() {
            [Scalar { value: Value::String(name), span }] => return Some(self.name(kind, name, *span)),
            [] => (node.key_span, example, format!("this {} has no name", kind.word)),
            [Scalar { value: Value::String(_), .. }, extra, ..] => (
                extra.span,
                "expected one name".to_owned(),
                format!("this {} has more than one name", kind.word),
            ),
            [other, ..] => {
                let noun = other.value.noun();
                (other.span, example, format!("the name of this {} is {noun}, not text", kind.word))
            }
        };
        self.findings.report(BAD_NAME.at(span, label, message).help("write one name between quotes"));
        match node.args.first() {
            Some(Scalar { value: Value::String(name), span }) => {
                Some(Said { name: Spanned::new(name.as_ref().into(), *span), is_sound: false })
            }
            _ => None,
        }
    }

    fn yaml(&mut self, sections: &[Node]) {
        let mut seen: Vec<(&Kind, Span)> = Vec::new();
        // The members of one list share its key.
        for members in sections.chunk_by(|a, b| a.key_span == b.key_span) {
            let Some(node) = members.first() else { continue };
            let Some(kind) = Kind::of_plural(&node.key) else {
                self.unknown_kind(node);
                continue;
            };
            if members.len() > 1 || !is_null(node) {
                self.items.see(kind);
            }
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == kind) {
                let message = format!("`{}` stands twice in this file", node.key);
                let finding = DUPLICATE_FIELD.at(node.key_span, "here again", message);
                let help = "move what is below it to the first one";
                self.findings.report(finding.also(*first, "first written here").help(help));
            }
            seen.push((kind, node.key_span));
            self.yaml_section(kind, members);
        }
    }

    fn yaml_section(&mut self, kind: &'static Kind, members: &[Node]) {
        match (kind.naming, members) {
            (Naming::None | Naming::One, members) => {
                for node in members {
                    if self.is_block(kind, node) {
                        let place = node.fields.first().map_or(node.key_span, |field| field.key_span);
                        let said = (kind.naming == Naming::None).then(|| about(node, place));
                        let place = if kind.naming == Naming::None { place } else { node.key_span };
                        self.add(kind, said, Given { node, args: &[], place });
                    }
                }
            }
            (Naming::Word | Naming::Text, [node]) if !is_listed(kind, node) => {
                if self.is_block(kind, node) {
                    let items = node.fields.chunk_by(|a, b| a.key_span == b.key_span);
                    items.for_each(|members| self.yaml_item(kind, members));
                }
            }
            (Naming::Word | Naming::Text, members) => self.listed(kind, members),
        }
    }

    /// Whether a section holds fields; what else it holds is said.
    fn is_block(&mut self, kind: &Kind, node: &Node) -> bool {
        let expected = match kind.naming {
            Naming::None => format!("a list of {}", kind.plural),
            Naming::One => "a block of fields".to_owned(),
            Naming::Word | Naming::Text => format!("a block of {} by name", kind.plural),
        };
        let named = |field: &Node| field.block.is_some() && kind.table.field(&field.key).is_none();
        if is_null(node) {
            return false;
        }
        let finding = if let Some(first) = node.args.first() {
            let message = format!("`{}` is {}, not {expected}", node.key, first.value.noun());
            WRONG_TYPE.at(first.span, format!("expected {expected}"), message)
        } else if node.fields.is_empty() {
            let message = format!("the block of `{}` is empty", node.key);
            EMPTY_BLOCK.at(node.block.unwrap_or(node.span), "nothing in it", message)
        } else if kind.naming == Naming::None && node.fields.iter().all(named) {
            let place = node.fields.first().map_or(node.key_span, |field| field.key_span);
            BAD_NAME.at(place, "not expected", format!("a {} has no name", kind.word))
        } else {
            return true;
        };
        self.hear(node.span);
        let help = match kind.naming {
            Naming::None if finding.code.name == BAD_NAME.name => "write its fields alone".to_owned(),
            Naming::None => format!("write `{}: [{{..}}, {{..}}]`", kind.plural),
            Naming::One => format!("write `{}: {{name: .., ..}}`", kind.plural),
            Naming::Word | Naming::Text => {
                format!("write `{}: {{NAME: {{..}}}}`, or leave it out", kind.plural)
            }
        };
        self.findings.report(finding.help(help));
        false
    }

    /// Items with names that were written as a list: their names are taken note of.
    fn listed(&mut self, kind: &Kind, members: &[Node]) {
        let Some(first) = members.first() else { return };
        for node in members {
            self.hear(node.span);
        }
        let message = format!("`{}` is a list, and {} are written by name", first.key, kind.plural);
        let finding = WRONG_TYPE.at(first.key_span, "expected names below it", message);
        self.findings.report(finding.help(format!("write `{}: {{NAME: {{..}}}}`", kind.plural)));
        for name in members.iter().filter_map(|node| field_text(node, "name")) {
            self.items.add_unread(kind, name);
        }
    }

    fn yaml_item(&mut self, kind: &'static Kind, members: &[Node]) {
        let Some(item) = members.first() else { return };
        let said = self.name(kind, &item.key, item.key_span);
        let found = match (members, item.args.first()) {
            ([_, _, ..], _) => "a list",
            (_, Some(_)) if item.args.len() > 1 => "a list",
            (_, Some(first)) if !is_null(item) => first.value.noun(),
            _ => {
                let given = Given { node: item, args: &[], place: item.key_span };
                return self.add(kind, Some(said), given);
            }
        };
        for node in members {
            self.hear(node.span);
        }
        let message = format!("{} {} is {found}, not a block of fields", kind.word, words::quoted(&item.key));
        let place = item.args.first().map_or(item.key_span, |first| first.span);
        let finding = WRONG_TYPE.at(place, "expected a block of fields", message);
        self.findings.report(finding.about(kind.word, &*item.key).help("write its fields below its name"));
        self.items.add_unread(kind, said.name);
    }

    /// Reads the fields of an item, and takes it in where it has a name.
    fn add(&mut self, kind: &'static Kind, said: Option<Said>, given: Given) {
        let peeked = given.args.first().and_then(text_of).or_else(|| field_text(given.node, "name"));
        let shown = match (&said, kind.naming) {
            (Some(said), _) => said.name.value.clone(),
            (None, Naming::One) => peeked.map(|name| name.value).unwrap_or_default(),
            (None, Naming::Word | Naming::Text | Naming::None) => "".into(),
        };
        let by = By { kind: kind.word, name: &shown, place: given.place };
        let is_torn = self.torn.tears(given.node.span);
        let said_before = self.findings.findings().len();
        let mut record =
            Fields { by, language: self.language, findings: &mut *self.findings, path: Vec::new(), is_torn }
                .item(given, kind.table);
        if is_torn || self.findings.findings().len() > said_before {
            self.hear(given.node.span);
            self.items.heard.miss(&record, kind.table);
        }
        let said = match kind.naming {
            Naming::One => Some(match record.text("name") {
                Some(name) => self.name(kind, &name, name.span),
                None => Said { name: Spanned::new(shown, given.place), is_sound: false },
            }),
            Naming::Word | Naming::Text | Naming::None => said,
        };
        let Some(Said { name, is_sound }) = said else { return };
        if !is_sound {
            record.mark_incomplete();
        }
        self.items.add(kind, Item { name, span: given.node.span, record }, self.findings);
    }

    /// Takes note of the words of text that could not be read as it stands.
    fn hear(&mut self, span: Span) {
        self.items.heard.hear(self.torn.text.get(span.range()).unwrap_or_default());
    }

    /// A name; one that no item can have is said.
    fn name(&mut self, kind: &Kind, name: &str, span: Span) -> Said {
        let (is_sound, expected) = match kind.naming {
            Naming::Word | Naming::One => {
                (is_word(name), "letters, digits, `.`, `_` and `-`, beginning with a letter or a digit")
            }
            Naming::Text | Naming::None => {
                (!name.trim().is_empty() && !name.contains('\0'), "a text that is not empty")
            }
        };
        if !is_sound {
            let message = format!("{} cannot be the name of this {}", words::quoted(name), kind.word);
            let finding = BAD_NAME.at(span, format!("expected {expected}"), message).about(kind.word, name);
            self.findings.report(finding.help("give it another name"));
        }
        Said { name: Spanned::new(name.into(), span), is_sound }
    }

    /// Whether a node looks like one of that kind, or in YAML like its section.
    fn fits(&self, kind: &Kind, node: &Node) -> bool {
        match (self.language, kind.naming) {
            (Language::Kdl, Naming::Word | Naming::Text) => {
                matches!(node.args.as_slice(), [Scalar { value: Value::String(_), .. }])
            }
            (Language::Kdl, Naming::One) => node.args.len() <= 1,
            (Language::Yaml, _) | (Language::Kdl, Naming::None) => node.args.is_empty(),
        }
    }

    /// Says a word that is no kind; the names of what was meant are known, so that nobody misses them.
    fn unknown_kind(&mut self, node: &Node) {
        self.hear(node.span);
        let word_of = |kind: &Kind| if self.language == Language::Kdl { kind.word } else { kind.plural };
        let other = match self.language {
            Language::Kdl => Kind::of_plural(&node.key),
            Language::Yaml => Kind::of_word(&node.key),
        };
        let near = near(&node.key, KINDS.iter().map(word_of));
        let meant =
            other.or_else(|| KINDS.iter().find(|kind| Some(word_of(kind)) == near.map(|near| near.name)));
        let (label, help) = match meant.map(word_of) {
            Some(meant) => (format!("did you mean `{meant}`?"), format!("write `{meant}`")),
            None => {
                let listed: Vec<String> = KINDS.iter().map(|kind| format!("`{}`", word_of(kind))).collect();
                ("not a kind of item".to_owned(), format!("the kinds are {}", words::all_of(&listed)))
            }
        };
        let message = format!("{} is no kind of item", words::quoted(&node.key));
        let finding = UNKNOWN_KIND.at(node.key_span, label, message).help(help);
        let Some(kind) = meant else {
            self.findings.report(finding);
            return;
        };
        let finding = match other {
            _ if !self.fits(kind, node) => finding,
            Some(_) => finding.write(word_of(kind), node.key_span, Safety::Safe),
            None => finding.meant(near, node.key_span),
        };
        self.findings.report(finding);
        let names: Vec<Text> = match (kind.naming, self.language) {
            (Naming::None, _) => Vec::new(),
            (Naming::One, _) => vec![Spanned::new("".into(), node.key_span)],
            (Naming::Word | Naming::Text, Language::Kdl) => {
                node.args.first().and_then(text_of).into_iter().collect()
            }
            (Naming::Word | Naming::Text, Language::Yaml) => {
                node.fields.iter().map(|item| Spanned::new(item.key.as_ref().into(), item.key_span)).collect()
            }
        };
        for name in names {
            self.items.add_unread(kind, name);
        }
    }
}

fn is_null(node: &Node) -> bool {
    matches!(node.args.as_slice(), [Scalar { value: Value::Null, .. }]) && node.fields.is_empty()
}

/// Whether a section holds the fields of one item and not items by name: a list of one, which looks so.
fn is_listed(kind: &Kind, node: &Node) -> bool {
    let is_field = |field: &Node| {
        let plain = field.block.is_none() && !field.args.is_empty() && !is_null(field);
        plain && (*field.key == *"name" || kind.table.field(&field.key).is_some())
    };
    !node.fields.is_empty() && node.fields.iter().all(is_field)
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 128
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn text_of(scalar: &Scalar) -> Option<Text> {
    match &scalar.value {
        Value::String(text) => Some(Spanned::new(text.as_ref().into(), scalar.span)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => None,
    }
}

fn field_text(node: &Node, key: &str) -> Option<Text> {
    let field = node.fields.iter().find(|field| field.key == key)?;
    match field.args.as_slice() {
        [one] => text_of(one),
        _ => None,
    }
}

/// What an item without a name is about, its target and draft, which stands for its name.
fn about(node: &Node, place: Span) -> Said {
    let target = field_text(node, "target").map(|text| text.value);
    let draft = field_text(node, "draft").map(|text| text.value);
    let name = match (target, draft) {
        (Some(target), Some(draft)) => format!("{target} + {draft}").into(),
        (Some(target), None) => target,
        (None, _) => "".into(),
    };
    Said { name: Spanned::new(name, place), is_sound: true }
}
