//! One value by the shape of its field.

use super::datum::{Datum, Holds};
use super::names::By;
use crate::diag::{Diagnostic, Diagnostics, near, words};
use crate::hir::codes::{BAD_QUANTITY, OUT_OF_RANGE, UNKNOWN_WORD, WRONG_TYPE};
use crate::hir::quantity::{SIZE_UNITS, TIME_UNITS, whole};
use crate::hir::{Bytes, CpuList, Date, Factor, Numa, PortRange, Rate, Seconds, Setting, Shape, Share};
use crate::syntax::{Scalar, Value};
use std::net::IpAddr;

/// A field as its readers see it.
pub(super) struct Asked<'a> {
    pub(super) by: &'a By<'a>,
    pub(super) field: &'a str,
}

impl Asked<'_> {
    /// `port` of role `frontdoor`
    fn words(&self) -> String {
        format!("{} of {}", words::quoted(self.field), self.by.words())
    }
}

/// Reads a value; what does not fit is said.
pub(super) fn read(
    scalar: &Scalar,
    shape: &Shape,
    asked: &Asked,
    findings: &mut Diagnostics,
) -> Option<Datum> {
    match fit(scalar, shape, asked) {
        Ok(datum) => Some(datum),
        Err(finding) => {
            asked.by.report(*finding, findings);
            None
        }
    }
}

type Fit = Result<Datum, Box<Diagnostic>>;

fn fit(scalar: &Scalar, shape: &Shape, asked: &Asked) -> Fit {
    match shape {
        Shape::Flag => flag(scalar, asked),
        Shape::Count(least, most) => count(scalar, asked, *least, *most),
        Shape::Port => count(scalar, asked, 1, 65535),
        Shape::Ports => ports(scalar, asked),
        Shape::Fraction => fraction(scalar, asked),
        Shape::Path => text(scalar, asked).and_then(|text| path(scalar, text, asked)),
        Shape::File => text(scalar, asked).and_then(|text| file(scalar, text, asked)),
        Shape::Account => text(scalar, asked).and_then(|text| account(scalar, text, asked)),
        Shape::Word(choices) | Shape::Words(choices) => word(scalar, asked, choices),
        Shape::Setting => setting(scalar, asked),
        Shape::Text | Shape::Name(_) | Shape::Names(_) | Shape::Rule => {
            text(scalar, asked).map(|text| Datum::Text(text.into()))
        }
        Shape::Map | Shape::Block(_) | Shape::Defaults => Err(wrong(scalar, asked, "a block of fields")),
        Shape::Size => {
            some(scalar, asked, quantity(scalar, asked, size, |text| Bytes::read(text).map(Datum::Size)))
        }
        Shape::ByteRate => {
            let read = |text: &str| text.strip_suffix("/s").and_then(Bytes::read).map(Datum::Size);
            some(scalar, asked, quantity(scalar, asked, byte_rate, read))
        }
        Shape::Share => quantity(scalar, asked, share, |text| Share::read(text).map(Datum::Share)),
        Shape::Duration => {
            let read = |text: &str| Seconds::read(text).map(Datum::Duration);
            some(scalar, asked, quantity(scalar, asked, duration, read))
        }
        Shape::TokenRate => quantity(scalar, asked, token_rate, |text| Rate::read(text).map(Datum::Rate)),
        Shape::Factor => quantity(scalar, asked, factor, |text| Factor::read(text).map(Datum::Factor)),
        Shape::Date => quantity(scalar, asked, date, |text| Date::read(text).map(Datum::Date)),
        Shape::Cpus => quantity(scalar, asked, cpus, |text| CpuList::read(text).map(Datum::Cpus)),
        Shape::Numa => quantity(scalar, asked, nodes, |text| numa(text).map(Datum::Numa)),
        Shape::Address => quantity(scalar, asked, address, |text| {
            text.parse::<IpAddr>().ok().map(|address| Datum::Text(address.to_canonical().to_string().into()))
        }),
    }
}

