//! Computes the edit that adds an item to a file: after the last item of its kind, in the layout of that item.

use super::document::{same_node, same_nodes};
use super::insertion::{Insertion, Layout};
use super::layout::{EntryStyle, kdl_node, yaml_entry as write_entry};
use super::line::{item, yaml_entry};
use super::{Language, Node, kdl, parse, yaml};
use crate::diag::{Diagnostics, Edit, Line};
use crate::source::{FileId, SourceFile, Span};

/// The text of a file with a new item. `plural` is the key of its section in YAML. If the layout has no place for it, the text
/// to write.
pub fn add_item(file: FileId, source: &SourceFile, plural: &str, new: &Line) -> Result<String, String> {
    let text = source.text();
    let document = parse(file, source, &mut Diagnostics::default());
    let Insertion { code, edit } = Layout { document: &document, text }.add(plural, new);
    let added = edit.and_then(|edit| {
        let range = edit.span.range();
        Some(format!("{}{}{}", text.get(..range.start)?, edit.text, text.get(range.end..)?))
    });
    let is_right = |added: &String| {
        let mut findings = Diagnostics::default();
        let added = match document.language {
            Language::Kdl => kdl::parse(file, added, &mut findings),
            Language::Yaml => yaml::parse(file, added, &mut findings),
        };
        !findings.has_errors() && is_added(&document.nodes, &added.nodes)
    };
    added.filter(is_right).ok_or(code)
}

/// True if the new nodes are the old ones and one more, at the top level or in a section.
fn is_added(old: &[Node], new: &[Node]) -> bool {
    let has_one_more = |old: &[Node], new: &[Node]| {
        let same = old.iter().zip(new).take_while(|(old, new)| same_node(old, new)).count();
        let rest = new.get(same + 1..).unwrap_or_default();
        old.len() + 1 == new.len() && same_nodes(old.get(same..).unwrap_or_default(), rest)
    };
    if old.len() != new.len() {
        return has_one_more(old, new);
    }
    let mut changed = old.iter().zip(new).filter(|(old, new)| !same_node(old, new));
    match (changed.next(), changed.next()) {
        (Some((old, new)), None) => old.key == new.key && has_one_more(&old.fields, &new.fields),
        _ => false,
    }
}

