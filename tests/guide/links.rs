//! The links of the pages lead to pages, codes and fields that exist.

use super::page::{Page, pages};
use crate::support::orchgen;
use std::collections::BTreeSet;
use std::process::Command;

/// The relative links of a text.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let all = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    all.filter(|link| !link.starts_with("https://"))
}

/// True if `orchgen` with these arguments succeeds.
fn is_known(arguments: &[&str]) -> bool {
    Command::new(orchgen()).args(arguments).env_clear().output().unwrap().status.success()
}

/// True if the target of a link exists.
fn exists(link: &str) -> bool {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let Some(name) = path.strip_suffix(".md") else { return false };
    if let Some(code) = name.strip_prefix("codes/") {
        return is_known(&["explain", code]);
    }
    if name.starts_with("reference/llama-") {
        return ["reference/llama-server-options", "reference/llama-swap-keys"].contains(&name);
    }
    if let Some(kind) = name.strip_prefix("reference/") {
        let field = if anchor.is_empty() { kind.to_owned() } else { format!("{kind}.{anchor}") };
        return is_known(&["schema", "--field", &field]);
    }
    pages().contains(name)
}

#[test]
fn each_link_leads_to_something() {
    let all: BTreeSet<String> = pages()
        .iter()
        .flat_map(|name| links(&Page::read(name).text).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let wrong: Vec<&String> = all.iter().filter(|link| !exists(link)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(all.len() >= 60, "{} links", all.len());
}

#[test]
fn each_page_is_linked_from_another() {
    let names = pages();
    for name in &names {
        let link = format!("]({name}.md");
        let is_linked = names.iter().any(|other| other != name && Page::read(other).text.contains(&link));
        assert!(is_linked, "no page links to {name}");
    }
}
