//! The effect of a field on the output. It is measured: the example registry is compiled with and without the field.

use super::builds::Builds;
use crate::check::{Checked, NotCheckedPolicy};
use crate::compile::{analyze, generate};
use crate::diag::{Diagnostics, words};
use crate::engine::Word;
use crate::hir::schema::{ExampleValue, FieldPath};
use crate::hir::{Field, ItemKind, Presence};
use crate::plan::TargetName;
use crate::plan::report::Findings;
use crate::source::{Loaded, SourceMap};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of lines of units to print.
const MAX_LINES: usize = 8;
/// The maximum number of files to print.
const MAX_FILES: usize = 4;

/// The text for a field without its own effect.
const NOTHING: &str = "nothing in this example; checks and other fields use it";
/// The text for a field whose example is not complete.
pub(in crate::cli) const UNKNOWN: &str = "depends on other fields";

/// The parts of the output that exist only with a field.
#[derive(Serialize, Debug)]
pub(in crate::cli) struct Effect {
    /// Options of the server with their values.
    pub(in crate::cli) options: Vec<String>,
    /// Lines of units, and words of their commands that are no options of the server.
    pub(in crate::cli) unit_lines: Vec<String>,
    /// The other changed files: paths below the output folder.
    pub(in crate::cli) files: Vec<String>,
}

/// The effect of a field, and the builds that accept its example.
pub(super) struct Measured {
    pub(super) effect: Effect,
    /// `None` if the field writes no option: then it does not depend on the build.
    pub(super) builds: Option<Builds>,
}

/// The output of a registry.
struct Output {
    options: Vec<Vec<String>>,
    /// The lines of each file, by path.
    files: BTreeMap<String, BTreeSet<String>>,
}

impl Effect {
    /// The effect in words: what the field writes, and the other files that it changes. Long lists are shortened.
    pub(in crate::cli) fn parts(&self) -> (Vec<String>, Vec<String>) {
        let quoted = |text: &String| words::quoted(text);
        let mut written: Vec<String> =
            self.options.iter().chain(self.unit_lines.iter().take(MAX_LINES)).map(quoted).collect();
        let more = self.unit_lines.len().saturating_sub(MAX_LINES);
        written.extend((more > 0).then(|| format!("{} of units", words::count(more, "more line"))));
        let mut changed: Vec<String> = self.files.iter().take(MAX_FILES).map(quoted).collect();
        let more = self.files.len().saturating_sub(MAX_FILES);
        changed.extend((more > 0).then(|| words::count(more, "more file")));
        if written.is_empty() && changed.is_empty() {
            written.push(NOTHING.to_owned());
        }
        (written, changed)
    }

    fn is_empty(&self) -> bool {
        self.options.is_empty() && self.unit_lines.is_empty() && self.files.is_empty()
    }

    fn union(mut self, other: Self) -> Self {
        let add = |own: &mut Vec<String>, other: Vec<String>| {
            for one in other {
                if !own.contains(&one) {
                    own.push(one);
                }
            }
        };
        add(&mut self.options, other.options);
        add(&mut self.unit_lines, other.unit_lines);
        add(&mut self.files, other.files);
        self
    }
}

