//! The generated `MODEL_REFERENCE.md` has every heading, table cell and command of the document that it replaces.
//!
//! `cells.md` lists them. The generated document may have more sections, columns at the right, and text. These differences
//! are accepted, because the old document is not exact:
//! - amounts of memory may differ by 15 percent
//! - `f16` and `F16` are the same quant
//! - a draft may have its full title, with `-Instruct`
//! - file names and the text after `-p` are placeholders
//! - under "Quick Commands" a command has the same program, with its folder, and at least the same options; elsewhere it has at
//!   least the same words in the same order

use super::{REFERENCE, files};
use crate::support::{compile_folder, repository};
use std::path::Path;

/// A block below the headings that lead to it.
struct Block<'t> {
    headings: Vec<&'t str>,
    content: Content<'t>,
}

#[derive(PartialEq)]
enum Content<'t> {
    Heading,
    /// Rows of cells; the first is the header.
    Table(Vec<Vec<&'t str>>),
    Commands(Vec<Vec<&'t str>>),
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut headings: Vec<&str> = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let content = if line.starts_with("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            Content::Commands(commands(&block))
        } else if line.starts_with('|') {
            let mut rows = vec![cells(line)];
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                rows.push(cells(row));
            }
            rows.retain(|row| !row.iter().all(|cell| cell.chars().all(|c| ":-".contains(c))));
            Content::Table(rows)
        } else if line.starts_with('#') {
            let title = line.trim_start_matches('#');
            headings.truncate(line.len() - title.len() - 1);
            headings.push(title.trim());
            Content::Heading
        } else {
            continue;
        };
        blocks.push(Block { headings: headings.clone(), content });
    }
    blocks
}

fn cells(row: &str) -> Vec<&str> {
    row.trim().trim_matches('|').split('|').map(str::trim).collect()
}

/// The words of each command. A line that ends with a backslash continues on the next one.
fn commands<'t>(lines: &[&'t str]) -> Vec<Vec<&'t str>> {
    let mut commands: Vec<Vec<&str>> = Vec::new();
    let mut continues = false;
    for line in lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let words = words(line.trim_end_matches('\\'));
        match commands.last_mut() {
            Some(command) if continues => command.extend(words),
            _ => commands.push(words),
        }
        continues = line.ends_with('\\');
    }
    commands
}

/// The words of a line up to a comment. A text in double quotes is one word.
fn words(line: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let split = move |c: char| {
        is_quoted ^= c == '"';
        c == ' ' && !is_quoted
    };
    line.split(split).filter(|word| !word.is_empty()).take_while(|word| !word.starts_with('#')).collect()
}

fn is_same_cell(old: &str, new: &str, column: &str, headings: &[&str]) -> bool {
    let amount = |cell: &str| -> Option<f64> {
        cell.split_once(" GB").and_then(|(number, _)| number.trim_start_matches('~').trim().parse().ok())
    };
    let is_near = || match (amount(old), amount(new)) {
        (Some(old), Some(new)) => headings.contains(&"Memory Footprint") && (old - new).abs() <= 0.15 * old,
        _ => false,
    };
    old == new
        || column == "Quant" && old.eq_ignore_ascii_case(new)
        || column == "Compatible Drafts" && new.strip_suffix("-Instruct") == Some(old)
        || is_near()
}

fn has_extension(word: &str, extension: &str) -> bool {
    Path::new(word).extension().is_some_and(|found| found == extension)
}

/// The words with placeholders for names of files and for the prompt.
fn placeholders<'t>(command: &[&'t str]) -> Vec<&'t str> {
    let mut previous = "";
    let replace = |word: &&'t str| {
        let is_prompt = std::mem::replace(&mut previous, word) == "-p";
        match *word {
            _ if is_prompt => "TEXT",
            word if has_extension(word, "gguf") => "FILE.gguf",
            word if has_extension(word, "png") => "FILE.png",
            word if word.starts_with('/') => word.rsplit('/').next().unwrap_or_default(),
            word => word,
        }
    };
    command.iter().map(replace).collect()
}

