//! Reads one value as the shape of its field requires.

use super::corrected_form::{corrected_form, needs_unit};
use super::names::ItemRef;
use super::quantity_form::QuantityForm;
use super::typed_value::{FromTypedValue, TypedValue};
use crate::diag::{Diagnostic, Diagnostics, suggest, words};
use crate::hir::codes::{BAD_QUANTITY, OUT_OF_RANGE, UNKNOWN_WORD, WRONG_TYPE};
use crate::hir::{Bytes, Field, PortRange, Seconds, Setting, Shape};
use crate::source::Spanned;
use crate::syntax::{Scalar, Value};

/// A field as findings name it.
pub(super) struct FieldRef<'a> {
    pub(super) owner: &'a ItemRef<'a>,
    pub(super) path: &'a str,
}

impl FieldRef<'_> {
    /// For example `` `port` of role `frontdoor` ``.
    fn describe(&self) -> String {
        format!("{} of {}", words::quoted(self.path), self.owner.describe())
    }
}

/// Reads a value, and reports one that does not match the shape.
pub(super) fn read(
    scalar: &Scalar,
    shape: &Shape,
    field: &FieldRef,
    findings: &mut Diagnostics,
) -> Option<TypedValue> {
    match read_shape(scalar, shape, field) {
        Ok(value) => Some(value),
        Err(finding) => {
            field.owner.report(*finding, findings);
            None
        }
    }
}

/// The default of a field, if it is constant.
pub(super) fn default_value(row: &Field, owner: &ItemRef) -> Option<Spanned<TypedValue>> {
    let text = row.hints.default?;
    let value = match (text.parse(), text.parse()) {
        (Ok(number), _) => Value::Integer(number),
        (_, Ok(flag)) => Value::Bool(flag),
        _ => Value::String(text.into()),
    };
    let scalar = Scalar { value, span: owner.place };
    let read = read_shape(&scalar, &row.shape, &FieldRef { owner, path: row.name }).ok()?;
    Some(Spanned::new(read, owner.place))
}

type ReadResult = Result<TypedValue, Box<Diagnostic>>;

fn read_shape(scalar: &Scalar, shape: &Shape, field: &FieldRef) -> ReadResult {
    match shape {
        Shape::Flag => flag(scalar, field),
        Shape::Count(least, most) => count(scalar, field, *least, *most),
        Shape::Port => count(scalar, field, 1, 65535),
        Shape::Fraction => fraction(scalar, field),
        Shape::Path => text(scalar, field).and_then(|text| path(scalar, text, field)),
        Shape::File => text(scalar, field).and_then(|text| file(scalar, text, field)),
        Shape::Account => text(scalar, field).and_then(|text| account(scalar, text, field)),
        Shape::Word(choices) | Shape::Words(choices) => word(scalar, field, choices),
        Shape::Setting => setting(scalar, field),
        Shape::Text | Shape::Name(_) | Shape::Names(_) | Shape::Rule => {
            text(scalar, field).map(|text| TypedValue::Text(text.into()))
        }
        Shape::Map | Shape::Block(_) | Shape::Defaults => Err(wrong_type(scalar, field, "a block of fields")),
        Shape::Ports if matches!(scalar.value, Value::Integer(_)) => {
            let port = u16::from_value(count(scalar, field, 1, 65535)?).map(PortRange::single);
            port.map(TypedValue::Ports).ok_or_else(|| wrong_type(scalar, field, "ports"))
        }
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
        | Shape::Address => match QuantityForm::of(shape) {
            Some(form) => quantity(scalar, field, form),
            None => Err(wrong_type(scalar, field, "a quantity")),
        },
    }
}

fn wrong_type(scalar: &Scalar, field: &FieldRef, expected: &str) -> Box<Diagnostic> {
    let found = scalar.value.noun();
    let mut finding = WRONG_TYPE.at(
        scalar.span,
        format!("expected {expected}, found {found}"),
        format!("{} is {found}, not {expected}", field.describe()),
    );
    if let Value::String(text) = &scalar.value
        && expected.starts_with("a whole number")
        && text.parse::<u64>().is_ok()
    {
        finding = finding.help(format!("write it without quotes: `{text}`"));
    }
    if let (Value::Integer(_) | Value::Float(_) | Value::Bool(_), "a string") = (&scalar.value, expected) {
        finding = finding.help("write it in quotes");
    }
    Box::new(finding)
}

