//! SHA-256 digests, which identify files and texts. Users can check them with `sha256sum`.

use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io::{self, ErrorKind, Read};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Digest([u8; 32]);

/// Computes a digest from bytes that arrive in pieces.
#[derive(Clone, Default, Debug)]
pub struct DigestBuilder(Sha256);

impl DigestBuilder {
    /// Adds the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all added bytes.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl Digest {
    /// The digest of a text.
    pub fn of(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// The digest of a text in pieces.
    pub fn of_pieces<'t>(pieces: impl IntoIterator<Item = &'t str>) -> Self {
        let mut builder = DigestBuilder::default();
        pieces.into_iter().for_each(|piece| builder.add(piece.as_bytes()));
        builder.finish()
    }

    /// The digest of a file of any size, read in pieces of 64 KiB.
    pub fn of_file(mut file: impl Read) -> io::Result<Self> {
        let mut builder = DigestBuilder::default();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(builder.finish()),
                Ok(n) => builder.add(buffer.get(..n).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Parses 64 lower-case hexadecimal digits, as [`Display`](fmt::Display) writes them. `None` for any other text.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()?;
        }
        Some(Self(bytes)).filter(|digest| digest.to_string() == text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
        let hex: String = self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        f.write_str(&hex)
    }
}
