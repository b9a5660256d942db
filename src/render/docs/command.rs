//! Commands as people read them: file names without folders, a line break before a line gets too long.

use super::wording;
use crate::plan::{Kind, Plan, Prompt, Word};
use crate::render::quote::{line, shell};
use serde::Serialize;

/// The longest line of a command, in characters, where a single option is not longer.
const WIDTH: usize = 100;

/// What stands for the question and the image of a person.
const TEXT: &str = "prompt";
const ABOUT_IMAGE: &str = "Describe this image";
const IMAGE: &str = "image.png";

/// The commands, by kind of model.
#[derive(Serialize)]
pub(super) struct CommandsView {
    dense: Option<KindView>,
    mixture: Option<KindView>,
    recurrent: Option<KindView>,
    vision: Option<KindView>,
}

/// The commands of one kind of model, and the means that any of them uses.
#[derive(Serialize)]
struct KindView {
    means: String,
    only_experts: bool,
    commands: Vec<Vec<String>>,
}

impl CommandsView {
    /// None where no model has a command.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let of = |kind: Kind| {
            let prompts: Vec<&Prompt> = plan.prompts.iter().filter(|prompt| prompt.kind == kind).collect();
            (!prompts.is_empty()).then(|| section(plan, &prompts))
        };
        (!plan.prompts.is_empty()).then(|| Self {
            dense: of(Kind::Dense),
            mixture: of(Kind::Experts),
            recurrent: of(Kind::Recurrent),
            vision: of(Kind::Vision),
        })
    }
}

fn section(plan: &Plan, prompts: &[&Prompt]) -> KindView {
    KindView {
        means: wording::means(prompts),
        only_experts: prompts.iter().all(|prompt| prompt.sets_experts && !prompt.drafts && !prompt.looks_up),
        commands: prompts.iter().zip(0..).map(|(prompt, n)| titled(plan, prompt, n)).collect(),
    }
}

/// The lines of a command below the title of its model, with a blank line before all but the first.
fn titled(plan: &Plan, prompt: &Prompt, n: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if n > 0 {
        lines.push(String::new());
    }
    lines.push(format!("# {}", line(&prompt.title)));
    lines.extend(whole(plan, prompt));
    lines
}

/// The whole one-shot command of a model: environment, placement, program, arguments.
fn whole(plan: &Plan, prompt: &Prompt) -> Vec<String> {
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
    // What goes before the program has a line of its own.
    wrapped(&groups, usize::from(!before.is_empty()))
}

/// The program with its arguments.
pub(super) fn bare(prompt: &Prompt) -> Vec<String> {
    wrapped(&groups(program(prompt)), 0)
}

/// Any other words, of which some are paths.
pub(super) fn words(words: &[Box<str>]) -> String {
    words.iter().map(|word| shell(base(word)).into_owned()).collect::<Vec<_>>().join(" ")
}

/// The name of a file without its folder.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn program(prompt: &Prompt) -> impl Iterator<Item = String> {
    let asked = if prompt.kind == Kind::Vision { ABOUT_IMAGE } else { TEXT };
    let word = move |word: &Word| match word {
        Word::Text(text) if prompt.files.iter().any(|file| **file == **text) => {
            shell(base(text)).into_owned()
        }
        Word::Text(text) => shell(text).into_owned(),
        Word::Prompt => shell(asked).into_owned(),
        Word::Image => IMAGE.to_owned(),
        Word::KeyFile => "KEY_FILE".to_owned(),
    };
    std::iter::once(shell(&prompt.tool).into_owned()).chain(prompt.args.iter().map(word))
}

/// The words with each option and its values as one.
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

/// The groups on as few lines as they need; the first `alone` of them stand on lines of their own.
fn wrapped(groups: &[String], alone: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut width = 0;
    for (n, group) in groups.iter().enumerate() {
        let size = group.chars().count();
        match lines.last_mut() {
            // Room is left for what continues a line.
            Some(line) if n != alone && width + size + 3 <= WIDTH => {
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

/// Whether bash takes a word for the name of a variable.
fn is_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}