fn flag(scalar: &Scalar, field: &FieldRef) -> ReadResult {
    match scalar.value {
        Value::Bool(flag) => Ok(TypedValue::Flag(flag)),
        Value::Null | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
            let finding = *wrong_type(scalar, field, "a boolean");
            Err(Box::new(finding.help("write `true` or `false` (in KDL `#true` or `#false`)")))
        }
    }
}

fn count(scalar: &Scalar, field: &FieldRef, least: u64, most: u64) -> ReadResult {
    let Value::Integer(number) = scalar.value else {
        let finding = *wrong_type(scalar, field, "a whole number");
        return Err(Box::new(finding.maybe_help(digits_help(&scalar.value, least, most))));
    };
    let fits = u64::try_from(number).ok().filter(|n| (least..=most).contains(n));
    fits.map(TypedValue::Count).ok_or_else(|| {
        Box::new(OUT_OF_RANGE.at(
            scalar.span,
            format!("expected {least} to {most}, found {number}"),
            format!("{} is {number}; it must be {least} to {most}", field.describe()),
        ))
    })
}

/// A help with a number in digits: `16384` for `16k`. `None` if the text is not a number with more text after it.
fn digits_help(value: &Value, least: u64, most: u64) -> Option<String> {
    let Value::String(text) = value else { return None };
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit_at)?;
    let scale = if unit.eq_ignore_ascii_case("k") { 1024 } else { 1 };
    let number = number.parse::<u64>().ok()?.checked_mul(scale)?;
    (least..=most).contains(&number).then(|| format!("write digits only, such as `{number}`"))
}

fn fraction(scalar: &Scalar, field: &FieldRef) -> ReadResult {
    let (number, found) = match scalar.value {
        Value::Float(number) => (number, number.to_string()),
        Value::Integer(0) => (0.0, String::new()),
        Value::Integer(1) => (1.0, String::new()),
        Value::Integer(number) => (f64::NAN, number.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) => {
            return Err(wrong_type(scalar, field, "a number from 0 to 1"));
        }
    };
    if (0.0..=1.0).contains(&number) {
        return Ok(TypedValue::Fraction(number));
    }
    let message = format!("{} is {found}; it must be 0 to 1", field.describe());
    Err(Box::new(OUT_OF_RANGE.at(scalar.span, format!("expected 0 to 1, found {found}"), message)))
}

/// Reads a quantity. A size or duration of zero is out of range.
fn quantity(scalar: &Scalar, field: &FieldRef, form: &QuantityForm) -> ReadResult {
    let is_valid = |text: &str| (form.parse)(text).is_some();
    let (written, is_number) = match &scalar.value {
        Value::String(text) => match (form.parse)(text) {
            Some(TypedValue::Size(Bytes(0)) | TypedValue::Duration(Seconds(0))) => {
                let message = format!("{} is zero", field.describe());
                let finding = OUT_OF_RANGE.at(scalar.span, "expected more than 0", message);
                return Err(Box::new(finding.help("write a value above 0")));
            }
            Some(value) => return Ok(value),
            None => (Some(text.to_string()), false),
        },
        Value::Integer(number) => (Some(number.to_string()), true),
        Value::Float(number) => (Some(number.to_string()), true),
        Value::Null | Value::Bool(_) => (None, false),
    };
    let found = written.as_deref().map_or_else(|| scalar.value.noun().to_owned(), words::quoted);
    let help = written.and_then(|text| corrected_form(&text, is_valid));
    let fault = if is_number && needs_unit(is_valid) {
        "a number without a unit".to_owned()
    } else {
        format!("which is not {}", form.what)
    };
    let message = format!("{} is {found}, {fault}", field.describe());
    let label = format!("expected {}", form.expected());
    Err(Box::new(BAD_QUANTITY.at(scalar.span, label, message).maybe_help(help)))
}

fn text<'s>(scalar: &'s Scalar, field: &FieldRef) -> Result<&'s str, Box<Diagnostic>> {
    let Value::String(text) = &scalar.value else {
        return Err(wrong_type(scalar, field, "a string"));
    };
    let (fault, label) = match () {
        () if text.trim().is_empty() => ("is empty", "expected a string that is not empty"),
        () if text.contains('\0') => (
            "contains a NUL byte, which process arguments cannot contain",
            "expected a string without NUL bytes",
        ),
        () if text.contains(is_noncharacter) => (
            "contains a Unicode noncharacter, so systemd would reject the whole line",
            "expected a string without noncharacters",
        ),
        () => return Ok(text),
    };
    let message = format!("{} {fault}", field.describe());
    Err(Box::new(OUT_OF_RANGE.at(scalar.span, label, message)))
}