/// Each option with its value, if it has one.
fn options<'t>(words: &[&'t str]) -> Vec<(&'t str, Option<&'t str>)> {
    let value = |n: usize| words.get(n + 1).filter(|next| !next.starts_with('-')).copied();
    let numbered = words.iter().enumerate().filter(|(_, word)| word.starts_with('-'));
    numbered.map(|(n, word)| (*word, value(n))).collect()
}

fn has_command(old: &[&str], new: &[&str], headings: &[&str]) -> bool {
    let (old, new) = (placeholders(old), placeholders(new));
    if !headings.iter().any(|heading| heading.starts_with("Quick Commands")) {
        let mut rest = new.iter();
        return old.iter().all(|word| rest.any(|other| other == word));
    }
    let program = old.iter().position(|word| word.starts_with("llama-")).unwrap();
    let given = options(&new[(program + 1).min(new.len())..]);
    new.starts_with(&old[..=program])
        && options(&old[program + 1..]).iter().all(|option| given.contains(option))
}

/// Counts what was compared, and keeps what differs.
#[derive(Default)]
struct Comparison {
    compared: usize,
    different: Vec<String>,
}

impl Comparison {
    fn add(&mut self, difference: Option<String>) {
        self.compared += 1;
        self.different.extend(difference);
    }

    fn table(&mut self, old: &[Vec<&str>], new: Option<&Vec<Vec<&str>>>, headings: &[&str]) {
        let no_table = || format!("{headings:?}: no table with the columns {:?}", old[0]);
        self.add(new.is_none().then(no_table));
        let new = new.map(Vec::as_slice).unwrap_or_default();
        self.add((new.len() != old.len()).then(|| format!("{headings:?}: {} rows", new.len())));
        for (n, row) in old.iter().enumerate().skip(1) {
            for (column, cell) in row.iter().enumerate() {
                let other = new.get(n).and_then(|row| row.get(column)).copied().unwrap_or_default();
                let is_same = is_same_cell(cell, other, old[0][column], headings);
                self.add((!is_same).then(|| format!("{headings:?}: row {n}: `{other}` instead of `{cell}`")));
            }
        }
    }
}

#[test]
fn the_generated_document_has_every_cell() {
    let compiled = compile_folder(&repository().join("registry"));
    let generated = files(&compiled).remove(REFERENCE).unwrap();
    let new = blocks(&generated);
    let mut comparison = Comparison::default();
    let mut next = 0;
    for Block { headings, content } in blocks(include_str!("cells.md")) {
        let mut below = new.iter().filter(|block| block.headings == headings);
        match content {
            Content::Heading => {
                let at = new.iter().skip(next).position(|block| block.headings == headings);
                comparison.add(at.is_none().then(|| format!("{headings:?} is missing or out of order")));
                next += at.map_or(0, |at| at + 1);
            }
            Content::Table(rows) => {
                let found = below.find_map(|block| match &block.content {
                    Content::Table(other) if other[0].starts_with(&rows[0]) => Some(other),
                    Content::Heading | Content::Table(_) | Content::Commands(_) => None,
                });
                comparison.table(&rows, found, &headings);
            }
            Content::Commands(commands) => {
                let others: Vec<_> = below
                    .filter_map(|block| match &block.content {
                        Content::Commands(others) => Some(others),
                        Content::Heading | Content::Table(_) => None,
                    })
                    .flatten()
                    .collect();
                for command in commands {
                    let is_there = others.iter().any(|other| has_command(&command, other, &headings));
                    let no_command = || format!("{headings:?}: no command `{}`", command.join(" "));
                    comparison.add((!is_there).then(no_command));
                }
            }
        }
    }
    assert_eq!((comparison.compared, comparison.different), (159, Vec::<String>::new()));
}
