//! Reads one value as the shape of its field requires.

use super::api_name;
use super::count::{count, flag, fraction, or_words, port, scale};
use super::guess::path::{self, PathFault, PathKind, Remedy};
use super::guess::word::other_name;
use super::guess::{boolean, date, number};
use super::names::ItemRef;
use super::quantity::{ReadResult, quantity, write_cpus};
use super::quantity_form::QuantityForm;
use super::typed_value::{FromTypedValue, TypedValue};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, Literal, Safety, suggest, words};
use crate::hir::codes::{LATER_SHARD, OUT_OF_RANGE, UNKNOWN_WORD, WRONG_TYPE};
use crate::hir::schema::example_text;
use crate::hir::{Field, PortRange, Presence, Setting, Shape, first_shard, role};
use crate::source::{Span, Spanned};
use crate::syntax::{Scalar, Value};

/// A field as findings name it.
#[derive(Clone, Copy)]
pub(super) struct FieldRef<'a> {
    pub(super) owner: &'a ItemRef<'a>,
    pub(super) path: &'a str,
    /// The row of the field. `None` for an environment variable.
    pub(super) row: Option<&'static Field>,
    pub(super) form: ValueForm,
    /// The text of the file.
    pub(super) text: &'a str,
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueForm {
    /// After the name of its field.
    Keyed,
    /// One of several values of its field, or without the name of a field.
    Alone,
}

impl FieldRef<'_> {
    /// For example `` `port` of role `frontdoor` ``.
    pub(super) fn describe(&self) -> String {
        format!("{} of {}", words::quoted(self.path), self.owner.describe())
    }

    /// A value as its file writes it.
    pub(super) fn raw(&self, scalar: &Scalar) -> String {
        self.text.get(scalar.span.range()).unwrap_or_default().to_owned()
    }

    /// The type of a value, with the spelling of a number.
    pub(super) fn noun(&self, scalar: &Scalar) -> &'static str {
        let raw = self.raw(scalar);
        match scalar.value {
            Value::Float(_) if raw.contains(['e', 'E']) => "a number with an exponent",
            Value::Float(_) if raw.contains('.') => "a number with a point",
            Value::Float(_) => "a very large number",
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::String(_) => scalar.value.noun(),
        }
    }

    /// The change that writes another value for the field.
    pub(super) fn change(&self, place: Span, value: impl Into<Literal>) -> Change {
        match self.row.filter(|_| self.form == ValueForm::Keyed) {
            Some(row) => Change::Rewrite { place, line: Line::of(row.name, value) },
            None => Change::Value { span: place, to: value.into() },
        }
    }

    /// The help that writes another value for the field.
    pub(super) fn write(&self, finding: Diagnostic, place: Span, value: impl Into<Literal>) -> Diagnostic {
        finding.remedy("write `{}`", self.change(place, value))
    }

    /// True if the whole field can be removed.
    pub(super) fn is_optional(&self) -> bool {
        let may_be_absent = |row: &Field| row.presence != Presence::Required && !row.doc.contains("Required");
        self.row.is_some_and(may_be_absent) && self.form == ValueForm::Keyed
    }

    /// The name of the field.
    pub(super) fn name(&self) -> &str {
        self.row.map_or(self.path, |row| row.name)
    }

    /// An example of a value. The example of a port is not in the text.
    pub(super) fn example(&self) -> Option<Literal> {
        let row = self.row?;
        if row.shape == Shape::Port {
            return Some(Literal::Number(unused_port(self.text).to_string()));
        }
        let is_number =
            matches!(row.shape, Shape::Count(..) | Shape::CountOr(..) | Shape::Fraction | Shape::Scale);
        // The example of a number or a word can be the word: then that of the whole field is the number.
        let rows = [Some(row), role::TABLE.field(self.path)];
        let is_usable = |text: &String| !text.is_empty() && (!is_number || text.parse::<f64>().is_ok());
        let example = rows.into_iter().flatten().map(example_text).find(is_usable);
        example.map(if is_number { Literal::Number } else { Literal::Text })
    }

    /// The help with an example of the field.
    pub(super) fn write_example(&self, finding: Diagnostic, place: Span, expected: &str) -> Diagnostic {
        let Some(example) = self.example() else {
            return finding.help(format!("write {expected}"));
        };
        finding.remedy(format!("write {expected}, such as `{{}}`"), self.change(place, example))
    }
}

/// A port from 8080 that the text has neither alone nor in a range.
pub(super) fn unused_port(text: &str) -> u16 {
    let numbers = || text.split(|c: char| !c.is_ascii_digit() && c != '-');
    let is_used = |port: u16| {
        numbers().any(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let end = |text: &str| text.parse::<u16>().ok();
            end(first).zip(end(last)).is_some_and(|(first, last)| (first..=last).contains(&port))
        })
    };
    (8080..8180).find(|port| !is_used(*port)).unwrap_or(8180)
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

