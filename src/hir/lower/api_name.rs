//! Reads names at the API.

use super::scalar::{FieldRef, ReadResult, ValueForm};
use super::typed_value::TypedValue;
use crate::diag::{Change, Line, words};
use crate::hir::codes::OUT_OF_RANGE;
use crate::syntax::Scalar;

/// Reads a name that the engine keeps as it is. It splits the value of `--alias` at commas and removes the blanks around
/// each name (llama.cpp b11434, `common/arg.cpp`).
pub(super) fn read(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names == [text] {
        return Ok(TypedValue::Text(text.into()));
    }
    let (fault, label) = if text.contains(',') {
        ("has a comma, at which the engine splits it", "expected one name without a comma")
    } else {
        ("has blanks around the name, which the engine removes", "expected a name without blanks around it")
    };
    let message = format!("{} is {}, which {fault}", field.describe(), words::quoted(text));
    let finding = OUT_OF_RANGE.at(scalar.span, label, message);
    Err(Box::new(match (names.as_slice(), field.row.filter(|_| field.form == ValueForm::Keyed)) {
        ([], _) => field.write_example(finding, scalar.span, "a name"),
        ([name], _) => field.write(finding, scalar.span, *name),
        (names, Some(row)) => {
            let line = names.iter().fold(Line::new(row.name), |line, name| line.value(*name));
            finding.remedy("write `{}`", Change::rewrite(scalar.span, line))
        }
        (names, None) => {
            let names: Vec<String> = names.iter().map(|name| words::quoted(name)).collect();
            finding.help(format!("write {} as separate values", words::all_of(&names)))
        }
    }))
}
