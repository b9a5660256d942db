//! Computes the edits that write a field into an item, replace one, or add an item, in the layout of the text.

use super::line::{kdl_property, line, literal, map_entry, yaml_value};
use super::{Document, Language, Node, Value};
use crate::diag::{Change, Edit, Line, Literal};
use crate::source::{FileId, Span};

/// A text to write, and the edit that writes it. No edit if the layout has no place for it.
pub(super) struct Insertion {
    /// The text, as the help prints it.
    pub(super) code: String,
    /// The edit.
    pub(super) edit: Option<Edit>,
}

/// A document with its text.
#[derive(Clone, Copy)]
pub(super) struct Layout<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) text: &'d str,
}

impl<'d> Layout<'d> {
    pub(super) fn language(self) -> Language {
        self.document.language
    }

    /// The innermost node that `is_wanted`, with its parents from the outside.
    pub(super) fn find(self, is_wanted: impl Fn(&Node) -> bool, inside: Span) -> Option<Vec<&'d Node<'d>>> {
        let mut found: Option<Vec<&'d Node<'d>>> = None;
        let mut open: Vec<Vec<&'d Node<'d>>> = self
            .document
            .nodes
            .iter()
            .filter(|node| node.span.contains(inside))
            .map(|node| vec![node])
            .collect();
        while let Some(path) = open.pop() {
            let Some(node) = path.last() else { continue };
            if is_wanted(node) && found.as_ref().is_none_or(|other| other.len() <= path.len()) {
                found = Some(path.clone());
            }
            let inner = node.fields.iter().filter(|field| field.span.contains(inside));
            open.extend(inner.map(|field| path.iter().copied().chain([field]).collect()));
        }
        found
    }

    /// The edit that writes a field into the item at `place`.
    pub(super) fn set(self, place: Span, path: &[&str], field: &Line) -> Insertion {
        let node = self.find(|node| node.span == place, place).and_then(|path| path.last().copied());
        match node {
            Some(node) => self.set_in(node, path, field),
            None => Insertion { code: line(self.language(), &wrapped(path, field)), edit: None },
        }
    }

    fn set_in(self, node: &Node, path: &[&str], field: &Line) -> Insertion {
        if let Some((first, rest)) = path.split_first()
            && let [inner] = named(node, first).as_slice()
        {
            // A value such as `draft "d"` is the principal field of a block.
            if self.language() == Language::Kdl || inner.block.is_some() {
                return self.set_in(inner, rest, field);
            }
        }
        let field = wrapped(path, field);
        if let Some(insertion) = self.extend_alias(node, &field) {
            return insertion;
        }
        match named(node, &field.name).as_slice() {
            [] => self.insert(node, &field),
            [old] => self.replace(old, (Some(node), old.span), &field),
            _ => Insertion { code: line(self.language(), &field), edit: None },
        }
    }

