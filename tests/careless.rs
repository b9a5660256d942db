//! Registries as users write them by mistake, in `careless/`: the first message about each, and the score of its help.

use crate::support::{orchgen, repository};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// The mean score that the helps must reach.
const LEAST_MEAN: f64 = 4.5;

fn folder() -> PathBuf {
    repository().join("tests/careless")
}

/// The names of the registries.
fn registries() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// The first message about a registry, as a terminal shows it, and the number of the other messages.
fn first_message(name: &str) -> String {
    let run = Command::new(orchgen())
        .args(["check", name])
        .current_dir(folder())
        .env_clear()
        .envs([("COLUMNS", "100"), ("LC_ALL", "C.UTF-8")])
        .output()
        .unwrap();
    let text = String::from_utf8(run.stderr).unwrap();
    let blocks: Vec<&str> = text.split("\n\n").map(str::trim_end).collect();
    let is_finding =
        |block: &&str| ["error[", "warning[", "note["].iter().any(|start| block.starts_with(start));
    let others = blocks.iter().copied().filter(is_finding).count().saturating_sub(1);
    let more = if others > 0 { format!("\n(and {others} more)") } else { String::new() };
    format!("{}{more}", blocks.first().copied().unwrap_or_default())
}

#[test]
fn the_first_message_about_each_careless_registry_is_in_the_fixture() {
    let mut out = String::new();
    for name in registries() {
        write!(out, "== {name}\n{}\n\n", first_message(&name)).unwrap();
    }
    crate::support::assert_snapshot!("careless", "messages", out);
}

/// The rows of the table of scores: the registry, and its score if a reader gave one.
fn scores() -> Vec<(String, Option<f64>)> {
    let table = std::fs::read_to_string(folder().join("scores.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, .., score] = cells.as_slice() else { panic!("{row}") };
        let score = (*score != "-").then(|| score.parse().unwrap_or_else(|_| panic!("{row}")));
        (name.trim_matches('`').to_owned(), score)
    })
    .collect()
}

#[test]
fn each_careless_registry_has_a_row_and_the_mean_score_is_high() {
    let mut named: Vec<String> = scores().into_iter().map(|(name, _)| name).collect();
    named.sort_unstable();
    assert_eq!(named, registries());
    let given: Vec<f64> = scores().into_iter().filter_map(|(_, score)| score).collect();
    assert!(given.iter().all(|score| (1.0..=5.0).contains(score)), "{given:?}");
    let count = f64::from(u32::try_from(given.len()).unwrap());
    assert!(given.is_empty() || given.iter().sum::<f64>() / count >= LEAST_MEAN, "{given:?}");
}
