//! Values of options as values of a registry.

use crate::diag::Literal;

/// A value of an option: a number if its text is the usual text of that number, else a text.
pub fn literal(text: &str) -> Literal {
    number(text).map_or_else(|| Literal::Text(text.to_owned()), Literal::Number)
}

/// The usual text of a decimal number: `0.7` for `0.70`. `None` for other texts.
pub fn number(text: &str) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    // `.5` and `5.` are numbers to the engine.
    let full = match (digits.strip_prefix('.'), digits.strip_suffix('.')) {
        (Some(fraction), _) => format!("0.{fraction}"),
        (None, Some(whole)) => format!("{whole}.0"),
        (None, None) => digits.to_owned(),
    };
    let text = format!("{sign}{full}");
    let digits = full.as_str();
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_usual = is_digits(whole) && (whole == "0" || !whole.starts_with('0')) && whole.len() < 16;
    if !is_usual || !fraction.is_none_or(|part| is_digits(part) && part.len() < 16) || text == "-0" {
        return None;
    }
    let Some(fraction) = fraction else { return Some(text) };
    let fraction = fraction.trim_end_matches('0');
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    Some(format!("{sign}{whole}.{fraction}"))
}
