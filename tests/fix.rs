//! Fixes: what becomes of the text, that nothing else is touched, and what is said of it.

mod changes;
mod cli;
mod diff;
mod lexicon;
mod mutation;
mod removal;
mod spelling;

use crate::language::{BASE, said};
use crate::support::{Compiled, compile, fixed};
use orchgen::cli::fix::FixLevel;

/// The text beside the base with its fixes applied.
fn mended(language: &str, text: &str, daring: FixLevel) -> String {
    let name = format!("case.{language}");
    let done = fixed(&[("base.kdl", BASE), (&name, text)], daring);
    let (_, source) = done.latest().loaded.map.files().find(|(_, source)| source.name() == name).unwrap();
    source.text().to_owned()
}

/// Asserts what becomes of a text beside the base, which has findings of one code that can be fixed for sure: they are gone, the
/// others are the same, and so are the comments; fixing twice changes nothing.
#[track_caller]
fn becomes(language: &str, code: &str, before: &str, after: &str) {
    assert_eq!(mended(language, before, FixLevel::Safe), after, "{before}");
    let name = format!("case.{language}");
    let compile = |text: &str| compile(&[("base.kdl", BASE), (&name, text)]);
    let (was, is) = (compile(before), compile(after));
    assert!(was.codes().contains(&code), "{}", was.report());
    assert!(!is.codes().contains(&code), "{}", is.report());
    let others = |compiled: &Compiled| -> Vec<_> {
        said(compiled).into_iter().filter(|(name, _)| *name != code).collect()
    };
    assert_eq!(others(&was), others(&is));
    assert_eq!(comments(language, before), comments(language, after));
    assert_eq!(mended(language, after, FixLevel::Safe), after, "fixed twice");
}

/// What follows `#` or `//` on a line, in byte order; no case has these in a text.
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
