//! Registries with one misspelt word: a fix restores the word, or leaves it alone.

use super::BASE;
use crate::support::{fixed, lower};
use orchgen::cli::fix::FixLevel;
use proptest::prelude::*;

const TEXTS: &[(&str, &str)] = &[("base.kdl", BASE), ("base.yaml", include_str!("../language/base.yaml"))];

/// The ranges of all words of at least `min_length` letters and dashes. Words with other characters, such as digits,
/// are left out.
fn words(text: &str, min_length: usize) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
            start.get_or_insert(at);
        } else if let Some(start) = start.take() {
            found.push(start..at);
        }
    }
    found.retain(|word| {
        word.len() >= min_length && text[word.clone()].chars().all(|c| c.is_ascii_alphabetic() || c == '-')
    });
    found
}

/// The word with one typo. The kinds are: a missing letter, two swapped letters, an additional letter, a wrong letter,
/// and an upper-case first letter.
fn misspell(word: &str, typo: usize, at: usize) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = at % (letters.len() - 1);
    match typo {
        0 => {
            letters.remove(at);
        }
        1 => letters.swap(at, at + 1),
        2 => letters.insert(at, 'q'),
        3 => letters[at] = 'z',
        _ => letters[0] = letters[0].to_ascii_uppercase(),
    }
    letters.into_iter().collect()
}

/// Replaces all occurrences of a word.
fn replace_word(text: &str, word: &str, other: &str) -> String {
    let mut out = text.to_owned();
    for place in words(text, 1).into_iter().rev().filter(|place| text[place.clone()] == *word) {
        out.replace_range(place, other);
    }
    out
}

/// The text after all safe fixes, and the number of findings that are left.
fn apply_safe_fixes(name: &str, text: &str) -> (String, usize) {
    let result = fixed(&[(name, text)], FixLevel::Safe);
    let after = result.latest().loaded.map.files().next().unwrap().1.text().to_owned();
    (after, result.latest().findings.findings().len())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_fix_restores_the_registry_or_renames_all_uses(
        text in 0..TEXTS.len(),
        word in any::<prop::sample::Index>(),
        typo in 0..5_usize,
        at in 0..20_usize,
    ) {
        let (name, text) = TEXTS[text];
        let word = word.get(&words(text, 4)).clone();
        let changed = misspell(&text[word.clone()], typo, at);
        let broken = format!("{}{changed}{}", &text[..word.start], &text[word.end..]);
        let (after, _) = apply_safe_fixes(name, &broken);
        if after != broken {
            // If the typo is in a declaration, the fix renames the uses instead.
            let expected = match &text[word] {
                _ if after == text => text.to_owned(),
                // The name of the store is also a key, and a part of its path.
                "models" => {
                    let kdl = broken.replace("store=\"models\"", &format!("store=\"{changed}\""));
                    kdl.replace("store: models", &format!("store: {changed}"))
                }
                word => replace_word(text, word, &changed),
            };
            prop_assert_eq!(&after, &expected);
            prop_assert_eq!(lower(&[(name, &after)]).0, lower(&[(name, &expected)]).0);
        }
        prop_assert_eq!(&apply_safe_fixes(name, &after).0, &after);
    }
}

/// In both languages: every word of the language, and every name that is referenced.
#[test]
fn at_least_85_percent_of_all_typos_are_fixed() {
    for (name, text) in TEXTS {
        let (mut faults, mut fixed_count) = (0, 0);
        for word in words(text, 4) {
            let changed = misspell(&text[word.clone()], 1, 1);
            let broken = format!("{}{changed}{}", &text[..word.start], &text[word.end..]);
            let result = fixed(&[(name, &broken)], FixLevel::Safe);
            if !result.before.findings.is_empty() {
                faults += 1;
                fixed_count +=
                    usize::from(result.latest().loaded.map.files().next().unwrap().1.text() == *text);
            }
        }
        assert!(
            faults > 80 && fixed_count * 100 >= faults * 85,
            "{name}: {fixed_count} of {faults} typos are fixed"
        );
    }
}

/// The same typos in both languages give the same registry after fixing.
#[test]
fn fixes_are_equal_in_both_languages() {
    let (kdl, yaml) = (TEXTS[0].1, TEXTS[1].1);
    let faults = [
        ("experts", "expertz"),
        ("recurrent", "recurent"),
        ("context", "contxet"),
        ("trained-context", "trained_context"),
    ];
    let broken = |text: &str| {
        faults.iter().fold(text.to_owned(), |text, (right, wrong)| {
            // The last occurrence is a use, not a declaration.
            let at = text.rfind(right).unwrap();
            format!("{}{wrong}{}", &text[..at], &text[at + right.len()..])
        })
    };
    let pair = "\npair target=\"plain\" draft=\"recurrent\"\n";
    let (kdl, yaml) =
        (format!("{kdl}{pair}"), format!("{yaml}pairs: [{{target: plain, draft: recurrent}}]\n"));
    let fixed = [("base.kdl", &kdl), ("base.yaml", &yaml)].map(|(name, text)| {
        let (after, _) = apply_safe_fixes(name, &broken(text));
        assert_eq!(&after, text);
        lower(&[(name, &after)]).0
    });
    assert_eq!(fixed[0], fixed[1]);
}
