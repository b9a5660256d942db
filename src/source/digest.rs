//! The SHA-256 of bytes, by which files and texts are known again. Users can check it with `sha256sum`.

use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io::{self, ErrorKind, Read};

/// The SHA-256 of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Digest([u8; 32]);

/// A digest that is not finished: bytes come piece by piece.
#[derive(Clone, Default, Debug)]
pub struct Digesting(Sha256);

impl Digesting {
    /// Takes the next bytes in.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that came.
    pub fn end(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl Digest {
    /// The hash of a text.
    pub fn of(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// The hash of what a file holds, however large it is.
    pub fn of_file(mut file: impl Read) -> io::Result<Self> {
        let mut hash = Digesting::default();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(hash.end()),
                Ok(n) => hash.add(buffer.get(..n).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Its 64 lower-case hexadecimal digits.
    pub fn text(self) -> [u8; 64] {
        let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        let mut text = [0; 64];
        let (pairs, _) = text.as_chunks_mut::<2>();
        for (pair, byte) in pairs.iter_mut().zip(self.0) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        text
    }

    /// Reads what [`text`](Self::text) writes; none for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}
