//! Options of the engine that users write as fields of a role.

use super::engine_word::EngineWord;
use super::fields::{FieldReader, ReadTask, is_bare};
use super::guess::{boolean, is_absence};
use super::habits::literal_of;
use super::record::Record;
use crate::diag::{Change, Diagnostic, Line, Literal, Safety, Similarity, Suggestion};
use crate::hir::codes::UNKNOWN_FIELD;
use crate::hir::{Field, Shape};
use crate::source::Span;
use crate::syntax::{Language, Node, Scalar, Value};

/// The place in a role of a word of the engine.
struct Target {
    /// The field that has the line as a part, such as `options` or `placement`.
    block: Option<&'static str>,
    line: Line,
}

const OPTIONS: &str = "options";

/// The help for a secret in the registry.
pub(super) const SECRET: &str =
    "write a new key into a file that only root can read, and name that file in `key-file`";

/// The number of fields of a role that a help looks at. A limit keeps the work for any text linear.
const MAX_SIBLINGS: usize = 256;

/// The number of fields of a role up to which each word has the fix of all words.
const MAX_JOINED: usize = 32;

impl FieldReader<'_> {
    /// The finding for a setting of the engine, unless the word surely means another field.
    pub(super) fn engine_finding(
        &self,
        record: &mut Record,
        (message, suggestion): (&str, Option<Suggestion>),
        node: &Node,
        task: ReadTask,
    ) -> Option<Diagnostic> {
        let is_sure = suggestion.is_some_and(|near| near.similarity == Similarity::Same);
        let word = (self.engine.meaning)(&node.key).filter(|_| task.is_role() && !is_sure)?;
        let finding = UNKNOWN_FIELD.at(node.key_span, "a setting of the engine", message);
        if word == EngineWord::Secret {
            let finding = node.args.iter().fold(finding, |finding, secret| finding.conceal(secret.span));
            return Some(finding.help(SECRET));
        }
        if let Some(finding) = gpu_finding(&finding, &word, node, task) {
            record.mark_reported("placement");
            return Some(finding);
        }
        if let Some(target) = self.target(&word, node, task) {
            let name = target.block.unwrap_or(&target.line.name);
            let field = task.field(name).map_or("", |field| field.name);
            let is_first = !record.is_reported(field);
            record.mark_reported(field);
            return Some(self.write_target(finding, (&target, is_first), node, task));
        }
        match word {
            EngineWord::Field("model", _) => {
                Some(finding.help("declare the file as a model, and name that model in `model`"))
            }
            EngineWord::Field(field, _) if task.field(field).is_none() => {
                Some(finding.help(format!("write it as `{field}` of the model")))
            }
            EngineWord::Field(field, part) => Some(write_other_value(finding, (field, part), node, task)),
            EngineWord::Option(_)
            | EngineWord::OptionOff(_)
            | EngineWord::OptionValue(..)
            | EngineWord::Secret => None,
        }
    }

    /// The help that writes the field. All words that belong into one block have one fix; in a role with very many
    /// fields only the first has it.
    fn write_target(
        &self,
        finding: Diagnostic,
        (target, is_first): (&Target, bool),
        node: &Node,
        task: ReadTask,
    ) -> Diagnostic {
        let all = &task.input.node.fields;
        let siblings = all.get(..MAX_SIBLINGS).unwrap_or(all);
        let has = |name: &str| siblings.iter().any(|field| field.key == name);
        let Some(block) = target.block else {
            if let Some((slots, _)) = several_slots(task).filter(|_| target.line.name == "slots") {
                let change = Change::rewrite(slots, target.line.clone());
                return finding
                    .remedy("write `{}`", Change::All(vec![change, Change::remove(node.key_span)]));
            }
            if has(&target.line.name) {
                let title = format!("remove `{{}}`: `{}` sets it", target.line.name);
                return finding.remedy(title, Change::remove(node.key_span));
            }
            let change = Change::rewrite(node.key_span, target.line.clone());
            return finding.remedy_as(Safety::Safe, "write `{}`", change);
        };
        if has(block) {
            let set =
                Change::Set { item: task.input.node.span, path: vec![block], line: target.line.clone() };
            let change = Change::All(vec![Change::remove(node.key_span), set]);
            return finding.remedy_as(Safety::Safe, format!("write `{{}}` in `{block}`"), change);
        }
        let mut words: Vec<(Span, Line)> = Vec::new();
        let is_joined = is_first || all.len() <= MAX_JOINED;
        let joined = if is_joined { siblings } else { std::slice::from_ref(node) };
        for other in joined.iter().filter(|other| task.field(&other.key).is_none()) {
            let target = (self.engine.meaning)(&other.key).and_then(|word| self.target(&word, other, task));
            let Some(other_target) = target.filter(|target| target.block == Some(block)) else { continue };
            if words.iter().all(|(_, line)| line.name != other_target.line.name) {
                words.push((other.key_span, other_target.line));
            }
        }
        let line = words.iter().fold(Line::new(block), |line, (_, part)| line.with(part.clone()));
        let Some((first, rest)) = words.split_first() else { return finding };
        // A property of KDL has no place for a block.
        let is_property = self.language == Language::Kdl
            && task.input.node.block.is_none_or(|block| first.0.start < block.start);
        let write = if is_property {
            Change::All(vec![Change::remove(first.0), Change::set(task.input.node.span, line)])
        } else {
            Change::rewrite(first.0, line)
        };
        let changes = std::iter::once(write).chain(rest.iter().map(|(place, _)| Change::remove(*place)));
        finding.remedy_as(Safety::Safe, "write `{}`", Change::All(changes.collect()))
    }

    /// The field or option that sets a setting of the engine.
    fn target(&self, word: &EngineWord, node: &Node, task: ReadTask) -> Option<Target> {
        if !is_bare(node) {
            return None;
        }
        let option = |line| Some(Target { block: Some(OPTIONS), line });
        match word {
            // The value of `model` is the name of an item, not a file or a repository.
            EngineWord::Field(field, _) if *field == "model" || task.field(field).is_none() => None,
            EngineWord::Field(field, Some("least")) => {
                let [one] = node.args.as_slice() else { return None };
                let least = Line::of("least", self.part_value((field, Some("least")), one, task)?);
                Some(Target { block: None, line: Line::of(*field, "fit").principal("tokens").with(least) })
            }
            EngineWord::Field(field, Some("fit")) => {
                let line = Line::of(*field, "fit");
                switch(&node.args)?.then_some(Target { block: None, line })
            }
            EngineWord::Field(field, Some("shared")) => {
                let (_, count) = several_slots(task).filter(|_| switch(&node.args) == Some(true))?;
                let line = Line::of(*field, count).principal("n").with(Line::of("shared", true));
                Some(Target { block: None, line })
            }
            EngineWord::Field(field, part) => {
                let value = match node.args.as_slice() {
                    [] => state_on((field, *part), task)?,
                    [one] => self.part_value((field, *part), one, task)?,
                    _ => return None,
                };
                Some(match part {
                    Some(part) => Target { block: Some(field), line: Line::of(*part, value) },
                    None => Target { block: None, line: Line::of(*field, value) },
                })
            }
            EngineWord::Secret => None,
            EngineWord::Option(name) if (self.engine.arity)(name) == 0 => {
                option(Line::of(name.as_str(), switch(&node.args)?))
            }
            EngineWord::Option(name) => {
                let values: Option<Vec<Literal>> =
                    node.args.iter().map(|value| literal_of(value, self.text)).collect();
                let values = values.filter(|values| !values.is_empty())?;
                option(values.into_iter().fold(Line::new(name.as_str()), Line::value))
            }
            EngineWord::OptionOff(name) => option(Line::of(name.as_str(), !switch(&node.args)?)),
            EngineWord::OptionValue(name, value) => {
                let is_on = switch(&node.args)?;
                let value = match (*value, is_on) {
                    (value, true) => value,
                    ("mmap", false) => "none",
                    ("none", false) => "mmap",
                    _ => return None,
                };
                option(Line::of(*name, value))
            }
        }
    }

    /// A value for a field of a role, or for a part of it.
    fn part_value(
        &self,
        (field, part): (&str, Option<&str>),
        value: &Scalar,
        task: ReadTask,
    ) -> Option<Literal> {
        let row = row_of((field, part), task)?;
        if let (Some("split"), Value::String(shares)) = (part, &value.value) {
            return Some(Literal::from(shares.replace([',', '/'], ":")));
        }
        let row = match (part, &row.shape) {
            (None, Shape::Block(table)) => match table.principal_field() {
                Some(row) if matches!(row.shape, Shape::Count(..) | Shape::CountOr(..)) => row,
                _ => row,
            },
            _ => row,
        };
        self.fitting(value, row)
    }
}