    /// The edit that writes a field next to a YAML alias: `b: *a` becomes `b: {<<: *a, port: 8081}`. `None` if the node is
    /// no alias, or if the field is a block that the anchor has, because a merge replaces whole blocks.
    fn extend_alias(self, node: &Node, field: &Line) -> Option<Insertion> {
        let is_replaced = field.fields.is_empty() || named(node, &field.name).is_empty();
        let key = node.key_span.range();
        let value = self.text.get(key.end..).filter(|_| self.language() == Language::Yaml && is_replaced)?;
        let alias = value.trim_start().strip_prefix(':')?.trim_start();
        let start = key.end + value.len() - alias.len();
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}');
        let alias = alias.split(ends).next().filter(|alias| alias.len() > 1 && alias.starts_with('*'))?;
        let text = format!("{{<<: {alias}, {}}}", line(Language::Yaml, field));
        let code = format!("{}: {text}", self.text.get(key)?);
        let span = Span::new(node.span.file, start, start + alias.len());
        Some(Insertion { code, edit: Some(Edit { span, text }) })
    }

    /// The edit that writes a field of the item at `place` where the old one is. `None` if the item already has the
    /// field, or if the old one is one of several values.
    pub(super) fn instead(
        self,
        (old, value): (&str, Span),
        (place, path): (Span, &[&str]),
        field: &Line,
    ) -> Option<Insertion> {
        let node = self.find(|node| node.span == place, place)?.pop()?;
        let field = wrapped(path, field);
        let all = named(node, old);
        let is_only = self.language() == Language::Kdl
            || matches!(all.as_slice(), [one] if one.args.len() + usize::from(one.block.is_some()) == 1);
        let written = all.into_iter().find(|one| one.span.contains(value))?;
        let is_free = is_only && named(node, &field.name).is_empty();
        is_free.then(|| self.replace(written, (Some(node), written.span), &field))
    }

    /// The edit that replaces the field at `place`.
    pub(super) fn rewrite(self, place: Span, field: &Line) -> Insertion {
        let is_it = |node: &Node| {
            node.span == place || node.key_span == place || node.args.iter().any(|arg| arg.span == place)
        };
        // A value of an option or an override is in a field of its block.
        let named = self.find(|node| node.key == field.name, place);
        match named.or_else(|| self.find(is_it, place)).as_deref() {
            // An entry of the map `options` means an `option`.
            Some([.., map, old]) if map.key.strip_suffix('s') == Some(&field.name) => {
                let entry = map_entry(field).unwrap_or_else(|| field.clone());
                self.replace(old, (Some(map), place), &entry)
            }
            // In YAML the name of an option is a field of it.
            Some([.., parent, option, name]) if option.key == "option" && name.key == "name" => {
                self.replace(option, (Some(parent), option.span), field)
            }
            Some([.., parent, old]) => self.replace(old, (Some(parent), place), field),
            Some([old]) => self.replace(old, (None, place), field),
            _ => Insertion { code: line(self.language(), field), edit: None },
        }
    }

    fn replace(self, old: &Node, (parent, place): (Option<&Node>, Span), field: &Line) -> Insertion {
        let language = self.language();
        if language == Language::Kdl {
            let is_child = |parent: &Node| parent.block.is_some_and(|block| block.contains(old.span));
            let is_line = parent.is_none_or(is_child);
            let property = if is_line { None } else { kdl_property(field) };
            // A node with fields cannot be a property of the item: it belongs into braces.
            let code = property.unwrap_or_else(|| match line(language, field) {
                code if is_line => code,
                code => format!("{{ {code} }}"),
            });
            // The braces are the last part of the item.
            let is_last = parent.is_some_and(|parent| {
                parent.block.is_none() && parent.fields.last().is_some_and(|last| last.span == old.span)
            });
            let is_possible = is_line || if code.starts_with('{') { is_last } else { code.contains('=') };
            let edit = is_possible.then(|| Edit { span: old.span, text: code.clone() });
            return Insertion { code, edit };
        }
        let text = yaml_value(field);
        // The other members of a list stay, so only this one is written.
        let same_list = |field: &&Node| field.key_span == old.key_span;
        let is_listed = parent.is_some_and(|parent| parent.fields.iter().filter(same_list).count() > 1);
        let is_member = is_listed || old.args.len() > 1 && old.args.iter().any(|one| one.span == place);
        let code = if is_member { text.clone() } else { line(language, field) };
        let value = old.block.or(match old.args.as_slice() {
            [one] => Some(one.span),
            several => several.iter().map(|one| one.span).find(|span| *span == place),
        });
        let is_own = |span: &Span| old.span.contains(*span);
        let span = value.filter(is_own).filter(|_| old.key == field.name);
        let span = span.or_else(|| Some(Span { end: self.value_end(old)?, ..old.key_span }));
        let text =
            if span.is_some_and(|span| span.start == old.key_span.start) { code.clone() } else { text };
        // A value after the colon of an empty field needs a space.
        let is_after_colon = |span: Span| {
            span.start == span.end
                && self.text.get(..span.range().start).is_some_and(|before| before.ends_with(':'))
        };
        let text = if span.is_some_and(is_after_colon) { format!(" {text}") } else { text };
        Insertion { edit: span.map(|span| Edit { span, text }), code }
    }

    /// The end of the value of a YAML field. The brackets of a list belong to it.
    fn value_end(self, node: &Node) -> Option<u32> {
        let rest = self.text.get(node.span.range().end..)?;
        let own = self.text.get(node.span.range())?;
        let is_open = own.matches('[').count() > own.matches(']').count();
        let close =
            rest.find(']').filter(|at| is_open && rest.get(..*at).is_some_and(|gap| gap.trim().is_empty()));
        let end = node.span.range().end + close.map_or(0, |at| at + 1);
        u32::try_from(end).ok()
    }

    fn insert(self, node: &Node, field: &Line) -> Insertion {
        match self.language() {
            Language::Kdl => self.insert_kdl(node, field),
            Language::Yaml => {
                let code = line(Language::Yaml, field);
                Insertion { edit: self.insert_yaml(node, &code), code }
            }
        }
    }

    fn insert_kdl(self, node: &Node, field: &Line) -> Insertion {
        let end = node.span.range().end;
        let Some(block) = node.block else {
            let (code, text) = match kdl_property(field) {
                Some(code) => (code.clone(), format!(" {code}")),
                None => {
                    let code = line(Language::Kdl, field);
                    (code.clone(), format!(" {{ {code} }}"))
                }
            };
            return Insertion { code, edit: Some(self.edit_at(end, text)) };
        };
        let code = line(Language::Kdl, field);
        let inside = node.fields.iter().filter(|child| block.contains(child.span));
        let edit = match inside.max_by_key(|child| child.span.start) {
            None => self.edit_at(block.range().start + 1, format!(" {code} ")),
            Some(last) => self.after_child(block, last, &code),
        };
        Insertion { code, edit: Some(edit) }
    }

    /// Writes a child after the last one: on its own line if the last one is.
    pub(super) fn after_child(self, block: Span, last: &Node, code: &str) -> Edit {
        let (start, end) = (last.span.range().start, last.span.range().end);
        let before = self.text.get(block.range().start..start).unwrap_or_default();
        let rest = self.text.get(end..).unwrap_or_default();
        let line_end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let tail = rest.get(..line_end).unwrap_or_default().trim();
        let own_line = tail.is_empty() || tail == ";" || tail.starts_with("//");
        match before.rsplit_once('\n') {
            Some((_, indent)) if own_line && indent.trim().is_empty() => {
                self.edit_at(end + line_end, format!("\n{indent}{code}"))
            }
            _ => self.edit_at(end, format!("; {code}")),
        }
    }

    pub(super) fn insert_yaml(self, node: &Node, code: &str) -> Option<Edit> {
        let Some(block) = node.block.filter(|block| node.span.contains(*block)) else {
            return self.first_yaml_field(node, code);
        };
        let body = self.text.get(block.range())?;
        if let Some(inner) = body.strip_prefix('{') {
            let inner = inner.strip_suffix('}')?;
            let kept = inner.trim_end();
            if kept.lines().last().is_some_and(|line| line.contains(" #")) {
                return None;
            }
            let is_complete = kept.trim().is_empty() || kept.ends_with(',');
            let separator = if kept.trim().is_empty() {
                ""
            } else if is_complete {
                " "
            } else {
                ", "
            };
            return Some(self.edit_at(block.range().start + 1 + kept.len(), format!("{separator}{code}")));
        }
        let start = block.range().start;
        let column = start - self.text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        let indent = " ".repeat(column);
        let end = start + body.trim_end().len();
        let rest = self.text.get(end..)?;
        let line_end = end + rest.find(['\r', '\n']).unwrap_or(rest.len());
        Some(self.edit_at(line_end, format!("\n{indent}{code}")))
    }

    /// Writes the first field of a YAML item without a block.
    fn first_yaml_field(self, node: &Node, code: &str) -> Option<Edit> {
        if !node.args.iter().all(|arg| arg.value == Value::Null) || node.block.is_some() {
            return None;
        }
        let start = node.key_span.range().end;
        let rest = self.text.get(start..)?;
        let colon = rest.find(':').filter(|at| rest.get(..*at).is_some_and(|gap| gap.trim().is_empty()))?;
        let null = node.args.first().map_or(0, |arg| arg.span.range().len());
        let from = start + colon + 1;
        let span = Span::new(
            node.span.file,
            from,
            if null == 0 { from } else { node.args.first()?.span.range().end },
        );
        Some(Edit { span, text: format!(" {{{code}}}") })
    }

    pub(super) fn edit_at(self, at: usize, text: String) -> Edit {
        Edit { span: Span::new(self.document.file, at, at), text }
    }
}

