//! One value by the shape of its field.

use super::datum::Datum;
use super::names::By;
use crate::diag::{Diagnostic, Diagnostics, nearest, words};
use crate::hir::codes::{BAD_QUANTITY, OUT_OF_RANGE, UNKNOWN_WORD, WRONG_TYPE};
use crate::hir::{Bytes, CpuList, Date, Factor, Numa, PortRange, Rate, Seconds, Setting, Shape, Share};
use crate::syntax::{Scalar, Value};

/// A field as its readers see it.
pub(super) struct Asked<'a> {
    pub(super) by: &'a By<'a>,
    pub(super) field: &'a str,
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
            findings.say(finding.about(asked.by.kind, asked.by.name));
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
        Shape::Size => quantity(scalar, asked, "a size with a unit, as `17.5 GB` or `640 GiB`", |t| {
            Bytes::read(t).map(Datum::Size)
        }),
        Shape::ByteRate => quantity(scalar, asked, "a rate in bytes a second, as `2 GB/s`", |text| {
            text.strip_suffix("/s").and_then(Bytes::read).map(Datum::Size)
        }),
        Shape::Share => quantity(scalar, asked, "a share or a size, as `5 percent` or `40 GB`", |t| {
            Share::read(t).map(Datum::Share)
        }),
        Shape::Duration => {
            quantity(scalar, asked, "a duration with a unit (s, min, h, d), as `15 min`", |t| {
                Seconds::read(t).map(Datum::Duration)
            })
        }
        Shape::TokenRate => {
            quantity(scalar, asked, "a rate in tokens a second, as `6.3 t/s` or `~15 t/s`", |t| {
                Rate::read(t).map(Datum::Rate)
            })
        }
        Shape::Factor => {
            quantity(scalar, asked, "a factor, as `5.4x`", |t| Factor::read(t).map(Datum::Factor))
        }
        Shape::Date => quantity(scalar, asked, "a day, as `2026-02-03`", |t| Date::read(t).map(Datum::Date)),
        Shape::Cpus => {
            quantity(scalar, asked, "a list of CPUs, as `0-47,96-143`", |t| CpuList::read(t).map(Datum::Cpus))
        }
        Shape::Numa => quantity(scalar, asked, "`interleave`, `interleave 0,1`, `bind 0` or `spread`", |t| {
            numa(t).map(Datum::Numa)
        }),
        Shape::Path => text(scalar, asked).and_then(|text| path(scalar, text, asked)),
        Shape::Address => quantity(scalar, asked, "an IP address, as `127.0.0.1` or `::1`", |text| {
            text.parse::<std::net::IpAddr>().ok().map(|address| Datum::Text(address.to_string().into()))
        }),
        Shape::Word(choices) | Shape::Words(choices) => word(scalar, asked, choices),
        Shape::Setting => setting(scalar, asked),
        Shape::Text | Shape::Name(_) | Shape::Names(_) | Shape::Rule => {
            text(scalar, asked).map(|text| Datum::Text(text.into()))
        }
        Shape::Map | Shape::Block(_) | Shape::Defaults => Err(wrong(scalar, asked, "a block of fields")),
    }
}

fn wrong(scalar: &Scalar, asked: &Asked, expected: &str) -> Box<Diagnostic> {
    let found = scalar.value.noun();
    let mut finding = WRONG_TYPE.at(
        scalar.span,
        format!("expected {expected}, found {found}"),
        format!("`{}` of {} is {found}, not {expected}", asked.field, asked.by.words()),
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
            format!("`{}` of {} is {number}; it can be {least} to {most}", asked.field, asked.by.words()),
        ))
    })
}

fn ports(scalar: &Scalar, asked: &Asked) -> Fit {
    if let Value::Integer(_) = scalar.value {
        let Datum::Count(port) = count(scalar, asked, 1, 65535)? else {
            return Err(wrong(scalar, asked, "ports"));
        };
        return Ok(Datum::Ports(PortRange::one(u16::try_from(port).unwrap_or(u16::MAX))));
    }
    quantity(scalar, asked, "ports from low to high, as `8090-8095`", |text| {
        PortRange::read(text).map(Datum::Ports)
    })
}

