//! The corpus that fuzzing has left, replayed: `tests/fuzz/` has the targets, which hold any text to the same.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz yaml tests/fuzz/corpus/yaml` goes on from it.

#[path = "fuzz/header.rs"]
mod header;
#[path = "fuzz/survives.rs"]
mod survives;

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_survives() {
    for language in ["yaml", "kdl"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(language);
        let mut replayed = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            survives::survives(language, &text);
            replayed += 1;
        }
        assert!(replayed > 50, "{replayed} texts in {language}");
    }
}

#[test]
fn the_corpus_of_headers_ends() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/gguf");
    let mut replayed = 0;
    for entry in fs::read_dir(folder).unwrap() {
        header::ends(&fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed >= 8, "{replayed} headers");
}
