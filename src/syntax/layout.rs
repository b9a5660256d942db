//! Writes items over several lines: short ones on one line, long ones with a line for each field.

use super::Language;
use super::line::{line as write_line, yaml_entry as write_entry};
use crate::diag::Line;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The most columns of a line with several fields.
const WIDTH: usize = 120;
/// The maximum depth of blocks, for which a registry has no more than four.
const MAX_DEPTH: usize = 6;

/// Writes a node of KDL at a depth of blocks, with its indentation and a line break.
pub fn kdl_node(text: &mut String, line: &Line, depth: usize) {
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

/// How an entry of a YAML section is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryStyle {
    /// In braces on one line if it is short.
    Short,
    /// With a line for each field.
    Lines,
}

/// Writes an item as an entry of its section, indented by two blanks.
pub fn yaml_entry(text: &mut String, line: &Line, style: EntryStyle) {
    let entry = write_entry(line);
    let is_short = entry.chars().count() + 2 <= WIDTH && has_distinct_fields(line);
    if is_short && (style == EntryStyle::Short || line.fields.is_empty()) {
        let _ = writeln!(text, "  {entry}");
        return;
    }
    let name = write_entry(&Line { fields: Vec::new(), ..line.clone() });
    let _ = writeln!(text, "  {}:", name.strip_suffix(": {}").unwrap_or(&name));
    yaml_fields(text, line.fields.iter(), 2);
}

/// True if no field is repeated: then a mapping in braces has all of them.
fn has_distinct_fields(line: &Line) -> bool {
    let names: BTreeSet<&str> = line.fields.iter().map(|field| field.name.as_str()).collect();
    names.len() == line.fields.len() && line.fields.iter().all(has_distinct_fields)
}

/// Writes the fields of a block of YAML, each with its indentation of two blanks per level.
pub fn yaml_fields<'l>(text: &mut String, fields: impl Iterator<Item = &'l Line>, depth: usize) {
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
