//! Names of items: valid, and each once in its kind.

use std::collections::{BTreeMap, BTreeSet};

/// The maximum length of a name of an item.
const MAX_NAME: usize = 100;

/// The names that items have.
#[derive(Debug, Default)]
pub(super) struct Names {
    used: BTreeSet<(&'static str, String)>,
    /// The number that the next item with a name of each kind may have: the smaller ones are used.
    next: BTreeMap<(&'static str, String), usize>,
}

impl Names {
    /// True if no item of the kind has the name.
    pub(super) fn is_free(&self, kind: &'static str, name: &str) -> bool {
        !self.used.contains(&(kind, name.to_owned()))
    }

    /// Reserves a name that is valid, unless an item has it. Returns true if it is now reserved.
    pub(super) fn reserve(&mut self, kind: &'static str, name: &str) -> bool {
        slug(name) == name && self.used.insert((kind, name.to_owned()))
    }

    /// A name for an item of a kind: the wanted one if it is valid and free, else one like it.
    pub(super) fn add(&mut self, kind: &'static str, wanted: &str) -> String {
        let base = slug(wanted);
        if self.used.insert((kind, base.clone())) {
            return base;
        }
        let number = self.next.entry((kind, base.clone())).or_insert(2);
        loop {
            let name = format!("{base}-{number}");
            *number += 1;
            if self.used.insert((kind, name.clone())) {
                return name;
            }
        }
    }
}

/// A text as a name: letters, digits, `.`, `_` and `-`, beginning with a letter or a digit.
pub fn slug(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        if name.len() >= MAX_NAME {
            break;
        }
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') && !name.is_empty() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { "model".to_owned() } else { name.to_owned() }
}
