//! Fuzz target for the formatter: `RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz format`. The first byte selects the
//! language: an even one is YAML, an odd one is KDL.
#![no_main]

mod layout;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((first, text)) = bytes.split_first() else { return Corpus::Reject };
    match std::str::from_utf8(text) {
        Ok(text) => {
            layout::check_layout(if first % 2 == 0 { "text.yaml" } else { "text.kdl" }, text);
            Corpus::Keep
        }
        Err(_) => Corpus::Reject,
    }
});
