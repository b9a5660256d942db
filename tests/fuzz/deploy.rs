//! Fuzz target for plans between any two descriptions of units:
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz deploy tests/fuzz/corpus/deploy`.
#![no_main]

mod deployment;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    // JSON is UTF-8.
    let Ok(text) = std::str::from_utf8(bytes) else { return Corpus::Reject };
    deployment::check_pair(text);
    Corpus::Keep
});
