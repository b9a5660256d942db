//! Replays the fuzzing corpus. `tests/fuzz/` has the fuzz targets, which check the same properties.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz yaml tests/fuzz/corpus/yaml` continues fuzzing from the corpus.

#[path = "fuzz/deployment.rs"]
mod deployment;
#[path = "fuzz/header.rs"]
mod header;
#[path = "fuzz/layout.rs"]
pub(crate) mod layout;
#[path = "fuzz/pipeline.rs"]
mod pipeline;
#[path = "fuzz/sources.rs"]
mod sources;

use std::fs;

#[test]
fn every_text_of_the_corpus_is_handled() {
    for language in ["yaml", "kdl"] {
        let folder = crate::support::repository().join("tests/fuzz/corpus").join(language);
        let mut replayed = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            pipeline::check_text(language, &text);
            layout::check_layout(&format!("text.{language}"), &text);
            replayed += 1;
        }
        assert!(replayed > 50, "{replayed} {language} texts");
    }
}

#[test]
fn every_header_of_the_corpus_is_handled() {
    let folder = crate::support::repository().join("tests/fuzz/corpus/gguf");
    let mut replayed = 0;
    for entry in fs::read_dir(folder).unwrap() {
        header::check_bytes(&fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed >= 8, "{replayed} headers");
}

#[test]
fn every_source_of_the_corpus_is_handled() {
    let folder = crate::support::repository().join("tests/fuzz/corpus/import");
    let mut replayed = std::collections::BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let (first, text) = (text.as_bytes()[0], text.get(1..).unwrap());
        sources::check_source(first, text);
        *replayed.entry(first).or_insert(0) += 1;
    }
    assert!(replayed.len() == 6 && replayed.values().all(|count| *count >= 5), "{replayed:?}");
}

#[test]
fn every_pair_of_descriptions_of_the_corpus_is_handled() {
    let folder = crate::support::repository().join("tests/fuzz/corpus/deploy");
    let mut replayed = 0;
    for entry in fs::read_dir(folder).unwrap() {
        deployment::check_pair(&fs::read_to_string(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed >= 8, "{replayed} pairs");
}
