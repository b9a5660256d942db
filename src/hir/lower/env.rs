//! Environment variables: names and texts of any number, which no table lists.

use super::datum::Datum;
use super::fields::{Fields, is_bare, is_null};
use crate::diag::words;
use crate::hir::codes::{BAD_NAME, WRONG_TYPE};
use crate::hir::{Shape, Text};
use crate::source::Spanned;
use crate::syntax::{Node, Scalar, Value};

impl Fields<'_> {
    /// Names and texts of any number; what cannot be read is said and left out.
    pub(super) fn map(&mut self, field: &str, node: &Node) -> Vec<(Text, Text)> {
        let mut entries: Vec<(Text, Text)> = Vec::new();
        for entry in &node.fields {
            if is_null(&entry.args) && is_bare(entry) {
                continue;
            }
            match entries.iter().find(|(name, _)| *name.value == *entry.key).map(|(name, _)| name.span) {
                Some(first) => self.say_twice(&entry.key, (entry.key_span, first), &self.field_of(field)),
                None => entries.extend(self.entry(entry)),
            }
        }
        entries
    }

    fn entry(&mut self, entry: &Node) -> Option<(Text, Text)> {
        let sound = entry.key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && entry.key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !sound {
            let message =
                format!("{} sets an environment variable {}", self.by.words(), words::quoted(&entry.key));
            let label = "expected letters, digits and `_`, beginning with a letter or `_`";
            self.report(BAD_NAME.at(entry.key_span, label, message).help("rename it"));
            return None;
        }
        let name = Spanned::new(entry.key.as_ref().into(), entry.key_span);
        match entry.args.as_slice() {
            _ if entry.block.is_some() || !entry.fields.is_empty() => self.say_block(&entry.key, entry),
            // An empty variable is one that is set, unlike an empty text anywhere else.
            [Scalar { value: Value::String(text), span }] if text.is_empty() => {
                return Some((name, Spanned::new("".into(), *span)));
            }
            [one] => {
                let read = self.scalar(&format!("env.{}", entry.key), one, &Shape::Text)?;
                let Datum::Text(text) = read else { return None };
                return Some((name, Spanned::new(text, one.span)));
            }
            [] => self.say_no_value(&entry.key, None, entry),
            [_, second, ..] => {
                let message = format!("{} has {} values", self.field_of(&entry.key), entry.args.len());
                let finding = WRONG_TYPE.at(second.span, "expected one value", message);
                self.report(finding.help("keep one of them"));
            }
        }
        None
    }
}