/// The edit that replaces one value.
pub(super) fn replace_value(language: Language, span: Span, to: &Literal) -> Insertion {
    let code = literal(language, to);
    Insertion { edit: Some(Edit { span, text: code.clone() }), code }
}

/// The text of a line in a file that cannot be edited.
pub(super) fn code_only(language: Language, field: &Line) -> Insertion {
    Insertion { code: line(language, field), edit: None }
}

/// The field inside the blocks of a path.
fn wrapped(path: &[&str], field: &Line) -> Line {
    path.iter().rev().fold(field.clone(), |inner, name| Line::new(*name).with(inner))
}

/// The fields of a node that have a name.
pub(super) fn named<'n, 'd>(node: &'n Node<'d>, name: &str) -> Vec<&'n Node<'d>> {
    node.fields.iter().filter(|field| field.key == name).collect()
}

/// The file of a change.
pub(super) fn file_of(change: &Change) -> Option<FileId> {
    Some(match change {
        Change::Word { span, .. } | Change::Value { span, .. } | Change::Text { span, .. } => span.file,
        Change::Field { value_span: place, .. }
        | Change::Set { item: place, .. }
        | Change::Append { item: place, .. }
        | Change::Instead { item: place, .. }
        | Change::Rewrite { place, .. }
        | Change::Remove { place }
        | Change::RemoveValue { place } => place.file,
        Change::Add { file, .. } | Change::Example { file, .. } => *file,
        Change::All(changes) => return file_of(changes.first()?),
    })
}
