//! Whatever the bytes: no registry, however broken, makes the compiler panic.

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

/// What people and programs put where it does not belong.
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

/// One change: where, how much is taken out, and what is put in.
type Change = (prop::sample::Index, usize, usize);

fn changed(text: &str, changes: &[Change]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, length, piece) in changes {
        let start = at.index(chars.len() + 1);
        let end = (start + length).min(chars.len());
        chars.splice(start..end, PIECES[piece % PIECES.len()].chars());
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn broken_registries_are_said_and_never_panic(
        text in 0..TEXTS.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..12_usize, 0..PIECES.len()), 1..8),
    ) {
        let (name, whole) = TEXTS[text];
        let broken = changed(whole, &changes);
        let compiled = compile(&[(name, &broken)]);
        prop_assert_eq!(compiled.checked.is_some(), !compiled.findings.has_errors());
        prop_assert!(!compiled.report().is_empty());
        for finding in compiled.findings.findings() {
            let span = finding.primary.span;
            prop_assert!(span.end as usize <= broken.len() && span.start <= span.end, "{}", compiled.report());
            prop_assert!(broken.is_char_boundary(span.start as usize) && broken.is_char_boundary(span.end as usize));
        }
    }
}
