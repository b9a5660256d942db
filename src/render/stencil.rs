//! Stencils: the text of a template with blanks for the fields that differ between similar files.
//!
//! A stack has hundreds of similar units and scripts. Their templates are run once for each shape of the data, which is
//! everything except the texts of [`Field`](super::template::Field)s, and the result is filled in for each file.

use std::borrow::Cow;
use std::cell::RefCell;

/// A function that quotes a text.
pub(super) type Quote = fn(&str) -> Cow<'_, str>;

/// The delimiters of a mark in the text of a template. No other text of a stencil has them.
const MARK: [char; 2] = ['\u{1}', '\u{2}'];

/// The text of a template for one shape of its data.
pub(super) struct Stencil {
    parts: Vec<Part>,
}

enum Part {
    Literal(Box<str>),
    /// A field, by its number, with its quoting.
    Blank(usize, Quote),
}

/// The texts of the fields of one file, in the order of the data.
#[derive(Default)]
pub(super) struct FieldTexts {
    text: String,
    ends: Vec<usize>,
}

/// The mode in which fields are serialized.
enum Mode {
    /// They are texts.
    Text,
    /// Their texts are collected.
    Collect(FieldTexts),
    /// They are blanks with this number and the following ones.
    Blank(usize),
}

thread_local! {
    static MODE: RefCell<Mode> = const { RefCell::new(Mode::Text) };
}

/// The form in which a field is serialized.
pub(super) enum FieldForm {
    /// Its text.
    Text,
    /// Nothing: its text was collected.
    Collected,
    /// A blank with this number.
    Blank(usize),
}

/// The form in which a field with this text is serialized now. An empty text is part of the shape, because templates
/// leave out what is empty.
pub(super) fn field_form(text: &str) -> FieldForm {
    if text.is_empty() {
        return FieldForm::Text;
    }
    MODE.with_borrow_mut(|mode| match mode {
        Mode::Text => FieldForm::Text,
        Mode::Collect(texts) => {
            texts.text.push_str(text);
            texts.ends.push(texts.text.len());
            FieldForm::Collected
        }
        Mode::Blank(next) => {
            *next += 1;
            FieldForm::Blank(*next - 1)
        }
    })
}

fn with_mode<T>(mode: Mode, run: impl FnOnce() -> T) -> (T, Mode) {
    MODE.set(mode);
    let result = run();
    (result, MODE.replace(Mode::Text))
}

/// Runs `serialize`, and collects the texts of the fields.
pub(super) fn collect_fields<T>(serialize: impl FnOnce() -> T) -> (T, FieldTexts) {
    match with_mode(Mode::Collect(FieldTexts::default()), serialize) {
        (result, Mode::Collect(texts)) => (result, texts),
        (result, Mode::Text | Mode::Blank(_)) => (result, FieldTexts::default()),
    }
}

/// Runs `render` with blanks for the fields.
pub(super) fn with_blanks<T>(render: impl FnOnce() -> T) -> T {
    with_mode(Mode::Blank(0), render).0
}

/// The mark of a blank, with the number of its quoting.
pub(super) fn mark(blank: usize, quote: usize) -> String {
    let [open, close] = MARK;
    format!("{open}{blank} {quote}{close}")
}

/// The mark of a blank that is not just printed, with which no stencil can be made.
pub(super) const BAD_MARK: &str = "\u{1}\u{2}";

/// True if a text in JSON could be mistaken for a mark.
pub(super) fn has_mark(json: &str) -> bool {
    ["\\u0001", "\\u0002"].iter().any(|escape| json.contains(escape))
}

impl Stencil {
    /// A stencil from a text with marks. `quotes` has the quotings by number.
    pub(super) fn new(text: &str, quotes: &[Quote]) -> Option<Self> {
        let [open, close] = MARK;
        let mut pieces = text.split(open);
        let mut parts = vec![Part::Literal(pieces.next()?.into())];
        for piece in pieces {
            let (blank, literal) = piece.split_once(close)?;
            let (number, quote) = blank.split_once(' ')?;
            parts.push(Part::Blank(number.parse().ok()?, *quotes.get(quote.parse::<usize>().ok()?)?));
            parts.push(Part::Literal(literal.into()));
        }
        Some(Self { parts })
    }

    /// The text with the fields filled in.
    pub(super) fn fill(&self, fields: &FieldTexts) -> String {
        let mut text = String::with_capacity(fields.text.len() + 4096);
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Blank(number, quote) => text.push_str(&quote(fields.get(*number))),
            }
        }
        text.shrink_to_fit();
        text
    }
}

impl FieldTexts {
    fn get(&self, number: usize) -> &str {
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(number).and_then(|end| self.text.get(start..*end)).unwrap_or_default()
    }
}
