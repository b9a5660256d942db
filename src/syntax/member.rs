//! Computes the edit that writes a field next to fields of the same name: a node of KDL, or a member of a list in YAML.

use super::insertion::{Insertion, Layout, code_only, named};
use super::line::{line, yaml_value};
use super::{Language, Node};
use crate::diag::{Edit, Line};
use crate::source::Span;

impl Layout<'_> {
    /// The edit that writes a field into the item at `place`, next to its fields of the same name.
    pub(super) fn append(self, place: Span, field: &Line) -> Insertion {
        let node = self.find(|node| node.span == place, place).and_then(|path| path.last().copied());
        let Some(node) = node else { return code_only(self.language(), field) };
        let same = named(node, &field.name);
        let Some(last) = same.last() else { return self.set(place, &[], field) };
        match self.language() {
            Language::Kdl => self.append_node(node, last, field),
            Language::Yaml => self.append_member(&same, field),
        }
        .unwrap_or_else(|| code_only(self.language(), field))
    }

    /// Writes a node after the last one of its name. A property and the new node go into braces.
    fn append_node(self, node: &Node, last: &Node, field: &Line) -> Option<Insertion> {
        let code = line(Language::Kdl, field);
        if let Some(block) = node.block.filter(|block| block.contains(last.span)) {
            return Some(Insertion { edit: Some(self.after_child(block, last, &code)), code });
        }
        let value = self.text.get(last.args.first()?.span.range())?;
        let code = format!("{{ {} {value}; {code} }}", field.name);
        // The braces are the last part of the item.
        let is_last = node.block.is_none() && node.fields.last().is_some_and(|one| one.span == last.span);
        Some(Insertion { edit: is_last.then(|| Edit { span: last.span, text: code.clone() }), code })
    }

    /// Writes a member after the last one. A single value becomes a list.
    fn append_member(self, same: &[&Node], field: &Line) -> Option<Insertion> {
        let values = same.iter().flat_map(|node| {
            let args = node.args.iter().map(|arg| arg.span);
            args.chain(node.block)
        });
        let mut values: Vec<Span> = values.collect();
        values.sort();
        let (first, last) = (values.first()?, values.last()?);
        let key = same.first()?.key_span.range();
        let start = first.range().start;
        // The members of an alias are elsewhere.
        let gap = self.text.get(key.end..start)?;
        let end = start.max(last.range().start) + self.text.get(last.range())?.trim_end().len();
        let text = yaml_value(field);
        let whole = self.text.get(start..end)?;
        let code_of = |whole: &str| format!("{}: [{whole}, {text}]", field.name);
        if gap.contains('[') {
            let code = if whole.contains('\n') { text.clone() } else { code_of(whole) };
            return Some(Insertion { edit: Some(self.edit_at(end, format!(", {text}"))), code });
        }
        let member = self.text.get(..last.range().start)?;
        let indent = member.rsplit_once('\n')?.1;
        if gap.contains('-') {
            // A comment of the last member stays on its line.
            let rest = self.text.get(end..)?.lines().next().unwrap_or_default();
            let is_free = rest.trim().is_empty() || rest.trim_start().starts_with('#');
            let is_plain = indent.trim() == "-" && is_free;
            let edit = is_plain.then(|| self.edit_at(end + rest.len(), format!("\n{indent}{text}")));
            return Some(Insertion { edit, code: format!("- {text}") });
        }
        let is_line = values.len() == 1 && !whole.contains('\n') && !gap.contains('\n');
        let code = if is_line { code_of(whole) } else { text.clone() };
        let span = Span::new(self.document.file, start, end);
        Some(Insertion { edit: is_line.then(|| Edit { span, text: format!("[{whole}, {text}]") }), code })
    }
}
