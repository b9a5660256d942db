//! Settings that most roles have, as defaults of the stack.

use super::RoleDraft;
use crate::diag::Line;

/// The fields that never are defaults: they differ by nature.
const OWN: &[&str] = &["model", "alias", "port", "command", "shares", "draft", "health", "lookup", "lora"];

/// The fields whose parts merge with those of the defaults.
const MERGED: &[&str] = &["options", "env", "placement"];

/// The fewest roles that share a setting.
const FEWEST: usize = 2;

/// Moves settings that roles share into defaults, and returns them.
pub(super) fn share_settings(drafts: &mut [RoleDraft]) -> Vec<Line> {
    let is_served = |draft: &RoleDraft| draft.lines.iter().any(|line| line.name == "model");
    // A program that is no engine has none of these settings, and a registry would report them.
    if !drafts.iter().all(|draft| is_served(draft) || draft.lines.iter().any(|line| line.name == "shares")) {
        return Vec::new();
    }
    let mut served: Vec<&mut Vec<Line>> =
        drafts.iter_mut().filter(|draft| is_served(draft)).map(|draft| &mut draft.lines).collect();
    if served.len() < FEWEST {
        return Vec::new();
    }
    let mut defaults: Vec<Line> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for line in served.iter().flat_map(|lines| lines.iter()) {
        if !names.contains(&line.name) && !OWN.contains(&line.name.as_str()) {
            names.push(line.name.clone());
        }
    }
    for name in names {
        if MERGED.contains(&name.as_str()) {
            let mut blocks: Vec<Line> = served
                .iter()
                .map(|lines| {
                    let found = lines.iter().find(|line| line.name == name).cloned();
                    found.unwrap_or_else(|| Line::new(name.as_str()))
                })
                .collect();
            let shared = share_parts(&mut blocks);
            if shared.is_empty() {
                continue;
            }
            for (lines, block) in served.iter_mut().zip(blocks) {
                lines.retain(|line| line.name != name || !block.fields.is_empty());
                lines.iter_mut().filter(|line| line.name == name).for_each(|line| *line = block.clone());
            }
            defaults.push(Line::new(name).with_each(shared));
        } else if let Some(shared) = most_common(&served, &name) {
            for lines in &mut served {
                lines.retain(|line| *line != shared);
            }
            defaults.push(shared);
        }
    }
    defaults
}

/// The most common value of a field that all roles have.
fn most_common(served: &[&mut Vec<Line>], name: &str) -> Option<Line> {
    let values: Option<Vec<&Line>> =
        served.iter().map(|lines| lines.iter().find(|line| line.name == name)).collect();
    best(&values?)
}

/// Removes the parts that all blocks have from those with the most common value, and returns these.
fn share_parts(blocks: &mut [Line]) -> Vec<Line> {
    let first = blocks.first().map(|block| block.fields.clone()).unwrap_or_default();
    let mut shared = Vec::new();
    for part in first {
        let values: Option<Vec<&Line>> =
            blocks.iter().map(|block| block.fields.iter().find(|line| line.name == part.name)).collect();
        let Some(best) = values.and_then(|values| best(&values)) else { continue };
        for block in blocks.iter_mut() {
            block.fields.retain(|line| *line != best);
        }
        shared.push(best);
    }
    shared
}

/// The value that more than half of the roles have.
fn best(values: &[&Line]) -> Option<Line> {
    let mut counted: Vec<(&Line, usize)> = Vec::new();
    for value in values {
        match counted.iter_mut().find(|(known, _)| known == value) {
            Some((_, count)) => *count += 1,
            None => counted.push((value, 1)),
        }
    }
    let (line, _) = counted.into_iter().find(|(_, count)| *count >= FEWEST && count * 2 > values.len())?;
    Some(line.clone())
}
