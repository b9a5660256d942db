//! The page of a kind: an example, a table of all fields, and a section for each field.

use super::{heading, pair, row, slug, table};
use crate::cli::schema::{Effect, FieldPage, RelatedCode, UNKNOWN};
use crate::diag::words;
use crate::hir::schema::FieldPath;
use crate::hir::{ItemKind, Naming, Shape};
use rayon::prelude::*;

/// The page without its title.
pub(super) fn body(kind: &'static ItemKind) -> String {
    let head = FieldPage::new(&FieldPath::of(kind));
    let paths = FieldPath::fields_of(kind);
    let pages: Vec<FieldPage> = paths.par_iter().map(FieldPage::new).collect();
    let mut text = format!("{} {}\n\n", head.description, naming(kind));
    text.push_str(&pair(&head.kdl, &head.yaml));
    text.extend(findings(&head.findings).map(|line| format!("\n{line}\n")));
    text.push('\n');
    text.push_str(&table(&["field", "type", "presence", "default"]));
    for (path, page) in paths.iter().zip(&pages) {
        let name = heading(path);
        let link = format!("[{name}](#{})", slug(&name));
        let default = page.default.map(words::quoted).unwrap_or_default();
        text.push_str(&row(&[link, value_type(page), page.presence.unwrap_or_default().to_owned(), default]));
    }
    for (path, page) in paths.iter().zip(&pages) {
        text.push('\n');
        text.push_str(&section(path, page));
    }
    text
}

/// A sentence about the names of a kind and its place in both languages.
fn naming(kind: &ItemKind) -> String {
    let (word, plural) = (kind.word, kind.plural);
    let name = match kind.naming {
        Naming::Word => "A name has letters, digits, `.`, `_` and `-`, and begins with a letter or a digit.",
        Naming::Text => "A name can be any string.",
        Naming::None => {
            return format!("KDL has one node `{word}` for each. YAML has a list below `{plural}`.");
        }
        Naming::One => return format!("KDL writes the name after `{word}`. YAML has the field `name`."),
    };
    format!("{name} KDL writes the name after `{word}`. YAML has an entry with the name below `{plural}`.")
}

/// The section of a field. All sections have the same order.
fn section(path: &FieldPath, page: &FieldPage) -> String {
    let level = "#".repeat(path.fields.len() + 1);
    let mut text = format!("{level} {}\n\n{}\n\n", heading(path), page.description);
    text.push_str(&facts(path, page));
    text.push_str("\n\n");
    text.push_str(&pair(&page.kdl, &page.yaml));
    let replaces: Vec<String> = page.replaces.iter().map(|name| words::quoted(name)).collect();
    let lines = [
        Some(writes(page.writes.as_ref())),
        (!replaces.is_empty()).then(|| format!("- Replaces: {}", replaces.join(", "))),
        page.builds.as_ref().map(|builds| format!("- Builds that accept the example: {}", builds.text())),
        findings(&page.findings).map(|line| format!("- {line}")),
    ];
    text.push('\n');
    for line in lines.into_iter().flatten() {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Presence, type, range, unit and default, in one line.
fn facts(path: &FieldPath, page: &FieldPage) -> String {
    let presence = match page.presence {
        Some("required") => "Required",
        Some("repeated") => "Optional, repeatable",
        _ => "Optional",
    };
    let mut facts = vec![format!("{presence}. Type: {}", value_type(page))];
    // The type of a quantity names its units.
    let field = path.field();
    let has_number = page.range.is_some() || field.is_some_and(|field| field.hints.unit.is_some());
    facts.extend(page.unit.filter(|_| has_number).map(|unit| format!("Unit: {unit}")));
    facts.extend(page.default.map(|default| format!("Default: {}", words::quoted(default))));
    if field.is_some_and(|field| field.shape == Shape::Defaults) {
        facts.push("Fields: those of a [role](role.md), except `unset`, and `store`".to_owned());
    }
    facts.join(". ") + "."
}

/// The type with its range.
fn value_type(page: &FieldPage) -> String {
    let name = page.r#type.clone().unwrap_or_default();
    match page.range {
        Some(range) => format!("{name}, {} to {}", range.least, range.most),
        None => name,
    }
}

/// The effect of the example.
fn writes(effect: Option<&Effect>) -> String {
    let (written, changed) = effect.map_or_else(|| (vec![UNKNOWN.to_owned()], Vec::new()), Effect::parts);
    let line = |title: &str, parts: &[String]| {
        if parts.is_empty() { None } else { Some(format!("- {title}: {}", parts.join(", "))) }
    };
    let lines = [line("Writes", &written), line("Changes", &changed)];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// The codes that concern a field or a kind, as links.
fn findings(codes: &[RelatedCode]) -> Option<String> {
    let links = codes.iter().map(|RelatedCode { code, name }| format!("[{code} {name}](../codes/{code}.md)"));
    (!codes.is_empty()).then(|| format!("Findings: {}", links.collect::<Vec<_>>().join(", ")))
}
