//! The exact text to write for a syntax error, where the line shows what is meant.

use super::error_kind::SyntaxErrorKind;
use super::lines;
use crate::diag::words::quoted;
use crate::syntax::Language;
use crate::syntax::quote::quoted as in_quotes;
use crate::syntax::windows::linux_path;
use std::ops::Range;

/// Longer lines are not printed in a help.
const MAX_LINE: usize = 160;

/// A place of a syntax error.
struct ErrorPlace<'a> {
    text: &'a str,
    /// The byte offset of its line.
    start: usize,
    line: &'a str,
    range: &'a Range<usize>,
    found: &'a str,
}

type ExactHelp = fn(&ErrorPlace) -> Option<String>;

/// The kinds of errors with an exact help.
const HELPS: &[(SyntaxErrorKind, ExactHelp)] = &[
    (SyntaxErrorKind::Tab, without_tabs),
    (SyntaxErrorKind::SecondColon, value_in_quotes),
    (SyntaxErrorKind::ReservedCharacter, value_in_quotes),
    (SyntaxErrorKind::UnnamedAlias, |place| Some(write(&in_quotes(Language::Yaml, place.found)))),
    (SyntaxErrorKind::Variable, |place| Some(value_of_variable(place))),
    (SyntaxErrorKind::NoSpaceAfterColon, |place| {
        let (key, value) = place.found.split_once(':')?;
        Some(write(&format!("{key}: {value}")))
    }),
    (SyntaxErrorKind::NoSpaceAfterDash, |place| {
        Some(write(&format!("- {}", place.found.strip_prefix('-')?)))
    }),
    (SyntaxErrorKind::MissingColon, with_colon),
    (SyntaxErrorKind::BadEscape, without_escapes),
    (SyntaxErrorKind::UnclosedBrace, |place| Some(closed(place, '}'))),
    (SyntaxErrorKind::UnclosedBracket, |place| Some(closed(place, ']'))),
    (SyntaxErrorKind::MisalignedKey, aligned),
    (SyntaxErrorKind::IndentedDeeper, aligned),
];

/// The help for an error. `None` if the text does not show what is meant.
pub(super) fn exact_help(text: &str, kind: SyntaxErrorKind, range: &Range<usize>) -> Option<String> {
    let start = lines::line_start(text, range.start);
    let line = text.get(start..lines::line_end(text, range.start)).filter(|line| line.len() <= MAX_LINE)?;
    let place = ErrorPlace { text, start, line, range, found: text.get(range.clone())? };
    let (_, help) = HELPS.iter().find(|(known, _)| *known == kind)?;
    help(&place)
}

fn without_tabs(place: &ErrorPlace) -> Option<String> {
    let content = place.line.trim_start_matches(['\t', ' ']);
    let depth = place.line.get(..place.line.len() - content.len())?.replace('\t', "  ");
    Some(format!("write two spaces instead of each tab: {}", quoted(&format!("{depth}{content}"))))
}

fn value_in_quotes(place: &ErrorPlace) -> Option<String> {
    let (key, value) = entry(place.line)?;
    let is_plain = !value.starts_with(['"', '\'', '{', '[', '|', '>', '&', '*']);
    is_plain.then(|| write(&format!("{key}: {}", in_quotes(Language::Yaml, value))))
}

fn value_of_variable(place: &ErrorPlace) -> String {
    let command = format!("echo \"{}\"", place.found);
    format!("run {}, and write what it prints instead of {}", quoted(&command), quoted(place.found))
}

fn with_colon(place: &ErrorPlace) -> Option<String> {
    let (key, value) = place.line.trim().split_once([' ', '='])?;
    let is_key = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let value = value.trim().trim_start_matches(['=', ' ']);
    (is_key && !value.is_empty()).then(|| write(&format!("{key}: {value}")))
}

/// A text in double quotes that has a backslash: a path of Windows, or a text for single quotes.
fn without_escapes(place: &ErrorPlace) -> Option<String> {
    let from = place.line.get(..place.range.start.checked_sub(place.start)?)?.rfind('"')?;
    let inner = place.line.get(from + 1..)?;
    let inner = inner.get(..inner.find('"').unwrap_or(inner.len()))?;
    match linux_path(inner) {
        Some(path) => Some(format!("{} in WSL; otherwise the path on the Linux host", write(&path))),
        None => Some(write(&format!("'{}'", inner.replace('\'', "''")))),
    }
}

/// Where a bracket that is never closed probably ends: before the next section.
fn closed(place: &ErrorPlace, close: char) -> String {
    let margin = lines::margin(place.text, place.range.start).unwrap_or(0);
    let end = lines::next_section(place.text, place.range.start, margin).unwrap_or(place.text.len());
    let kept = place.text.get(..end).unwrap_or_default().trim_end();
    format!("add the missing `{close}`, for example at the end of line {}", kept.matches('\n').count() + 1)
}

/// The indentation of the line above.
fn aligned(place: &ErrorPlace) -> Option<String> {
    let above = place.text.get(..place.start)?.lines().rev().find(|line| !line.trim().is_empty())?;
    let content = above.trim_start_matches([' ', '-']);
    let key = content.split(':').next().filter(|key| !key.is_empty() && content.contains(": "))?;
    Some(format!("indent it with {} spaces, as far as {}", above.len() - content.len(), quoted(key)))
}

fn write(code: &str) -> String {
    format!("write {}", quoted(code))
}

/// The key and the value of a line of a mapping, without a dash before it and a comment after it.
fn entry(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start().trim_start_matches("- ").trim_start();
    let (key, value) = line.split_once(':')?;
    let value = value.split(" #").next().unwrap_or_default().trim();
    (!value.is_empty() && !key.contains(['{', '['])).then_some((key, value))
}
