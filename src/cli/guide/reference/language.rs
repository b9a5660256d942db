//! The page of the language: how KDL and YAML correspond, the kinds and the types.

use super::{link, row, table};
use crate::hir::schema::{FieldPath, description, unit};
use crate::hir::{KINDS, Shape};
use crate::syntax::{Language, write_line};

const TEXT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/reference/language.md"));

/// The page without its title.
pub(super) fn body() -> String {
    TEXT.replace("{kinds}\n", &kinds()).replace("{types}\n", &types())
}

/// The table of all kinds.
fn kinds() -> String {
    let rows = KINDS.iter().map(|kind| {
        let link = link(&FieldPath::of(kind));
        row(&[link, format!("`{}`", kind.word), format!("`{}`", kind.plural), kind.doc.to_owned()])
    });
    table(&["kind", "KDL", "YAML", "declares"]) + &rows.collect::<String>()
}

/// The table of all types of plain values, each with the first field of this type.
fn types() -> String {
    let mut text = table(&["type", "unit", "KDL", "YAML"]);
    let mut known: Vec<String> = Vec::new();
    for path in FieldPath::all() {
        let Some(field) = path.field().filter(|field| is_plain(&field.shape)) else { continue };
        let name = description(&field.shape);
        if path.fields.len() > 1 || known.contains(&name) {
            continue;
        }
        // The unit of a whole number depends on its field.
        let unit = if field.hints.unit.is_some() { None } else { unit(field) };
        let [kdl, yaml] = [Language::Kdl, Language::Yaml]
            .map(|language| format!("`{}`", write_line(language, &path.example())));
        text.push_str(&row(&[name.as_str(), unit.unwrap_or_default(), &kdl, &yaml]));
        known.push(name);
    }
    text
}

/// True for a type that any field could have: no name of an item, no fixed list of words, no block.
fn is_plain(shape: &Shape) -> bool {
    !matches!(
        shape,
        Shape::Word(_)
            | Shape::Words(_)
            | Shape::Name(_)
            | Shape::Names(_)
            | Shape::Block(_)
            | Shape::Defaults
    )
}
