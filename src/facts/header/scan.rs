//! Bounded reading with the place that was reached: nothing is taken for granted that a length in the file promises.

use super::ByteOrder;
use crate::facts::Fault;
use crate::source::{Digest, Digesting};
use std::io::{ErrorKind, Read};

/// So many bytes are read at a time.
const PIECE: usize = 1 << 16;

/// The largest header that is read, in bytes. Vocabularies of 260 000 tokens with their merges take 16 MB.
pub(super) const MAX_HEADER: u64 = 256 << 20;

/// A reader of one file from its first byte on; skips by reading, so that every byte of the header is in the digest.
pub(super) struct Scan<R> {
    source: R,
    buffer: Vec<u8>,
    /// The next byte of the buffer.
    next: usize,
    /// How much of the buffer is filled.
    filled: usize,
    /// The bytes of the file before the buffer.
    before: u64,
    /// The bytes of the file.
    length: u64,
    pub(super) order: ByteOrder,
    hash: Digesting,
}

impl<R: Read> Scan<R> {
    /// Begins with the first byte of a file of `length` bytes.
    pub(super) fn new(source: R, length: u64) -> Self {
        let (buffer, hash) = (vec![0; PIECE], Digesting::default());
        Self { source, buffer, next: 0, filled: 0, before: 0, length, order: ByteOrder::Little, hash }
    }

    /// The bytes before the next one.
    pub(super) fn at(&self) -> u64 {
        self.before + self.next as u64
    }

    /// The bytes of the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The bytes that are left of the file.
    pub(super) fn left(&self) -> u64 {
        self.length.saturating_sub(self.at())
    }

    /// The digest of all that was read.
    pub(super) fn digest(mut self) -> Digest {
        self.hash.add(self.buffer.get(..self.next).unwrap_or_default());
        self.hash.end()
    }

    /// Some bytes, at least one; none at the end of the file.
    fn piece(&mut self) -> Result<&[u8], Fault> {
        if self.next == self.filled {
            self.hash.add(self.buffer.get(..self.filled).unwrap_or_default());
            self.before += self.filled as u64;
            (self.next, self.filled) = (0, 0);
            if self.before > MAX_HEADER {
                return Err(Fault::at(self.before, "the header goes on beyond 256 MiB"));
            }
            self.filled = loop {
                match self.source.read(&mut self.buffer) {
                    Ok(n) => break n,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(Fault::Disk(error.to_string())),
                }
            };
        }
        Ok(self.buffer.get(self.next..self.filled).unwrap_or_default())
    }

    /// Reads on for `count` bytes and gives each piece of them to `each`.
    fn on(&mut self, count: u64, what: &str, mut each: impl FnMut(&[u8])) -> Result<(), Fault> {
        let (start, left) = (self.at(), self.left());
        let ends = || {
            let what =
                format!("the file ends inside {what}, which takes {count} bytes where {left} are left");
            Fault::at(start, what)
        };
        if count > left {
            return Err(ends());
        }
        let mut wanted = count;
        while wanted > 0 {
            let piece = self.piece()?;
            // The file became shorter while it was read.
            if piece.is_empty() {
                return Err(ends());
            }
            let taken = usize::try_from(wanted).unwrap_or(usize::MAX).min(piece.len());
            each(piece.get(..taken).unwrap_or_default());
            self.next += taken;
            wanted -= taken as u64;
        }
        Ok(())
    }

    /// Leaves `count` bytes out.
    pub(super) fn skip(&mut self, count: u64, what: &str) -> Result<(), Fault> {
        self.on(count, what, |_| {})
    }

    /// Reads `count` bytes, of which there are so many.
    pub(super) fn bytes(&mut self, count: u64, what: &str, into: &mut Vec<u8>) -> Result<(), Fault> {
        into.clear();
        self.on(count, what, |piece| into.extend_from_slice(piece))
    }

    fn fixed<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Fault> {
        let (mut bytes, mut filled) = ([0; N], 0);
        self.on(N as u64, what, |piece| {
            for (to, from) in bytes.iter_mut().skip(filled).zip(piece) {
                *to = *from;
            }
            filled += piece.len();
        })?;
        if self.order == ByteOrder::Big {
            bytes.reverse();
        }
        Ok(bytes)
    }

    /// One byte.
    pub(super) fn u8(&mut self, what: &str) -> Result<u8, Fault> {
        self.fixed(what).map(u8::from_le_bytes)
    }

    /// Two bytes.
    pub(super) fn u16(&mut self, what: &str) -> Result<u16, Fault> {
        self.fixed(what).map(u16::from_le_bytes)
    }

    /// Four bytes.
    pub(super) fn u32(&mut self, what: &str) -> Result<u32, Fault> {
        self.fixed(what).map(u32::from_le_bytes)
    }

    /// Eight bytes.
    pub(super) fn u64(&mut self, what: &str) -> Result<u64, Fault> {
        self.fixed(what).map(u64::from_le_bytes)
    }

    /// A count whose members take at least `least` bytes each, so that there cannot be more of them than the file holds, nor
    /// more than `most`.
    pub(super) fn count(&mut self, what: &str, least: u64, most: u64) -> Result<u64, Fault> {
        let at = self.at();
        let count = self.u64(what)?;
        let fits = self.left() / least.max(1);
        if count > fits {
            let what = format!("{what} is {count}, and the rest of the file holds {fits} at the most");
            return Err(Fault::at(at, what));
        }
        if count > most {
            return Err(Fault::at(at, format!("{what} is {count}, and {most} are read at the most")));
        }
        Ok(count)
    }
}
