//! The schema of one value, by the type of its field.

use super::with;
use crate::hir::lower::QuantityForm;
use crate::hir::shape::Shape;
use serde_json::{Value, json};

/// The schema of one value of a type.
pub(super) fn of(shape: &Shape) -> Value {
    match shape {
        // The language resolves names; the schema cannot.
        Shape::Text
        | Shape::File
        | Shape::Rule
        | Shape::CpuSet
        | Shape::DateOrBuild
        | Shape::Name(_)
        | Shape::Names(_) => text(),
        Shape::Path => pattern("^/", "an absolute path, such as `/srv/models`"),
        Shape::Account => {
            let account = pattern("^[A-Za-z_][A-Za-z0-9_-]*$", "the name of a system account, such as `llm`");
            with(account, json!({"maxLength": 31}))
        }
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Count(least, most) => whole(*least, *most),
        Shape::Port => whole(1, 65535),
        Shape::Fraction => json!({"type": "number", "minimum": 0, "maximum": 1}),
        Shape::Size
        | Shape::ByteRate
        | Shape::Share
        | Shape::Duration
        | Shape::TokenRate
        | Shape::Factor
        | Shape::Date
        | Shape::Ports
        | Shape::Cpus
        | Shape::Numa
        | Shape::Address => quantity(shape),
        Shape::Word(words) | Shape::Words(words) => json!({"type": "string", "enum": words}),
        Shape::Setting => with(text(), json!({"type": ["boolean", "number", "string"]})),
        Shape::Map => json!({
            "type": "object",
            "propertyNames": pattern("^[A-Za-z_][A-Za-z0-9_]*$", "the name of an environment variable"),
            "additionalProperties": {"type": ["string", "null"]},
            "minProperties": 1,
        }),
        // The caller handles these types.
        Shape::Defaults | Shape::Block(_) => json!({}),
    }
}

/// The unit of a type. `None` if it has no unit, or the field declares the unit of its number.
pub(super) fn unit(shape: &Shape) -> Option<&'static str> {
    match QuantityForm::of(shape) {
        Some(form) => form.unit,
        None if *shape == Shape::Port => Some("TCP ports"),
        None => (*shape == Shape::Fraction).then_some("fraction of 1"),
    }
}

/// A text that is not blank.
pub(super) fn text() -> Value {
    pattern("[^ \\t\\r\\n]", "a string that is not empty")
}

/// The name of an item.
pub(super) fn word() -> Value {
    let expected = "letters, digits, `.`, `_` and `-`, starting with a letter or a digit";
    with(pattern("^[A-Za-z0-9][A-Za-z0-9._-]*$", expected), json!({"maxLength": 128}))
}

fn whole(least: u64, most: u64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

/// A text in the form of a quantity. A port range may be a number.
fn quantity(shape: &Shape) -> Value {
    let Some(form) = QuantityForm::of(shape) else { return text() };
    let quantity = pattern(&form.regex(), &form.expected());
    if *shape != Shape::Ports {
        return quantity;
    }
    with(with(quantity, whole(1, 65535)), json!({"type": ["integer", "string"]}))
}

/// A text that matches a pattern. `patternErrorMessage` makes editors show the expected form instead of the pattern.
fn pattern(regex: &str, expected: &str) -> Value {
    json!({"type": "string", "pattern": regex, "patternErrorMessage": format!("expected {expected}")})
}
