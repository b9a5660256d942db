//! Fuzz target for KDL registries: `RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz kdl`.
#![no_main]

mod pipeline;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            pipeline::check_text("kdl", text);
            Corpus::Keep
        }
        // The loader rejects text that is not UTF-8, so the parser never gets it.
        Err(_) => Corpus::Reject,
    }
});
