//! Suggestions among many names, where only names that may have edit distance 1 are compared.

use orchgen::diag::suggest;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_name_with_one_edit_is_suggested_among_many_names(
        mut all in proptest::collection::vec("[abc]{3,7}", 1..60),
        word in "[abcd]{3,8}",
    ) {
        all.extend((0..1001).map(|n| format!("far-away-from-it-{n}")));
        let nearest = all.iter().map(|name| strsim::osa_distance(name, &word)).min().unwrap();
        let found = suggest(&word, all.iter().map(String::as_str)).map(|found| found.name);
        let distance = found.map(|name| strsim::osa_distance(name, &word));
        prop_assert!(nearest > 1 || distance == Some(nearest), "{found:?} is not the nearest to {word}");
    }
}

#[test]
fn names_that_differ_only_in_case_and_separators_are_suggested_at_any_edit_distance() {
    let all: Vec<String> =
        (0..2000).map(|n| format!("model-{n:04}-{}", ["alpha", "Beta_x"][n % 2])).collect();
    let word = all[7].to_uppercase().replace('-', "__");
    assert_eq!(suggest(&word, all.iter().map(String::as_str)).unwrap().name, all[7]);
}

#[test]
fn typos_are_found_among_many_names_and_long_words_are_cheap() {
    let all: Vec<String> = (0..12_000).map(|n| format!("model-{n:06}")).collect();
    let near = |word: &str| suggest(word, all.iter().map(String::as_str)).map(|near| near.name);
    assert!((0..all.len()).step_by(400).all(|n| near(&format!("modle-{n:06}")) == Some(&*all[n])));
    let long = "x".repeat(1 << 20);
    assert!((0..20).all(|_| near(&long).is_none()));
    let two_long = ["x".repeat(1 << 20) + "a", "x".repeat(1 << 20) + "b"];
    assert_eq!(suggest(&long, two_long.iter().map(String::as_str)), None);
}
