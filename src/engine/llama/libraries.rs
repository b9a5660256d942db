//! Reads the closed lists of a build from its libraries, without running them.
//!
//! Architectures and tensor types are tables of the libraries, so their lists are exact. Pre-tokenizers and projector
//! types are only strings: their lists are the strings next to a known one, and known words from elsewhere. They may
//! have a few words too many. A list that is not found is empty, which means unknown.

mod elf;

use super::built_in;
use super::lists::{ClosedList, ClosedLists};
use super::profile::Profile;
use crate::facts::tensor_type;
use elf::Elf;

/// The libraries with the lists, without the ending `.so`. A program without libraries has the lists itself.
pub const LIBRARIES: &[&str] = &["libllama", "libggml-base", "libmtmd"];

/// The minimum number of words in a list. A shorter one is something else.
const MIN_WORDS: usize = 20;

/// The maximum number of words in a list.
const MAX_WORDS: usize = 1000;

/// The size of an entry of the table of architectures: a number and a pointer (`LLM_ARCH_NAMES`).
const ARCHITECTURE_ENTRY: usize = 16;

/// The sizes in bytes that an entry of the table of tensor types may have (`type_traits`; 56 in b11669).
const TYPE_ENTRIES: std::ops::RangeInclusive<usize> = 24..=160;

/// Words of the source that are always next to others of their list.
const PRE_TOKENIZER: &str = "deepseek-coder";
const PROJECTOR_TYPE: &str = "ldpv2";

/// The lists in the files of a build: its libraries, or its server.
pub fn read_lists(files: &[Vec<u8>]) -> ClosedLists {
    let mut lists = ClosedLists::default();
    for bytes in files {
        if let Some(elf) = Elf::parse(bytes) {
            or_else(&mut lists.architectures, || architectures(&elf));
            or_else(&mut lists.tensor_types, || tensor_types(&elf));
        }
    }
    for bytes in files {
        let others = lists.architectures.clone();
        or_else(&mut lists.pre_tokenizers, || {
            strings(bytes, PRE_TOKENIZER, ClosedList::PreTokenizers, others)
        });
        or_else(&mut lists.projector_types, || {
            strings(bytes, PROJECTOR_TYPE, ClosedList::ProjectorTypes, Vec::new())
        });
    }
    lists
}

fn or_else(list: &mut Vec<String>, read: impl FnOnce() -> Vec<String>) {
    if list.is_empty() {
        *list = read();
        list.sort();
        list.dedup();
    }
}

/// The table of architectures: numbers from 0 in any order, each with a name.
fn architectures(elf: &Elf<'_>) -> Vec<String> {
    for start in elf.data_words() {
        if elf.number(start) != Some(0) || elf.word(start + 8) != Some("clip") {
            continue;
        }
        let mut found: Vec<(u64, &str)> = Vec::new();
        for at in (start..).step_by(ARCHITECTURE_ENTRY).take(MAX_WORDS) {
            let (Some(number), Some(name)) = (elf.number(at), elf.word(at + 8)) else { break };
            // The next table begins with 0 again.
            if found.iter().any(|(known, _)| *known == number) {
                break;
            }
            found.push((number, name));
        }
        let count = found.len() as u64;
        if found.len() >= MIN_WORDS && found.iter().all(|(number, _)| *number < count) {
            let names = found.iter().map(|(_, name)| *name).filter(|name| is_word(name.as_bytes()));
            return names.map(str::to_owned).collect();
        }
    }
    Vec::new()
}

/// The table of tensor types: names, block sizes, and sizes of blocks, in the order of their ids. A removed type has no
/// block.
fn tensor_types(elf: &Elf<'_>) -> Vec<String> {
    let first = ["f32", "f16", "q4_0", "q4_1"];
    for start in elf.data_words() {
        if elf.word(start) != Some("f32") {
            continue;
        }
        let is_table =
            |size: &usize| (start..).step_by(*size).zip(first).all(|(at, name)| elf.word(at) == Some(name));
        let Some(size) = TYPE_ENTRIES.step_by(8).find(is_table) else { continue };
        let mut names = Vec::new();
        for (id, at) in (0_u32..).zip((start..).step_by(size)).take(MAX_WORDS) {
            let (Some(pointer), Some(block)) = (elf.number(at), elf.number(at + 8)) else { break };
            match elf.word(at) {
                Some(name) if (1..=1024).contains(&block) => {
                    names.push(tensor_type(id).map_or(name, |known| known.name).to_owned());
                }
                Some(_) if block == 0 => {}
                None if pointer == 0 && block == 0 => {}
                Some(_) | None => break,
            }
        }
        if names.len() >= MIN_WORDS {
            return names;
        }
    }
    Vec::new()
}

/// The strings around `anchor`, and the words of built-in profiles and `others` that are somewhere in the file.
fn strings(bytes: &[u8], anchor: &str, list: ClosedList, others: Vec<String>) -> Vec<String> {
    let anchor = [b"\0", anchor.as_bytes(), b"\0"].concat();
    let Some(at) = find(bytes, &anchor) else { return Vec::new() };
    let (before, after) = bytes.split_at_checked(at + 1).unwrap_or((bytes, &[]));
    let back = before.rsplit(|byte| *byte == 0).skip(1).take_while(|word| is_word(word));
    let on = after.split(|byte| *byte == 0).take_while(|word| is_word(word));
    let near = back.take(MAX_WORDS).chain(on.take(MAX_WORDS));
    let mut words: Vec<String> = near.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    if words.len() < MIN_WORDS {
        return Vec::new();
    }
    let built_in = built_in::NAMES.iter().filter_map(|name| Profile::built_in(name));
    let known = built_in.filter_map(|profile| profile.lists().get(list)).flatten().cloned();
    let mut known: Vec<String> = known.chain(others).collect();
    known.sort();
    known.dedup();
    known.retain(|word| !words.contains(word) && find(bytes, &[word.as_bytes(), b"\0"].concat()).is_some());
    words.extend(known);
    words
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// True for a name such as `qwen2.5vl_merger`.
fn is_word(text: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(byte);
    (2..=40).contains(&text.len())
        && text.iter().all(is_name)
        && text.first().is_some_and(u8::is_ascii_alphanumeric)
}
