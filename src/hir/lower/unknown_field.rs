//! Unknown fields: misspelt, of another item, or named as in another language or in the engine.

use super::fields::{FieldReader, ReadTask, is_bare};
use super::habits::{is_map, literal_of};
use super::record::Record;
use super::scalar::{self, FieldRef, ValueForm};
use crate::diag::{Change, Diagnostic, Line, Literal, Safety, Suggestion, suggest, words};
use crate::hir::codes::UNKNOWN_FIELD;
use crate::hir::kind::Naming;
use crate::hir::{Field, KINDS, Presence, Shape, Table, role};
use crate::source::Span;
use crate::syntax::{Language, Node, Scalar};

impl FieldReader<'_> {
    /// Reports an unknown field. The suggested field does not count as missing.
    pub(super) fn report_unknown(&mut self, record: &mut Record, node: &Node, task: ReadTask) {
        let suggestion = suggest(&node.key, task.names());
        // `name` means the principal field of a block.
        let named = task.table.principal.filter(|_| ["name", "id"].contains(&&*node.key));
        let near = named.or(suggestion.map(|suggestion| suggestion.name));
        if let Some(field) = near.and_then(|near| task.field(near))
            && let Shape::Block(table) = &field.shape
            && is_map(field, table, node)
        {
            return self.report_map(record, (field, table), node);
        }
        let owner = task.describe(&self.owner);
        let message = format!("{owner} has an unknown field {}", words::quoted(&node.key));
        let finding = self
            .dash_finding(&message, node)
            .or_else(|| self.colon_finding(record, &message, node, task))
            .or_else(|| self.gateway_finding(&message, node))
            .or_else(|| self.engine_finding(record, (&message, suggestion), node, task))
            .or_else(|| self.inner_finding(&message, node, task))
            .or_else(|| self.part_finding(record, &message, node, task));
        let finding = finding.unwrap_or_else(|| {
            if let Some(near) = near {
                record.mark_reported(task.field(near).map_or("", |field| field.name));
            }
            self.near_finding(message, (near, suggestion), node, task)
        });
        self.report(finding);
    }

    /// A dash of a YAML list without a space after it belongs to the key: `-{target: a}`.
    fn dash_finding(&self, message: &str, node: &Node) -> Option<Diagnostic> {
        let is_dash = self.language == Language::Yaml && node.key.starts_with("-{");
        let after = Span { start: node.key_span.start + 1, end: node.key_span.start + 1, ..node.key_span };
        let change = Change::Text { span: after, text: " ".to_owned() };
        let finding = UNKNOWN_FIELD.at(node.key_span, "a dash without a space after it", message);
        is_dash.then(|| finding.remedy_as(Safety::Unsafe, "write a space after the dash: `- {`", change))
    }

    fn colon_finding(
        &self,
        record: &mut Record,
        message: &str,
        node: &Node,
        task: ReadTask,
    ) -> Option<Diagnostic> {
        let (field, line) = self.without_colon(node, task)?;
        record.mark_reported(field.name);
        let finding = UNKNOWN_FIELD.at(node.key_span, "KDL has no `:` after a name", message);
        let change = Change::Rewrite { place: node.key_span, line };
        Some(finding.remedy("write `{}`, without the colon", change))
    }

    fn inner_finding(&self, message: &str, node: &Node, task: ReadTask) -> Option<Diagnostic> {
        let (block, line) = self.inner_field(node, task)?;
        let finding = UNKNOWN_FIELD.at(node.key_span, format!("a field of `{}`", block.name), message);
        let mut blocks = task.input.node.fields.iter().filter(|field| field.key == block.name);
        Some(match blocks.next() {
            None => {
                let line = Line::new(block.name).with(line);
                finding.remedy("write `{}`", Change::Rewrite { place: node.key_span, line })
            }
            Some(old) => match self.whole_block(block, old).filter(|_| self.path.is_empty()) {
                Some(whole) => {
                    // A context with a lower limit fits the rest of the memory.
                    let is_least = block.name == "context" && line.name == "least";
                    let whole =
                        if is_least { Line::of(block.name, "fit").principal("tokens") } else { whole };
                    // In KDL, only the last property can become a block.
                    let (first, last) =
                        if old.span.start < node.span.start { (old, node) } else { (node, old) };
                    let write = Change::rewrite(last.key_span, whole.with(line));
                    finding.remedy("write `{}`", Change::All(vec![Change::remove(first.key_span), write]))
                }
                None => finding.help(format!("move it into `{}`", block.name)),
            },
        })
    }

    /// A block as it is written. `None` if it has more than plain values.
    fn whole_block(&self, field: &Field, node: &Node) -> Option<Line> {
        let Shape::Block(table) = &field.shape else { return None };
        let literals = |args: &[Scalar]| -> Option<Vec<Literal>> {
            args.iter().map(|arg| literal_of(arg, self.text)).collect()
        };
        let line = Line::new(field.name).principal(table.principal.unwrap_or_default());
        let line = literals(&node.args)?.into_iter().fold(line, Line::value);
        node.fields.iter().try_fold(line, |line, inner| {
            let values = literals(&inner.args).filter(|_| is_bare(inner))?;
            Some(line.with(values.into_iter().fold(Line::new(inner.key.as_ref()), Line::value)))
        })
    }

    /// The finding with the most similar field, or with the items that have such a field and all fields.
    fn near_finding(
        &self,
        message: String,
        (near, suggestion): (Option<&str>, Option<Suggestion>),
        node: &Node,
        task: ReadTask,
    ) -> Diagnostic {
        let Some(near) = near else {
            let owners = KINDS.iter().filter(|kind| {
                self.path.is_empty() && kind.naming != Naming::One && kind.table.field(&node.key).is_some()
            });
            let owners: Vec<String> = owners.map(|kind| words::one(kind.word)).collect();
            let stack = KINDS.iter().find(|kind| kind.word == "stack");
            if owners.is_empty()
                && self.path.is_empty()
                && stack.is_some_and(|stack| stack.table.field(&node.key).is_some())
            {
                let finding = UNKNOWN_FIELD.at(node.key_span, "a field of the stack", message);
                return finding.help("move it to the stack: it applies to all roles");
            }
            // A role has more fields in its placement than a gateway.
            let of_role = role::TABLE.field(self.path.first().copied().unwrap_or_default());
            let is_of_role = self.path.len() == 1
                && self.owner.kind != "role"
                && of_role.is_some_and(
                    |field| matches!(&field.shape, Shape::Block(table) if table.field(&node.key).is_some()),
                );
            let moved = (!owners.is_empty()).then(|| format!("move it to {}", words::any_of(&owners)));
            let moved = moved.or_else(|| {
                is_of_role.then(|| format!("move it to the `{}` of a role", self.path.join(".")))
            });
            let known: Vec<String> = task.names().map(|name| format!("`{name}`")).collect();
            let help = format!("the fields here are {}", words::all_of(&known));
            return UNKNOWN_FIELD.at(node.key_span, "unknown field", message).maybe_help(moved).help(help);
        };
        let finding = UNKNOWN_FIELD.at(node.key_span, format!("did you mean `{near}`?"), message);
        // If the suggested field is already present, the fix would duplicate it.
        let is_free = !task.input.node.fields.iter().any(|field| field.key == near);
        let suggestion = suggestion.filter(|found| is_free && found.name == near);
        finding.help(format!("write `{near}`")).suggest(suggestion, node.key_span)
    }

    /// The field that a KDL name with a colon means: `port: 8080` or `port:8080`.
    fn without_colon(&self, node: &Node, task: ReadTask) -> Option<(&'static Field, Line)> {
        let (name, rest) = node.key.split_once(':').filter(|_| self.language == Language::Kdl)?;
        let field = task.field(name.trim_matches(['"', '\'']))?;
        let value = match node.args.as_slice() {
            [one] if rest.is_empty() => literal_of(one, self.text)?,
            [] if rest.bytes().all(|byte| byte.is_ascii_digit()) && !rest.is_empty() => {
                Literal::Number(rest.to_owned())
            }
            [] if !rest.is_empty() => Literal::Text(rest.trim_matches('"').to_owned()),
            _ => return None,
        };
        Some((field, Line::of(field.name, value)))
    }

    /// A value for another field: as it is written, or as that field writes it.
    pub(super) fn fitting(&self, value: &Scalar, row: &'static Field) -> Option<Literal> {
        let form = ValueForm::Alone;
        let field = FieldRef { owner: &self.owner, path: row.name, row: Some(row), form, text: self.text };
        let Some(finding) = scalar::check(value, &row.shape, &field) else {
            return literal_of(value, self.text);
        };
        // Other titles have an example, which is not what the user means.
        let fix =
            finding.proposed_fixes.into_iter().next().filter(|fix| fix.title.starts_with("write `{}`"))?;
        if let Change::Value { to, .. } = fix.change { Some(to) } else { None }
    }

    /// The block without required fields that has a field of this name: `placement` for `threads`.
    fn inner_field(&self, node: &Node, task: ReadTask) -> Option<(&'static Field, Line)> {
        let [value] = node.args.as_slice() else { return None };
        let name = node.key.replace('_', "-").to_ascii_lowercase();
        let block_of = |field: &'static Field| {
            if let Shape::Block(table) = &field.shape { Some((field, *table)) } else { None }
        };
        let blocks = task.table.fields.iter().filter_map(block_of);
        // A block with a principal field is nothing without it: `gpu` of a role is a part of `placement`, not of `draft`.
        let is_open = |table: &Table| {
            table.principal.is_none() && table.fields.iter().all(|field| field.presence != Presence::Required)
        };
        let has = |block: &Field| task.input.node.fields.iter().any(|field| field.key == block.name);
        let is_whole =
            |block: &Field, table: &Table| is_open(table) || !block.presence.is_several() && has(block);
        let having = blocks.filter_map(|(field, table)| {
            Some((field, table.field(&name).filter(|_| is_whole(field, table))?))
        });
        let (block, inner) = only_or_placement(having, |(block, _)| block)?;
        // A part that needs another one has no effect alone.
        if inner.hints.needs.is_some() && !has(block) {
            return None;
        }
        Some((block, Line::of(inner.name, self.fitting(value, inner)?)))
    }

    /// The finding for a field of a block that the item does not have, and that needs more: `shared` of `slots`.
    fn part_finding(
        &self,
        record: &mut Record,
        message: &str,
        node: &Node,
        task: ReadTask,
    ) -> Option<Diagnostic> {
        let has_part = |field: &&'static Field| {
            !field.presence.is_several()
                && matches!(&field.shape, Shape::Block(table) if table.field(&node.key).is_some())
        };
        let block = only_or_placement(task.table.fields.iter().filter(has_part), |block| block)?;
        let finding = UNKNOWN_FIELD.at(node.key_span, format!("a field of `{}`", block.name), message);
        let fit = self.fit_line(block, node, task);
        record.mark_reported(block.name);
        Some(match fit {
            Some(line) => finding.remedy("write `{}`", Change::Rewrite { place: node.key_span, line }),
            None => finding.help(format!("use {} of the field `{}`", words::quoted(&node.key), block.name)),
        })
    }

    /// The line of a context that is given only by its lower limit.
    fn fit_line(&self, block: &Field, node: &Node, task: ReadTask) -> Option<Line> {
        let ("context", "least", Shape::Block(table)) = (block.name, &*node.key, &block.shape) else {
            return None;
        };
        let has_context = task.input.node.fields.iter().any(|field| field.key == block.name);
        let least = self.fitting(node.args.first()?, table.field("least")?)?;
        let line = Line::of(block.name, "fit").principal("tokens").with(Line::of("least", least));
        (!has_context).then_some(line)
    }
}

/// The only one, or the one for the block `placement`: a field of a role is about its model, not about its draft.
fn only_or_placement<T>(all: impl Iterator<Item = T>, block: impl Fn(&T) -> &'static Field) -> Option<T> {
    let mut all: Vec<T> = all.collect();
    let at = if all.len() == 1 { 0 } else { all.iter().position(|one| block(one).name == "placement")? };
    Some(all.swap_remove(at))
}
