//! Reads booleans, whole numbers, ports and fractions.

use super::guess::{boolean, is_absence, is_none, number};
use super::quantity::ReadResult;
use super::scalar::{FieldRef, wrong_type};
use super::typed_value::TypedValue;
use crate::diag::{Change, Diagnostic, Line, Literal, words};
use crate::hir::codes::{OUT_OF_RANGE, WRONG_TYPE};
use crate::hir::{PortRange, Presence, Shape, role};
use crate::syntax::{Scalar, Value};
use std::net::{IpAddr, Ipv4Addr};

pub(super) fn flag(scalar: &Scalar, field: &FieldRef) -> ReadResult {
    if let Value::Bool(flag) = scalar.value {
        return Ok(TypedValue::Flag(flag));
    }
    let found = match &scalar.value {
        Value::String(text) => words::quoted(text),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => field.noun(scalar).to_owned(),
    };
    let message = format!("{} is {found}, not a boolean", field.describe());
    let finding = WRONG_TYPE.at(scalar.span, "expected `true` or `false`", message);
    Err(Box::new(write_flag(finding, scalar, field)))
}

/// The help that writes the boolean that the user means, or both.
pub(super) fn write_flag(finding: Diagnostic, scalar: &Scalar, field: &FieldRef) -> Diagnostic {
    let meant = match &scalar.value {
        Value::String(text) => boolean(text),
        Value::Integer(number) => boolean(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Float(_) => None,
    };
    let change = |flag: bool| field.change(scalar.span, flag);
    match meant {
        Some(flag) => finding.remedy("write `{}`", change(flag)),
        None => finding.remedy("write `{}`", change(true)).remedy("or write `{}`", change(false)),
    }
}

pub(super) fn count(scalar: &Scalar, field: &FieldRef, least: u64, most: u64) -> ReadResult {
    if let Value::Integer(number) = scalar.value
        && let Ok(number) = u64::try_from(number)
        && (least..=most).contains(&number)
    {
        return Ok(TypedValue::Count(number));
    }
    Err(Box::new(not_a_count(scalar, field, (least, most))))
}

/// The finding for a value that is not a whole number in a range. The help has the number in digits.
fn not_a_count(scalar: &Scalar, field: &FieldRef, (least, most): (u64, u64)) -> Diagnostic {
    let (raw, place) = (field.raw(scalar), scalar.span);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_integer = matches!(scalar.value, Value::Integer(_)) || is_digits(raw.trim_start_matches('-'));
    if is_integer {
        let shown = if raw.is_empty() { scalar.value.noun().to_owned() } else { raw };
        let label = format!("expected {least} to {most}, found {shown}");
        let message = format!("{} is {shown}; it must be {least} to {most}", field.describe());
        let finding = OUT_OF_RANGE.at(place, label, message);
        // Other programs use a negative number or 0 for the default.
        return match scalar.value {
            Value::Integer(..=0) => write_default(finding, scalar, field, (least, most)),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
                field.write_example(finding, place, &format!("a number from {least} to {most}"))
            }
        };
    }
    let Value::String(text) = &scalar.value else {
        let fits = number::whole(&raw).filter(|number| (least..=most).contains(number));
        let finding = match scalar.value {
            Value::Float(_) => {
                let message =
                    format!("{} is {}, not a whole number in digits", field.describe(), words::quoted(&raw));
                WRONG_TYPE.at(place, "expected a whole number in digits", message)
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::String(_) => {
                *wrong_type(scalar, field, "a whole number")
            }
        };
        return write_number(finding, fits, scalar, field, (least, most));
    };
    let fits = number::whole(text).filter(|number| (least..=most).contains(number));
    let finding = if is_digits(text) {
        *wrong_type(scalar, field, "a whole number")
    } else {
        let message = format!("{} is {}, not a whole number", field.describe(), words::quoted(text));
        WRONG_TYPE.at(place, "expected a whole number in digits", message)
    };
    write_number(finding, fits, scalar, field, (least, most))
}

fn write_number(
    finding: Diagnostic,
    number: Option<u64>,
    scalar: &Scalar,
    field: &FieldRef,
    (least, most): (u64, u64),
) -> Diagnostic {
    let means_none = match &scalar.value {
        Value::String(text) => is_none(text),
        Value::Bool(flag) => !flag,
        Value::Null | Value::Integer(_) | Value::Float(_) => false,
    };
    match number {
        None if means_none && least == 0 && field.row.is_some_and(|row| row.is_engine_setting) => {
            field.write(finding, scalar.span, 0_u64)
        }
        Some(number) if matches!(&scalar.value, Value::String(text) if *text == number.to_string()) => {
            finding.remedy("write `{}`, without quotes", field.change(scalar.span, number))
        }
        Some(number) => field.write(finding, scalar.span, number),
        None if matches!(&scalar.value, Value::String(text) if is_absence(text)) => {
            write_default(finding, scalar, field, (least, most))
        }
        None => field.write_example(finding, scalar.span, &format!("a number from {least} to {most}")),
    }
}

/// Adds the words that are possible instead of a number.
pub(super) fn or_words(finding: Diagnostic, words: &[&str]) -> Box<Diagnostic> {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let (noun, verb) = if quoted.len() == 1 { ("word", "is") } else { ("words", "are") };
    Box::new(finding.help(format!("the {noun} {} {verb} possible, too", words::all_of(&quoted))))
}

/// The help for a value that means the default: the removal of an optional field.
fn write_default(
    finding: Diagnostic,
    scalar: &Scalar,
    field: &FieldRef,
    (least, most): (u64, u64),
) -> Diagnostic {
    let number = format!("a number from {least} to {most}");
    let is_count = field.row.is_some_and(|row| matches!(row.shape, Shape::Count(..) | Shape::CountOr(..)));
    if !is_count || !(field.is_optional() || is_optional_block(field)) {
        return field.write_example(finding, scalar.span, &number);
    }
    let change = Change::remove(scalar.span);
    finding.remedy("remove `{}` for the default", change).help(format!("or write {number}"))
}

/// True for the principal field of an optional block of a role, such as `context`: removing it removes the block.
fn is_optional_block(field: &FieldRef) -> bool {
    let block = role::TABLE.field(field.path).filter(|block| block.presence == Presence::Optional);
    block.zip(field.row).is_some_and(
        |(block, own)| matches!(&block.shape, Shape::Block(table) if table.principal == Some(own.name)),
    )
}

/// Reads a port. The help for a mapping or an address has its port.
pub(super) fn port(scalar: &Scalar, field: &FieldRef) -> ReadResult {
    let read = count(scalar, field, 1, 65535);
    let (Value::String(text), Err(finding)) = (&scalar.value, &read) else { return read };
    if let Some(range) = PortRange::parse(text).filter(|range| range.len() > 1 && field.path == "port") {
        let line = Line::of("ports", range.to_string());
        let finding = Diagnostic { proposed_fixes: Vec::new(), ..*finding.clone() };
        return Err(Box::new(finding.remedy("write `{}`", Change::Rewrite { place: scalar.span, line })));
    }
    let Some((port, address)) = number::port(text).filter(|_| text.contains([':', '/'])) else { return read };
    let mut finding = Diagnostic { proposed_fixes: Vec::new(), help: Vec::new(), ..*finding.clone() };
    finding = finding.remedy(
        "write `{}`: a port alone, without a mapping or an address",
        field.change(scalar.span, u64::from(port)),
    );
    // A role listens on this address by default.
    let listen = address.filter(|address| *address != IpAddr::V4(Ipv4Addr::LOCALHOST));
    if let (Some(address), "port", "role" | "service") = (listen, field.path, field.owner.kind) {
        let line = Line::of("listen", address.to_string());
        finding = finding.remedy(
            "also write `{}`, unless the default address is enough",
            Change::Rewrite { place: scalar.span, line },
        );
    }
    Err(Box::new(finding))
}

pub(super) fn fraction(scalar: &Scalar, field: &FieldRef) -> ReadResult {
    let number = match scalar.value {
        Value::Float(number) => Some(number),
        Value::Integer(0) => Some(0.0),
        Value::Integer(1) => Some(1.0),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Integer(_) => None,
    };
    if let Some(number) = number.filter(|number| (0.0..=1.0).contains(number)) {
        return Ok(TypedValue::Fraction(number));
    }
    let found = match &scalar.value {
        Value::String(text) => text.to_string(),
        Value::Null | Value::Bool(_) => return Err(wrong_type(scalar, field, "a number from 0 to 1")),
        Value::Integer(_) | Value::Float(_) => field.raw(scalar),
    };
    let is_text = matches!(scalar.value, Value::String(_));
    let code = if is_text { &WRONG_TYPE } else { &OUT_OF_RANGE };
    let message =
        format!("{} is {}; it must be a number from 0 to 1", field.describe(), words::quoted(&found));
    let finding = code.at(scalar.span, "expected a number from 0 to 1", message);
    Err(Box::new(match meant_fraction(&found) {
        Some(meant) => field.write(finding, scalar.span, Literal::Number(meant)),
        None => field.write_example(finding, scalar.span, "a number from 0 to 1"),
    }))
}

/// Reads a scale. The engine refuses a number that is smaller than its 32-bit numbers.
pub(super) fn scale(scalar: &Scalar, field: &FieldRef) -> ReadResult {
    const EXPECTED: &str = "a number from -100 to 100";
    let number = match scalar.value {
        Value::Float(number) => number,
        Value::Integer(number) => f64::from(i32::try_from(number).unwrap_or(i32::MAX)),
        Value::Null | Value::Bool(_) | Value::String(_) => {
            let finding = *wrong_type(scalar, field, EXPECTED);
            let number = match &scalar.value {
                Value::String(text) => text.trim().parse::<f64>().ok().map(|_| text.trim().to_owned()),
                Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => None,
            };
            return Err(Box::new(match number {
                Some(number) => field.write(finding, scalar.span, Literal::Number(number)),
                None => field.write_example(finding, scalar.span, EXPECTED),
            }));
        }
    };
    if number == 0.0 || (1e-6..=100.0).contains(&number.abs()) {
        return Ok(TypedValue::Fraction(number));
    }
    let found = words::quoted(&field.raw(scalar));
    let message = format!("{} is {found}; it must be {EXPECTED}", field.describe());
    let finding = OUT_OF_RANGE.at(scalar.span, format!("expected {EXPECTED}"), message);
    Err(Box::new(field.write_example(finding, scalar.span, EXPECTED)))
}

/// The fraction that a text may mean: `0.75` for `75%`, `75` and `0,75`.
fn meant_fraction(text: &str) -> Option<String> {
    let number = text.trim().trim_end_matches('%').trim_end_matches("percent");
    let number: f64 = number::decimals(number).last()?.parse().ok()?;
    let fraction = if number >= 10.0 || text.contains('%') { number / 100.0 } else { number };
    (0.0..=1.0).contains(&fraction).then(|| {
        let digits = format!("{fraction:.4}");
        digits.trim_end_matches('0').trim_end_matches('.').to_owned()
    })
}