/// The finding for a word without its own line: all layers are on the GPUs by default, and the first GPU is the main
/// one.
fn gpu_finding(finding: &Diagnostic, word: &EngineWord, node: &Node, task: ReadTask) -> Option<Diagnostic> {
    let EngineWord::Field("placement", Some(part)) = word else { return None };
    let [value] = node.args.as_slice() else { return None };
    // 99 and 999 are usual numbers for all layers.
    let means_all = match &value.value {
        Value::Integer(number) => *number >= 99 || *number < 0,
        Value::String(text) => text == "all",
        Value::Null | Value::Bool(_) | Value::Float(_) => false,
    };
    let has_placement = task.input.node.fields.iter().any(|field| field.key == "placement");
    match *part {
        "layers" if means_all && has_placement => {
            let title = "remove `{}`: all layers are on the GPUs of `placement`";
            Some(finding.clone().remedy(title, Change::remove(node.key_span)))
        }
        "layers" if means_all => {
            Some(finding.clone().help("name the GPUs in `gpu` of `placement`: all layers are then on them"))
        }
        "gpu" if matches!(value.value, Value::Integer(_)) => {
            Some(finding.clone().help(
                "name that GPU in `gpu` of `placement`, such as `CUDA0`: the first GPU is the main one",
            ))
        }
        _ => None,
    }
}

