//! The text of an artifact, in pieces.

use std::io;

/// The maximum length of a piece that a writer fills, in bytes.
const PIECE: usize = 16 * 1024;

/// The text of an artifact. A long one that is written bit by bit is in many pieces: small blocks fit into the memory
/// that earlier stages freed, and a growing text would have to be copied.
#[derive(Default)]
pub struct Pieces(Vec<String>);

impl Pieces {
    /// The pieces, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The length of the text in bytes.
    pub fn len(&self) -> usize {
        self.0.iter().map(String::len).sum()
    }

    /// True if the text is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text in one piece.
    pub fn concat(mut self) -> String {
        if self.0.len() == 1 { self.0.pop().unwrap_or_default() } else { self.0.concat() }
    }
}

impl From<String> for Pieces {
    fn from(text: String) -> Self {
        Self(vec![text])
    }
}

/// Adds parts of the text. Fails if a part is not UTF-8.
impl io::Write for Pieces {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(part).map_err(io::Error::other)?;
        match self.0.last_mut() {
            Some(last) if last.capacity() - last.len() >= text.len() => last.push_str(text),
            _ => {
                let mut piece = String::with_capacity(PIECE.max(text.len()));
                piece.push_str(text);
                self.0.push(piece);
            }
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
