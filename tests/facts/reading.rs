//! Valid headers, and the values that are read from them.

use super::build::Gguf;
use orchgen::facts::{ByteOrder, GgufType, Header, ReadError, Value, ValueData, VocabularyDetail};

fn read(gguf: &Gguf) -> Header {
    try_read(&gguf.bytes()).unwrap_or_else(|fault| panic!("{fault}"))
}

fn try_read(bytes: &[u8]) -> Result<Header, ReadError> {
    Header::read(bytes, bytes.len() as u64, VocabularyDetail::Digests)
}

fn with_all_kinds(gguf: Gguf) -> Gguf {
    gguf.u32("x.block_count", 4)
        .u16("split.count", 1)
        .flag("tokenizer.ggml.add_bos_token", 1)
        .u32s("x.attention.head_count_kv", &[8, 0, 8, 0])
        .texts("tokenizer.ggml.tokens", &["a", "b", "", "d", "e", "f", "g"])
        .tensor("token_embd.weight", &[64, 7])
        .tensor("output_norm.weight", &[64])
}

#[test]
fn both_byte_orders_and_both_versions_give_the_same_header() {
    let (little, big) =
        (read(&with_all_kinds(Gguf::new("qwen2"))), read(&with_all_kinds(Gguf::big("qwen2"))));
    assert_eq!((little.order, big.order), (ByteOrder::Little, ByteOrder::Big));
    assert_eq!(little.values, big.values);
    assert_eq!(little.vocabulary, big.vocabulary);
    assert_eq!(little.tensors, big.tensors);
    assert_ne!(little.digest, big.digest);
    let mut old = with_all_kinds(Gguf::new("qwen2"));
    old.version = 2;
    let old = read(&old);
    assert_eq!((old.version, little.version, big.version), (2, 3, 3));
    assert_eq!(old.values, little.values);
}

#[test]
fn values_keep_their_types() {
    let header = read(&with_all_kinds(Gguf::new("qwen2")));
    assert_eq!(header.architecture(), Some("qwen2"));
    assert_eq!(header.number("x.block_count"), Some(4));
    assert_eq!(header.value("tokenizer.ggml.add_bos_token").unwrap().flag(), Some(true));
    let heads = Value { kind: GgufType::U32, data: ValueData::Integers(vec![8, 0, 8, 0]) };
    assert_eq!(header.value("x.attention.head_count_kv"), Some(&heads));
    assert_eq!(heads.to_string(), "arr[u32] 8, 0, 8, 0");
    let sizes: Vec<_> = header.tensors.iter().map(|tensor| (&*tensor.name, tensor.bytes)).collect();
    assert_eq!(sizes, [("token_embd.weight", 1792), ("output_norm.weight", 256)]);
}

#[test]
fn negative_numbers_and_long_texts_are_read() {
    let long = "x".repeat(5000);
    let gguf =
        Gguf::new("a").raw("i8", 1, &[0xff]).raw("i64", 11, &(-2_i64).to_le_bytes()).text("long", &long);
    let header = read(&gguf);
    assert_eq!(header.value("i8").unwrap().integer(), Some(-1));
    assert_eq!(header.value("i64").unwrap().integer(), Some(-2));
    assert_eq!(header.number("i64"), None);
    assert_eq!(header.value("long").unwrap().data, ValueData::LongText(5000));
}

#[test]
fn a_file_without_keys_or_tensors_is_valid() {
    let mut gguf = Gguf::new("a");
    gguf.counts = Some((0, 0));
    assert!(read(&gguf).values.is_empty());
}

#[test]
fn equal_tokens_from_token_5_on_have_equal_digests() {
    let vocabulary =
        |tokens: &[&str]| read(&Gguf::new("a").texts("tokenizer.ggml.tokens", tokens)).vocabulary.unwrap();
    let one = vocabulary(&["a", "b", "c", "d", "e", "f"]);
    let other = vocabulary(&["A", "b", "c", "d", "e", "f"]);
    assert_ne!(one.digest, other.digest);
    assert_eq!(one.compared, other.compared);
    assert_ne!(one.compared, vocabulary(&["a", "b", "c", "d", "e", "F"]).compared);
    // The boundaries between tokens matter too.
    assert_ne!(
        vocabulary(&["a", "b", "c", "d", "e", "fg", "h"]).compared,
        vocabulary(&["a", "b", "c", "d", "e", "f", "gh"]).compared
    );
    // The engine compares tokens up to a NUL, and writes an empty token as `[EMPTY_N]`.
    assert_eq!(one.compared, vocabulary(&["a", "b", "c", "d", "e", "f\0x"]).compared);
    assert_eq!(
        vocabulary(&["a", "b", "c", "d", "e", ""]).compared,
        vocabulary(&["a", "b", "c", "d", "e", "[EMPTY_5]"]).compared
    );
}

#[test]
fn token_texts_are_kept_on_request() {
    let bytes = |tokens: &[&str]| Gguf::new("a").texts("tokenizer.ggml.tokens", tokens).bytes();
    let texts = |tokens: &[&str]| {
        let bytes = bytes(tokens);
        let header = Header::read(&*bytes, bytes.len() as u64, VocabularyDetail::Texts).unwrap();
        header.vocabulary.unwrap().texts.unwrap()
    };
    let one = texts(&["0", "1", "2", "3", "4", "five", "six"]);
    assert_eq!((one.len(), one.get(5), one.get(7)), (7, Some(&b"five"[..]), None));
    assert_eq!(one.first_difference(&texts(&["x", "x", "x", "x", "x", "five", "six", "7"])), None);
    assert_eq!(one.first_difference(&texts(&["0", "1", "2", "3", "4", "five", "SIX"])), Some(6));
    assert_eq!(one.first_difference(&texts(&["0"])), None);
}

#[test]
fn a_vocabulary_of_150_000_tokens_is_read() {
    let tokens: Vec<String> = (0..151_936).map(|n| format!("token-{n}")).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let merges: Vec<&str> = tokens.iter().copied().cycle().take(300_000).collect();
    let gguf =
        Gguf::new("qwen2").texts("tokenizer.ggml.tokens", &tokens).texts("tokenizer.ggml.merges", &merges);
    let bytes = gguf.bytes();
    let header = try_read(&bytes).unwrap();
    assert_eq!(header.vocabulary.unwrap().size, 151_936);
    assert_eq!(header.bytes.next_multiple_of(32), bytes.len() as u64);
}
