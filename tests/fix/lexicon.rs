//! `Lexicon` finds all names that are similar to a word without comparing it with every name.

use orchgen::diag::{Lexicon, suggest};
use proptest::prelude::*;

/// Different names in several spellings. A lexicon with more than 100 names does not compare each name with a word.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("model-{:03}-{}", n * 7 % 1000, ["alpha", "Beta_x", "ga"][n % 3])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_names_within_edit_distance_two_are_candidates(
        mut all in proptest::collection::vec("[ab]{0,7}", 101..160),
        word in "[abü]{0,8}",
    ) {
        all.extend((0..101).map(|n| format!("far-away-from-it-{n}")));
        let lexicon = Lexicon::new(all.iter().map(String::as_str));
        let mut found = lexicon.candidates(&word);
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
fn names_that_differ_only_in_case_and_separators_are_candidates_at_any_edit_distance() {
    let all = names(500);
    let lexicon = Lexicon::new(all.iter().map(String::as_str));
    let word = all[7].to_uppercase().replace('-', "__");
    assert_eq!(lexicon.candidates(&word), [&all[7]]);
    assert_eq!(suggest(&word, lexicon.candidates(&word)).unwrap().name, all[7]);
}

#[test]
fn every_name_is_a_candidate_if_there_are_few() {
    let all = names(100);
    assert_eq!(Lexicon::new(all.iter().map(String::as_str)).candidates("nothing-like-it").len(), 100);
}

/// 12 000 names exceed the limit above which candidates may have only edit distance 1.
#[test]
fn typos_are_found_among_many_names() {
    let count = 12_000;
    let all: Vec<String> = (0..count).map(|n| format!("model-{n:06}")).collect();
    let lexicon = Lexicon::new(all.iter().map(String::as_str));
    let near = |n: usize| {
        suggest(&format!("modle-{n:06}"), lexicon.candidates(&format!("modle-{n:06}"))).map(|near| near.name)
    };
    assert!((0..count).step_by(40).all(|n| near(n) == Some(&*all[n])));
    let long = "x".repeat(1 << 20);
    assert!((0..1000).all(|_| lexicon.candidates(&long).is_empty()));
}
