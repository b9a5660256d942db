//! The description of a kind or a field: all facts, for the terminal, for JSON and for the pages of the reference.

use super::builds::Builds;
use super::effect::{Effect, Measured, measure};
use super::findings::codes_of;
use crate::cli::session;
use crate::diag::{Code, Line};
use crate::engine::options::ROWS;
use crate::hir::schema::{FieldPath, Range, description, range, unit};
use crate::hir::{Field, Presence};
use crate::syntax::{Language, write_line};
use serde::Serialize;

/// The description of a kind or a field as JSON. Later versions only add fields.
#[derive(Serialize)]
pub(in crate::cli) struct FieldPage {
    pub(super) format_version: u32,
    /// The path, such as `role.draft.max`.
    pub(in crate::cli) field: String,
    pub(in crate::cli) description: &'static str,
    /// `required`, `optional` or `repeated`. Null for a kind.
    pub(in crate::cli) presence: Option<&'static str>,
    /// The type in words.
    pub(in crate::cli) r#type: Option<String>,
    pub(in crate::cli) range: Option<Range>,
    pub(in crate::cli) unit: Option<&'static str>,
    pub(in crate::cli) default: Option<&'static str>,
    pub(in crate::cli) kdl: String,
    pub(in crate::cli) yaml: String,
    /// The effect of the example. Null for a kind, and if the example is not complete without other fields.
    pub(in crate::cli) writes: Option<Effect>,
    /// The options of the engine that the field replaces.
    pub(in crate::cli) replaces: Vec<String>,
    /// The builds that accept the example. Null if the field writes no option of the engine.
    pub(in crate::cli) builds: Option<Builds>,
    /// The codes that concern the field.
    pub(in crate::cli) findings: Vec<RelatedCode>,
    pub(super) fields: Vec<FieldSummary>,
}

/// A code that concerns a field.
#[derive(Serialize)]
pub(in crate::cli) struct RelatedCode {
    pub(in crate::cli) code: String,
    pub(in crate::cli) name: &'static str,
}

/// A field of a kind or of a block.
#[derive(Serialize)]
pub(super) struct FieldSummary {
    pub(super) name: &'static str,
    pub(super) presence: &'static str,
    pub(super) description: &'static str,
}

impl FieldPage {
    pub(in crate::cli) fn new(path: &FieldPath) -> Self {
        let field = path.field();
        let measured = field.and_then(|_| measure(path));
        let (writes, builds) =
            measured.map_or((None, None), |Measured { effect, builds }| (Some(effect), builds));
        let related = |code: &&'static Code| RelatedCode { code: code.to_string(), name: code.name };
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
            writes,
            replaces: replaced_options(path),
            builds,
            findings: codes_of(path).iter().map(related).collect(),
            fields: path.children().into_iter().map(summary).collect(),
        }
    }

    pub(super) fn json(&self) -> String {
        session::json_line(self)
    }
}

fn presence(field: &Field) -> &'static str {
    match field.presence {
        Presence::Required => "required",
        Presence::Optional => "optional",
        Presence::Repeated | Presence::Distinct => "repeated",
    }
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
