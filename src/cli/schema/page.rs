//! The description of a kind or a field, as text and as JSON.

use super::effect::{Effect, effect};
use crate::cli::session;
use crate::diag::Line;
use crate::diag::report::{hanging, hanging_words};
use crate::diag::words;
use crate::engine::options::ROWS;
use crate::hir::schema::{FieldPath, Range, description, range, unit};
use crate::hir::{Field, Presence};
use crate::syntax::{Language, write_line};
use serde::Serialize;

/// The maximum number of lines of units to print.
const MAX_LINES: usize = 8;

/// The description of a kind or a field as JSON. Later versions only add fields.
#[derive(Serialize)]
pub(super) struct FieldPage {
    format_version: u32,
    /// The path, such as `role.draft.max`.
    field: String,
    description: &'static str,
    /// `required`, `optional` or `repeated`. Null for a kind.
    presence: Option<&'static str>,
    /// The type in words.
    r#type: Option<String>,
    range: Option<Range>,
    unit: Option<&'static str>,
    default: Option<&'static str>,
    kdl: String,
    yaml: String,
    /// The effect of the example. Null for a kind, and if the example is not complete without other fields.
    writes: Option<Effect>,
    /// The options of the engine that the field replaces.
    replaces: Vec<String>,
    fields: Vec<FieldSummary>,
}

/// A field of a kind or of a block.
#[derive(Serialize)]
struct FieldSummary {
    name: &'static str,
    presence: &'static str,
    description: &'static str,
}

impl FieldPage {
    pub(super) fn new(path: &FieldPath) -> Self {
        let field = path.field();
        let summary = |field: &'static Field| FieldSummary {
            name: field.name,
            presence: presence(field),
            description: field.doc,
        };
        Self {
            format_version: 1,
            field: path.text(),
            description: field.map_or(path.kind.doc, |field| field.doc),
            presence: field.map(presence),
            r#type: field.map(|field| description(&field.shape)),
            range: field.and_then(|field| range(&field.shape)),
            unit: field.and_then(unit),
            default: field.and_then(|field| field.hints.default),
            kdl: example(path, Language::Kdl),
            yaml: example(path, Language::Yaml),
            writes: field.and_then(|_| effect(path)),
            replaces: replaced_options(path),
            fields: path.children().into_iter().map(summary).collect(),
        }
    }

    pub(super) fn json(&self) -> String {
        session::json_line(self)
    }

    /// The page as text, wrapped to a number of columns.
    pub(super) fn text(&self, columns: usize) -> String {
        let presence = self.presence.map(|presence| format!(" ({presence})")).unwrap_or_default();
        let mut text = format!("{}{presence}\n", self.field);
        text.push_str(&hanging("  ", self.description, columns));
        text.push('\n');
        let range = self.range.map(|range| format!("{} to {}", range.least, range.most));
        let facts = [
            ("type", self.r#type.clone()),
            ("range", range),
            ("unit", self.unit.map(str::to_owned)),
            ("default", self.default.map(str::to_owned)),
        ];
        for (title, fact) in facts {
            text.extend(fact.map(|fact| hanging(&prefix(title), &fact, columns)));
        }
        text.push_str(&lines("KDL", self.kdl.lines(), columns));
        text.push_str(&lines("YAML", self.yaml.lines(), columns));
        match &self.writes {
            Some(effect) => text.push_str(&effect_text(effect, columns)),
            None if self.presence.is_some() => {
                text.push_str(&hanging(&prefix("writes"), "depends on other fields", columns));
            }
            None => {}
        }
        if !self.replaces.is_empty() {
            let names = self.replaces.iter().map(|name| words::quoted(name)).collect::<Vec<_>>().join(", ");
            text.push_str(&hanging(&prefix("replaces"), &names, columns));
        }
        if !self.fields.is_empty() {
            text.push_str("\nFields:\n");
            let width = self.fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
            for field in &self.fields {
                let mark = if field.presence == "optional" {
                    String::new()
                } else {
                    format!(" ({})", field.presence)
                };
                let start = format!("  {:width$}  ", field.name);
                text.push_str(&hanging(&start, &(field.description.to_owned() + &mark), columns));
            }
        }
        text
    }
}

