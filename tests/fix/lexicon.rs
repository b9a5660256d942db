//! Of many names those that are like a word are found without looking at each, and none is missed.

use orchgen::diag::{Lexicon, near};
use proptest::prelude::*;

/// More names than are each held against a word.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("model-{:03}-{}", n * 7 % 1000, ["alpha", "Beta_x", "ga"][n % 3])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_name_with_two_slips_is_missed(
        mut all in proptest::collection::vec("[ab]{0,7}", 101..160),
        word in "[abü]{0,8}",
    ) {
        all.extend((0..101).map(|n| format!("far-away-from-it-{n}")));
        let lexicon = Lexicon::new(all.iter().map(String::as_str));
        let mut found = lexicon.like(&word);
        found.sort_unstable();
        found.dedup();
        let mut expected: Vec<&str> =
            all.iter().map(String::as_str).filter(|name| strsim::osa_distance(name, &word) <= 2).collect();
        expected.sort_unstable();
        expected.dedup();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn what_is_the_same_but_for_case_and_dashes_is_found_however_many_slips_that_are() {
    let all = names(500);
    let lexicon = Lexicon::new(all.iter().map(String::as_str));
    let word = all[7].to_uppercase().replace('-', "__");
    assert_eq!(lexicon.like(&word), [&all[7]]);
    assert_eq!(near(&word, lexicon.like(&word)).unwrap().name, all[7]);
}

#[test]
fn few_names_are_all_held_against_the_word() {
    let all = names(100);
    assert_eq!(Lexicon::new(all.iter().map(String::as_str)).like("nothing-like-it").len(), 100);
}

/// Each of many names that nobody declared is looked for among as many that somebody did.
#[test]
fn many_unknown_names_among_many_known_ones() {
    let count = 12_000;
    let all: Vec<String> = (0..count).map(|n| format!("model-{n:06}")).collect();
    let lexicon = Lexicon::new(all.iter().map(String::as_str));
    let near = |n: usize| {
        near(&format!("modle-{n:06}"), lexicon.like(&format!("modle-{n:06}"))).map(|near| near.name)
    };
    assert!((0..count).step_by(40).all(|n| near(n) == Some(&*all[n])));
    let long = "x".repeat(1 << 20);
    assert!((0..1000).all(|_| lexicon.like(&long).is_empty()));
}