/// The finding for a value that does not match the shape.
pub(super) fn check(scalar: &Scalar, shape: &Shape, field: &FieldRef) -> Option<Diagnostic> {
    read_shape(scalar, shape, field).err().map(|finding| *finding)
}

/// True if a value matches the shape, and no other text would.
pub(super) fn matches(scalar: &Scalar, shape: &Shape, field: &FieldRef) -> bool {
    *shape != Shape::Text && read_shape(scalar, shape, field).is_ok()
}

/// The default of a field, if it is constant.
pub(super) fn default_value(row: &'static Field, owner: &ItemRef) -> Option<Spanned<TypedValue>> {
    let text = row.hints.default?;
    let value = match (text.parse(), text.parse()) {
        (Ok(number), _) => Value::Integer(number),
        (_, Ok(flag)) => Value::Bool(flag),
        _ => Value::String(text.into()),
    };
    let scalar = Scalar { value, span: owner.place };
    let field = FieldRef { owner, path: row.name, row: Some(row), form: ValueForm::Keyed, text: "" };
    let read = read_shape(&scalar, &row.shape, &field).ok()?;
    Some(Spanned::new(read, owner.place))
}

fn read_shape(scalar: &Scalar, shape: &Shape, field: &FieldRef) -> ReadResult {
    match shape {
        Shape::Flag => flag(scalar, field),
        Shape::Count(least, most) => count(scalar, field, *least, *most),
        Shape::CountOr(least, most, words) => count_or(scalar, field, (*least, *most), words),
        Shape::Port => port(scalar, field),
        Shape::Fraction => fraction(scalar, field),
        Shape::Scale => scale(scalar, field),
        Shape::Path => text(scalar, field).and_then(|text| absolute_path(scalar, text, field)),
        Shape::File => text(scalar, field).and_then(|text| file(scalar, text, field)),
        Shape::Account => text(scalar, field).and_then(|text| api_name::account(scalar, text, field)),
        Shape::ObjectName => text(scalar, field).and_then(|text| api_name::object(scalar, text, field)),
        Shape::Repository => text(scalar, field).and_then(|text| api_name::repository(scalar, text, field)),
        Shape::Sha256 => text(scalar, field).and_then(|text| api_name::sha256(scalar, text, field)),
        Shape::ApiName => text(scalar, field).and_then(|text| api_name::read(scalar, text, field)),
        Shape::Word(choices) | Shape::Words(choices) => word(scalar, field, choices),
        Shape::Setting => setting(scalar, field),
        Shape::CpuSet if matches!(scalar.value, Value::Integer(_)) => Err(cpu_number(scalar, field)),
        Shape::DateOrBuild => text(scalar, field).and_then(|text| date_or_build(scalar, text, field)),
        Shape::Text | Shape::Shares | Shape::CpuSet | Shape::Name(_) | Shape::Names(_) | Shape::Rule => {
            text(scalar, field).map(|text| TypedValue::Text(text.into()))
        }
        Shape::Map | Shape::Entries(_) | Shape::Block(_) | Shape::Defaults => {
            Err(wrong_type(scalar, field, "a block of fields"))
        }
        Shape::Ports if matches!(scalar.value, Value::Integer(_)) => {
            let port = u16::from_value(count(scalar, field, 1, 65535)?).map(PortRange::single);
            port.map(TypedValue::Ports).ok_or_else(|| wrong_type(scalar, field, "ports"))
        }
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
        | Shape::HostAddress => {
            let form = QuantityForm::of(shape).ok_or_else(|| wrong_type(scalar, field, "a quantity"))?;
            quantity(scalar, field, form)
        }
    }
}

pub(super) fn wrong_type(scalar: &Scalar, field: &FieldRef, expected: &str) -> Box<Diagnostic> {
    let found = field.noun(scalar);
    let finding = WRONG_TYPE.at(
        scalar.span,
        format!("expected {expected}, found {found}"),
        format!("{} is {found}, not {expected}", field.describe()),
    );
    let raw = field.raw(scalar);
    Box::new(match (&scalar.value, expected) {
        (Value::Integer(_) | Value::Float(_) | Value::Bool(_), "a string") => {
            field.write(finding, scalar.span, raw.trim_start_matches('#').to_owned())
        }
        _ => finding,
    })
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
    let finding = OUT_OF_RANGE.at(scalar.span, label, message);
    let kept: String = text.chars().filter(|c| *c != '\0' && !is_noncharacter(*c)).collect();
    Err(Box::new(match kept.trim() {
        "" => field.write_example(finding, scalar.span, "a text"),
        kept => field.write(finding, scalar.span, kept),
    }))
}

/// True for the 66 Unicode noncharacters, which systemd rejects (`unichar_is_valid` of systemd 252,
/// `src/basic/utf8.c`).
fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

/// Reads a path that means the same for systemd and the engine as for the user: without variables, `~`, `.`, `..` and
/// empty parts.
fn file(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    match (path::fault(text, PathKind::Any), first_shard(text)) {
        (Some(fault), _) => Err(path_finding(scalar, text, field, fault)),
        (None, Some(first)) => Err(Box::new(later_shard(scalar, first, field))),
        (None, None) => Ok(TypedValue::Text(text.into())),
    }
}

