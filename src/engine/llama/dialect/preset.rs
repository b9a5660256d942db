//! Values of a preset, the INI file with the models of a router (`llama-server --models-preset`).
//!
//! The parser has no quotes and no escapes (llama.cpp b11434, `common/preset.cpp`). So [`UncarriedText`] lists all texts that are
//! not possible. Other characters have no special meaning, for example backslashes, quotes, `=`, brackets, `%` and `$`.

use std::fmt;

/// Maximum bytes of a value. The router writes the value into the command line of a child, and Linux limits one argument to
/// 128 KiB with its NUL (`MAX_ARG_STRLEN`). With more bytes the child does not start.
const MAX_BYTES: usize = 128 * 1024 - 1;

/// The characters that the parser removes around a value. It keeps other white space, for example a vertical tab.
const BLANKS: [char; 2] = [' ', '\t'];

/// A text that an option in a preset has as its value, byte for byte. An empty text is an empty argument.
///
/// The option must have one value: a switch has no argument, and its value must be `true` or `false`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PresetValue(Box<str>);

impl PresetValue {
    /// Checks that a child of the router receives exactly this text. The error is one of the reasons.
    pub fn new(text: &str) -> Result<Self, UncarriedText> {
        for c in text.chars() {
            match c {
                '#' | ';' => return Err(UncarriedText::Comment(c)),
                '\n' | '\r' => return Err(UncarriedText::LineBreak),
                '\0' => return Err(UncarriedText::Nul),
                _ => {}
            }
        }
        if text.starts_with(BLANKS) || text.ends_with(BLANKS) {
            return Err(UncarriedText::OuterBlanks);
        }
        if text.len() > MAX_BYTES {
            return Err(UncarriedText::TooLong);
        }
        Ok(Self(text.into()))
    }

    /// The text. A preset has it after `KEY = `, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PresetValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The reason why a preset cannot carry a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UncarriedText {
    /// A `#` or `;` at any place starts a comment.
    Comment(char),
    /// A line feed or a carriage return ends the value.
    LineBreak,
    /// A NUL ends the argument.
    Nul,
    /// Spaces and tabs at the start and the end are removed.
    OuterBlanks,
    /// An argument has at most 131071 bytes.
    TooLong,
}

impl UncarriedText {
    /// The reason, as a clause without a full stop.
    pub fn describe(self) -> String {
        match self {
            Self::Comment(c) => format!("`{c}` starts a comment"),
            Self::LineBreak => "a line break ends the value".to_owned(),
            Self::Nul => "a NUL character ends the argument".to_owned(),
            Self::OuterBlanks => "spaces and tabs at its start and end are removed".to_owned(),
            Self::TooLong => format!("an argument has at most {MAX_BYTES} bytes"),
        }
    }
}
