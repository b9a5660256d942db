//! Damaged registries: the compiler never panics, and every span is in the text.

use super::BASE;
use crate::support::compile;
use proptest::prelude::*;

const TEXTS: &[(&str, &str)] = &[
    ("a.kdl", BASE),
    ("a.yaml", include_str!("base.yaml")),
    ("a.kdl", include_str!("parity/roles.kdl")),
    ("a.yaml", include_str!("parity/roles.yaml")),
    ("a.kdl", include_str!("parity/rules.kdl")),
    ("a.yaml", include_str!("parity/rules.yaml")),
    ("a.kdl", include_str!("parity/defaults.kdl")),
    ("a.yaml", include_str!("parity/defaults.yaml")),
    ("a.yaml", include_str!("parity/places.yaml")),
    ("a.kdl", include_str!("parity/models.kdl")),
];

/// Texts to insert at random positions.
const PIECES: &[&str] = &[
    "",
    " ",
    "\n",
    "\t",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    ":",
    ": ",
    "- ",
    "#",
    "#true",
    "#null",
    "null",
    "~",
    "-1",
    "0",
    "65535",
    "1e999",
    "99999999999999999999999999999999999999999",
    "\\",
    "\u{0}",
    "\u{feff}",
    "🦀",
    "é",
    "&a",
    "*a",
    "<<: *a",
    "---",
    "...",
    "/-",
    "/*",
    "*/",
    ";",
    "=",
    "role",
    "roles:",
    "defaults",
    "shares",
    "\"\"",
    "0-4294967295",
    "1-0",
    "999999 TB",
    "5 percent",
    "~",
    "*",
    "{}",
    "[]",
];

/// One change: the position, the number of characters to remove, and the piece to insert.
type Change = (prop::sample::Index, usize, usize);

fn apply_changes(text: &str, changes: &[Change]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (position, length, piece) in changes {
        let start = position.index(chars.len() + 1);
        let end = (start + length).min(chars.len());
        chars.splice(start..end, PIECES[piece % PIECES.len()].chars());
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn damaged_registries_are_reported_without_a_panic(
        text in 0..TEXTS.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..12_usize, 0..PIECES.len()), 1..8),
    ) {
        let (name, whole) = TEXTS[text];
        let damaged = apply_changes(whole, &changes);
        let compiled = compile(&[(name, &damaged)]);
        prop_assert_eq!(compiled.checked.is_some(), !compiled.findings.has_errors());
        prop_assert!(!compiled.report().is_empty());
        for finding in compiled.findings.findings() {
            let span = finding.primary.span;
            prop_assert!(span.end as usize <= damaged.len() && span.start <= span.end, "{}", compiled.report());
            prop_assert!(damaged.is_char_boundary(span.start as usize) && damaged.is_char_boundary(span.end as usize));
        }
    }
}
