//! The schema of one value, by the type of its field.

use super::{shorthand, with};
use crate::diag::words;
use crate::hir::lower::QuantityForm;
use crate::hir::shape::{Bare, Field, Shape};
use serde_json::{Value, json};

/// The name of a system account.
const ACCOUNT: &str = "^[A-Za-z_][A-Za-z0-9_-]*$";

/// A name at Hugging Face: an organization and a repository.
const REPOSITORY: &str = "^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$";

/// A DNS subdomain.
const OBJECT_NAME: &str = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$";

/// Shares from 1 to 1000000 with optional blanks around them, as the reader takes them.
const SHARES: &str = "^ *(1000000|0*[1-9][0-9]{0,5}) *(: *(1000000|0*[1-9][0-9]{0,5}) *)*$";

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
        Shape::Repository => pattern(REPOSITORY, "the name of a repository, such as `org/name`"),
        Shape::Shares => pattern(SHARES, "shares of several GPUs such as 2:1"),
        Shape::Sha256 => pattern("^[0-9a-f]{64}$", "a SHA-256 as 64 hexadecimal digits"),
        Shape::ApiName => pattern("^[^\\s,]([^,]*[^\\s,])?$", "a name without commas, such as `gpt-4o`"),
        Shape::Path => pattern("^/", "an absolute path, such as `/srv/models`"),
        Shape::Account => limited(ACCOUNT, "the name of a system account, such as `llm`", 31),
        Shape::ObjectName => limited(OBJECT_NAME, "a DNS name, such as `models`", 253),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Count(least, most) => whole(*least, *most),
        Shape::CountOr(least, most, words) => {
            let word = pattern(&format!("^({})$", words.join("|")), &description(shape));
            with(with(word, whole(*least, *most)), json!({"type": ["integer", "string"]}))
        }
        Shape::Port => whole(1, 65535),
        Shape::Fraction => json!({"type": "number", "minimum": 0, "maximum": 1}),
        Shape::Scale => json!({"type": "number", "minimum": -100, "maximum": 100}),
        Shape::Size
        | Shape::SizeOrZero
        | Shape::ByteRate
        | Shape::Share
        | Shape::Duration
        | Shape::TokenRate
        | Shape::Factor
        | Shape::Date
        | Shape::Ports
        | Shape::Cpus
        | Shape::Numa
        | Shape::Address
        | Shape::HostAddress => quantity(shape),
        Shape::Word(words) | Shape::Words(words) => json!({"type": "string", "enum": words}),
        Shape::Setting => with(text(), json!({"type": ["boolean", "number", "string"]})),
        Shape::Map => json!({
            "type": "object",
            "propertyNames": pattern("^[A-Za-z_][A-Za-z0-9_]*$", "the name of an environment variable"),
            "additionalProperties": {"type": ["string", "null"]},
            "minProperties": 1,
        }),
        Shape::Entries(field) => {
            let scalar = json!({"type": ["boolean", "number", "string", "null"]});
            // The values of a list repeat an option. An override has one value.
            let member = json!({"type": ["boolean", "number", "string"]});
            let list = json!({"type": "array", "items": member, "minItems": 1});
            let value = if *field == "option" { json!({"anyOf": [scalar, list]}) } else { scalar };
            json!({"type": "object", "additionalProperties": value, "minProperties": 1})
        }
        // The caller handles these types.
        Shape::Defaults | Shape::Block(_) => json!({}),
    }
}

/// The unit of a field. `None` if it has no unit.
pub fn unit(field: &Field) -> Option<&'static str> {
    field.hints.unit.or_else(|| unit_of(&field.shape))
}

/// The unit of a type. `None` if it has no unit, or the field declares the unit of its number.
pub(super) fn unit_of(shape: &Shape) -> Option<&'static str> {
    match QuantityForm::of(shape) {
        Some(form) => form.unit,
        None => (*shape == Shape::Fraction).then_some("fraction of 1"),
    }
}