/// Another field of the item in the example registry, with its value.
type OtherField = Option<(&'static Field, ExampleValue)>;

/// The effect of the example of a field. For a required field of a block, it may be the effect of the block. `None` if the
/// example is not complete, because the field needs several others.
pub(super) fn measure(path: &FieldPath) -> Option<Measured> {
    measure_alone(path).or_else(|| {
        let (field, around) = path.fields.split_last()?;
        let block = FieldPath { kind: path.kind, fields: around.to_vec() };
        if field.presence == Presence::Required { measure_alone(&block) } else { None }
    })
}

/// Compares the example with the same registry without the field, or with another value if the field is required or has
/// its default.
fn measure_alone(path: &FieldPath) -> Option<Measured> {
    let alone = effect(path, None);
    let is_complete = alone.is_some();
    // A field may exclude another one of its item, or need another value of it. If the example is complete, only the fields
    // that it has may hide an effect.
    let changes =
        path.kind.table.fields.iter().filter(|other| !is_complete || path.kind.is_in_example(other));
    let changes = changes
        .flat_map(|other| [ExampleValue::Absent, ExampleValue::Changed].map(|value| Some((other, value))));
    let changed = changes.filter_map(|change| Some((effect(path, change)?, change)));
    let mut fallback = None;
    for (effect, change) in alone.map(|effect| (effect, None)).into_iter().chain(changed) {
        if !effect.is_empty() {
            let builds = (!effect.options.is_empty()).then(|| builds(path, change));
            return Some(Measured { effect, builds });
        }
        fallback = fallback.or(Some(Measured { effect, builds: None }));
    }
    fallback
}

/// The effect of the example of a field, with a change of another field. `None` if this registry has errors.
fn effect(path: &FieldPath, change: OtherField) -> Option<Effect> {
    let registry = |given| path.registry(given, change);
    let with = compile(&registry(ExampleValue::Shown))?;
    let others = [ExampleValue::Absent, ExampleValue::Changed]
        .into_iter()
        .filter_map(|given| compile(&registry(given)));
    others.map(|without| compare(&with, &without)).reduce(Effect::union)
}

/// The builds that accept the example of a field.
fn builds(path: &FieldPath, change: OtherField) -> Builds {
    let registry = path.registry(ExampleValue::Shown, change);
    Builds::that(|profile| {
        let mut registry = registry.clone();
        let engines = ItemKind::of_word("engine").and_then(|kind| registry.get_mut(kind.plural));
        for engine in engines.and_then(Value::as_object_mut).into_iter().flat_map(|all| all.values_mut()) {
            let engine = engine.as_object_mut();
            engine.and_then(|engine| engine.insert("profile".to_owned(), profile.name().into()));
        }
        check(&registry).is_some()
    })
}

/// The parts of an output that another one does not have.
fn compare(with: &Output, without: &Output) -> Effect {
    let new_options = with.options.iter().filter(|option| !without.options.contains(option));
    let server_words: BTreeSet<&str> = with.options.iter().flatten().map(String::as_str).collect();
    let (mut unit_lines, mut files) = (BTreeSet::new(), Vec::new());
    let none = BTreeSet::new();
    for (path, lines) in &with.files {
        let is_new = !without.files.contains_key(path);
        let old = without.files.get(path).unwrap_or(&none);
        if lines == old {
            continue;
        }
        if is_new || !path.starts_with("systemd/") {
            files.push(path.clone());
            continue;
        }
        let old_words: BTreeSet<&str> = commands(old).collect();
        let words = commands(lines).filter(|word| !old_words.contains(word) && !server_words.contains(word));
        unit_lines.extend(words.map(str::to_owned));
        unit_lines.extend(lines.difference(old).filter(|line| is_setting(line)).cloned());
    }
    Effect {
        options: new_options.map(|option| option.join(" ")).collect(),
        unit_lines: unit_lines.into_iter().collect(),
        files,
    }
}

/// The registry as JSON, which is also YAML, with everything that follows from it. `None` if it has errors.
fn check(registry: &Value) -> Option<Checked> {
    let mut map = SourceMap::default();
    map.add("example.yaml", registry.to_string());
    let loaded = Loaded { map, ..Loaded::default() };
    analyze(&loaded, NotCheckedPolicy::Count, &mut Diagnostics::default()).ok()
}

/// The output of a registry. `None` if it has errors.
fn compile(registry: &Value) -> Option<Output> {
    let checked = check(registry)?;
    let role = checked.derived().roles.first();
    let line = role.and_then(|role| Some(role.known_command()?.line(&role.endpoint, 0)));
    let options = options(line.as_deref().unwrap_or_default());
    // The report has the text of all fields.
    let others: Vec<TargetName> =
        TargetName::ALL.iter().copied().filter(|name| *name != TargetName::Report).collect();
    let files = generate(checked, Findings::default(), &others, |artifacts| {
        let texts = artifacts.iter().map(|artifact| {
            let text = artifact.text().unwrap_or_default();
            (artifact.path().as_str().to_owned(), lines_of(text.as_ref()))
        });
        texts.collect()
    });
    Some(Output { options, files: files.ok()? })
}

/// The lines of a file. A line that ends with a backslash continues on the next one.
fn lines_of(text: &str) -> BTreeSet<String> {
    text.replace("\\\n", " ").lines().map(str::to_owned).collect()
}

/// The options of a command line, each with its values.
fn options(words: &[Word]) -> Vec<Vec<String>> {
    let mut options: Vec<Vec<String>> = Vec::new();
    for word in words.iter().map(Word::text) {
        let is_name = word.starts_with('-') && word.parse::<f64>().is_err();
        match options.last_mut() {
            Some(option) if !is_name => option.push(word.to_owned()),
            _ => options.push(vec![word.to_owned()]),
        }
    }
    options
}

/// The options and paths in the commands of a unit.
fn commands(lines: &BTreeSet<String>) -> impl Iterator<Item = &str> {
    let words = lines.iter().filter(|line| line.starts_with("Exec")).flat_map(|line| line.split([' ', '=']));
    words.filter(|word| word.starts_with('/')).chain(options_of(lines))
}

fn options_of(lines: &BTreeSet<String>) -> impl Iterator<Item = &str> {
    let words = lines.iter().filter(|line| line.starts_with("Exec")).flat_map(|line| line.split(' '));
    words.filter(|word| word.starts_with("--"))
}

/// True for a line that sets something, apart from commands.
fn is_setting(line: &str) -> bool {
    let name = line.split_once('=').map_or("", |(name, _)| name);
    let is_name =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(char::is_alphanumeric);
    is_name && !name.starts_with("Exec")
}