/// The help for a value that the field cannot have: the removal of a word for the default, or the name of the field.
fn write_other_value(
    finding: Diagnostic,
    (field, part): (&str, Option<&str>),
    node: &Node,
    task: ReadTask,
) -> Diagnostic {
    let is_default = match node.args.as_slice() {
        [Scalar { value: Value::Integer(..=0), .. }] => true,
        [Scalar { value: Value::Bool(false), .. }] => matches!(part, Some("fit" | "shared")),
        [Scalar { value: Value::String(word), .. }] => is_absence(word),
        _ => false,
    };
    let is_optional = task
        .field(field)
        .is_some_and(|row| matches!(row.shape, Shape::Block(_) | Shape::Count(..) | Shape::CountOr(..)));
    if is_default && is_optional && is_bare(node) {
        return finding.remedy("remove `{}` for the default", Change::remove(node.key_span));
    }
    finding.help(match part {
        Some("fit") => format!("use `fit` as the value of the field `{field}`"),
        Some("shared") => format!("use `shared` of the field `{field}`, with the number of slots"),
        Some(part) => format!("use `{part}` of the field `{field}`"),
        None => format!("use the field `{field}`"),
    })
}

/// The row of a field of a role, or of its part.
fn row_of((field, part): (&str, Option<&str>), task: ReadTask) -> Option<&'static Field> {
    let row = task.field(field)?;
    match (part, &row.shape) {
        (Some(part), Shape::Block(table)) => table.field(part),
        _ => Some(row),
    }
}

/// The value of a field for an option without a value. `None` if the field needs more.
fn state_on(place: (&str, Option<&str>), task: ReadTask) -> Option<Literal> {
    let shape = &row_of(place, task)?.shape;
    if let Shape::Word(words) = shape {
        return words.contains(&"on").then(|| Literal::from("on"));
    }
    (*shape == Shape::Flag).then_some(Literal::Flag(true))
}

/// The place and the number of the slots of a role with several.
fn several_slots(task: ReadTask) -> Option<(Span, u64)> {
    let slots = task.input.node.fields.iter().take(MAX_SIBLINGS).find(|field| field.key == "slots")?;
    let [Scalar { value: Value::Integer(count), .. }] = slots.args.as_slice() else { return None };
    let count = u64::try_from(*count).ok().filter(|count| *count > 1)?;
    (slots.fields.is_empty()).then_some((slots.key_span, count))
}

/// The state of a switch: `true`, `on`, `1`, or no value.
fn switch(args: &[Scalar]) -> Option<bool> {
    match args {
        [] | [Scalar { value: Value::Null, .. }] => Some(true),
        [Scalar { value: Value::Bool(flag), .. }] => Some(*flag),
        [Scalar { value: Value::Integer(number), .. }] => Some(*number != 0),
        [Scalar { value: Value::String(word), .. }] => boolean(word),
        _ => None,
    }
}
