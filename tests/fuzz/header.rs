//! What has to hold of any bytes of a model file: reading ends, and a fault stands at a byte of the file.

use orchgen::engine::Profile;
use orchgen::engine::memory::{Asked, Process, memory};
use orchgen::facts::{Facts, Fault, Header, Keep, Parts};

/// Reads the bytes as a file of their length, and as one that is longer than what comes, as if it shrank meanwhile.
pub(crate) fn ends(bytes: &[u8]) {
    let length = bytes.len() as u64;
    for promised in [length, length.saturating_mul(1 << 20), u64::MAX] {
        match Header::read(bytes, promised, Keep::Texts) {
            Ok(first) => {
                first.values.values().for_each(|value| assert!(!value.to_string().is_empty()));
                let parts = Parts { first, others: Vec::new(), shards: None, missing: Vec::new() };
                let facts = Facts::of("file.gguf", &parts);
                assert!(serde_json::to_string(&facts).is_ok());
                takes(&facts);
            }
            Err(Fault::Damaged(damage)) => assert!(damage.at <= promised, "{damage:?}"),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Whatever a header says, its memory is worked out or said not to be known.
fn takes(facts: &Facts) {
    let Some(profile) = Profile::built_in("llama.cpp-b11669") else { return };
    let asked =
        Asked::read(profile, &[], ["-c", "9000", "-np", "2", "-md", "x", "--spec-type", "draft-simple"]);
    memory(&Process { profile, asked: &asked, model: facts, draft: Some(facts), projector: Some(facts) });
}
