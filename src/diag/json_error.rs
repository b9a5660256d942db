//! Errors of the JSON parser in plain words.

use super::nearest;
use super::words::{any_of, printable};

/// More known names than this are not listed.
const MAX_LISTED: usize = 6;

/// The reason why a text is not the expected JSON, with its place.
pub fn json_problem(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    if error.is_eof() {
        return format!("the file ends too early, in line {line}");
    }
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason);
    let reason =
        if error.is_syntax() { format!("not valid JSON ({})", printable(reason)) } else { plain(reason) };
    format!("line {line}, column {column}: {reason}")
}

/// The reason without the words of serde.
fn plain(reason: &str) -> String {
    if let Some(name) = reason.strip_prefix("missing field ") {
        return format!("the field {} is missing", printable(name));
    }
    if let Some(name) = reason.strip_prefix("duplicate field ") {
        return format!("the field {} is given twice", printable(name));
    }
    for (start, what) in [("unknown field ", "the field "), ("unknown variant ", "the value ")] {
        if let Some((name, known)) = reason.strip_prefix(start).and_then(|rest| rest.split_once(", ")) {
            return format!("{what}{} is unknown{}", printable(name), instead(name.trim_matches('`'), known));
        }
    }
    let found = ["invalid type: ", "invalid value: "].iter().find_map(|start| reason.strip_prefix(start));
    if let Some((found, expected)) = found.and_then(|rest| rest.rsplit_once(", expected ")) {
        return format!("expected {}, found {}", expected_words(expected), found_words(found));
    }
    if let Some((_, expected)) =
        reason.strip_prefix("invalid length ").and_then(|r| r.split_once(", expected "))
    {
        return format!("expected {}, found a list", expected_words(expected));
    }
    printable(reason)
}

/// The known name that was likely meant, or all known names if they are few. serde lists them in backquotes.
fn instead(name: &str, known: &str) -> String {
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("; did you mean `{near}`?");
    }
    let quoted: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    if known.is_empty() || known.len() > MAX_LISTED {
        String::new()
    } else {
        format!("; expected {}", any_of(&quoted))
    }
}

fn found_words(found: &str) -> String {
    let of = |start: &str| found.strip_prefix(start).map(|rest| rest.trim_matches('`'));
    let number = of("integer ").or_else(|| of("floating point "));
    match found {
        "map" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        _ => match (number, of("string ")) {
            (Some(number), _) => format!("the number {}", printable(number)),
            (None, Some(text)) => format!("the text {}", printable(text)),
            (None, None) => printable(found.strip_prefix("boolean ").unwrap_or(found)),
        },
    }
}

fn expected_words(expected: &str) -> &str {
    match expected {
        "a string" | "a borrowed string" => "a text",
        "a sequence" => "a list",
        "a map" => "an object",
        "a boolean" => "`true` or `false`",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of at least 0",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    }
}
