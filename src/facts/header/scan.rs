//! A bounded reader that tracks its offset. It never allocates memory for a length that exceeds the rest of the file.

use super::ByteOrder;
use crate::facts::ReadError;
use crate::source::{Digest, DigestBuilder};
use std::io::{ErrorKind, Read};

/// The size of the read buffer in bytes.
const BUFFER_SIZE: usize = 1 << 16;

/// The maximum size of a header in bytes. A vocabulary of 260 000 tokens with its merges takes 16 MB.
pub(super) const MAX_HEADER: u64 = 256 << 20;

/// A reader of one file from its first byte. It skips by reading, so that every byte of the header is in the digest.
pub(super) struct Scan<R> {
    source: R,
    buffer: Vec<u8>,
    /// The index of the next byte in the buffer.
    next: usize,
    /// The number of bytes in the buffer.
    filled: usize,
    /// The offset of the buffer in the file.
    before: u64,
    /// The size of the file.
    length: u64,
    pub(super) order: ByteOrder,
    hash: DigestBuilder,
}

impl<R: Read> Scan<R> {
    /// Creates a reader at the start of a file of `length` bytes.
    pub(super) fn new(source: R, length: u64) -> Self {
        let (buffer, hash) = (vec![0; BUFFER_SIZE], DigestBuilder::default());
        Self { source, buffer, next: 0, filled: 0, before: 0, length, order: ByteOrder::Little, hash }
    }

    /// The offset of the next byte.
    pub(super) fn at(&self) -> u64 {
        self.before + self.next as u64
    }

    /// The size of the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The number of bytes until the end of the file.
    pub(super) fn remaining(&self) -> u64 {
        self.length.saturating_sub(self.at())
    }

    /// The digest of all bytes read so far.
    pub(super) fn digest(mut self) -> Digest {
        self.hash.add(self.buffer.get(..self.next).unwrap_or_default());
        self.hash.finish()
    }

    /// The next bytes, at least one. Empty at the end of the file.
    fn chunk(&mut self) -> Result<&[u8], ReadError> {
        if self.next == self.filled {
            self.hash.add(self.buffer.get(..self.filled).unwrap_or_default());
            self.before += self.filled as u64;
            (self.next, self.filled) = (0, 0);
            if self.before > MAX_HEADER {
                return Err(ReadError::at(self.before, "the header is larger than 256 MiB"));
            }
            self.filled = loop {
                match self.source.read(&mut self.buffer) {
                    Ok(n) => break n,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(ReadError::Disk(error.to_string())),
                }
            };
        }
        Ok(self.buffer.get(self.next..self.filled).unwrap_or_default())
    }

    /// Reads `count` bytes and passes them to `each` in chunks.
    fn for_each_chunk(
        &mut self,
        count: u64,
        what: &str,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), ReadError> {
        let (start, remaining) = (self.at(), self.remaining());
        let ends = || {
            let what = format!("the file ends inside {what}, which needs {count} bytes; {remaining} remain");
            ReadError::at(start, what)
        };
        if count > remaining {
            return Err(ends());
        }
        let mut wanted = count;
        while wanted > 0 {
            let chunk = self.chunk()?;
            // The file was truncated while it was being read.
            if chunk.is_empty() {
                return Err(ends());
            }
            let used = usize::try_from(wanted).unwrap_or(usize::MAX).min(chunk.len());
            each(chunk.get(..used).unwrap_or_default());
            self.next += used;
            wanted -= used as u64;
        }
        Ok(())
    }

    /// Skips `count` bytes.
    pub(super) fn skip(&mut self, count: u64, what: &str) -> Result<(), ReadError> {
        self.for_each_chunk(count, what, |_| {})
    }

    /// Reads `count` bytes into a buffer.
    pub(super) fn bytes(&mut self, count: u64, what: &str, into: &mut Vec<u8>) -> Result<(), ReadError> {
        into.clear();
        self.for_each_chunk(count, what, |chunk| into.extend_from_slice(chunk))
    }

    fn fixed<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ReadError> {
        let (mut bytes, mut filled) = ([0; N], 0);
        self.for_each_chunk(N as u64, what, |chunk| {
            for (to, from) in bytes.iter_mut().skip(filled).zip(chunk) {
                *to = *from;
            }
            filled += chunk.len();
        })?;
        if self.order == ByteOrder::Big {
            bytes.reverse();
        }
        Ok(bytes)
    }

    /// One byte.
    pub(super) fn u8(&mut self, what: &str) -> Result<u8, ReadError> {
        self.fixed(what).map(u8::from_le_bytes)
    }

    /// Two bytes.
    pub(super) fn u16(&mut self, what: &str) -> Result<u16, ReadError> {
        self.fixed(what).map(u16::from_le_bytes)
    }

    /// Four bytes.
    pub(super) fn u32(&mut self, what: &str) -> Result<u32, ReadError> {
        self.fixed(what).map(u32::from_le_bytes)
    }

    /// Eight bytes.
    pub(super) fn u64(&mut self, what: &str) -> Result<u64, ReadError> {
        self.fixed(what).map(u64::from_le_bytes)
    }

    /// Reads a count of members that take at least `least` bytes each. Fails if the rest of the file is too short for
    /// them, or if there are more than `most`.
    pub(super) fn count(&mut self, what: &str, least: u64, most: u64) -> Result<u64, ReadError> {
        let at = self.at();
        let count = self.u64(what)?;
        let fits = self.remaining() / least.max(1);
        if count > fits {
            let what = format!("{what} is {count}, but the rest of the file has space for only {fits}");
            return Err(ReadError::at(at, what));
        }
        if count > most {
            return Err(ReadError::at(at, format!("{what} is {count}; the maximum is {most}")));
        }
        Ok(count)
    }
}
