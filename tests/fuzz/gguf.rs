//! Fuzz target for headers of model files: `RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz gguf tests/fuzz/corpus/gguf`.
#![no_main]

mod header;
#[path = "../memory_options.rs"]
mod memory_options;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| header::check_bytes(bytes));