/// The type of a field for users, in the words that findings use.
pub fn description(shape: &Shape) -> String {
    let quoted = |words: &[&str]| words.iter().map(|word| words::quoted(word)).collect::<Vec<_>>();
    match shape {
        Shape::Text => "a string".to_owned(),
        Shape::Path => "an absolute path".to_owned(),
        Shape::File => "the path of a file: absolute, or relative to a store".to_owned(),
        Shape::Repository => "the name of a repository, `org/name`".to_owned(),
        Shape::Shares => "shares such as 2:1".to_owned(),
        Shape::Sha256 => "64 hexadecimal digits".to_owned(),
        Shape::ApiName => "a name without commas".to_owned(),
        Shape::Account => "the name of a system account".to_owned(),
        Shape::ObjectName => "a DNS name".to_owned(),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Count(..) | Shape::Port => "a whole number".to_owned(),
        Shape::CountOr(_, _, words) => {
            let mut all = vec!["a whole number".to_owned()];
            all.extend(quoted(words));
            words::any_of(&all)
        }
        Shape::Fraction => "a number".to_owned(),
        Shape::Scale => "a number from -100 to 100".to_owned(),
        Shape::Word(words) => words::any_of(&quoted(words)),
        Shape::Words(words) => format!("one or several of {}", words::all_of(&quoted(words))),
        Shape::CpuSet => "a list of CPUs, or the name of a cpuset of the host".to_owned(),
        Shape::Name(kind) => format!("the name of {}", words::one(kind)),
        Shape::Names(kind) => format!("one or several names of {kind}s"),
        Shape::Rule => "the name of a model or a family, or a glob of model titles".to_owned(),
        Shape::Setting => "a number, `true`, `false` or a string".to_owned(),
        Shape::Map => "names with strings".to_owned(),
        Shape::Entries(_) => "names with values".to_owned(),
        Shape::Defaults => "a block with fields of a role".to_owned(),
        Shape::Block(table) => match (shorthand(table), table.bare) {
            (Some(field), Bare::Allowed) => format!("a block, only `{}`, or nothing", field.name),
            (Some(field), Bare::Refused) if table.fields.len() == 1 => description(&field.shape),
            (Some(field), Bare::Refused) => format!("a block, or only `{}`", field.name),
            (None, _) => "a block".to_owned(),
        },
        Shape::DateOrBuild => "a date or a build".to_owned(),
        Shape::Size
        | Shape::SizeOrZero
        | Shape::ByteRate
        | Shape::Share
        | Shape::Duration
        | Shape::TokenRate
        | Shape::Factor
        | Shape::Date
        | Shape::Ports
        | Shape::Cpus
        | Shape::Numa
        | Shape::Address
        | Shape::HostAddress => QuantityForm::of(shape).map(QuantityForm::expected).unwrap_or_default(),
    }
}

/// The smallest and the largest value of a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Range {
    /// The smallest value.
    pub least: u64,
    /// The largest value.
    pub most: u64,
}

/// The range of a number. `None` for other types.
pub fn range(shape: &Shape) -> Option<Range> {
    if let Shape::Count(least, most) | Shape::CountOr(least, most, _) = *shape {
        Some(Range { least, most })
    } else if *shape == Shape::Port {
        Some(Range { least: 1, most: 65535 })
    } else {
        (*shape == Shape::Fraction).then_some(Range { least: 0, most: 1 })
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

/// A text that matches a pattern, with a maximum length.
fn limited(regex: &str, expected: &str, most: u32) -> Value {
    with(pattern(regex, expected), json!({"maxLength": most}))
}

/// A text that matches a pattern. `patternErrorMessage` makes editors show the expected form instead of the pattern.
fn pattern(regex: &str, expected: &str) -> Value {
    json!({"type": "string", "pattern": regex, "patternErrorMessage": format!("expected {expected}")})
}
