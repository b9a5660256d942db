//! Values of blocks that users write without the names of their fields: `slots 4 "shared"`, `draft "self"`.

use super::fields::{FieldReader, NodeInput};
use super::habits::literal_of;
use super::record::Record;
use crate::diag::{Change, Line, Literal, words};
use crate::hir::codes::WRONG_TYPE;
use crate::hir::{Field, LookupKind};
use crate::syntax::{Node, Scalar, Value};

/// The meaning of the values of a block.
enum Meaning {
    /// This block.
    Block(Line),
    /// No block.
    Nothing,
}

impl FieldReader<'_> {
    /// Reports a block of a role whose values have no names, or the names of other fields. True if it is one.
    pub(super) fn report_block_values(
        &mut self,
        record: &mut Record,
        field: &Field,
        input: NodeInput,
    ) -> bool {
        let Some((why, meaning)) = self.meaning_of(field.name, input) else { return false };
        let place = input.args.first().map_or(input.node.key_span, |first| first.span);
        let place = input.args.last().map_or(place, |last| place.to(last.span));
        let message = format!("{}: {why}", self.field_of(field.name));
        let finding = WRONG_TYPE.at(place, "another form is needed", message);
        record.mark_reported(field.name);
        self.report(match meaning {
            Meaning::Block(line) => finding.remedy("write `{}`", Change::rewrite(input.node.key_span, line)),
            Meaning::Nothing => finding.remedy("remove `{}`", Change::remove(input.node.key_span)),
        });
        true
    }

    fn meaning_of(&self, field: &str, input: NodeInput) -> Option<(String, Meaning)> {
        let is_number = matches!(input.args, [Scalar { value: Value::Integer(_), .. }]);
        if is_number || !["slots", "context", "draft", "lookup"].contains(&field) {
            return None;
        }
        let values = self.values(input);
        let texts: Vec<&str> = values.iter().map(String::as_str).collect();
        Some(match (field, texts.as_slice()) {
            ("slots", [count, "shared"]) if count.parse::<u32>().is_ok() => {
                let line = Line::of("slots", Literal::Number((*count).to_owned())).principal("n");
                ("`shared` is a field".to_owned(), Meaning::Block(line.with(Line::of("shared", true))))
            }
            ("context", ["fit", least]) if least.parse::<u32>().is_ok() => {
                let line = Line::of("context", "fit").principal("tokens");
                let least = Line::of("least", Literal::Number((*least).to_owned()));
                ("the least context is the field `least`".to_owned(), Meaning::Block(line.with(least)))
            }
            ("draft", ["self" | "true"]) => {
                let line = Line::new("draft").with(Line::of("self", true));
                (
                    "drafting with the layers of the model itself is the field `self`".to_owned(),
                    Meaning::Block(line),
                )
            }
            ("draft", ["false" | "none" | "off" | "no" | "null"]) => {
                ("a role without a draft does not have it".to_owned(), Meaning::Nothing)
            }
            ("lookup", [kind]) if LookupKind::ALL.iter().any(|known| known.word() == *kind) => {
                let line = Line::new("lookup").with(Line::of("kind", *kind));
                (format!("{} is a kind", words::quoted(kind)), Meaning::Block(line))
            }
            _ => return None,
        })
    }

    /// The values of a block, divided at blanks. In `context: {fit: 8192}`, the name and the value.
    fn values(&self, NodeInput { node, args, .. }: NodeInput) -> Vec<String> {
        let literal = |scalar: &Scalar| match &scalar.value {
            Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {
                literal_of(scalar, self.text).map(Literal::into_text).into_iter().collect::<Vec<_>>()
            }
        };
        match (args, node.fields.as_slice()) {
            ([], [Node { key, args, fields, .. }]) if fields.is_empty() && key == "fit" => {
                std::iter::once(key.to_string()).chain(args.iter().flat_map(literal)).collect()
            }
            (args, []) => args.iter().flat_map(literal).collect(),
            _ => Vec::new(),
        }
    }
}
