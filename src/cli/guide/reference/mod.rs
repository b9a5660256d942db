//! The reference: pages that are generated from the tables of the language, of the engine and of the importer.

mod kind;
mod language;
mod options;
mod swap_keys;

use super::markdown::slug;
use super::page::Page;
use crate::engine::Family;
use crate::hir::KINDS;
use crate::hir::schema::FieldPath;

/// The heading of the pages.
pub(super) const GROUP: &str = "Reference";

/// The pages of the language, of each kind and of the cheat sheets.
pub(super) fn pages() -> impl Iterator<Item = Page> {
    let language = Page::computed("reference/language", GROUP, "The language of registries", language::body);
    let kinds = KINDS.iter().map(|kind| {
        Page::computed(format!("reference/{}", kind.word), GROUP, kind.word, move || kind::body(kind))
    });
    let options = Page::computed(
        format!("reference/{}-options", Family::LlamaCpp.server()),
        GROUP,
        "Options of llama-server and their fields",
        options::body,
    );
    let keys = Page::computed(
        "reference/llama-swap-keys",
        GROUP,
        "Keys of llama-swap and their fields",
        swap_keys::body,
    );
    std::iter::once(language).chain(kinds).chain([options, keys])
}

/// The path of a field below its kind, such as `draft.max`. It is the heading of its section.
fn heading(path: &FieldPath) -> String {
    path.fields.iter().map(|field| field.name).collect::<Vec<_>>().join(".")
}

/// A link from another page of the reference to the section of a field, or to the page of a kind.
fn link(path: &FieldPath) -> String {
    let (text, page) = (path.text(), path.kind.word);
    if path.fields.is_empty() {
        return format!("[{text}]({page}.md)");
    }
    format!("[{text}]({page}.md#{})", slug(&heading(path)))
}

/// A row of a table in Markdown.
fn row<S: AsRef<str>>(cells: &[S]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.as_ref().replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The head of a table in Markdown.
fn table(titles: &[&str]) -> String {
    row(titles) + "|" + &"---|".repeat(titles.len()) + "\n"
}

/// The same in KDL and in YAML, as two blocks that belong together.
fn pair(kdl: &str, yaml: &str) -> String {
    format!("```kdl\n{kdl}\n```\n\n```yaml\n{yaml}\n```\n")
}
