//! Example commands of the documents: file names without folders, and long lines are broken.

use super::wording;
use crate::plan::{ModelKind, Plan, Prompt, Word};
use crate::render::quote::{line, shell};
use serde::Serialize;

/// The maximum width of a command line in characters. A single long option may exceed it.
const MAX_WIDTH: usize = 100;

/// Placeholders for the prompt and the image of the user.
const TEXT_PROMPT: &str = "prompt";
const IMAGE_PROMPT: &str = "Describe this image";
const IMAGE: &str = "image.png";

/// The example commands by kind of model.
#[derive(Serialize)]
pub(super) struct CommandsView {
    dense: Option<KindView>,
    mixture: Option<KindView>,
    recurrent: Option<KindView>,
    vision: Option<KindView>,
}

/// The commands of one kind of model, and the speedup methods that they use.
#[derive(Serialize)]
struct KindView {
    speedups: String,
    only_experts: bool,
    commands: Vec<Vec<String>>,
}

impl CommandsView {
    /// None if no model has a command.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let of = |kind: ModelKind| {
            let prompts: Vec<&Prompt> = plan.prompts.iter().filter(|prompt| prompt.kind == kind).collect();
            (!prompts.is_empty()).then(|| section(plan, &prompts))
        };
        (!plan.prompts.is_empty()).then(|| Self {
            dense: of(ModelKind::Dense),
            mixture: of(ModelKind::Experts),
            recurrent: of(ModelKind::Recurrent),
            vision: of(ModelKind::Vision),
        })
    }
}

fn section(plan: &Plan, prompts: &[&Prompt]) -> KindView {
    KindView {
        speedups: wording::speedups(prompts),
        only_experts: prompts
            .iter()
            .all(|prompt| prompt.sets_experts && !prompt.has_draft && !prompt.has_lookup),
        commands: prompts.iter().zip(0..).map(|(prompt, n)| titled_command(plan, prompt, n)).collect(),
    }
}

/// The title of the model and its command. All but the first start with a blank line.
fn titled_command(plan: &Plan, prompt: &Prompt, n: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if n > 0 {
        lines.push(String::new());
    }
    lines.push(format!("# {}", line(&prompt.title)));
    lines.extend(full_command(plan, prompt));
    lines
}

/// The complete one-shot command of a model: environment, placement, program, arguments.
fn full_command(plan: &Plan, prompt: &Prompt) -> Vec<String> {
    let mut before: Vec<String> = prompt.env.iter().map(|(name, value)| assignment(name, value)).collect();
    if prompt.env.iter().any(|(name, _)| !is_name(name)) {
        before.insert(0, "env".to_owned());
    }
    if let Some(placement) = prompt.placement.and_then(|n| plan.placements.get(n)) {
        before.push("numactl".to_owned());
        before.extend(placement.numactl().iter().map(|option| shell(option).into_owned()));
    }
    let mut groups = groups(program(prompt));
    if !before.is_empty() {
        groups.insert(0, before.join(" "));
    }
    // Environment and placement are on a separate line.
    wrapped(&groups, usize::from(!before.is_empty()))
}

/// The program and its arguments, without environment and placement.
pub(super) fn bare_command(prompt: &Prompt) -> Vec<String> {
    wrapped(&groups(program(prompt)), 0)
}

/// Other words of a command, with paths shortened to file names.
pub(super) fn quoted_words(words: &[Box<str>]) -> String {
    words.iter().map(|word| shell(base(word)).into_owned()).collect::<Vec<_>>().join(" ")
}

/// The file name without its folder.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn program(prompt: &Prompt) -> impl Iterator<Item = String> {
    let text = if prompt.kind == ModelKind::Vision { IMAGE_PROMPT } else { TEXT_PROMPT };
    let word = move |word: &Word| match (word, word.text()) {
        (Word::ModelFile(_) | Word::DraftFile(_) | Word::ProjectorFile(_), file) => {
            shell(base(file)).into_owned()
        }
        (Word::Prompt, _) => shell(text).into_owned(),
        (Word::Image, _) => IMAGE.to_owned(),
        (_, word) => shell(word).into_owned(),
    };
    std::iter::once(shell(&prompt.tool).into_owned()).chain(prompt.args.iter().map(word))
}

/// Groups each option with its values.
fn groups(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for word in words {
        match groups.last_mut() {
            Some(group) if !word.starts_with('-') && group.starts_with('-') => {
                group.push(' ');
                group.push_str(&word);
            }
            _ => groups.push(word),
        }
    }
    groups
}

/// Breaks the groups into lines. The first `separate` groups are on separate lines.
fn wrapped(groups: &[String], separate: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut width = 0;
    for (n, group) in groups.iter().enumerate() {
        let size = group.chars().count();
        match lines.last_mut() {
            // Leave space for the ` \` at the end of the line.
            Some(line) if n != separate && width + size + 3 <= MAX_WIDTH => {
                line.push(' ');
                line.push_str(group);
                width += size + 1;
            }
            Some(line) => {
                line.push_str(" \\");
                lines.push(format!("  {group}"));
                width = size + 2;
            }
            None => {
                lines.push(group.clone());
                width = size;
            }
        }
    }
    lines
}

fn assignment(name: &str, value: &str) -> String {
    if is_name(name) {
        format!("{name}={}", shell(value))
    } else {
        shell(&format!("{name}={value}")).into_owned()
    }
}

/// True if bash accepts the word as a variable name.
fn is_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}
