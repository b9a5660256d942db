//! Environment variables: a map of any names to texts, without a table of fields.

use super::field_findings::several_values;
use super::fields::{FieldReader, is_bare, is_null};
use super::scalar::{self, FieldRef, ValueForm};
use super::typed_value::TypedValue;
use crate::diag::{Change, words};
use crate::hir::codes::BAD_NAME;
use crate::hir::{Shape, Text};
use crate::source::Spanned;
use crate::syntax::{Node, Scalar, Value};

impl FieldReader<'_> {
    /// Reads a map. Reports and drops entries that are not valid.
    pub(super) fn read_map(&mut self, field: &str, node: &Node) -> Vec<(Text, Text)> {
        let mut entries: Vec<(Text, Text)> = Vec::new();
        for entry in &node.fields {
            if is_null(&entry.args) && is_bare(entry) {
                continue;
            }
            match entries.iter().find(|(name, _)| *name.value == *entry.key).map(|(name, _)| name.span) {
                Some(first) => {
                    self.report_duplicate(
                        &words::quoted(&entry.key),
                        (entry.key_span, first),
                        &self.field_of(field),
                    );
                }
                None => entries.extend(self.read_entry(entry)),
            }
        }
        entries
    }

    fn read_entry(&mut self, entry: &Node) -> Option<(Text, Text)> {
        if !is_variable(&entry.key) {
            let message = format!(
                "{} cannot be the name of an environment variable of {}",
                words::quoted(&entry.key),
                self.owner.describe()
            );
            let label = "expected letters, digits and `_`, beginning with a letter or `_`";
            let finding = BAD_NAME.at(entry.key_span, label, message);
            self.report(match similar(&entry.key) {
                Some(replacement) => {
                    finding.remedy("write `{}`", Change::Word { span: entry.key_span, replacement })
                }
                None => finding.help("rename the variable"),
            });
            return None;
        }
        let name = Spanned::new(entry.key.as_ref().into(), entry.key_span);
        match entry.args.as_slice() {
            _ if entry.block.is_some() || !entry.fields.is_empty() => self.report_block(&entry.key, entry),
            // A variable may be empty, unlike other texts: set to "" differs from unset.
            [Scalar { value: Value::String(text), span }] if text.is_empty() => {
                return Some((name, Spanned::new("".into(), *span)));
            }
            [one] => {
                let path = format!("env.{}", entry.key);
                let owner = &self.owner;
                let field =
                    FieldRef { owner, path: &path, row: None, form: ValueForm::Keyed, text: self.text };
                let read = scalar::read(one, &Shape::Text, &field, self.findings)?;
                let TypedValue::Text(text) = read else { return None };
                return Some((name, Spanned::new(text, one.span)));
            }
            [] => self.report_no_value(&entry.key, None, entry),
            [_, second, ..] => {
                let finding = several_values(&self.field_of(&entry.key), entry.args.len(), second.span);
                self.report(finding.help("keep one value"));
            }
        }
        None
    }
}

/// True for a name that a shell can set.
fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The name that a user means with `$NAME`, `export NAME` or `NAME-WITH-DASHES`.
fn similar(name: &str) -> Option<String> {
    let name = name.trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim_start().trim_start_matches('$');
    let name = name.trim_matches(['{', '}', '"', '\'', '=', ':', ' ']).replace(['-', '.', ' '], "_");
    is_variable(&name).then_some(name)
}
