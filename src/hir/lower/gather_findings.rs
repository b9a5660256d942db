//! Findings about items as a whole: their kind, their names, and lists of items.

use super::gather::{Gatherer, WrittenName, field_text, text_of};
use super::guess::name;
use super::habits::literal_of;
use crate::diag::{Change, Diagnostic, Edit, Fix, Literal, Safety, suggest, words};
use crate::hir::codes::{BAD_NAME, UNKNOWN_KIND, WRONG_TYPE};
use crate::hir::kind::Naming;
use crate::hir::{ItemKind, KINDS, Text};
use crate::source::{Span, Spanned};
use crate::syntax::codes::KDL_SYNTAX;
use crate::syntax::{Language, Node, Scalar, Value, write_literal};

/// The number of uses of an anchor that a help looks at.
const MAX_USES: usize = 8;

/// The number of anchors at the top level whose uses are searched. A limit keeps the work for any text linear.
const MAX_ANCHORS: usize = 64;

impl Gatherer<'_> {
    /// Reports items that are written as a list instead of a map, and records their names.
    pub(super) fn report_listed(&mut self, kind: &ItemKind, members: &[Node]) {
        let Some(first) = members.first() else { return };
        for node in members {
            self.note_unread(node.span);
        }
        let message = format!("`{}` is a list, not a block with names as keys", first.key);
        let finding = WRONG_TYPE.at(first.key_span, "expected a block with names as keys", message);
        let last = members.last().map_or(first.span, |last| last.span);
        let code = format!("{}: {{{}}}", kind.plural, self.named_items(kind, members).join(", "));
        let title = format!("write `{}`", words::printable(&code));
        let edits = vec![Edit { span: first.key_span.to(last), text: code }];
        self.findings.report(finding.help(title.clone()).fix(Fix { title, safety: Safety::Manual, edits }));
        for name in members.iter().filter_map(|node| field_text(node, "name")) {
            self.items.add_unread(kind, name);
        }
    }

    /// Items of a list, with their names as keys: `chat: {model: a, port: 8080}`.
    fn named_items(&self, kind: &ItemKind, members: &[Node]) -> Vec<String> {
        let fields: Vec<&[Node]> = match members {
            [one] if !one.fields.is_empty() && one.block.is_some() => vec![&one.fields],
            several => several.iter().map(|member| member.fields.as_slice()).collect(),
        };
        let named = fields.iter().map(|fields| {
            let is_name = |field: &&Node| ["name", "id"].contains(&&*field.key);
            let name = fields.iter().find(is_name).and_then(|field| text_of(field.args.first()?));
            let name = name.map_or_else(|| self.unused_name(kind), |name| name.value.to_string());
            let name = write_literal(Language::Yaml, &Literal::Text(name));
            let rest: Vec<&Node> = fields.iter().filter(|field| !is_name(field)).collect();
            format!("{name}: {}", self.flow(&rest))
        });
        named.collect()
    }

    /// Fields as a YAML mapping on one line.
    fn flow(&self, fields: &[&Node]) -> String {
        let mut entries: Vec<String> = Vec::new();
        for members in fields.chunk_by(|a, b| a.key_span == b.key_span) {
            let Some(first) = members.first() else { continue };
            let values: Vec<String> = members.iter().map(|node| self.flow_value(node)).collect();
            let value = if values.len() > 1 { format!("[{}]", values.join(", ")) } else { values.concat() };
            entries.push(format!(
                "{}: {value}",
                write_literal(Language::Yaml, &Literal::Text(first.key.to_string()))
            ));
        }
        format!("{{{}}}", entries.join(", "))
    }

    fn flow_value(&self, node: &Node) -> String {
        if !node.fields.is_empty() {
            return self.flow(&node.fields.iter().collect::<Vec<_>>());
        }
        let values = node.args.iter().filter_map(|arg| literal_of(arg, self.damage.text));
        let values: Vec<String> = values.map(|value| write_literal(Language::Yaml, &value)).collect();
        if values.len() > 1 { format!("[{}]", values.join(", ")) } else { values.concat() }
    }

    /// Checks a name, and reports one that is not valid.
    pub(super) fn check_name(&mut self, kind: &ItemKind, name: &str, span: Span) -> WrittenName {
        let (is_valid, expected) = match kind.naming {
            Naming::Word | Naming::One => {
                (is_word(name), "letters, digits, `.`, `_` and `-`, beginning with a letter or a digit")
            }
            Naming::Text | Naming::None => {
                (!name.trim().is_empty() && !name.contains('\0'), "a string that is not empty")
            }
        };
        if !is_valid {
            let message = format!("{} cannot be the name of this {}", words::quoted(name), kind.word);
            let finding = BAD_NAME.at(span, format!("expected {expected}"), message).about((kind.word, name));
            self.findings.report(self.write_name(finding, kind, name, span));
        }
        WrittenName { name: Spanned::new(name.into(), span), is_valid }
    }

    /// Reports fields of a KDL item with a colon: `role "chat" model: "a" port: 8080`. True if there are any.
    pub(super) fn report_names_with_colon(&mut self, kind: &ItemKind, node: &Node) -> bool {
        let [name, rest @ ..] = node.args.as_slice() else { return false };
        let key = |arg: &Scalar| match &arg.value {
            Value::String(text) => text.strip_suffix(':').map(str::to_owned),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => None,
        };
        let raw = |arg: &Scalar| self.damage.text.get(arg.span.range()).unwrap_or_default().to_owned();
        let mut fields = Vec::new();
        for pair in rest.chunks(2) {
            let [first, value] = pair else { return false };
            let Some(key) = key(first) else { return false };
            fields.push(format!("{key}={}", raw(value)));
        }
        let Some(first) = rest.first() else { return false };
        let message = format!("a field of {} {} has a `:`", kind.word, raw(name));
        let code = format!("{} {} {}", kind.word, raw(name), fields.join(" "));
        let finding = KDL_SYNTAX.at(first.span, "KDL writes `name=value`", message);
        self.findings.report(finding.help(format!("write {}", words::quoted(&code))));
        self.note_unread(node.span);
        if let Some(name) = text_of(name) {
            self.items.add_unread(kind, name);
        }
        true
    }

    /// The help with a valid name that no other item of the kind has in this file.
    fn write_name(&self, finding: Diagnostic, kind: &ItemKind, name: &str, span: Span) -> Diagnostic {
        let is_used = |name: &str| self.has_item(kind, name);
        let (similar, title) = match name::similar(name) {
            Some(similar) => (similar, "write `{}`"),
            None => (kind.example.to_owned(), "write a name of letters from a to z, such as `{}`"),
        };
        let uses = if name.trim().is_empty() { 0 } else { self.damage.text.matches(name).count() };
        let title = match uses {
            0 | 1 => title.to_owned(),
            _ => format!("{title}, and also where the name is used"),
        };
        let to = Literal::Text(name::unused(similar, is_used));
        finding.remedy(title, Change::Value { span, to })
    }

    fn unused_name(&self, kind: &ItemKind) -> String {
        name::unused(kind.example.to_owned(), |name| self.has_item(kind, name))
    }

    /// True if the file has an item of the kind with this name.
    fn has_item(&self, kind: &ItemKind, name: &str) -> bool {
        let is_named = |node: &Node| match self.language {
            Language::Kdl => {
                let first = node.args.first().map(|arg| &arg.value);
                node.key == kind.word && matches!(first, Some(Value::String(text)) if *text == name)
            }
            Language::Yaml => node.key == kind.plural && node.fields.iter().any(|item| item.key == name),
        };
        self.document.nodes.iter().any(is_named)
    }

    /// Reports an unknown top-level key that only has an anchor. An anchor is written at its first use. True if the
    /// node has one.
    fn report_anchor(&mut self, node: &Node) -> bool {
        let text = self.damage.text;
        let after = text.get(node.key_span.range().end..).unwrap_or_default();
        let anchor = after.strip_prefix(':').map(str::trim_start).and_then(|rest| rest.strip_prefix('&'));
        let is_searched = self.language == Language::Yaml && self.anchors < MAX_ANCHORS;
        let Some(anchor) = anchor.filter(|_| is_searched) else { return false };
        self.anchors += 1;
        let end =
            anchor.find(|c: char| c.is_whitespace() || matches!(c, ',' | '{' | '[')).unwrap_or(anchor.len());
        let anchor = anchor.get(..end).unwrap_or_default();
        let message = format!("{} is not a kind of item", words::quoted(&node.key));
        let finding = UNKNOWN_KIND.at(node.key_span, "only items can be at the top level", message);
        let is_in_item = |at: usize| {
            let mut sections =
                self.document.nodes.iter().filter(|one| ItemKind::of_plural(&one.key).is_some());
            sections.any(|section| section.span.range().contains(&at))
        };
        let alias = format!("*{anchor}");
        let uses = text.match_indices(&alias).map(|(at, _)| at);
        let first_use = uses.filter(|at| *at > node.span.range().end).find(|at| is_in_item(*at));
        let line_end =
            |at: usize| at + text.get(at..).and_then(|rest| rest.find('\n')).map_or(0, |end| end + 1);
        let whole = Span::new(node.span.file, node.span.range().start, line_end(node.span.range().end));
        let removal = Edit { span: whole, text: String::new() };
        let key = words::quoted(&node.key);
        let (title, edits) = match first_use {
            Some(at) => {
                let code = format!("&{anchor} {}", self.flow_value(node));
                let title = format!(
                    "write the anchor where it is used first: `{}` instead of `*{anchor}` in line {}, and remove {key}",
                    words::printable(&code),
                    text.get(..at).unwrap_or_default().matches('\n').count() + 1
                );
                let span = Span::new(node.span.file, at, at + anchor.len() + 1);
                (title, vec![removal, Edit { span, text: code }])
            }
            None => {
                let line_of = |at: usize| text.get(..at).unwrap_or_default().matches('\n').count() + 1;
                let is_end = |at: usize| {
                    let next = text.get(at + alias.len()..).and_then(|rest| rest.chars().next());
                    next.is_none_or(|c| c.is_whitespace() || matches!(c, ',' | ']' | '}'))
                };
                let uses = text.match_indices(&alias).map(|(at, _)| at).filter(|at| is_end(*at));
                let mut lines: Vec<usize> = uses.take(MAX_USES).map(line_of).collect();
                lines.dedup();
                let title = match lines.as_slice() {
                    [] => format!("remove {key}: nothing uses its anchor"),
                    [one] => format!("remove {key}, and line {one} with `{alias}`: no item uses it"),
                    [first, ..] => {
                        format!(
                            "remove {key}, and the lines with `{alias}` from line {first} on: no item uses it"
                        )
                    }
                };
                (title, vec![removal])
            }
        };
        self.findings.report(finding.help(title.clone()).fix(Fix { title, safety: Safety::Manual, edits }));
        true
    }

    /// True if a node looks like an item of the kind, or in YAML like its section.
    fn fits(&self, kind: &ItemKind, node: &Node) -> bool {
        match (self.language, kind.naming) {
            (Language::Kdl, Naming::Word | Naming::Text) => {
                matches!(node.args.as_slice(), [Scalar { value: Value::String(_), .. }])
            }
            (Language::Kdl, Naming::One) => node.args.len() <= 1,
            (Language::Yaml, _) | (Language::Kdl, Naming::None) => node.args.is_empty(),
        }
    }

    /// Reports an unknown kind. Records the names of its items under the suggested kind, so that they are not reported
    /// as unknown.
    pub(super) fn report_unknown_kind(&mut self, node: &Node) {
        self.note_unread(node.span);
        let language = self.language;
        let word_of = |kind: &ItemKind| if language == Language::Kdl { kind.word } else { kind.plural };
        let other = match self.language {
            Language::Kdl => ItemKind::of_plural(&node.key),
            Language::Yaml => ItemKind::of_word(&node.key),
        };
        let near = suggest(&node.key, KINDS.iter().map(word_of));
        let suggested =
            other.or_else(|| KINDS.iter().find(|kind| Some(word_of(kind)) == near.map(|near| near.name)));
        let (label, help) = match suggested.map(word_of) {
            Some(word) => (format!("did you mean `{word}`?"), format!("write `{word}`")),
            None => {
                let all: Vec<String> = KINDS.iter().map(|kind| format!("`{}`", word_of(kind))).collect();
                ("unknown kind".to_owned(), format!("the kinds are {}", words::all_of(&all)))
            }
        };
        if suggested.is_none() && self.report_anchor(node) {
            return;
        }
        let message = format!("{} is not a kind of item", words::quoted(&node.key));
        if language == Language::Kdl && node.key.starts_with("--") {
            let finding = UNKNOWN_KIND.at(node.key_span, "KDL has no such comments", message);
            self.findings.report(finding.help("write `//` before a comment"));
            return;
        }
        let finding = UNKNOWN_KIND.at(node.key_span, label, message).help(help);
        let Some(kind) = suggested else {
            self.findings.report(finding);
            return;
        };
        let finding = match other {
            _ if !self.fits(kind, node) => finding,
            Some(_) => finding.suggest_word(word_of(kind), node.key_span, Safety::Safe),
            None => finding.suggest(near, node.key_span),
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

/// The instruction for a second section of a kind: where its entries belong.
pub(super) fn moved_entries(node: &Node) -> String {
    let names: Vec<String> = node.fields.iter().take(4).map(|item| words::quoted(&item.key)).collect();
    match names.len() {
        0 => "remove this key".to_owned(),
        _ if node.fields.len() > names.len() => {
            "move its entries below the first one, and remove this key".to_owned()
        }
        _ => format!(
            "move {} below the first {}, and remove this key",
            words::all_of(&names),
            words::quoted(&node.key)
        ),
    }
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 128
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}
