//! Writes items as the text of registry files: short items on one line, long ones with a line for each field.

use super::assemble::Item;
use crate::diag::Line;
use crate::syntax::{EntryStyle, Language, kdl_node, yaml_entry, yaml_fields};
use std::fmt::Write;

/// The number of roles above which models and roles have their own files.
const MANY_ROLES: usize = 40;

/// A file of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryFile {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The files of a registry: one for a small stack, three for a large one.
pub fn write(items: &[Item], language: Language) -> Vec<RegistryFile> {
    let roles = items.iter().filter(|item| item.section == "roles").count();
    let file_of = |item: &Item| match item.section {
        "models" | "stores" if roles > MANY_ROLES => "models",
        "roles" if roles > MANY_ROLES => "roles",
        _ => "stack",
    };
    let extension = match language {
        Language::Kdl => "kdl",
        Language::Yaml => "yaml",
    };
    let names = ["stack", "models", "roles"];
    let files = names.iter().filter_map(|name| {
        let items: Vec<&Item> = items.iter().filter(|item| file_of(item) == *name).collect();
        let text = match language {
            Language::Kdl => kdl(&items),
            Language::Yaml => yaml(&items),
        };
        (!items.is_empty()).then(|| RegistryFile { name: format!("{name}.{extension}"), text })
    });
    files.collect()
}

/// The items of a file in KDL.
fn kdl(items: &[&Item]) -> String {
    let mut text = String::new();
    let mut section = "";
    for item in items {
        if !section.is_empty() && section != item.section {
            text.push('\n');
        }
        section = item.section;
        for comment in &item.comments {
            comment_line(&mut text, "// ", comment);
        }
        kdl_node(&mut text, &item.line, 0);
    }
    text
}

fn comment_line(text: &mut String, marker: &str, comment: &str) {
    let plain: String = comment.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(text, "{marker}{plain}");
}

/// The items of a file in YAML.
fn yaml(items: &[&Item]) -> String {
    let mut text = String::new();
    let mut section = "";
    for item in items {
        if item.section == "stack" {
            comments(&mut text, item, "");
            text.push_str("stack:\n");
            let name = Line { values: item.line.values.clone(), ..Line::new("name") };
            yaml_fields(&mut text, std::iter::once(&name).chain(&item.line.fields), 1);
            section = item.section;
            continue;
        }
        if section != item.section {
            let gap = if section.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{}:", item.section);
            section = item.section;
        }
        comments(&mut text, item, "  ");
        yaml_entry(&mut text, &item.line, EntryStyle::Short);
    }
    text
}

fn comments(text: &mut String, item: &Item, indent: &str) {
    for comment in &item.comments {
        comment_line(text, &format!("{indent}# "), comment);
    }
}
