//! Fixes: the fixed texts, unchanged text around them, and the reports.

mod cli;
mod diff;
mod mutation;
mod names;
mod removal;
mod spelling;

use crate::language::{BASE, codes_and_messages};
use crate::support::{Compiled, compile, fixed};
use orchgen::cli::fix::FixLevel;

/// Applies the fixes to a text that is compiled together with the base.
fn apply_fixes(language: &str, text: &str, level: FixLevel) -> String {
    let name = format!("case.{language}");
    let result = fixed(&[("base.kdl", BASE), (&name, text)], level);
    let (_, source) = result.latest().loaded.map.files().find(|(_, source)| source.name() == name).unwrap();
    source.text().to_owned()
}

/// Asserts that safe fixes turn `before` into `after`. The text is compiled together with the base. The findings with
/// this code are gone; other findings and all comments stay; fixing again changes nothing.
#[track_caller]
fn assert_fixed(language: &str, code: &str, before: &str, after: &str) {
    assert_eq!(apply_fixes(language, before, FixLevel::Safe), after, "{before}");
    let name = format!("case.{language}");
    let compile = |text: &str| compile(&[("base.kdl", BASE), (&name, text)]);
    let (was, is) = (compile(before), compile(after));
    assert!(was.codes().contains(&code), "{}", was.report());
    assert!(!is.codes().contains(&code), "{}", is.report());
    let others = |compiled: &Compiled| -> Vec<_> {
        codes_and_messages(compiled).into_iter().filter(|(name, _)| *name != code).collect()
    };
    assert_eq!(others(&was), others(&is));
    assert_eq!(comments(language, before), comments(language, after));
    assert_eq!(apply_fixes(language, after, FixLevel::Safe), after, "fixing again changes nothing");
}

/// The comments of a text, in byte order. Must not be used with texts that have `# ` or `//` inside a string.
fn comments(language: &str, text: &str) -> Vec<String> {
    let mark = if language == "kdl" { "//" } else { "# " };
    let mut found: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_once(mark))
        .map(|(_, comment)| comment.to_owned())
        .collect();
    found.sort();
    found
}
