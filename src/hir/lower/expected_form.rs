//! Texts that describe how to write a quantity, for findings and for the JSON schema.

use crate::diag::words;
use crate::hir::Shape;
use crate::hir::quantity::{SIZE_UNITS, TIME_UNITS};

/// The meaning of a quantity, and how to write it.
pub(super) type ExpectedForm = (&'static str, String);

/// Describes the text that a quantity expects: ``a size in TB, GB .., such as `17.5 GB` ``.
/// `None` if the shape is not a quantity.
pub(in crate::hir) fn expected_form(shape: &Shape) -> Option<String> {
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

pub(super) fn size() -> ExpectedForm {
    ("a size", format!(" in {}, such as `17.5 GB`", units(SIZE_UNITS)))
}

pub(super) fn byte_rate() -> ExpectedForm {
    ("a rate", format!(" in {} per second, such as `2 GB/s`", units(SIZE_UNITS)))
}

pub(super) fn share() -> ExpectedForm {
    ("a share", format!(" in percent or {}, such as `5 percent` or `40 GB`", units(SIZE_UNITS)))
}

pub(super) fn duration() -> ExpectedForm {
    ("a duration of whole seconds", format!(" in {}, such as `15 min`", units(TIME_UNITS)))
}

pub(super) fn token_rate() -> ExpectedForm {
    ("a rate", " in tokens per second (t/s), such as `6.3 t/s` or `~15 t/s`".into())
}

pub(super) fn factor() -> ExpectedForm {
    ("a factor", " that ends in x, such as `5.4x`".into())
}

pub(super) fn date() -> ExpectedForm {
    ("a valid date", ", such as `2026-02-03`".into())
}

pub(super) fn port_range() -> ExpectedForm {
    ("a port range", " within 1 to 65535, lower port first, such as `8090-8095`".into())
}

pub(super) fn cpus() -> ExpectedForm {
    ("a list of CPUs", ", such as `0-15` or `0-47,96-143`".into())
}

pub(super) fn nodes() -> ExpectedForm {
    ("a NUMA policy", ": `interleave`, `interleave 0,1`, `bind 0` or `spread`".into())
}

pub(super) fn address() -> ExpectedForm {
    ("an IP address", ", such as `127.0.0.1` or `::1`".into())
}

fn units(table: &[(&str, u64)]) -> String {
    let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    words::any_of(&names)
}
