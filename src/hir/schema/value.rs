//! The schema of one value, by the type of its field.

use super::{Object, object};
use crate::hir::lower::expected_form;
use crate::hir::quantity::{SIZE_UNITS, TIME_UNITS};
use crate::hir::shape::Shape;
use serde_json::Value;

/// A decimal number with an optional fraction.
const DECIMAL: &str = "[0-9]+(\\.[0-9]+)?";
/// A number, or a range of numbers.
const RANGE: &str = "\\s*[0-9]+\\s*(-\\s*[0-9]+\\s*)?";

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
        Shape::Ports => {
            let mut ports = quantity(shape, &format!("^{RANGE}$"));
            ports.extend(whole(1, 65535));
            ports.insert("type".to_owned(), vec!["integer", "string"].into());
            ports
        }
        Shape::Size => quantity(shape, &format!("^{DECIMAL}\\s*({})$", units(SIZE_UNITS))),
        Shape::ByteRate => quantity(shape, &format!("^{DECIMAL}\\s*({})/s$", units(SIZE_UNITS))),
        Shape::Duration => quantity(shape, &format!("^{DECIMAL}\\s*({})$", units(TIME_UNITS))),
        Shape::Share => {
            quantity(shape, &format!("^([0-9]+\\s*(percent|%)|{DECIMAL}\\s*({}))$", units(SIZE_UNITS)))
        }
        Shape::TokenRate => quantity(shape, &format!("^~?\\s*{DECIMAL}\\s*t/s$")),
        Shape::Factor => quantity(shape, &format!("^{DECIMAL}x$")),
        Shape::Date => quantity(shape, "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
        Shape::Cpus => quantity(shape, &format!("^{RANGE}(,{RANGE})*$")),
        Shape::Address => quantity(shape, "^[0-9A-Fa-f:.]+$"),
        Shape::Numa => {
            let node = "\\s*[0-9]+\\s*";
            quantity(
                shape,
                &format!("^((spread|interleave)( \\s*)?|interleave {node}(,{node})*|bind {node})$"),
            )
        }
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

/// The unit of a quantity. `None` if the type has no unit, or the field declares the unit of its number.
pub(super) fn unit(shape: &Shape) -> Option<&'static str> {
    match shape {
        Shape::Size => {
            Some("bytes, in TB, GB, MB, kB (powers of 1000) or TiB, GiB, MiB, KiB (powers of 1024)")
        }
        Shape::ByteRate => Some("bytes per second, such as GB/s or MB/s"),
        Shape::Share => Some("percent of the whole, or bytes"),
        Shape::Duration => Some("seconds, in s, min, h or d"),
        Shape::TokenRate => Some("tokens per second (t/s)"),
        Shape::Factor => Some("factor (x)"),
        Shape::Fraction => Some("fraction of 1"),
        Shape::Date => Some("date (year-month-day)"),
        Shape::Port | Shape::Ports => Some("TCP ports"),
        Shape::Cpus => Some("CPU numbers of the kernel"),
        Shape::Text
        | Shape::Path
        | Shape::File
        | Shape::Account
        | Shape::Address
        | Shape::Flag
        | Shape::Count(..)
        | Shape::Word(_)
        | Shape::Words(_)
        | Shape::Name(_)
        | Shape::Names(_)
        | Shape::Rule
        | Shape::Setting
        | Shape::Numa
        | Shape::Map
        | Shape::Defaults
        | Shape::Block(_) => None,
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

fn quantity(shape: &Shape, regex: &str) -> Object {
    pattern(regex, &expected_form(shape).unwrap_or_default())
}

/// A text that matches a pattern. `patternErrorMessage` makes editors show the expected form instead of the pattern.
fn pattern(regex: &str, expected: &str) -> Object {
    object([
        ("type", "string".into()),
        ("pattern", regex.into()),
        ("patternErrorMessage", format!("expected {expected}").into()),
    ])
}

fn units(table: &[(&str, u64)]) -> String {
    table.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("|")
}
