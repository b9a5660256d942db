//! Reads quantities: sizes, rates, durations, dates, ranges and addresses.

use super::guess::quantity::{Guess, guess};
use super::guess::{is_absence, is_none, number};
use super::quantity_form::QuantityForm;
use super::scalar::FieldRef;
use super::typed_value::TypedValue;
use crate::diag::{Change, Diagnostic, Literal, words};
use crate::hir::codes::{BAD_QUANTITY, OUT_OF_RANGE};
use crate::hir::{Bytes, Seconds, Shape};
use crate::syntax::{Scalar, Value};

/// A value, or the finding about it.
pub(super) type ReadResult = Result<TypedValue, Box<Diagnostic>>;

/// Reads a quantity. A size or duration of zero is out of range for most fields.
pub(super) fn quantity(scalar: &Scalar, field: &FieldRef, form: &QuantityForm) -> ReadResult {
    if let Value::String(text) = &scalar.value {
        match (form.parse)(text) {
            Some(value) if is_wrong_zero(&value, form) => {
                let message = format!("{} is zero", field.describe());
                let finding = OUT_OF_RANGE.at(scalar.span, "expected more than 0", message);
                return Err(Box::new(write_or_remove(finding, scalar, field, form)));
            }
            Some(value) => return Ok(value),
            None => {}
        }
    }
    Err(Box::new(not_a_quantity(scalar, field, form)))
}

/// True for a size or a duration of zero that is out of range.
fn is_wrong_zero(value: &TypedValue, form: &QuantityForm) -> bool {
    let is_zero = matches!(value, TypedValue::Size(Bytes(0)) | TypedValue::Duration(Seconds(0)));
    is_zero && form.shape != Shape::SizeOrZero
}

fn not_a_quantity(scalar: &Scalar, field: &FieldRef, form: &QuantityForm) -> Diagnostic {
    let is_valid = |text: &str| (form.parse)(text).is_some_and(|value| !is_wrong_zero(&value, form));
    let (written, is_number) = match &scalar.value {
        Value::String(text) => (text.to_string(), false),
        Value::Integer(_) | Value::Float(_) => (field.raw(scalar), true),
        Value::Null | Value::Bool(_) => (String::new(), false),
    };
    let Guess { forms, fault } = guess(&written, &form.shape, is_valid);
    let found = if written.is_empty() { field.noun(scalar).to_owned() } else { words::quoted(&written) };
    let lacks_unit = !number::decimals(&written).is_empty() && is_unit_needed(&form.shape);
    let fault = match fault {
        Some(fault) => fault,
        None if lacks_unit => "a number without a unit".to_owned(),
        None if form.shape == Shape::Date && !forms.is_empty() => "not in the form year-month-day".to_owned(),
        None => format!("which is not {}", form.what),
    };
    let message = format!("{} is {found}, {fault}", field.describe());
    let finding = BAD_QUANTITY.at(scalar.span, format!("expected {}", form.expected()), message);
    if form.shape == Shape::Cpus
        && let Some(count) = number::whole(&written).filter(|count| is_number && is_count(*count, &written))
    {
        return write_cpus(finding, count, scalar, field);
    }
    let is_none = match &scalar.value {
        Value::String(text) => is_none(text),
        Value::Bool(flag) => !flag,
        Value::Integer(number) => *number == 0,
        Value::Null | Value::Float(_) => false,
    };
    if form.shape == Shape::SizeOrZero && is_none {
        return field.write(finding, scalar.span, "0 B");
    }
    let has_no_unit = written.trim().bytes().all(|byte| byte.is_ascii_digit());
    match forms.as_slice() {
        [one] if form.shape == Shape::SizeOrZero && has_no_unit => finding
            .remedy("write `{}`, the unit of the engine", field.change(scalar.span, one.as_str()))
            .help("or write the number with another unit: `kB`, `MB`, `GB`, `KiB` or `GiB`"),
        [] => write_or_remove(finding, scalar, field, form),
        [one] => field.write(finding, scalar.span, one.as_str()),
        [one, other, ..] => field
            .write(finding, scalar.span, one.as_str())
            .remedy(format!("or write `{{}}`{}", purpose(other)), field.change(scalar.span, other.as_str())),
    }
}

/// True for a number of CPUs. A number in another base is a mask.
fn is_count(count: u64, written: &str) -> bool {
    count <= 8192 && !written.starts_with("0x")
}

/// True if the quantity has a unit.
fn is_unit_needed(shape: &Shape) -> bool {
    matches!(
        shape,
        Shape::Size
            | Shape::SizeOrZero
            | Shape::ByteRate
            | Shape::Share
            | Shape::Duration
            | Shape::TokenRate
            | Shape::Factor
    )
}

/// The meaning of the second form, if its unit does not show it.
fn purpose(form: &str) -> &'static str {
    if form.ends_with(" min") { " for minutes" } else { "" }
}

/// The help for a number of CPUs: all CPUs from 0, or only the one with this number.
pub(super) fn write_cpus(finding: Diagnostic, count: u64, scalar: &Scalar, field: &FieldRef) -> Diagnostic {
    let one = field.change(scalar.span, count.to_string());
    match count.checked_sub(1).filter(|last| *last > 0) {
        Some(last) => finding
            .remedy(format!("for {count} CPUs, write `{{}}`"), field.change(scalar.span, format!("0-{last}")))
            .remedy(format!("for CPU {count} alone, write `{{}}`"), one),
        None => finding.remedy("write `{}`", one),
    }
}

/// The help for a value without a right form: an example, and the removal of an optional field.
fn write_or_remove(
    finding: Diagnostic,
    scalar: &Scalar,
    field: &FieldRef,
    form: &QuantityForm,
) -> Diagnostic {
    let is_absent = match &scalar.value {
        // Without the field, the engine has its own limit.
        Value::String(text) if form.shape == Shape::SizeOrZero => {
            ["auto", "default"].contains(&text.trim().to_ascii_lowercase().as_str())
        }
        Value::String(text) => is_absence(text) || finding.code.name == OUT_OF_RANGE.name,
        Value::Null | Value::Bool(_) => true,
        Value::Integer(number) => *number <= 0 && form.shape == Shape::Duration,
        Value::Float(_) => false,
    };
    if is_absent && field.is_optional() {
        let change = Change::Remove { place: scalar.span };
        return finding.remedy(format!("remove `{}`", field.name()), change);
    }
    if form.shape == Shape::Cpus {
        return finding
            .help("run `cat /sys/devices/system/cpu/online` on the host, and write the CPUs that it prints");
    }
    let example = field.example().unwrap_or_else(|| Literal::Text(form.example.to_owned()));
    finding.remedy(format!("write {}, such as `{{}}`", form.what), field.change(scalar.span, example))
}
