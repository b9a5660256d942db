//! The command line of a process or a one-shot command, as scripts and units print it.

use crate::plan::Word;
use std::borrow::Cow;

/// Prints arguments, each option with its values on one line. `quoted` prints one argument for the language of the
/// file; it also gets the index of the argument. `line_start` comes before each line.
pub(super) fn option_lines<'p>(
    args: &'p [Word],
    line_start: &str,
    quoted: impl Fn(usize, &'p Word) -> Cow<'p, str>,
) -> String {
    let mut lines = String::with_capacity(1024);
    for (n, word) in args.iter().enumerate() {
        lines.push_str(if n == 0 || is_option(word.text()) { line_start } else { " " });
        lines.push_str(&quoted(n, word));
    }
    lines
}

/// True if a word is an option, not a value such as `-1`.
fn is_option(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|name| name.starts_with(|c: char| !c.is_ascii_digit()))
}
