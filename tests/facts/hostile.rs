//! Invalid headers: each error names the byte. No header causes a panic or an allocation larger than the file.

use super::build::Gguf;
use orchgen::facts::{Damage, Header, ReadError, TypeOrigin, VocabularyDetail};
use proptest::prelude::*;

fn damage(bytes: &[u8]) -> Damage {
    match Header::read(bytes, bytes.len() as u64, VocabularyDetail::Texts) {
        Err(ReadError::Damaged(damage) | ReadError::ForeignType(damage, _)) => damage,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_damage(gguf: &Gguf, part: &str) {
    let damage = damage(&gguf.bytes());
    assert!(damage.what.contains(part), "{damage:?} does not contain {part:?}");
}

fn plain() -> Gguf {
    Gguf::new("qwen2")
}

#[test]
fn files_with_another_magic_number_or_version_are_rejected() {
    assert_eq!(damage(b"GGML\x03\0\0\0").at, 0);
    assert_eq!(damage(b"").at, 0);
    assert_eq!(damage(b"GG").at, 0);
    assert_eq!(damage(b"GGUF").at, 4);
    for version in [0, 1, 4, 0xffff_ffff] {
        let mut gguf = plain();
        gguf.version = version;
        assert_damage(&gguf, "engines read 2 and 3");
    }
}

#[test]
fn counts_that_exceed_the_file_are_rejected() {
    for (counts, what) in [
        ((u64::MAX, 1), "the number of tensors"),
        ((1 << 63, 1), "the number of tensors"),
        ((0, 1 << 63), "the number of metadata keys"),
        ((0, 1000), "the number of metadata keys"),
    ] {
        let mut gguf = plain();
        gguf.counts = Some(counts);
        assert_damage(&gguf, what);
    }
    let huge = |length: u64| [&8_u32.to_le_bytes()[..], &length.to_le_bytes(), b"abc"].concat();
    assert_damage(&plain().raw("list", 9, &huge(1 << 62)), "the number of values of `list`");
    assert_damage(&plain().raw("text", 8, &(1_u64 << 63).to_le_bytes()), "text is 9223372036854775808");
    assert_damage(&plain().raw("tokenizer.ggml.tokens", 9, &huge(u64::MAX)), "tokenizer.ggml.tokens");
}

#[test]
fn invalid_keys_and_types_are_rejected() {
    assert_damage(&plain().u32("a", 1).u32("a", 1), "duplicate key `a`");
    assert_damage(&plain().u32("", 1), "a key has 0 bytes");
    assert_damage(&plain().raw("a", 13, &[0; 8]), "`a` has type 13");
    let nested = [9_u32.to_le_bytes().to_vec(), 1_u64.to_le_bytes().to_vec(), vec![0; 32]].concat();
    assert_damage(&plain().raw("a", 9, &nested), "an array of arrays");
    assert_damage(&plain().u32("general.alignment", 0), "a power of two, not u32 0");
    assert_damage(&plain().u32("general.alignment", 48), "a power of two, not u32 48");
    assert_damage(&plain().u16("general.alignment", 32), "must be a u32");
}

#[test]
fn invalid_tensors_are_rejected() {
    assert_damage(
        &plain().tensor(&"n".repeat(64), &[32]),
        "the name of tensor 0 has 64 bytes; the maximum is 63",
    );
    assert_damage(&plain().tensor("a", &[32]).tensor("a", &[32]), "duplicate tensor `a`");
    assert_damage(&plain().info("a", &[1, 1, 1, 1, 1], 0, 0), "5 dimensions");
    assert_damage(&plain().info("a", &[32], 4, 0), "type 4");
    assert_damage(&plain().info("a", &[32], 4000, 0), "type 4000");
    assert_damage(
        &plain().info("a", &[33], 2, 0),
        "a row of `a` has 33 values, which is not a multiple of 32, the block size of q4_0",
    );
    assert_damage(&plain().info("a", &[1 << 40, 1 << 40], 0, 0), "which is too large");
    assert_damage(&plain().info("a", &[1 << 62], 28, 0), "which is too large");
    assert_damage(&plain().info("a", &[u64::MAX], 24, 0), "which is too large");
    assert_damage(&plain().info("a", &[1 << 40], 0, 0), "it is truncated");
    assert_damage(&plain().tensor("a", &[32]).info("b", &[32], 0, 64), "offset 64; expected 128");
    assert_damage(&plain().tensor("a", &[32]).info("b", &[32], 0, 256), "offset 256; expected 128");
    assert_damage(&plain().info("a", &[32], 0, u64::MAX), "expected 0");
}

/// A type that llama.cpp does not have is no damage: the file is for another build.
#[test]
fn a_tensor_type_of_another_build_is_not_damage() {
    for (id, row, origin, part) in [
        (144, 128, TypeOrigin::IkLlamaCpp, "144: `iq4_ks` of ik_llama.cpp"),
        (144, 256, TypeOrigin::IkLlamaCpp, "144: `iq4_ks` of ik_llama.cpp"),
        (31, 32, TypeOrigin::Removed, "31: `q4_0_4_4`, which llama.cpp removed in favor of `q4_0`"),
        (5, 32, TypeOrigin::Removed, "5: `q4_3`, which llama.cpp removed"),
        (37, 32, TypeOrigin::Removed, "in favor of `iq4_nl`"),
        (60, 32, TypeOrigin::Unknown, "60, which neither"),
    ] {
        let bytes = plain().info("a", &[row, 2], id, 0).bytes();
        let fault = Header::read(&*bytes, bytes.len() as u64, VocabularyDetail::Digests).unwrap_err();
        let ReadError::ForeignType(damage, found) = fault else { panic!("{id}: {fault:?}") };
        assert!(found == origin && damage.what.contains(part), "{id}: {damage:?}");
    }
}

/// `iq4_ks` has four bytes per row in addition to its blocks.
#[test]
fn the_types_of_ik_llama_cpp_have_their_sizes() {
    for (id, row, bytes) in [(144, 256, 140), (137, 512, 152), (134, 64, 15), (208, 32, 34)] {
        let header = plain().info("a", &[row, 3], id, 0).bytes();
        let file = [header, vec![0; 3 * bytes]].concat();
        let read = Header::read(&*file, file.len() as u64, VocabularyDetail::Digests).unwrap();
        assert_eq!(read.tensors[0].bytes, 3 * bytes as u64, "{id}");
    }
}

#[test]
fn a_tensor_without_values_is_valid() {
    let bytes = plain().info("a", &[0], 0, 0).bytes();
    assert_eq!(
        Header::read(&*bytes, bytes.len() as u64, VocabularyDetail::Digests).unwrap().tensors.len(),
        1
    );
}

#[test]
fn a_file_truncated_at_any_byte_is_rejected() {
    let whole = plain()
        .u32("a", 1)
        .texts("tokenizer.ggml.tokens", &["a", "b"])
        .u32s("b", &[1, 2])
        .tensor("t", &[32, 2])
        .bytes();
    assert!(Header::read(&*whole, whole.len() as u64, VocabularyDetail::Texts).is_ok());
    for end in 0..whole.len() {
        let cut = damage(&whole[..end]);
        assert!(cut.at <= end as u64, "{end}: {cut:?}");
        // A file that shrinks during the read is also truncated.
        assert!(Header::read(&whole[..end.min(200)], whole.len() as u64, VocabularyDetail::Texts).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A header with any changed bytes is read, or rejected with a place inside the file.
    #[test]
    fn mutated_headers_are_read_or_rejected(changes in proptest::collection::vec((0_usize..700, any::<u8>()), 1..6), big in any::<bool>()) {
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
        if let Err(fault) = Header::read(&*bytes, bytes.len() as u64, VocabularyDetail::Texts) {
            let (ReadError::Damaged(damage) | ReadError::ForeignType(damage, _)) = fault else { panic!("{fault:?}") };
            prop_assert!(damage.at <= bytes.len() as u64);
        }
    }

    /// Any bytes after the magic number and the version.
    #[test]
    fn any_bytes_are_read_or_rejected(rest in proptest::collection::vec(any::<u8>(), 0..200), version in 2_u32..4) {
        let bytes = [&b"GGUF"[..], &version.to_le_bytes(), &rest].concat();
        let _ = Header::read(&*bytes, bytes.len() as u64, VocabularyDetail::Texts);
    }
}