fn presence(field: &Field) -> &'static str {
    match field.presence {
        Presence::Required => "required",
        Presence::Optional => "optional",
        Presence::Repeated | Presence::Distinct => "repeated",
    }
}

fn prefix(title: &str) -> String {
    format!("  {title:8}  ")
}

/// Lines that are not wrapped, so that they can be copied.
fn lines<'l>(title: &str, lines: impl Iterator<Item = &'l str>, columns: usize) -> String {
    let row = |(n, line)| hanging_words(&prefix(if n == 0 { title } else { "" }), [line], columns);
    lines.enumerate().map(row).collect()
}

fn effect_text(effect: &Effect, columns: usize) -> String {
    let Effect { options, unit_lines, files } = effect;
    let mut text = String::new();
    let mut shown: Vec<&str> =
        options.iter().chain(unit_lines.iter().take(MAX_LINES)).map(String::as_str).collect();
    let more = unit_lines.len().saturating_sub(MAX_LINES);
    let more = format!("and {} of units", words::count(more, "more line"));
    shown.extend((unit_lines.len() > MAX_LINES).then_some(&*more));
    let other = words::all_of(files);
    let other = if shown.is_empty() { other } else { format!("also changes {other}") };
    if shown.is_empty() && files.is_empty() {
        shown.push("nothing in this example: only checks and other fields read it");
    }
    text.push_str(&lines("writes", shown.iter().copied(), columns));
    if !files.is_empty() {
        text.push_str(&hanging(&prefix(if shown.is_empty() { "writes" } else { "" }), &other, columns));
    }
    text
}

/// The example in a language.
fn example(path: &FieldPath, language: Language) -> String {
    let example = path.example();
    if path.field().is_some() {
        return write_line(language, &example);
    }
    let Line { name, values, fields, .. } = example;
    let name_of = Line { name, values, fields: Vec::new(), principal: "" };
    let fields = fields.iter().map(|field| write_line(language, field));
    match language {
        Language::Kdl => {
            let lines = joined(&fields.collect::<Vec<_>>(), "    ");
            format!("{} {{{lines}\n}}", write_line(language, &name_of))
        }
        Language::Yaml => yaml_item(path, &name_of, &fields.collect::<Vec<_>>()),
    }
}

/// Lines below another one.
fn joined(lines: &[String], indent: &str) -> String {
    lines.iter().flat_map(|line| ["\n", indent, line]).collect()
}

/// An item in the section of its kind.
fn yaml_item(path: &FieldPath, name: &Line, fields: &[String]) -> String {
    let kind = path.kind;
    let value = name.values.first().map(|value| crate::syntax::write_literal(Language::Yaml, value));
    match value {
        None => format!("{}:\n  - {}", kind.plural, fields.join("\n    ")),
        Some(name) if kind.plural == "stack" => format!("stack:\n  name: {name}{}", joined(fields, "  ")),
        Some(name) => format!("{}:\n  {name}:{}", kind.plural, joined(fields, "    ")),
    }
}

/// The options that the field sets, and their alternatives that a role cannot set next to it.
fn replaced_options(path: &FieldPath) -> Vec<String> {
    let names: Vec<&str> = path.fields.iter().map(|field| field.name).collect();
    let (field, part) = match names.as_slice() {
        [field] => (*field, None),
        [field, part] => (*field, Some(*part)),
        _ => return Vec::new(),
    };
    if path.kind.word != "role" && (path.kind.word, field) != ("model", "projector") {
        return Vec::new();
    }
    let owned = ROWS.iter().filter(|row| {
        row.owner.is_some_and(|owner| owner.field == field && (part.is_none() || owner.part == part))
    });
    owned.filter_map(|row| row.names.first()).map(|name| format!("--{name}")).collect()
}