fn later_shard(scalar: &Scalar, first: String, field: &FieldRef) -> Diagnostic {
    let message = format!("{} is not the first shard of the model", field.describe());
    let change = field.change(scalar.span, first);
    LATER_SHARD.at(scalar.span, "a later shard", message).remedy_as(Safety::Safe, "write `{}`", change)
}

fn path_finding(scalar: &Scalar, text: &str, field: &FieldRef, found: PathFault) -> Box<Diagnostic> {
    let PathFault { fault, label, remedy } = found;
    let message = format!("{} is {}, {fault}", field.describe(), words::quoted(text));
    let finding = OUT_OF_RANGE.at(scalar.span, label, message);
    Box::new(match remedy {
        Remedy::Path(path, place) if place.is_empty() => field.write(finding, scalar.span, path),
        Remedy::Path(path, place) => {
            finding.remedy(format!("write `{{}}` {place}"), field.change(scalar.span, path))
        }
        Remedy::Text(text) => finding.help(text),
    })
}

/// The finding for a number instead of a list of CPUs.
fn cpu_number(scalar: &Scalar, field: &FieldRef) -> Box<Diagnostic> {
    let finding = *wrong_type(scalar, field, "a list of CPUs");
    let count = number::whole(&field.raw(scalar)).unwrap_or_default();
    Box::new(write_cpus(finding, count, scalar, field))
}

/// Reads a date or the name of a build. A text in the form of a date must be a date.
fn date_or_build(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    match (date::guess(text), QuantityForm::of(&Shape::Date)) {
        (Some(_), Some(form)) => quantity(scalar, field, form).map(|_| TypedValue::Text(text.into())),
        _ => Ok(TypedValue::Text(text.into())),
    }
}

fn absolute_path(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    let kept = text.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(text);
    match path::fault(kept, PathKind::Absolute) {
        Some(fault) => Err(path_finding(scalar, text, field, fault)),
        None if !text.starts_with('/') => Err(path_finding(scalar, text, field, path::relative(text))),
        None => Ok(TypedValue::Text(kept.into())),
    }
}

/// The maximum number of words of which each is a help.
const MAX_OFFERED: usize = 4;

fn word(scalar: &Scalar, field: &FieldRef, choices: &'static [&'static str]) -> ReadResult {
    if let Value::String(found) = &scalar.value
        && let Some(word) = choices.iter().find(|word| *word == found)
    {
        return Ok(TypedValue::Word(word));
    }
    let all: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
    let raw = field.raw(scalar);
    let meant = boolean(&raw).and_then(|flag| {
        let words = if flag { ["on", "default"] } else { ["off", "none"] };
        choices.iter().find(|choice| words.contains(choice))
    });
    let Value::String(found) = &scalar.value else {
        let finding = *wrong_type(scalar, field, "a word");
        return Err(Box::new(match meant {
            Some(word) => field.write(finding, scalar.span, *word),
            None => finding.help(format!("write {}", words::any_of(&all))),
        }));
    };
    let other = other_name(found, choices);
    let suggestion = suggest(found, choices.iter().copied()).filter(|_| other.is_none());
    let lower = found.to_ascii_lowercase();
    let mut longer = choices.iter().filter(|choice| choice.starts_with(&lower));
    let only = longer.next().filter(|_| longer.next().is_none());
    let near = suggestion.map(|suggestion| suggestion.name).or(meant.or(other).or(only).copied());
    let label = format!("expected {}", words::any_of(&all));
    let message = format!("{} cannot be {}", field.describe(), words::quoted(found));
    let finding = UNKNOWN_WORD.at_unknown(scalar.span, (suggestion, &label), message);
    Err(Box::new(match near {
        Some(near) => {
            let title = format!("write `{{}}`; the values are {}", words::all_of(&all));
            finding.remedy(title, field.change(scalar.span, near))
        }
        None if choices.len() > MAX_OFFERED => finding.help(format!("use one of {}", words::all_of(&all))),
        None => choices.iter().enumerate().fold(finding, |finding, (n, choice)| {
            let title = if n == 0 { "write `{}`" } else { "or write `{}`" };
            finding.remedy(title, field.change(scalar.span, *choice))
        }),
    }))
}

/// Reads a word, or else a number. A text that resembles a word is a misspelled word.
fn count_or(
    scalar: &Scalar,
    field: &FieldRef,
    (least, most): (u64, u64),
    words: &'static [&'static str],
) -> ReadResult {
    let is_word = |text: &str| words.contains(&text) || suggest(text, words.iter().copied()).is_some();
    match &scalar.value {
        Value::String(text) if is_word(text) => word(scalar, field, words),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
            count(scalar, field, least, most).map_err(|finding| or_words(*finding, words))
        }
    }
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
