//! One letter wrong in any word of a registry: it is written as it was, or left alone.

use super::BASE;
use crate::support::{fixed, lower};
use orchgen::cli::fix::FixLevel;
use proptest::prelude::*;

const TEXTS: &[(&str, &str)] = &[("base.kdl", BASE), ("base.yaml", include_str!("../language/base.yaml"))];

/// Where the words of a text are, with as many letters at the least; comments and texts for people are none.
fn words(text: &str, least: usize) -> Vec<std::ops::Range<usize>> {
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
        word.len() >= least && text[word.clone()].chars().all(|c| c.is_ascii_alphabetic() || c == '-')
    });
    found
}

/// The word with one slip.
fn slipped(word: &str, slip: usize, at: usize) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = at % (letters.len() - 1);
    match slip {
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

/// The text with another word wherever that one stands.
fn renamed(text: &str, word: &str, other: &str) -> String {
    let mut out = text.to_owned();
    for place in words(text, 1).into_iter().rev().filter(|place| text[place.clone()] == *word) {
        out.replace_range(place, other);
    }
    out
}

fn latest(name: &str, text: &str) -> (String, usize) {
    let done = fixed(&[(name, text)], FixLevel::Safe);
    let after = done.latest().loaded.map.files().next().unwrap().1.text().to_owned();
    (after, done.latest().findings.findings().len())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_fixed_registry_is_the_one_that_was_meant(
        text in 0..TEXTS.len(),
        word in any::<prop::sample::Index>(),
        slip in 0..5_usize,
        at in 0..20_usize,
    ) {
        let (name, text) = TEXTS[text];
        let word = word.get(&words(text, 4)).clone();
        let changed = slipped(&text[word.clone()], slip, at);
        let broken = format!("{}{changed}{}", &text[..word.start], &text[word.end..]);
        let (after, _) = latest(name, &broken);
        if after != broken {
            // Where it is the declaration that has another name, its uses have got it too.
            let renamed = if after == text { text.to_owned() } else { renamed(text, &text[word], &changed) };
            prop_assert_eq!(&after, &renamed);
            prop_assert_eq!(lower(&[(name, &after)]).0, lower(&[(name, &renamed)]).0);
        }
        prop_assert_eq!(&latest(name, &after).0, &after);
    }
}

/// Both languages, every word of the language itself and every name that is referred to.
#[test]
fn nearly_every_misspelt_word_is_mended() {
    for (name, text) in TEXTS {
        let (mut faults, mut mended) = (0, 0);
        for word in words(text, 4) {
            let changed = slipped(&text[word.clone()], 1, 1);
            let broken = format!("{}{changed}{}", &text[..word.start], &text[word.end..]);
            let done = fixed(&[(name, &broken)], FixLevel::Safe);
            if !done.before.findings.is_empty() {
                faults += 1;
                mended += usize::from(done.latest().loaded.map.files().next().unwrap().1.text() == *text);
            }
        }
        assert!(faults > 80 && mended * 100 >= faults * 85, "{name}: {mended} of {faults}");
    }
}

/// The same faults in both languages, fixed, are the same registry.
#[test]
fn both_languages_are_fixed_alike() {
    let (kdl, yaml) = (TEXTS[0].1, TEXTS[1].1);
    let faults = [
        ("experts", "expertz"),
        ("recurrent", "recurent"),
        ("context", "contxet"),
        ("trained-context", "trained_context"),
    ];
    let broken = |text: &str| {
        faults.iter().fold(text.to_owned(), |text, (right, wrong)| {
            // The last one is a use and no declaration.
            let at = text.rfind(right).unwrap();
            format!("{}{wrong}{}", &text[..at], &text[at + right.len()..])
        })
    };
    let pair = "\npair target=\"plain\" draft=\"recurrent\"\n";
    let (kdl, yaml) =
        (format!("{kdl}{pair}"), format!("{yaml}pairs: [{{target: plain, draft: recurrent}}]\n"));
    let fixed = [("base.kdl", &kdl), ("base.yaml", &yaml)].map(|(name, text)| {
        let (after, _) = latest(name, &broken(text));
        assert_eq!(&after, text);
        lower(&[(name, &after)]).0
    });
    assert_eq!(fixed[0], fixed[1]);
}
