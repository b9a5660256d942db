//! Properties of any bytes of a model file: parsing ends, and an error has an offset inside the file.

use orchgen::engine::Profile;
use orchgen::engine::memory::{Process, memory};
use orchgen::facts::{Facts, Header, ModelHeaders, ReadError, VocabularyDetail};

/// Parses the bytes as a file of the correct length, and as the start of longer files that were truncated.
pub(crate) fn check_bytes(bytes: &[u8]) {
    let length = bytes.len() as u64;
    for file_size in [length, length.saturating_mul(1 << 20), u64::MAX] {
        match Header::read(bytes, file_size, VocabularyDetail::Texts) {
            Ok(first) => {
                first.values.values().for_each(|value| assert!(!value.to_string().is_empty()));
                let parts = ModelHeaders { first, others: Vec::new(), shards: None, missing: Vec::new() };
                let facts = Facts::from_headers("file.gguf", &parts);
                assert!(serde_json::to_string(&facts).is_ok());
                compute_memory(&facts);
            }
            Err(ReadError::Damaged(damage) | ReadError::ForeignType(damage, _)) => {
                assert!(damage.at <= file_size, "{damage:?}");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Computes the memory of the model, which must not panic.
fn compute_memory(facts: &Facts) {
    let Some(profile) = Profile::built_in("llama.cpp-b11669") else { return };
    let options = crate::memory_options::memory_options(
        profile,
        &[],
        ["-c", "9000", "-np", "2", "-md", "x", "--spec-type", "draft-simple"],
    );
    memory(&Process { profile, options: &options, model: facts, draft: Some(facts), projector: Some(facts) });
}