/// What a quantity is, and how it is written.
type Expected = (&'static str, String);

/// What a quantity is and how it is written: `a size in TB, GB .., as 17.5 GB`; none where the shape is no quantity.
pub(in crate::hir) fn form(shape: &Shape) -> Option<String> {
    let (what, form) = match shape {
        Shape::Size => size(),
        Shape::ByteRate => byte_rate(),
        Shape::Share => share(),
        Shape::Duration => duration(),
        Shape::TokenRate => token_rate(),
        Shape::Factor => factor(),
        Shape::Date => date(),
        Shape::Ports => port_range(),
        Shape::Cpus => cpus(),
        Shape::Numa => nodes(),
        Shape::Address => address(),
        Shape::Text
        | Shape::Path
        | Shape::File
        | Shape::Account
        | Shape::Flag
        | Shape::Count(..)
        | Shape::Fraction
        | Shape::Port
        | Shape::Word(_)
        | Shape::Words(_)
        | Shape::Name(_)
        | Shape::Names(_)
        | Shape::Rule
        | Shape::Setting
        | Shape::Map
        | Shape::Defaults
        | Shape::Block(_) => return None,
    };
    Some(format!("{what}{form}"))
}

// Written only where a quantity cannot be read; the units are those of the tables.

fn size() -> Expected {
    ("a size", format!(" in {}, as `17.5 GB`", units(SIZE_UNITS)))
}

fn byte_rate() -> Expected {
    ("a rate", format!(" in {} a second, as `2 GB/s`", units(SIZE_UNITS)))
}

fn share() -> Expected {
    ("a share", format!(" in percent or {}, as `5 percent` or `40 GB`", units(SIZE_UNITS)))
}

fn duration() -> Expected {
    ("a duration of whole seconds", format!(" in {}, as `15 min`", units(TIME_UNITS)))
}

fn token_rate() -> Expected {
    ("a rate", " in tokens a second (t/s), as `6.3 t/s` or `~15 t/s`".into())
}

fn factor() -> Expected {
    ("a factor", " that ends in x, as `5.4x`".into())
}

fn date() -> Expected {
    ("a day that exists", ", as `2026-02-03`".into())
}

fn port_range() -> Expected {
    ("a range of ports", " of 1 to 65535 from low to high, as `8090-8095`".into())
}

fn cpus() -> Expected {
    ("a list of CPUs", " from low to high between quotes, as `0-47,96-143`".into())
}

fn nodes() -> Expected {
    ("a memory policy", ": `interleave`, `interleave 0,1`, `bind 0` or `spread`".into())
}

fn address() -> Expected {
    ("an IP address", ", as `127.0.0.1` or `::1`".into())
}

fn units(table: &[(&str, u64)]) -> String {
    let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    words::any_of(&names)
}

/// A quantity of which there is some.
fn some(scalar: &Scalar, asked: &Asked, read: Fit) -> Fit {
    match read {
        Ok(Datum::Size(Bytes(0)) | Datum::Duration(Seconds(0))) => {
            let message = format!("{} is nothing at all", asked.words());
            Err(Box::new(
                OUT_OF_RANGE.at(scalar.span, "expected more than 0", message).help("write how much it is"),
            ))
        }
        other => other,
    }
}

fn wrong(scalar: &Scalar, asked: &Asked, expected: &str) -> Box<Diagnostic> {
    let found = scalar.value.noun();
    let mut finding = WRONG_TYPE.at(
        scalar.span,
        format!("expected {expected}, found {found}"),
        format!("{} is {found}, not {expected}", asked.words()),
    );
    if let Value::String(text) = &scalar.value
        && expected.starts_with("a whole number")
        && text.parse::<u64>().is_ok()
    {
        finding = finding.help(format!("write it without quotes: `{text}`"));
    }
    if let (Value::Integer(_) | Value::Float(_) | Value::Bool(_), "text") = (&scalar.value, expected) {
        finding = finding.help("write it between quotes");
    }
    Box::new(finding)
}

fn flag(scalar: &Scalar, asked: &Asked) -> Fit {
    match scalar.value {
        Value::Bool(flag) => Ok(Datum::Flag(flag)),
        Value::Null | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
            Err(wrong(scalar, asked, "a boolean"))
        }
    }
}

