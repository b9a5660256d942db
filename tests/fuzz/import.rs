//! Fuzz target for the readers of other formats: `RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz import tests/fuzz/corpus/import`.
//!
//! The first byte selects the format: `0` to `5` in the order of `Format::ALL`.
#![no_main]

mod sources;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let (Some(first), Ok(text)) = (bytes.first(), std::str::from_utf8(bytes.get(1..).unwrap_or_default()))
    else {
        // The command rejects text that is not UTF-8, so the readers never get it.
        return Corpus::Reject;
    };
    sources::check_source(*first, text);
    Corpus::Keep
});