fn fraction(scalar: &Scalar, asked: &Asked) -> Fit {
    let number = match scalar.value {
        Value::Float(number) => number,
        Value::Integer(0) => 0.0,
        Value::Integer(1) => 1.0,
        Value::Integer(_) => f64::NAN,
        Value::Null | Value::Bool(_) | Value::String(_) => {
            return Err(wrong(scalar, asked, "a number from 0 to 1"));
        }
    };
    if (0.0..=1.0).contains(&number) {
        return Ok(Datum::Fraction(number));
    }
    let message = format!("`{}` of {} can be 0 to 1", asked.field, asked.by.words());
    Err(Box::new(OUT_OF_RANGE.at(scalar.span, "expected a number from 0 to 1", message)))
}

fn quantity(scalar: &Scalar, asked: &Asked, expected: &str, read: impl Fn(&str) -> Option<Datum>) -> Fit {
    let found = match &scalar.value {
        Value::String(text) => match read(text) {
            Some(datum) => return Ok(datum),
            None => words::quoted(text),
        },
        Value::Integer(number) => format!("the bare number `{number}`"),
        Value::Float(number) => format!("the bare number `{number}`"),
        Value::Null | Value::Bool(_) => scalar.value.noun().to_owned(),
    };
    let message =
        format!("`{}` of {} cannot be read: {found} is not {expected}", asked.field, asked.by.words());
    Err(Box::new(BAD_QUANTITY.at(scalar.span, format!("expected {expected}"), message)))
}

fn text<'s>(scalar: &'s Scalar, asked: &Asked) -> Result<&'s str, Box<Diagnostic>> {
    let Value::String(text) = &scalar.value else {
        return Err(wrong(scalar, asked, "text"));
    };
    let flaw = match () {
        () if text.trim().is_empty() => "is empty",
        () if text.contains('\0') => "holds a NUL, which no argument of a process can",
        () => return Ok(text),
    };
    let message = format!("`{}` of {} {flaw}", asked.field, asked.by.words());
    Err(Box::new(OUT_OF_RANGE.at(scalar.span, "expected a text", message)))
}

fn path(scalar: &Scalar, text: &str, asked: &Asked) -> Fit {
    if text.starts_with('/') {
        return Ok(Datum::Text(text.into()));
    }
    let message = format!("`{}` of {} is not an absolute path", asked.field, asked.by.words());
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
    let near = nearest(said, choices.iter().copied());
    let label = near.map_or_else(
        || format!("expected {}", words::any_of(&all)),
        |near| format!("did you mean `{near}`?"),
    );
    let message = format!("`{}` of {} cannot be {}", asked.field, asked.by.words(), words::quoted(said));
    let finding = UNKNOWN_WORD.at(scalar.span, label, message).help(format!("write {}", words::any_of(&all)));
    Err(Box::new(finding))
}

fn setting(scalar: &Scalar, asked: &Asked) -> Fit {
    let value = match &scalar.value {
        Value::Bool(flag) => Setting::Flag(*flag),
        Value::Integer(number) => match i64::try_from(*number) {
            Ok(number) => Setting::Integer(number),
            Err(_) => return count(scalar, asked, 0, i64::MAX.cast_unsigned()),
        },
        Value::Float(number) if number.is_finite() => Setting::Float(*number),
        Value::String(_) => Setting::Text(text(scalar, asked)?.into()),
        Value::Float(_) | Value::Null => return Err(wrong(scalar, asked, "a number, a boolean or a text")),
    };
    Ok(Datum::Setting(value))
}

fn numa(text: &str) -> Option<Numa> {
    let (word, nodes) = text.split_once(' ').unwrap_or((text, ""));
    let number = |text: &str| text.trim().parse::<u32>().ok().filter(|node| *node < 1024);
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
