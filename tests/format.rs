//! `orchgen fmt`: the layout of both languages, its stability, and that the meaning of a registry does not change.

mod fixtures;
mod layout;
mod random;
mod size;
mod suite;

use crate::fuzz::layout::check_layout;
use crate::support::lower;

/// Formats a text that has no syntax errors.
#[track_caller]
fn good(name: &str, text: &str) -> String {
    check_layout(name, text).unwrap_or_else(|| panic!("{name} has syntax errors\n{text}"))
}

/// Formats a text, and compares the registry and the findings of both texts.
#[track_caller]
fn check_registry(name: &str, text: &str) -> Option<String> {
    let new = check_layout(name, text)?;
    let ((old, before), (formatted, after)) = (lower(&[(name, text)]), lower(&[(name, &new)]));
    // The names of items have places, which are not compared.
    assert!(old == formatted, "{name}: another registry\n{text}\n--- formatted\n{new}");
    let mut codes = [before.codes(), after.codes()];
    for codes in &mut codes {
        codes.sort_unstable();
    }
    assert_eq!(codes[0], codes[1], "{name}\n{text}\n--- formatted\n{new}");
    Some(new)
}