impl Layout<'_> {
    /// The edit that adds an item.
    pub(super) fn add(self, plural: &str, new: &Line) -> Insertion {
        let code = item(self.language(), plural, new);
        let edit = match self.language() {
            Language::Kdl => Some(self.add_node(new)),
            Language::Yaml => self.add_entry(plural, new, &code),
        };
        Insertion { code, edit: edit.map(|edit| self.with_line_breaks(edit)) }
    }

    /// Writes a node of KDL after the last one of its kind, else at the end.
    fn add_node(self, new: &Line) -> Edit {
        let mut text = String::new();
        kdl_node(&mut text, new, 0);
        let siblings: Vec<&Node> = self.document.nodes.iter().filter(|node| node.key == new.name).collect();
        self.after_last(&siblings, text.trim_end()).unwrap_or_else(|| self.at_the_end(&text))
    }

    fn add_entry(self, plural: &str, new: &Line, code: &str) -> Option<Edit> {
        let Some(section) = self.document.nodes.iter().find(|node| node.key == plural) else {
            return self.add_section(plural, new, code);
        };
        if !new.principal.is_empty() {
            return None;
        }
        // Entries of a merge or an alias are elsewhere.
        let is_own = |node: &&Node| section.span.contains(node.span);
        let siblings: Vec<&Node> = section.fields.iter().filter(is_own).collect();
        let (Some(block), Some(last)) = (section.block, siblings.last()) else {
            return self.insert_yaml(section, &yaml_entry(new));
        };
        let gap = self.text.get(section.key_span.range().end..block.range().start)?;
        let body = self.text.get(block.range())?;
        // A list, or keys with an indicator.
        if gap.contains(['[', '-', '?']) || body.starts_with(['[', '-', '?']) {
            return None;
        }
        if body.starts_with('{') {
            return self.insert_yaml(section, &yaml_entry(new));
        }
        let value = self.text.get(last.key_span.range().end..last.span.range().end)?;
        let style =
            if value.contains('\n') && !value.contains('{') { EntryStyle::Lines } else { EntryStyle::Short };
        let mut text = String::new();
        write_entry(&mut text, new, style);
        let column = self.column(last.key_span);
        let inner = last.fields.first().filter(|_| style == EntryStyle::Lines);
        let step = inner.map_or(2, |inner| self.column(inner.key_span).saturating_sub(column)).max(1);
        self.after_last(&siblings, indented(&text, column, step).trim_end())
    }

    /// Writes a new section of YAML at the end.
    fn add_section(self, plural: &str, new: &Line, code: &str) -> Option<Edit> {
        let kept = self.text.trim_end();
        let column = self.document.nodes.last().map_or(0, |node| self.column(node.key_span));
        let is_open = !kept.trim_start().starts_with('{') && !kept.ends_with("...") && column == 0;
        if !new.principal.is_empty() {
            return is_open.then(|| self.at_the_end(&format!("{code}\n")));
        }
        let mut text = format!("{plural}:\n");
        write_entry(&mut text, new, EntryStyle::Short);
        is_open.then(|| self.at_the_end(&text))
    }

    /// Writes a text on a new line after the last of some nodes. After an empty line if one is before this node. `None` if there
    /// is no node, or if something else follows it on its line.
    fn after_last(self, siblings: &[&Node], text: &str) -> Option<Edit> {
        let last = siblings.last()?;
        let end = last.span.range().end;
        let rest = self.text.get(end..)?;
        let line_end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let tail = rest.get(..line_end)?.trim();
        if !matches!(tail, "" | ";") && !tail.starts_with("//") && !tail.starts_with('#') {
            return None;
        }
        let before = siblings.iter().rev().nth(1);
        let gap = before.and_then(|node| self.text.get(node.span.range().end..last.span.range().start));
        let has_empty_line = gap.is_some_and(has_empty_line);
        let separator = if has_empty_line { "\n\n" } else { "\n" };
        Some(self.edit_at(end + line_end, format!("{separator}{text}")))
    }

    /// Writes a text at the end, after an empty line.
    fn at_the_end(self, text: &str) -> Edit {
        let kept = self.text.trim_end().len();
        let separator = if self.text.trim_end_matches('\u{feff}').trim().is_empty() { "" } else { "\n\n" };
        let span = Span::new(self.document.file, kept, self.text.len());
        Edit { span, text: format!("{separator}{text}") }
    }

    /// The edit with the line breaks of the file.
    fn with_line_breaks(self, edit: Edit) -> Edit {
        if self.text.contains("\r\n") { Edit { text: edit.text.replace('\n', "\r\n"), ..edit } } else { edit }
    }

    /// The number of characters before a place on its line.
    fn column(self, place: Span) -> usize {
        let before = self.text.get(..place.range().start).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default().trim_start_matches('\u{feff}').chars().count()
    }
}

/// True if a text between two nodes has an empty line. Its first and last line belong to the nodes.
fn has_empty_line(gap: &str) -> bool {
    let inner = gap.split_once('\n').and_then(|(_, rest)| rest.rsplit_once('\n'));
    inner.is_some_and(|(lines, _)| lines.split('\n').any(|line| line.trim().is_empty()))
}

/// The text with another indentation: `column` blanks for its first level of two blanks, and `step` for each further one.
fn indented(text: &str, column: usize, step: usize) -> String {
    let line = |line: &str| {
        let own = line.trim_start();
        let level = ((line.len() - own.len()) / 2).saturating_sub(1);
        format!("{}{own}\n", " ".repeat(column + level * step))
    };
    text.lines().map(line).collect()
}
