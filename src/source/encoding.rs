//! Guesses the encoding of files that are not UTF-8.

/// The encoding of a file that is not UTF-8.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Text in this encoding, by its name for `iconv`.
    Text(&'static str),
    /// A GGUF file.
    Gguf,
    /// No text.
    Binary,
}

impl Encoding {
    /// Guesses the encoding from the first bytes of a file, and from bytes that only some encodings have.
    pub(super) fn guess(bytes: &[u8]) -> Self {
        match bytes {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Self::Text("UTF-32"),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Self::Text("UTF-16"),
            [b'G', b'G', b'U', b'F', ..] => return Self::Gguf,
            _ => {}
        }
        let head = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
        let nulls = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
        match (nulls(0), nulls(1)) {
            (0, 0) if head.iter().any(|byte| (0x80..0xa0).contains(byte)) => Self::Text("WINDOWS-1252"),
            (0, 0) => Self::Text("ISO-8859-1"),
            (0, odd) if odd * 4 > head.len() => Self::Text("UTF-16LE"),
            (even, 0) if even * 4 > head.len() => Self::Text("UTF-16BE"),
            _ => Self::Binary,
        }
    }
}
