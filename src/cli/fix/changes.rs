//! What became of a text: changes of the text as it was, however many rounds of edits made them.

use std::ops::Range;

/// A range of a text and what stands there instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// The bytes of the text as it was.
    pub old: Range<usize>,
    /// The text instead.
    pub text: String,
}

/// All changes of a text, in its order; none touches another.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes(Vec<Replaced>);

/// A part of the text as it is.
enum Piece {
    /// Bytes of the text as it was.
    Old(Range<usize>),
    /// What stands in the place of others.
    New(String),
}

impl Changes {
    /// The changes.
    pub fn list(&self) -> &[Replaced] {
        &self.0
    }

    /// The text as it is; `old` is the text as it was.
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

    /// Adds changes of the text as it is, in its order, none of which overlaps another. `length` is that of the text as it was.
    pub fn add(&mut self, edits: &[Replaced], length: usize) {
        let mut pieces = self.pieces(length).into_iter();
        let (mut made, mut at) = (Vec::new(), 0);
        let mut rest = None;
        for edit in edits {
            rest = copy(&mut made, (rest, &mut pieces), edit.old.start - at);
            made.push(Piece::New(edit.text.clone()));
            rest = copy(&mut Vec::new(), (rest, &mut pieces), edit.old.len());
            at = edit.old.end;
        }
        made.extend(rest.into_iter().chain(pieces));
        *self = Self::of(made, length);
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

    fn of(pieces: Vec<Piece>, length: usize) -> Self {
        let (mut list, mut from, mut text) = (Vec::new(), 0, String::new());
        for piece in pieces {
            match piece {
                Piece::New(new) => text.push_str(&new),
                Piece::Old(old) if old.is_empty() => {}
                Piece::Old(old) => {
                    if old.start > from || !text.is_empty() {
                        list.push(Replaced { old: from..old.start, text: std::mem::take(&mut text) });
                    }
                    from = old.end;
                }
            }
        }
        if length > from || !text.is_empty() {
            list.push(Replaced { old: from..length, text });
        }
        Self(list)
    }
}

/// Moves so many bytes to `made`; gives what is left of the piece in which they end.
fn copy(
    made: &mut Vec<Piece>,
    (mut rest, pieces): (Option<Piece>, &mut impl Iterator<Item = Piece>),
    mut bytes: usize,
) -> Option<Piece> {
    while bytes > 0 {
        let piece = rest.take().or_else(|| pieces.next())?;
        let length = piece.len();
        if length > bytes {
            let (first, second) = piece.split(bytes);
            made.push(first);
            return Some(second);
        }
        bytes -= length;
        made.push(piece);
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
