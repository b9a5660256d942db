//! The examples of `--help`: each command has some, and each is a valid command line.

use clap::Command;
use orchgen::cli::command;
use std::collections::BTreeSet;

/// The most characters of a line, so that it is readable in a usual terminal and in a man page.
const MAX_WIDTH: usize = 100;

/// The commands with their paths and their texts below the options.
fn commands() -> Vec<(String, String)> {
    fn collect(path: &str, command: &Command, found: &mut Vec<(String, String)>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        found.push((path.to_owned(), help));
        for below in command.get_subcommands() {
            collect(&format!("{path} {}", below.get_name()), below, found);
        }
    }
    let mut found = Vec::new();
    collect("orchgen", &command(), &mut found);
    assert!(found.len() > 20, "{found:?}");
    found
}

/// The lines of the block `Examples:`.
fn examples(help: &str) -> Vec<&str> {
    let block = help.split("\n\n").find_map(|block| block.strip_prefix("Examples:\n"));
    block.map(|block| block.lines().collect()).unwrap_or_default()
}

/// The words after each `orchgen` of a line, without comments, and without other commands of a pipeline.
fn command_lines(line: &str) -> Vec<Vec<String>> {
    let Some(code) = line.strip_prefix("  ").filter(|code| !code.starts_with(' ')) else { return Vec::new() };
    let code = code.split("  ").next().unwrap();
    let commands = code.split(['|', '>', ')', '&', '<', '(']);
    let words = commands.filter_map(|one| Some(one.split_once("orchgen ")?.1.trim().to_owned()));
    words.map(|words| words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()).collect()
}

#[test]
fn each_command_has_examples() {
    for (path, help) in commands() {
        let lines = examples(&help);
        let count = lines.iter().filter(|line| line.contains("orchgen ")).count();
        assert!(count >= 2, "`{path} --help` needs two examples: {help}");
        let own = lines.iter().filter(|line| line.contains(&path)).count();
        assert!(own >= 1, "`{path} --help` has examples of other commands only: {help}");
        assert!(!help.contains("Example:"), "`{path} --help`: write `Examples:`");
    }
}

#[test]
fn each_example_is_a_valid_command_line() {
    let mut count = 0;
    for (path, help) in commands() {
        for line in examples(&help) {
            assert!(line.chars().count() <= MAX_WIDTH, "`{path} --help`: {line}");
            for words in command_lines(line) {
                count += 1;
                let parsed = command().try_get_matches_from([vec!["orchgen".to_owned()], words].concat());
                assert!(parsed.is_ok(), "`{path} --help`: {line}\n{}", parsed.unwrap_err());
            }
        }
    }
    assert!(count > 50, "{count} examples");
}

/// The column of the comment of a line. A comment in the next line is indented.
fn comment_column(line: &str) -> Option<usize> {
    let indent = line.len() - line.trim_start().len();
    if indent > 10 {
        return Some(indent);
    }
    let (command, comment) = line.get(indent..)?.split_once("  ")?;
    Some(indent + command.len() + 2 + comment.len() - comment.trim_start().len())
}

#[test]
fn comments_of_examples_are_aligned() {
    for (path, help) in commands() {
        let columns: BTreeSet<usize> = examples(&help).into_iter().filter_map(comment_column).collect();
        assert!(columns.len() < 2, "`{path} --help`: the comments begin at the columns {columns:?}: {help}");
    }
}
