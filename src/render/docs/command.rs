//! Commands of the documents. Long lines are broken.

use crate::plan::{ModelKind, Plan, Prompt, Word};
use crate::render::quote::shell;
use std::sync::Arc;

/// The maximum width of a command line in characters. A single long option may exceed it.
const MAX_WIDTH: usize = 100;

/// Placeholders for the prompt and the image of the user.
const TEXT_PROMPT: &str = "prompt";
const IMAGE_PROMPT: &str = "Describe this image";
const IMAGE: &str = "image.png";

/// The form of paths in a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Paths {
    /// Complete paths, in a command to copy.
    Complete,
    /// File names, in an example of its options.
    Names,
}

/// The complete one-shot command of a model: environment, placement, program, arguments.
pub(super) fn full_command(plan: &Plan, prompt: &Prompt) -> String {
    let mut before: Vec<String> = prompt.env.iter().map(|(name, value)| assignment(name, value)).collect();
    if prompt.env.iter().any(|(name, _)| !is_name(name)) {
        before.insert(0, "env".to_owned());
    }
    if let Some(placement) = prompt.placement.and_then(|n| plan.placements.get(n)) {
        before.push("numactl".to_owned());
        before.extend(placement.numactl().iter().map(|option| shell(option).into_owned()));
    }
    let groups = groups(prompt, Paths::Complete);
    if before.is_empty() {
        return wrapped(&groups, 0);
    }
    // Environment and placement are on a separate line.
    format!("{} \\\n  {}", before.join(" "), wrapped(&groups, "  ".len()))
}

/// The script that runs the command of a model, with its arguments.
pub(super) fn script(prompt: &Prompt) -> String {
    let (text, image) = texts(prompt.kind);
    let script = format!("out/bin/prompt/{}", prompt.model);
    let words = [Some(&*script), Some(text), image].into_iter().flatten();
    words.map(shell).collect::<Vec<_>>().join(" ")
}

/// The program and its arguments, without environment, placement and folders.
pub(super) fn example(prompt: &Prompt) -> String {
    wrapped(&groups(prompt, Paths::Names), 0)
}

/// Other words of a command, with paths shortened to file names.
pub(super) fn quoted_words(words: &[Arc<str>]) -> String {
    words.iter().map(|word| shell(base(word))).collect::<Vec<_>>().join(" ")
}

/// The file name without its folder.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The placeholders of a command for the prompt and, if the model reads images, for an image.
fn texts(kind: ModelKind) -> (&'static str, Option<&'static str>) {
    if kind == ModelKind::Vision { (IMAGE_PROMPT, Some(IMAGE)) } else { (TEXT_PROMPT, None) }
}

/// The program, and each option with its values.
fn groups(prompt: &Prompt, paths: Paths) -> Vec<String> {
    let (text, _) = texts(prompt.kind);
    let is_complete = paths == Paths::Complete;
    let program = format!("{}/{}", prompt.bin, prompt.tool);
    let mut groups = vec![shell(if is_complete { &program } else { &prompt.tool }).into_owned()];
    for word in prompt.args.iter() {
        let word = shell(match (word, word.text()) {
            (Word::ModelFile(_) | Word::DraftFile(_) | Word::ProjectorFile(_), path) if !is_complete => {
                base(path)
            }
            (Word::Prompt, _) => text,
            (Word::Image, _) => IMAGE,
            (_, word) => word,
        });
        match groups.last_mut() {
            Some(group) if !word.starts_with('-') && group.starts_with('-') => group.extend([" ", &*word]),
            _ => groups.push(word.into_owned()),
        }
    }
    groups
}

/// Breaks the groups into lines. The first line continues a line of `width` characters.
fn wrapped(groups: &[String], mut width: usize) -> String {
    let mut text = String::new();
    for (n, group) in groups.iter().enumerate() {
        let size = group.chars().count();
        // Leave space for the ` \` at the end of the line.
        if n == 0 {
            width += size;
        } else if width + size + 3 <= MAX_WIDTH {
            text.push(' ');
            width += size + 1;
        } else {
            text.push_str(" \\\n  ");
            width = size + 2;
        }
        text.push_str(group);
    }
    text
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