fn count(scalar: &Scalar, asked: &Asked, least: u64, most: u64) -> Fit {
    let Value::Integer(number) = scalar.value else {
        return Err(wrong(scalar, asked, "a whole number"));
    };
    let fits = u64::try_from(number).ok().filter(|n| (least..=most).contains(n));
    fits.map(Datum::Count).ok_or_else(|| {
        Box::new(OUT_OF_RANGE.at(
            scalar.span,
            format!("expected {least} to {most}, found {number}"),
            format!("{} is {number}; it can be {least} to {most}", asked.words()),
        ))
    })
}

fn ports(scalar: &Scalar, asked: &Asked) -> Fit {
    if let Value::Integer(_) = scalar.value {
        let port = count(scalar, asked, 1, 65535)?;
        let one = u16::of(port).map(|port| Datum::Ports(PortRange::one(port)));
        return one.ok_or_else(|| wrong(scalar, asked, "ports"));
    }
    quantity(scalar, asked, port_range, |text| PortRange::read(text).map(Datum::Ports))
}

fn fraction(scalar: &Scalar, asked: &Asked) -> Fit {
    let (number, found) = match scalar.value {
        Value::Float(number) => (number, number.to_string()),
        Value::Integer(0) => (0.0, String::new()),
        Value::Integer(1) => (1.0, String::new()),
        Value::Integer(number) => (f64::NAN, number.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) => {
            return Err(wrong(scalar, asked, "a number from 0 to 1"));
        }
    };
    if (0.0..=1.0).contains(&number) {
        return Ok(Datum::Fraction(number));
    }
    let message = format!("{} is {found}; it can be 0 to 1", asked.words());
    Err(Box::new(OUT_OF_RANGE.at(scalar.span, format!("expected 0 to 1, found {found}"), message)))
}

fn quantity(
    scalar: &Scalar,
    asked: &Asked,
    expected: impl Fn() -> Expected,
    read: impl Fn(&str) -> Option<Datum>,
) -> Fit {
    let found = match &scalar.value {
        Value::String(text) => match read(text) {
            Some(datum) => return Ok(datum),
            None => words::quoted(text),
        },
        Value::Integer(number) => format!("the bare number `{number}`"),
        Value::Float(number) => format!("the bare number `{number}`"),
        Value::Null | Value::Bool(_) => scalar.value.noun().to_owned(),
    };
    let (what, form) = expected();
    let message = format!("{} is {found}, which is not {what}", asked.words());
    Err(Box::new(BAD_QUANTITY.at(scalar.span, format!("expected {what}{form}"), message)))
}

fn text<'s>(scalar: &'s Scalar, asked: &Asked) -> Result<&'s str, Box<Diagnostic>> {
    let Value::String(text) = &scalar.value else {
        return Err(wrong(scalar, asked, "text"));
    };
    let flaw = match () {
        () if text.trim().is_empty() => "is empty",
        () if text.contains('\0') => "holds a NUL, which no argument of a process can",
        () if text.contains(is_noncharacter) => {
            "holds a Unicode noncharacter, at which systemd refuses a whole line"
        }
        () => return Ok(text),
    };
    let message = format!("{} {flaw}", asked.words());
    Err(Box::new(OUT_OF_RANGE.at(scalar.span, "expected a text that is not empty", message)))
}

/// One of the 66 code points that never stand for anything (`unichar_is_valid` of systemd 252, `src/basic/utf8.c`).
fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

