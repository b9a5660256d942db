//! Closed lists that are read from the libraries of a build.

use orchgen::engine::libraries::read_lists;
use orchgen::engine::{ClosedLists, Profile};

/// The address at which the file is loaded.
const BASE: u64 = 0x40_0000;

/// An ELF file with one writable segment, for 64-bit little-endian machines.
struct Elf {
    data: Vec<u8>,
    strings: Vec<u8>,
}

/// The place of the strings in the file.
const STRINGS: usize = 0x8000;

impl Elf {
    fn new() -> Self {
        Self { data: Vec::new(), strings: vec![0] }
    }

    fn number(&mut self, number: u64) {
        self.data.extend(number.to_le_bytes());
    }

    /// Adds a pointer to a string.
    fn text(&mut self, text: &str) {
        let at = STRINGS + self.strings.len();
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        self.number(BASE + at as u64);
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(64, 0);
        bytes[32..40].copy_from_slice(&64_u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56_u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&1_u16.to_le_bytes());
        let length = (STRINGS + self.strings.len()) as u64;
        let header = [1 | (6 << 32), 0, BASE, BASE, length, length, 8];
        bytes.extend(header.iter().flat_map(|word: &u64| word.to_le_bytes()));
        bytes.extend(&self.data);
        assert!(bytes.len() <= STRINGS);
        bytes.resize(STRINGS, 0);
        bytes.extend(&self.strings);
        bytes
    }
}

fn names(count: usize) -> Vec<String> {
    let first = ["clip", "llama", "qwen2"].map(str::to_owned);
    first.into_iter().chain((3..count).map(|n| format!("arch-{n}"))).chain(["(unknown)".to_owned()]).collect()
}

fn architectures(names: &[String], numbers: impl Iterator<Item = u64>) -> Elf {
    let mut elf = Elf::new();
    // Another table is before it, and one is after it.
    for (number, text) in (0..5).zip(["a", "b", "c", "d", "e"]) {
        elf.number(number);
        elf.text(text);
    }
    for (name, number) in names.iter().zip(numbers) {
        elf.number(number);
        elf.text(name);
    }
    elf.number(0);
    elf.text("token_embd");
    elf
}

#[test]
fn the_table_of_architectures_is_read_in_any_order_of_numbers() {
    let names = names(30);
    let mut expected = names.clone();
    expected.pop();
    expected.sort();
    let in_order = architectures(&names, 0..).bytes();
    assert_eq!(read_lists(&[in_order]).architectures, expected);
    let swapped = (0..).map(|n| match n {
        7 => 8,
        8 => 7,
        n => n,
    });
    assert_eq!(read_lists(&[architectures(&names, swapped).bytes()]).architectures, expected);
    // A table with a gap is not that table, and neither is a short one.
    let gap = (0..).map(|n| if n > 9 { n + 1 } else { n });
    assert!(read_lists(&[architectures(&names, gap).bytes()]).architectures.is_empty());
    let short = architectures(&names[..9], 0..).bytes();
    assert!(read_lists(&[short]).architectures.is_empty());
}

#[test]
fn the_table_of_tensor_types_is_read_without_removed_types() {
    for padding in [0, 3] {
        let mut elf = Elf::new();
        let removed = "TYPE_X REMOVED, use Y";
        let first = ["f32", "f16", "q4_0", "q4_1"];
        for id in 0..30_usize {
            match id {
                4 => elf.number(0),
                5 => elf.text(removed),
                id => elf.text(first.get(id).copied().unwrap_or("ignored")),
            }
            elf.number(if matches!(id, 4 | 5) { 0 } else { 32 });
            (0..3 + padding).for_each(|_| elf.number(0));
        }
        let lists = read_lists(&[elf.bytes()]);
        // The names are those of orchgen.
        assert_eq!(lists.tensor_types.len(), 28, "{:?}", lists.tensor_types);
        assert!(["q8_0", "iq1_m"].iter().all(|name| lists.tensor_types.iter().any(|known| known == name)));
    }
}

#[test]
fn strings_next_to_a_known_one_are_pre_tokenizers() {
    let build = Profile::built_in("llama.cpp-b11434").unwrap();
    let known = &build.lists().pre_tokenizers;
    let at = known.iter().position(|name| name == "deepseek-coder").unwrap();
    // The linker merges equal strings: `qwen2` is elsewhere, and `mpt` is the end of another string.
    let near = known.iter().filter(|name| !["qwen2", "mpt"].contains(&name.as_str()));
    let mut words: Vec<&str> = near.map(String::as_str).collect();
    words.insert(at, "tulip");
    let text = format!("qwen2\0prompt\0 \0{}\0  <\0other\0", words.join("\0"));
    let lists = read_lists(&[text.into_bytes()]);
    for name in known.iter().map(String::as_str).chain(["tulip"]) {
        assert_eq!(lists.pre_tokenizers.iter().filter(|known| *known == name).count(), 1, "{name}");
    }
    assert!(!lists.pre_tokenizers.iter().any(|word| word == "other" || word == "prompt"));
}

#[test]
fn other_files_have_no_lists() {
    let elf = architectures(&names(30), 0..).bytes();
    for bytes in [&b""[..], b"\x7fELF", b"MZ", &elf[..60], &elf[..200], &[0xff; 4096]] {
        assert_eq!(read_lists(&[bytes.to_vec()]), ClosedLists::default());
    }
    // Every cut and every changed byte is read without a panic.
    for at in (0..elf.len()).step_by(7) {
        let _ = read_lists(&[elf[..at].to_vec()]);
    }
    for at in 0..256 {
        let mut changed = elf.clone();
        changed[at] ^= 0xff;
        let _ = read_lists(&[changed]);
    }
}
