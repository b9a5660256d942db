//! Headers that lie: each is said with the byte at which it does, none panics, none takes memory that the file does not have.

use super::build::Gguf;
use orchgen::facts::{Damage, Fault, Header, Keep};
use proptest::prelude::*;

fn damage(bytes: &[u8]) -> Damage {
    match Header::read(bytes, bytes.len() as u64, Keep::Texts) {
        Err(Fault::Damaged(damage)) => damage,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn said(gguf: &Gguf, part: &str) {
    let damage = damage(&gguf.bytes());
    assert!(damage.what.contains(part), "{damage:?} does not say {part:?}");
}

fn plain() -> Gguf {
    Gguf::new("qwen2")
}

#[test]
fn what_is_no_gguf_file() {
    assert_eq!(damage(b"GGML\x03\0\0\0").at, 0);
    assert_eq!(damage(b"").at, 0);
    assert_eq!(damage(b"GG").at, 0);
    assert_eq!(damage(b"GGUF").at, 4);
    for version in [0, 1, 4, 0xffff_ffff] {
        let mut gguf = plain();
        gguf.version = version;
        said(&gguf, "engines read 2 and 3");
    }
}

#[test]
fn counts_that_the_file_cannot_hold() {
    for (counts, what) in [
        ((u64::MAX, 1), "the number of tensors"),
        ((1 << 63, 1), "the number of tensors"),
        ((0, 1 << 63), "the number of metadata keys"),
        ((0, 1000), "the number of metadata keys"),
    ] {
        let mut gguf = plain();
        gguf.counts = Some(counts);
        said(&gguf, what);
    }
    let huge = |length: u64| [&8_u32.to_le_bytes()[..], &length.to_le_bytes(), b"abc"].concat();
    said(&plain().raw("list", 9, &huge(1 << 62)), "the number of values of `list`");
    said(&plain().raw("text", 8, &(1_u64 << 63).to_le_bytes()), "text is 9223372036854775808");
    said(&plain().raw("tokenizer.ggml.tokens", 9, &huge(u64::MAX)), "tokenizer.ggml.tokens");
}

#[test]
fn keys_and_types_that_no_engine_takes() {
    said(&plain().u32("a", 1).u32("a", 1), "the key `a` stands twice");
    said(&plain().u32("", 1), "a key has 0 bytes");
    said(&plain().raw("a", 13, &[0; 8]), "`a` is of type 13");
    let nested = [9_u32.to_le_bytes().to_vec(), 1_u64.to_le_bytes().to_vec(), vec![0; 32]].concat();
    said(&plain().raw("a", 9, &nested), "an array of arrays");
    said(&plain().u32("general.alignment", 0), "a power of two, and is u32 0");
    said(&plain().u32("general.alignment", 48), "a power of two, and is u32 48");
    said(&plain().u16("general.alignment", 32), "has to be a u32");
}

#[test]
fn tensors_that_cannot_be() {
    said(&plain().tensor(&"n".repeat(64), &[32]), "the name of tensor 0 has 64 bytes, and 63 are allowed");
    said(&plain().tensor("a", &[32]).tensor("a", &[32]), "two tensors named `a`");
    said(&plain().info("a", &[1, 1, 1, 1, 1], 0, 0), "5 dimensions");
    said(&plain().info("a", &[32], 4, 0), "type 4");
    said(&plain().info("a", &[32], 4000, 0), "type 4000");
    said(
        &plain().info("a", &[33], 2, 0),
        "a row of `a` has 33 numbers, where q4_0 is stored in blocks of 32",
    );
    said(&plain().info("a", &[1 << 40, 1 << 40], 0, 0), "more than can be counted");
    said(&plain().info("a", &[1 << 62], 28, 0), "more than can be counted");
    said(&plain().info("a", &[u64::MAX], 24, 0), "more than can be counted");
    said(&plain().info("a", &[1 << 40], 0, 0), "it is cut short");
    said(&plain().tensor("a", &[32]).info("b", &[32], 0, 64), "offset 64, and 128 was expected");
    said(&plain().tensor("a", &[32]).info("b", &[32], 0, 256), "offset 256, and 128 was expected");
    said(&plain().info("a", &[32], 0, u64::MAX), "0 was expected");
}

#[test]
fn a_tensor_without_numbers_is_one() {
    let bytes = plain().info("a", &[0], 0, 0).bytes();
    assert_eq!(Header::read(&*bytes, bytes.len() as u64, Keep::Digests).unwrap().tensors.len(), 1);
}

#[test]
fn every_place_at_which_a_file_can_be_cut() {
    let whole = plain()
        .u32("a", 1)
        .texts("tokenizer.ggml.tokens", &["a", "b"])
        .u32s("b", &[1, 2])
        .tensor("t", &[32, 2])
        .bytes();
    assert!(Header::read(&*whole, whole.len() as u64, Keep::Texts).is_ok());
    for end in 0..whole.len() {
        let cut = damage(&whole[..end]);
        assert!(cut.at <= end as u64, "{end}: {cut:?}");
        // A file that grows shorter while it is read is one that is cut.
        assert!(Header::read(&whole[..end.min(200)], whole.len() as u64, Keep::Texts).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever bytes of a header are others, reading ends, and with a place inside the file where it is refused.
    #[test]
    fn mutated_headers_end(changes in proptest::collection::vec((0_usize..700, any::<u8>()), 1..6), big in any::<bool>()) {
        let begin = if big { Gguf::big("qwen2") } else { plain() };
        let mut bytes = begin
            .u32("qwen2.block_count", 2)
            .texts("tokenizer.ggml.tokens", &["a", "b", "c"])
            .u32s("qwen2.attention.head_count_kv", &[1, 2])
            .text("tokenizer.ggml.model", "gpt2")
            .tensor("token_embd.weight", &[32, 3])
            .tensor("output.weight", &[32, 3])
            .bytes();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        if let Err(fault) = Header::read(&*bytes, bytes.len() as u64, Keep::Texts) {
            let Fault::Damaged(damage) = fault else { panic!("{fault:?}") };
            prop_assert!(damage.at <= bytes.len() as u64);
        }
    }

    /// Any bytes after the magic number.
    #[test]
    fn any_bytes_end(rest in proptest::collection::vec(any::<u8>(), 0..200), version in 2_u32..4) {
        let bytes = [&b"GGUF"[..], &version.to_le_bytes(), &rest].concat();
        let _ = Header::read(&*bytes, bytes.len() as u64, Keep::Texts);
    }
}
