//! Writes items as the text of registry files: short items on one line, long ones with a line for each field.

use super::assemble::Item;
use crate::diag::Line;
use crate::syntax::{Language, write_entry, write_line};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The most columns of a line with several fields.
const WIDTH: usize = 120;
/// The number of roles above which models and roles have their own files.
const MANY_ROLES: usize = 40;
/// The maximum depth of blocks, for which a registry has no more than four.
const MAX_DEPTH: usize = 6;

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

fn kdl_node(text: &mut String, line: &Line, depth: usize) {
    let indent = "    ".repeat(depth);
    let whole = write_line(Language::Kdl, line);
    let is_short = indent.len() + whole.chars().count() <= WIDTH;
    if is_short || line.fields.is_empty() || depth >= MAX_DEPTH {
        let _ = writeln!(text, "{indent}{whole}");
        return;
    }
    // Fields with one value stay in the first line while they fit.
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    line.fields.iter().for_each(|field| *counts.entry(&field.name).or_default() += 1);
    let is_repeated = |field: &Line| counts.get(field.name.as_str()).is_some_and(|count| *count > 1);
    let is_plain = |field: &&Line| field.fields.is_empty() && field.values.len() == 1 && !is_repeated(field);
    let plain: Vec<&Line> = line.fields.iter().take_while(|field| is_plain(field)).collect();
    let head = |count: usize| {
        let fields = plain.iter().take(count).map(|field| (*field).clone()).collect();
        write_line(Language::Kdl, &Line { fields, ..line.clone() })
    };
    // Each further field is as wide as alone, with one blank.
    let base = indent.len() + head(0).chars().count() + 2;
    let width = |field: &&Line| {
        let alone = write_line(Language::Kdl, &Line { fields: vec![(*field).clone()], ..Line::new("x") });
        alone.chars().count().saturating_sub(1)
    };
    let count = plain
        .iter()
        .scan(base, |sum, field| {
            *sum += width(field);
            (*sum <= WIDTH).then_some(())
        })
        .count();
    let _ = writeln!(text, "{indent}{} {{", head(count));
    for field in line.fields.iter().skip(count) {
        kdl_node(text, field, depth + 1);
    }
    let _ = writeln!(text, "{indent}}}");
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
        let entry = write_entry(&item.line);
        if entry.chars().count() + 2 <= WIDTH && has_distinct_fields(&item.line) {
            let _ = writeln!(text, "  {entry}");
            continue;
        }
        let name = write_entry(&Line { fields: Vec::new(), ..item.line.clone() });
        let _ = writeln!(text, "  {}:", name.strip_suffix(": {}").unwrap_or(&name));
        yaml_fields(&mut text, item.line.fields.iter(), 2);
    }
    text
}

/// True if no field is repeated: then a mapping in braces has all of them.
fn has_distinct_fields(line: &Line) -> bool {
    let names: BTreeSet<&str> = line.fields.iter().map(|field| field.name.as_str()).collect();
    names.len() == line.fields.len() && line.fields.iter().all(has_distinct_fields)
}

fn comments(text: &mut String, item: &Item, indent: &str) {
    for comment in &item.comments {
        comment_line(text, &format!("{indent}# "), comment);
    }
}

fn yaml_fields<'l>(text: &mut String, fields: impl Iterator<Item = &'l Line>, depth: usize) {
    let indent = "  ".repeat(depth);
    let fields: Vec<&Line> = fields.collect();
    let mut written: Vec<&str> = Vec::new();
    for field in &fields {
        if written.contains(&field.name.as_str()) {
            continue;
        }
        written.push(&field.name);
        let same: Vec<&&Line> = fields.iter().filter(|other| other.name == field.name).collect();
        if same.len() > 1 {
            let _ = writeln!(text, "{indent}{}:", field.name);
            for one in same {
                // YAML has no list of lists here, so a list is the field of a block.
                let value = if one.values.len() > 1 {
                    let inner = Line { name: one.principal.to_owned(), ..(*one).clone() };
                    format!("x: {{{}}}", write_line(Language::Yaml, &inner))
                } else {
                    write_line(Language::Yaml, one)
                };
                let value = value.split_once(": ").map_or(value.as_str(), |(_, value)| value);
                let _ = writeln!(text, "{indent}  - {value}");
            }
            continue;
        }
        let whole = write_line(Language::Yaml, field);
        let is_short = indent.len() + whole.chars().count() <= WIDTH;
        let is_short = is_short && has_distinct_fields(field);
        if is_short || field.fields.is_empty() || depth >= MAX_DEPTH {
            let _ = writeln!(text, "{indent}{whole}");
            continue;
        }
        let _ = writeln!(text, "{indent}{}:", field.name);
        let principal = (!field.values.is_empty())
            .then(|| Line { values: field.values.clone(), ..Line::new(field.principal) });
        yaml_fields(text, principal.iter().chain(&field.fields), depth + 1);
    }
}
