//! Quoting of words in a command of llama-swap.

use std::borrow::Cow;

/// A word of a command of llama-swap, which replaces macros such as `${PORT}`, drops lines that start with `#`, joins lines that
/// end with `\`, and then splits the text like a POSIX shell without expansions (`SanitizeCommand` in
/// `internal/config/commands.go`, and `Posix` of `github.com/billziss-gh/golib/shlex`; August 2026). All texts are possible,
/// because quotes separate the parts that would have a meaning.
pub fn llama_swap_word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+=@%:,./".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    let mut previous = '\0';
    for c in text.chars() {
        match c {
            '\'' => out.push_str("'\\''"),
            // So no line starts with `#` or ends with `\`.
            '\n' => out.push_str("''\n''"),
            '{' if previous == '$' => out.push_str("''{"),
            c => out.push(c),
        }
        previous = c;
    }
    out.push('\'');
    Cow::Owned(out)
}
