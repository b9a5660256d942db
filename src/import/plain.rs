//! Plain YAML scalars as programs in Go read them: llama-swap and compose use `yaml.v3` (`resolve.go` of version 3.0.1).

/// A plain scalar.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Plain {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text,
}

/// The text that Go prints for a plain scalar: the shortest form of a number, and the other texts as they are.
pub(super) fn shown(text: &str) -> String {
    match resolve(text) {
        Plain::Bool(value) => value.to_string(),
        Plain::Integer(value) => value.to_string(),
        Plain::Float(value) => float(value),
        Plain::Null | Plain::Text => text.to_owned(),
    }
}

/// The JSON value of a plain scalar.
pub(super) fn json(text: &str) -> serde_json::Value {
    let string = || serde_json::Value::String(text.to_owned());
    match resolve(text) {
        Plain::Null => serde_json::Value::Null,
        Plain::Bool(value) => value.into(),
        Plain::Integer(value) => integer(value).unwrap_or_else(string),
        Plain::Float(value) => shortest(value).unwrap_or_else(string),
        Plain::Text => string(),
    }
}

/// The value of a boolean.
pub(super) fn boolean(text: &str) -> Option<bool> {
    if let Plain::Bool(value) = resolve(text) { Some(value) } else { None }
}

fn integer(value: i128) -> Option<serde_json::Value> {
    i64::try_from(value).map(Into::into).or_else(|_| u64::try_from(value).map(Into::into)).ok()
}

/// A number without a fraction is an integer: Go writes `1.0` as `1`.
fn shortest(value: f64) -> Option<serde_json::Value> {
    let text = format!("{value}");
    let whole = text.parse::<i64>().ok().filter(|_| value.abs() < 1e15).map(Into::into);
    whole.or_else(|| serde_json::Number::from_f64(value).map(serde_json::Value::Number))
}

fn resolve(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "true" | "True" | "TRUE" => Plain::Bool(true),
        "false" | "False" | "FALSE" => Plain::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Plain::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Plain::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => Plain::Float(f64::NAN),
        _ if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => number(text),
        _ => Plain::Text,
    }
}

fn number(text: &str) -> Plain {
    let digits = text.replace('_', "");
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    let bases = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2), ("0", 8), ("", 10)];
    let based = bases.iter().find_map(|(start, base)| Some((unsigned.strip_prefix(start)?, *base)));
    let is_zero = unsigned == "0";
    let (digits_only, base) = based.filter(|_| !is_zero).unwrap_or((unsigned, 10));
    let is_number = !digits_only.is_empty() && digits_only.chars().all(|c| c.is_digit(base));
    if let Some(value) = i128::from_str_radix(digits_only, base).ok().filter(|_| is_number) {
        let fits = value <= i128::from(u64::MAX);
        return match (digits.starts_with('-'), fits) {
            (true, true) => Plain::Integer(-value),
            (false, true) => Plain::Integer(value),
            (_, false) => Plain::Text,
        };
    }
    let is_float = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    digits.parse().ok().filter(|_| is_float).map_or(Plain::Text, Plain::Float)
}

/// The format `%v` of Go.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 || (1e-4..1e21).contains(&value.abs()) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}
