//! Writes a string as YAML or KDL, in the quoting style of the text that it replaces.

use super::{Language, Value, kdl, yaml};
use std::borrow::Cow;

/// The text of `word` as a replacement for `written`. Keeps the quotes of `written`; if it has none, adds quotes only if
/// the word needs them. None if `written` is not a string, or is a YAML block scalar.
pub(super) fn quote_like(language: Language, written: &str, word: &str) -> Option<String> {
    let is_verbatim = !word.contains(is_escaped);
    let after_hashes = written.trim_start_matches('#');
    match (language, written.chars().next()?) {
        (Language::Yaml, '|' | '>' | '*' | '&' | '!' | '[' | '{') => None,
        (Language::Kdl, '#') if !after_hashes.starts_with('"') => None,
        (Language::Yaml, '\'') if is_verbatim => Some(format!("'{}'", word.replace('\'', "''"))),
        (Language::Kdl, '#') if is_verbatim && !word.contains('"') => {
            let hashes = "#".repeat(written.len() - after_hashes.len());
            Some(format!("{hashes}\"{word}\"{hashes}"))
        }
        (Language::Yaml, '\'' | '"') | (Language::Kdl, '#' | '"') => Some(quoted(language, word)),
        _ if is_bare(language, word) => Some(word.to_owned()),
        _ => Some(quoted(language, word)),
    }
}

/// True if the word needs no quotes in any position: it has only plain ASCII characters, and it is not a number or a
/// keyword.
pub(super) fn is_bare(language: Language, word: &str) -> bool {
    let is_yaml = language == Language::Yaml;
    let begins =
        |c: char| c.is_ascii_alphabetic() || c == '_' || is_yaml && (c.is_ascii_digit() || "/.".contains(c));
    let is_known = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c) || is_yaml && "/+@".contains(c);
    let is_string = match language {
        Language::Yaml => {
            !word.starts_with("---")
                && !word.starts_with("...")
                && matches!(yaml::resolve(Cow::Borrowed(word)), Value::String(_))
        }
        Language::Kdl => kdl::reserved_word(word).is_none(),
    };
    word.trim_start_matches('-').starts_with(begins) && word.chars().all(is_known) && is_string
}

pub(super) fn quoted(language: Language, word: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        _ if !is_escaped(c) => c.to_string(),
        _ if language == Language::Yaml => format!("\\u{:04X}", u32::from(c)),
        _ => format!("\\u{{{:X}}}", u32::from(c)),
    };
    format!("\"{}\"", word.chars().map(escape).collect::<String>())
}

/// True if the character must be escaped in quotes, or changes how the text is displayed.
fn is_escaped(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
}