/// A path without parts that lead back, so that what a unit may read is what is written.
fn file(scalar: &Scalar, text: &str, asked: &Asked) -> Fit {
    let part = text
        .split('/')
        .skip(usize::from(text.starts_with('/')))
        .find(|part| matches!(*part, "" | "." | ".."));
    match part {
        None => Ok(Datum::Text(text.into())),
        Some(part) => {
            let what = if part.is_empty() { "an empty part".to_owned() } else { format!("`{part}`") };
            let message = format!("{} is {}, a path with {what}", asked.words(), words::quoted(text));
            let finding = OUT_OF_RANGE.at(scalar.span, "expected the path of a file, straight on", message);
            Err(Box::new(finding.help("write the path without `.`, `..`, or `/` twice or at its end")))
        }
    }
}

/// A name as systemd takes it for `User=` (`valid_user_group_name`, strict, of systemd 252).
fn account(scalar: &Scalar, text: &str, asked: &Asked) -> Fit {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && text.len() <= 31 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    {
        return Ok(Datum::Text(text.into()));
    }
    let message = format!("{} is {}, which no account can be called", asked.words(), words::quoted(text));
    let label = "expected letters, digits, `_` and `-`, beginning with a letter";
    Err(Box::new(OUT_OF_RANGE.at(scalar.span, label, message).help("write the name of an account, as `llm`")))
}

fn path(scalar: &Scalar, text: &str, asked: &Asked) -> Fit {
    if text.starts_with('/') {
        return file(scalar, text.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(text), asked);
    }
    let message = format!("{} is {}, which is not an absolute path", asked.words(), words::quoted(text));
    let finding = OUT_OF_RANGE.at(scalar.span, "expected a path that begins with `/`", message);
    Err(Box::new(
        finding
            .help(format!("write it in full, as `/srv/{}`", words::printable(text.trim_start_matches("./")))),
    ))
}

fn word(scalar: &Scalar, asked: &Asked, choices: &'static [&'static str]) -> Fit {
    let Value::String(said) = &scalar.value else {
        return Err(wrong(scalar, asked, "a word"));
    };
    if let Some(word) = choices.iter().find(|word| *word == said) {
        return Ok(Datum::Word(word));
    }
    let all: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
    let meant = near(said, choices.iter().copied());
    let near = meant.map(|near| near.name);
    let label = near.map_or_else(
        || format!("expected {}", words::any_of(&all)),
        |near| format!("did you mean `{near}`?"),
    );
    let message = format!("{} cannot be {}", asked.words(), words::quoted(said));
    let help = match near {
        Some(near) => format!("write `{near}`; it can be {}", words::any_of(&all)),
        None => format!("write {}", words::any_of(&all)),
    };
    Err(Box::new(UNKNOWN_WORD.at(scalar.span, label, message).help(help).meant(meant, scalar.span)))
}

fn setting(scalar: &Scalar, asked: &Asked) -> Fit {
    let value = match &scalar.value {
        Value::Bool(flag) => Setting::Flag(*flag),
        Value::Integer(number) => {
            let message = format!("{} is {number}, which does not fit in 64 bits", asked.words());
            let too_large = || Box::new(OUT_OF_RANGE.at(scalar.span, "too large", message));
            i64::try_from(*number).map(Setting::Integer).map_err(|_| too_large())?
        }
        Value::Float(number) if number.is_finite() => Setting::Float(*number),
        Value::String(_) => Setting::Text(text(scalar, asked)?.into()),
        Value::Float(_) | Value::Null => return Err(wrong(scalar, asked, "a number, a boolean or a text")),
    };
    Ok(Datum::Setting(value))
}

fn numa(text: &str) -> Option<Numa> {
    let (word, nodes) = text.split_once(' ').unwrap_or((text, ""));
    let number = |text: &str| whole::<u32>(text.trim()).filter(|node| *node < 1024);
    match (word, nodes.trim()) {
        ("spread", "") => Some(Numa::Spread),
        ("interleave", "") => Some(Numa::Interleave(Vec::new())),
        ("interleave", nodes) => {
            let mut nodes = nodes.split(',').map(number).collect::<Option<Vec<u32>>>()?;
            nodes.sort_unstable();
            nodes.dedup();
            Some(Numa::Interleave(nodes))
        }
        ("bind", node) => number(node).map(Numa::Bind),
        _ => None,
    }
}
