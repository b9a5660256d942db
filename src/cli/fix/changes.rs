//! The accumulated changes of a text: each refers to the original text, even after several rounds of edits.

use std::ops::Range;

/// A replaced range of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replacement {
    /// The replaced byte range.
    pub old: Range<usize>,
    /// The new text.
    pub text: String,
}

/// All changes of a text, in text order. They do not overlap or touch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes(Vec<Replacement>);

/// A part of the current text.
enum Piece {
    /// A byte range of the original text.
    Old(Range<usize>),
    /// Inserted text.
    New(String),
}

impl Changes {
    /// Returns the changes.
    pub fn list(&self) -> &[Replacement] {
        &self.0
    }

    /// Applies the changes to the original text `old`.
    pub fn text(&self, old: &str) -> String {
        let mut out = String::with_capacity(old.len());
        let mut from = 0;
        for change in &self.0 {
            out.push_str(old.get(from..change.old.start).unwrap_or_default());
            out.push_str(&change.text);
            from = change.old.end;
        }
        out.push_str(old.get(from..).unwrap_or_default());
        out
    }

    /// Adds edits of the current text. They must be in text order and must not overlap. `length` is the length of the
    /// original text.
    pub fn add(&mut self, edits: &[Replacement], length: usize) {
        let mut pieces = self.pieces(length).into_iter();
        let (mut result, mut at) = (Vec::new(), 0);
        let mut rest = None;
        for edit in edits {
            rest = move_bytes(&mut result, (rest, &mut pieces), edit.old.start - at);
            result.push(Piece::New(edit.text.clone()));
            rest = move_bytes(&mut Vec::new(), (rest, &mut pieces), edit.old.len());
            at = edit.old.end;
        }
        result.extend(rest.into_iter().chain(pieces));
        *self = Self::from_pieces(result, length);
    }

    fn pieces(&mut self, length: usize) -> Vec<Piece> {
        let (mut pieces, mut from) = (Vec::new(), 0);
        for change in std::mem::take(&mut self.0) {
            pieces.push(Piece::Old(from..change.old.start));
            pieces.push(Piece::New(change.text));
            from = change.old.end;
        }
        pieces.push(Piece::Old(from..length));
        pieces
    }

    fn from_pieces(pieces: Vec<Piece>, length: usize) -> Self {
        let (mut list, mut from, mut text) = (Vec::new(), 0, String::new());
        for piece in pieces {
            match piece {
                Piece::New(new) => text.push_str(&new),
                Piece::Old(old) if old.is_empty() => {}
                Piece::Old(old) => {
                    if old.start > from || !text.is_empty() {
                        list.push(Replacement { old: from..old.start, text: std::mem::take(&mut text) });
                    }
                    from = old.end;
                }
            }
        }
        if length > from || !text.is_empty() {
            list.push(Replacement { old: from..length, text });
        }
        Self(list)
    }
}

/// Moves `bytes` bytes of pieces to `result`. Returns the rest of the last piece.
fn move_bytes(
    result: &mut Vec<Piece>,
    (mut rest, pieces): (Option<Piece>, &mut impl Iterator<Item = Piece>),
    mut bytes: usize,
) -> Option<Piece> {
    while bytes > 0 {
        let piece = rest.take().or_else(|| pieces.next())?;
        let length = piece.len();
        if length > bytes {
            let (first, second) = piece.split(bytes);
            result.push(first);
            return Some(second);
        }
        bytes -= length;
        result.push(piece);
    }
    rest
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Old(range) => range.len(),
            Self::New(text) => text.len(),
        }
    }

    fn split(self, at: usize) -> (Self, Self) {
        match self {
            Self::Old(range) => {
                let middle = range.start + at;
                (Self::Old(range.start..middle), Self::Old(middle..range.end))
            }
            Self::New(mut text) => {
                let rest = text.split_off(text.floor_char_boundary(at));
                (Self::New(text), Self::New(rest))
            }
        }
    }
}