/// True for the 66 Unicode noncharacters, which systemd rejects (`unichar_is_valid` of systemd 252,
/// `src/basic/utf8.c`).
fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

/// Reads a path without `.`, `..` and empty parts, so that the unit may read exactly the path that is written.
fn file(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    let part = text
        .split('/')
        .skip(usize::from(text.starts_with('/')))
        .find(|part| matches!(*part, "" | "." | ".."));
    match part {
        None => Ok(TypedValue::Text(text.into())),
        Some(part) => {
            let what = if part.is_empty() { "an empty part".to_owned() } else { format!("`{part}`") };
            let message = format!("{} is {}, a path with {what}", field.describe(), words::quoted(text));
            let label = "expected a path without `.`, `..` and empty parts";
            let finding = OUT_OF_RANGE.at(scalar.span, label, message);
            Err(Box::new(finding.help("write the path without `.`, `..`, `//` or a trailing `/`")))
        }
    }
}

/// Reads an account name that systemd accepts for `User=` (`valid_user_group_name`, strict, of systemd 252).
fn account(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_well
        && text.len() <= 31
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    {
        return Ok(TypedValue::Text(text.into()));
    }
    let message =
        format!("{} is {}, which is not a valid account name", field.describe(), words::quoted(text));
    let label = "expected up to 31 letters, digits, `_` and `-`, beginning with a letter or `_`";
    let help = "write the name of an account, such as `llm`";
    Err(Box::new(OUT_OF_RANGE.at(scalar.span, label, message).help(help)))
}

fn path(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    if text.starts_with('/') {
        return file(scalar, text.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(text), field);
    }
    let message = format!("{} is {}, which is not an absolute path", field.describe(), words::quoted(text));
    let finding = OUT_OF_RANGE.at(scalar.span, "expected a path that begins with `/`", message);
    Err(Box::new(finding.help(full_path_help(text))))
}

/// A help with an absolute path that ends like the relative one, if there is a useful one.
fn full_path_help(text: &str) -> String {
    let rest = text.trim_start_matches("./");
    match (rest.strip_prefix("~/"), rest.starts_with(['~', '$', '.'])) {
        (Some(rest), _) => {
            format!(
                "write the full path, such as `/home/NAME/{}`: `~` is not expanded",
                words::printable(rest)
            )
        }
        (None, true) => "write the full path, such as `/srv/models`".to_owned(),
        (None, false) => format!("write the full path, such as `/srv/{}`", words::printable(rest)),
    }
}

fn word(scalar: &Scalar, field: &FieldRef, choices: &'static [&'static str]) -> ReadResult {
    if let Value::String(found) = &scalar.value
        && let Some(word) = choices.iter().find(|word| *word == found)
    {
        return Ok(TypedValue::Word(word));
    }
    let all: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
    let Value::String(found) = &scalar.value else {
        let finding = *wrong_type(scalar, field, "a word");
        return Err(Box::new(finding.help(format!("write {}", words::any_of(&all)))));
    };
    let suggestion = suggest(found, choices.iter().copied());
    let near = suggestion.map(|suggestion| suggestion.name);
    let label = format!("expected {}", words::any_of(&all));
    let message = format!("{} cannot be {}", field.describe(), words::quoted(found));
    let help = match near {
        Some(near) => format!("write `{near}`; the values are {}", words::all_of(&all)),
        None => format!("write {}", words::any_of(&all)),
    };
    Err(Box::new(UNKNOWN_WORD.at_unknown(scalar.span, (suggestion, &label), message).help(help)))
}

fn setting(scalar: &Scalar, field: &FieldRef) -> ReadResult {
    let value = match &scalar.value {
        Value::Bool(flag) => Setting::Flag(*flag),
        Value::Integer(number) => {
            let message = format!("{} is {number}, which does not fit in 64 bits", field.describe());
            let too_large = || Box::new(OUT_OF_RANGE.at(scalar.span, "too large", message));
            i64::try_from(*number).map(Setting::Integer).map_err(|_| too_large())?
        }
        Value::Float(number) if number.is_finite() => Setting::Float(*number),
        Value::String(_) => Setting::Text(text(scalar, field)?.into()),
        Value::Float(_) | Value::Null => {
            return Err(wrong_type(scalar, field, "a number, a boolean or a string"));
        }
    };
    Ok(TypedValue::Setting(value))
}
