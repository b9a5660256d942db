//! Changes of changes: however many rounds, they lead from the first text to the last.

use orchgen::cli::fix::{Changes, Replaced};
use proptest::prelude::*;

/// One edit: where, how much goes, and what comes.
type Cut = (prop::sample::Index, usize, String);

/// Edits of a text, in order and without overlap.
fn edits(text: &str, cuts: &[Cut]) -> Vec<Replaced> {
    let mut found: Vec<Replaced> = Vec::new();
    let mut starts: Vec<(usize, usize, &String)> =
        cuts.iter().map(|(at, length, new)| (at.index(text.len() + 1), *length, new)).collect();
    starts.sort();
    for (start, length, new) in starts {
        if found.last().is_none_or(|last| last.old.end < start) {
            found.push(Replaced { old: start..(start + length).min(text.len()), text: new.clone() });
        }
    }
    found
}

fn applied(text: &str, edits: &[Replaced]) -> String {
    let mut out = text.to_owned();
    for edit in edits.iter().rev() {
        out.replace_range(edit.old.clone(), &edit.text);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rounds_of_edits_are_changes_of_the_first_text(
        text in "[a-d\n]{0,40}",
        rounds in proptest::collection::vec(
            proptest::collection::vec((any::<prop::sample::Index>(), 0..6_usize, "[x-z\n]{0,4}"), 0..5),
            0..4,
        ),
    ) {
        let (mut latest, mut changes) = (text.clone(), Changes::default());
        for cuts in &rounds {
            let edits = edits(&latest, cuts);
            changes.add(&edits, text.len());
            latest = applied(&latest, &edits);
            prop_assert_eq!(changes.text(&text), latest.clone());
            prop_assert!(changes.list().windows(2).all(|pair| pair[0].old.end < pair[1].old.start));
        }
    }
}
