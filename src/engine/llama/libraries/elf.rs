//! Reads pointers and strings in 64-bit little-endian ELF files. All values in the file are untrusted.

use std::collections::BTreeMap;

/// Types of program headers.
const LOAD: u64 = 1;
const DYNAMIC: u64 = 2;

/// Writable segments.
const WRITABLE: u64 = 2;

/// Entries of the dynamic table: the address and the size of the relocations.
const RELA: u64 = 7;
const RELA_SIZE: u64 = 8;
const RELA_ENTRY: u64 = 24;

/// Relocations that add the load address: `R_X86_64_RELATIVE` and `R_AARCH64_RELATIVE`.
const RELATIVE: [u64; 2] = [8, 1027];

/// The maximum number of program headers, relocations and words that are read.
const MAX_HEADERS: u16 = 64;
const MAX_RELOCATIONS: u64 = 1 << 20;
const MAX_DATA: u64 = 64 << 20;

/// The maximum length of a string.
const MAX_WORD: usize = 80;

/// A part of the file that is loaded.
struct Segment {
    address: u64,
    offset: u64,
    length: u64,
    is_writable: bool,
}

/// An ELF file.
pub(super) struct Elf<'b> {
    bytes: &'b [u8],
    segments: Vec<Segment>,
    /// Addresses of pointers, with the addresses that they point to.
    relocations: BTreeMap<u64, u64>,
}

impl<'b> Elf<'b> {
    /// Parses the headers. `None` for other files.
    pub(super) fn parse(bytes: &'b [u8]) -> Option<Self> {
        // Class 2 is 64 bits, data 1 is little-endian.
        if !bytes.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let mut elf = Self { bytes, segments: Vec::new(), relocations: BTreeMap::new() };
        let table = u64::from_le_bytes(take(bytes, 32)?);
        let [size, count] = [54, 56].map(|at| take(bytes, at).map(u16::from_le_bytes));
        let (size, count) = (size?, count?);
        let mut dynamic = None;
        for number in 0..count.min(MAX_HEADERS) {
            let at = table.checked_add(u64::from(number) * u64::from(size))?;
            let word = |offset: u64| elf.file_number(at.checked_add(offset)?);
            let (kind, address, offset, length) = (word(0)?, word(16)?, word(8)?, word(32)?);
            let (kind, flags) = (kind & u64::from(u32::MAX), kind >> 32);
            match kind {
                LOAD => {
                    elf.segments.push(Segment {
                        address,
                        offset,
                        length,
                        is_writable: flags & WRITABLE != 0,
                    });
                }
                DYNAMIC => dynamic = Some((address, length)),
                _ => {}
            }
        }
        if let Some((address, length)) = dynamic {
            elf.read_relocations(address, length);
        }
        Some(elf)
    }

    fn read_relocations(&mut self, address: u64, length: u64) {
        let (mut start, mut size) = (0, 0);
        for at in (0..length.min(1 << 16)).step_by(16).filter_map(|at| address.checked_add(at)) {
            match (self.stored(at), self.stored(at.saturating_add(8))) {
                (Some(RELA), Some(value)) => start = value,
                (Some(RELA_SIZE), Some(value)) => size = value,
                (Some(0) | None, _) => break,
                _ => {}
            }
        }
        for number in 0..(size / RELA_ENTRY).min(MAX_RELOCATIONS) {
            let at = start.saturating_add(number * RELA_ENTRY);
            let word = |offset: u64| self.stored(at.saturating_add(offset));
            let (Some(place), Some(info), Some(target)) = (word(0), word(8), word(16)) else { break };
            if RELATIVE.contains(&info) {
                self.relocations.insert(place, target);
            }
        }
    }

    /// The addresses of the aligned words in writable segments, which have the tables of pointers.
    pub(super) fn data_words(&self) -> impl Iterator<Item = u64> {
        let writable = self.segments.iter().filter(|segment| segment.is_writable);
        writable.flat_map(|segment| {
            let end = segment.address.saturating_add(segment.length.min(MAX_DATA));
            (segment.address.next_multiple_of(8)..end).step_by(8)
        })
    }

    /// The 8 bytes at an address, or the target of the pointer there.
    pub(super) fn number(&self, address: u64) -> Option<u64> {
        self.relocations.get(&address).copied().or_else(|| self.stored(address))
    }

    /// The string that the pointer at an address points to.
    pub(super) fn word(&self, address: u64) -> Option<&'b str> {
        let target = self.number(address).filter(|target| *target != 0)?;
        let text = self.bytes.get(self.offset(target)?..)?;
        let text = text.get(..MAX_WORD.min(text.len()))?;
        let end = text.iter().position(|byte| *byte == 0)?;
        let text = text.get(..end).filter(|text| !text.is_empty())?;
        std::str::from_utf8(text).ok()
    }

    /// The 8 bytes at an address, as the file has them.
    fn stored(&self, address: u64) -> Option<u64> {
        self.file_number(u64::try_from(self.offset(address)?).ok()?)
    }

    fn file_number(&self, offset: u64) -> Option<u64> {
        take(self.bytes, usize::try_from(offset).ok()?).map(u64::from_le_bytes)
    }

    fn offset(&self, address: u64) -> Option<usize> {
        let contains = |segment: &&Segment| {
            address.checked_sub(segment.address).is_some_and(|within| within < segment.length)
        };
        let segment = self.segments.iter().find(contains)?;
        usize::try_from(segment.offset.checked_add(address.checked_sub(segment.address)?)?).ok()
    }
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}
