//! The schema of one value, by the type of its field.

use super::{Object, object};
use crate::hir::lower::QuantityForm;
use crate::hir::shape::Shape;
use serde_json::Value;

/// The schema of one value of a type.
pub(super) fn of(shape: &Shape) -> Object {
    match shape {
        // The language resolves names; the schema cannot.
        Shape::Text | Shape::File | Shape::Rule | Shape::Name(_) | Shape::Names(_) => text(),
        Shape::Path => pattern("^/", "an absolute path, such as `/srv/models`"),
        Shape::Account => {
            let mut account =
                pattern("^[A-Za-z_][A-Za-z0-9_-]*$", "the name of a system account, such as `llm`");
            account.insert("maxLength".to_owned(), 31.into());
            account
        }
        Shape::Flag => object([("type", "boolean".into())]),
        Shape::Count(least, most) => whole(*least, *most),
        Shape::Port => whole(1, 65535),
        Shape::Fraction => object([("type", "number".into()), ("minimum", 0.into()), ("maximum", 1.into())]),
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
        Shape::Word(words) | Shape::Words(words) => {
            object([("type", "string".into()), ("enum", words.to_vec().into())])
        }
        Shape::Setting => {
            let mut setting = text();
            setting.insert("type".to_owned(), vec!["boolean", "number", "string"].into());
            setting
        }
        Shape::Map => object([
            ("type", "object".into()),
            (
                "propertyNames",
                Value::Object(pattern("^[A-Za-z_][A-Za-z0-9_]*$", "the name of an environment variable")),
            ),
            ("additionalProperties", Value::Object(object([("type", vec!["string", "null"].into())]))),
            ("minProperties", 1.into()),
        ]),
        // The caller handles these types.
        Shape::Defaults | Shape::Block(_) => Object::new(),
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
pub(super) fn text() -> Object {
    pattern("[^ \\t\\r\\n]", "a string that is not empty")
}

/// The name of an item.
pub(super) fn word() -> Object {
    let mut word = pattern(
        "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        "letters, digits, `.`, `_` and `-`, starting with a letter or a digit",
    );
    word.insert("maxLength".to_owned(), 128.into());
    word
}

fn whole(least: u64, most: u64) -> Object {
    object([("type", "integer".into()), ("minimum", least.into()), ("maximum", most.into())])
}

/// A text in the form of a quantity. A port range may be a number.
fn quantity(shape: &Shape) -> Object {
    let Some(form) = QuantityForm::of(shape) else { return text() };
    let mut quantity = pattern(&form.regex(), &form.expected());
    if *shape == Shape::Ports {
        quantity.extend(whole(1, 65535));
        quantity.insert("type".to_owned(), vec!["integer", "string"].into());
    }
    quantity
}

/// A text that matches a pattern. `patternErrorMessage` makes editors show the expected form instead of the pattern.
fn pattern(regex: &str, expected: &str) -> Object {
    object([
        ("type", "string".into()),
        ("pattern", regex.into()),
        ("patternErrorMessage", format!("expected {expected}").into()),
    ])
}
