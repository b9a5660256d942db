//! Quoting for each language that a value lands in: one function a language, pure, and proved by the language's own
//! parser in `tests/quote`. No quoted value spans lines, so that none breaks out of a setting, a word or a comment.

mod markdown;
mod shell;
mod systemd;

use std::borrow::Cow;

pub use markdown::{markdown_cell, markdown_code, markdown_text};
pub use shell::shell;
pub use systemd::{systemd_assignment, systemd_path, systemd_program, systemd_value, systemd_word};

/// Plain text on one line, for comments: line breaks and other control characters become blanks.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.bytes().all(|b| matches!(b, b' '..=b'~')) && text.contains(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    }
}
