//! `Changes` combines the edits of several rounds into edits of the first text.

use orchgen::cli::fix::{Changes, Replacement};
use proptest::prelude::*;

/// One edit: its place, the number of replaced bytes, and the new text.
type RandomEdit = (prop::sample::Index, usize, String);

/// Sorts random edits of a text and drops those that overlap or touch.
fn edits(text: &str, random_edits: &[RandomEdit]) -> Vec<Replacement> {
    let mut found: Vec<Replacement> = Vec::new();
    let mut starts: Vec<(usize, usize, &String)> =
        random_edits.iter().map(|(at, length, new)| (at.index(text.len() + 1), *length, new)).collect();
    starts.sort();
    for (start, length, new) in starts {
        if found.last().is_none_or(|last| last.old.end < start) {
            found.push(Replacement { old: start..(start + length).min(text.len()), text: new.clone() });
        }
    }
    found
}

fn apply(text: &str, edits: &[Replacement]) -> String {
    let mut out = text.to_owned();
    for edit in edits.iter().rev() {
        out.replace_range(edit.old.clone(), &edit.text);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn several_rounds_of_edits_equal_one_list_of_changes_of_the_first_text(
        text in "[a-d\n]{0,40}",
        rounds in proptest::collection::vec(
            proptest::collection::vec((any::<prop::sample::Index>(), 0..6_usize, "[x-z\n]{0,4}"), 0..5),
            0..4,
        ),
    ) {
        let (mut latest, mut changes) = (text.clone(), Changes::default());
        for random_edits in &rounds {
            let edits = edits(&latest, random_edits);
            changes.add(&edits, text.len());
            latest = apply(&latest, &edits);
            prop_assert_eq!(changes.text(&text), latest.clone());
            prop_assert!(changes.list().windows(2).all(|pair| pair[0].old.end < pair[1].old.start));
        }
    }
}
