//! `orchgen diff`: the changes of a build as a unified diff.

use super::args::DiffArgs;
use super::wanted::wanted;
use crate::cli::args::OutputArgs;
use crate::cli::text_diff::unified;
use crate::cli::{RunStatus, session};
use crate::deploy::{Tree, TreeFile};
use std::collections::BTreeSet;

pub(in crate::cli) fn run(command: &DiffArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    let new = wanted(&command.registry, output)?;
    let out = command.registry.out(command.out.as_deref());
    let old = if out.exists() { Tree::read_files(&out).map_err(session::fail)? } else { Tree::default() };
    let name = out.to_string_lossy();
    let mut text = String::new();
    let paths: BTreeSet<&String> = old.files.keys().chain(new.files.keys()).collect();
    for path in paths {
        let side = |tree: &'_ Tree| tree.files.get(path).map(lossy).unwrap_or_default();
        let (before, after) = (side(&old), side(&new));
        if before != after {
            text.push_str(&unified(&format!("{name}/{path}"), &before, &after));
        }
    }
    let printed = session::print_stdout(&text);
    if printed != RunStatus::Clean {
        return Err(printed);
    }
    Ok(if text.is_empty() { RunStatus::Clean } else { RunStatus::Findings })
}

fn lossy(file: &TreeFile) -> String {
    String::from_utf8_lossy(&file.bytes).into_owned()
}
