//! Example commands of the documents: file names without folders, and long lines are broken.

use crate::plan::{ModelKind, Plan, Prompt, Word};
use crate::render::quote::shell;
use std::sync::Arc;

/// The maximum width of a command line in characters. A single long option may exceed it.
const MAX_WIDTH: usize = 100;

/// Placeholders for the prompt and the image of the user.
const TEXT_PROMPT: &str = "prompt";
const IMAGE_PROMPT: &str = "Describe this image";
const IMAGE: &str = "image.png";

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
    if before.is_empty() {
        return bare_command(prompt);
    }
    // Environment and placement are on a separate line.
    format!("{} \\\n  {}", before.join(" "), wrapped(&groups(prompt), "  ".len()))
}

/// The program and its arguments, without environment and placement.
pub(super) fn bare_command(prompt: &Prompt) -> String {
    wrapped(&groups(prompt), 0)
}

/// Other words of a command, with paths shortened to file names.
pub(super) fn quoted_words(words: &[Arc<str>]) -> String {
    words.iter().map(|word| shell(base(word))).collect::<Vec<_>>().join(" ")
}

/// The file name without its folder.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The program, and each option with its values.
fn groups(prompt: &Prompt) -> Vec<String> {
    let text = if prompt.kind == ModelKind::Vision { IMAGE_PROMPT } else { TEXT_PROMPT };
    let mut groups = vec![shell(&prompt.tool).into_owned()];
    for word in prompt.args.iter() {
        let word = shell(match (word, word.text()) {
            (Word::ModelFile(_) | Word::DraftFile(_) | Word::ProjectorFile(_), path) => base(path),
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
