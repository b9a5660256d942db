//! Quoting for each output language. The functions are pure, and `tests/quote` verifies them with the real parser of
//! each language. A quoted value never spans lines, so it cannot escape from a setting, a word or a comment.

mod html;
mod llama_swap;
mod markdown;
mod shell;
mod systemd;
mod yaml;

use std::borrow::Cow;

pub use html::{html, html_prose};
pub use llama_swap::llama_swap_word;
pub use markdown::{markdown_cell, markdown_code, markdown_code_cell, markdown_text};
pub use shell::shell;
pub use systemd::{systemd_assignment, systemd_path, systemd_program, systemd_value, systemd_word};
pub use yaml::yaml;

/// Plain text on one line, for comments. Line breaks and other control characters become spaces.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.bytes().all(|b| matches!(b, b' '..=b'~')) && text.contains(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    }
}
