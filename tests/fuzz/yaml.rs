//! The way in by YAML: `RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz yaml`.
#![no_main]

mod survives;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            survives::survives("yaml", text);
            Corpus::Keep
        }
        // What is not UTF-8 never reaches the parser.
        Err(_) => Corpus::Reject,
    }
});
