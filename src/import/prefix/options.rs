//! Options of programs that start another program, in the form of `getopt_long`. They end at the first other word.

use crate::import::source::{At, Word};
use std::collections::VecDeque;

/// An option as it was given.
pub(super) struct Given {
    /// Its name with dashes. Empty for a word that is no option.
    pub(super) name: String,
    /// Its value.
    pub(super) value: Option<Word>,
    /// The words as written.
    pub(super) written: String,
    /// The line.
    pub(super) at: At,
}

impl Given {
    /// A word that is no option.
    pub(super) fn positional(word: Word) -> Self {
        Self { name: String::new(), written: word.text.clone(), at: word.at, value: Some(word) }
    }

    fn new(name: String, value: Option<Word>, written: &str, at: At) -> Self {
        Self { name, value, written: written.to_owned(), at }
    }
}

/// Removes the options at the start of some words. `valued` are the letters of the options with a value, `long` their long names.
/// A long name may be shortened if that is unique in `long`.
pub(super) fn parse(words: &mut VecDeque<Word>, valued: &str, long: &[&str]) -> Vec<Given> {
    let mut found = Vec::new();
    while let Some(word) = words.front().filter(|word| word.text.starts_with('-')).cloned() {
        words.pop_front();
        if word.text == "--" {
            found.push(Given::new("--".to_owned(), None, "--", word.at));
            break;
        }
        if word.text.starts_with("--") {
            found.push(long_option(&word, words, long));
        } else {
            short_options(&word, words, valued, &mut found);
        }
    }
    found
}

fn long_option(word: &Word, words: &mut VecDeque<Word>, long: &[&str]) -> Given {
    let (name, value) = match word.text.split_once('=') {
        Some((name, value)) => (name, Some(Word { text: value.to_owned(), ..*word })),
        None => (word.text.as_str(), None),
    };
    let name = full_name(name, long);
    if value.is_none() && long.contains(&name) {
        let value = words.pop_front();
        let written = joined([Some(word), value.as_ref()].into_iter().flatten());
        return Given::new(name.to_owned(), value, &written, word.at);
    }
    Given::new(name.to_owned(), value, &word.text, word.at)
}

fn full_name<'n>(name: &'n str, long: &[&'n str]) -> &'n str {
    let mut longer = long.iter().filter(|known| known.starts_with(name) && name.len() > 2);
    match (long.contains(&name), longer.next(), longer.next()) {
        (false, Some(only), None) => only,
        _ => name,
    }
}

fn short_options(word: &Word, words: &mut VecDeque<Word>, valued: &str, found: &mut Vec<Given>) {
    let cluster = word.text.strip_prefix('-').unwrap_or_default();
    let Some((at, letter)) = cluster.char_indices().find(|(_, c)| valued.contains(*c)) else {
        return flags(cluster, word, found);
    };
    let (before, rest) = cluster.split_at(at);
    // `-n=4` and `-10` are one option: their letters are no further options.
    if before.contains('=') || before.starts_with(|c: char| c.is_ascii_digit()) {
        return flags(cluster, word, found);
    }
    if !before.is_empty() {
        flags(before, word, found);
    }
    let name = format!("-{letter}");
    let attached = rest.strip_prefix(letter).unwrap_or_default();
    if attached.is_empty() {
        let value = words.pop_front();
        let written = value.as_ref().map_or_else(|| name.clone(), |value| format!("{name} {}", value.text));
        found.push(Given::new(name, value, &written, word.at));
    } else {
        let value = Word { text: attached.to_owned(), ..*word };
        found.push(Given::new(name, Some(value), &format!("-{rest}"), word.at));
    }
}

fn flags(cluster: &str, word: &Word, found: &mut Vec<Given>) {
    let is_one =
        cluster.len() < 2 || cluster.contains('=') || cluster.starts_with(|c: char| !c.is_alphabetic());
    if is_one {
        let written = format!("-{cluster}");
        found.push(Given::new(written.clone(), None, &written, word.at));
        return;
    }
    for letter in cluster.chars() {
        let written = format!("-{letter}");
        found.push(Given::new(written.clone(), None, &written, word.at));
    }
}

/// Words as one text.
pub(super) fn joined<'w>(words: impl Iterator<Item = &'w Word>) -> String {
    let texts: Vec<&str> = words.map(|word| word.text.as_str()).collect();
    texts.join(" ")
}
