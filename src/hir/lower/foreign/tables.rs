//! The sections of a TOML or INI file as a registry, for the help of its finding.

use crate::diag::Literal;
use crate::hir::ItemKind;
use crate::hir::kind::Naming;
use crate::syntax::{Language, write_literal};

/// The maximum number of sections in a help.
const MAX_SECTIONS: usize = 12;

/// True if the values of the first lines are those of TOML: strings in quotes, numbers, booleans and lists.
pub(super) fn is_toml(text: &str) -> bool {
    let values = text.lines().filter_map(|line| line.split_once('=')).map(|(_, value)| value.trim());
    values.take(5).all(|value| {
        value.starts_with(['"', '\'', '[', '{'])
            || value.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            || value.starts_with("true")
            || value.starts_with("false")
    })
}

/// A section: the parts of its name, and its entries.
struct Section {
    path: Vec<String>,
    entries: Vec<(String, Literal)>,
}

/// The sections in the language of the file, one on a line. `None` if a section is not one of a registry, or if there
/// are many.
pub(super) fn as_registry(text: &str, language: Language) -> Option<String> {
    let sections = sections(text)?;
    if sections.is_empty() || sections.len() > MAX_SECTIONS {
        return None;
    }
    let lines: Option<Vec<String>> = match language {
        Language::Yaml => grouped(&sections),
        Language::Kdl => sections.iter().map(kdl_item).collect(),
    };
    lines.map(|lines| lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))
}

fn sections(text: &str) -> Option<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            let path = name.split('.').map(|part| part.trim().trim_matches('"').to_owned()).collect();
            sections.push(Section { path, entries: Vec::new() });
        } else {
            let (key, value) = line.split_once('=')?;
            let entry = (key.trim().trim_matches('"').to_owned(), literal(value.trim())?);
            sections.last_mut()?.entries.push(entry);
        }
    }
    Some(sections)
}

/// A plain value of TOML or INI.
fn literal(value: &str) -> Option<Literal> {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let inner = value.get(1..)?;
        return inner.get(..inner.find(quote)?).map(Literal::from);
    }
    let value = value.split([' ', '#']).next().unwrap_or_default();
    match value {
        "true" | "false" => Some(Literal::Flag(value == "true")),
        _ if value.starts_with(['[', '{']) => None,
        _ if value.parse::<f64>().is_ok() => Some(Literal::Number(value.to_owned())),
        _ => Some(Literal::from(value)),
    }
}

/// The kind of a section, by its name in either language.
fn kind(section: &Section) -> Option<&'static ItemKind> {
    let word = section.path.first()?;
    ItemKind::of_plural(word).or_else(|| ItemKind::of_word(word))
}

/// The items in YAML, those of one kind on one line.
fn grouped(sections: &[Section]) -> Option<Vec<String>> {
    let mut lines: Vec<(&'static ItemKind, Vec<String>)> = Vec::new();
    let text = |value: &Literal| write_literal(Language::Yaml, value);
    for section in sections {
        let kind = kind(section)?;
        let entries: Vec<String> =
            section.entries.iter().map(|(key, value)| format!("{key}: {}", text(value))).collect();
        let item = match (kind.naming, section.path.as_slice()) {
            (Naming::One, [_]) => entries.join(", "),
            (Naming::Word | Naming::Text, [_, name]) => {
                format!("{}: {{{}}}", text(&Literal::from(name.as_str())), entries.join(", "))
            }
            _ => return None,
        };
        match lines.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, items)) => items.push(item),
            None => lines.push((kind, vec![item])),
        }
    }
    Some(lines.iter().map(|(kind, items)| format!("{}: {{{}}}", kind.plural, items.join(", "))).collect())
}

fn kdl_item(section: &Section) -> Option<String> {
    let kind = kind(section)?;
    let text = |value: &Literal| write_literal(Language::Kdl, value);
    let is_name = |key: &str| kind.naming == Naming::One && key == "name";
    let name = match (kind.naming, section.path.as_slice()) {
        (Naming::One, [_]) => {
            section.entries.iter().find(|(key, _)| is_name(key)).map(|(_, value)| value.clone())?
        }
        (Naming::Word | Naming::Text, [_, name]) => Literal::from(name.as_str()),
        _ => return None,
    };
    let fields = section.entries.iter().filter(|(key, _)| !is_name(key));
    let fields = fields.map(|(key, value)| format!(" {key}={}", text(value)));
    Some(format!("{} {}{}", kind.word, text(&name), fields.collect::<String>()))
}
