//! Grammar for messages: counts, quoted names, lists.

/// `1 role`, `2 roles`: a count with its noun, whose plural takes an `s`.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// A name between backticks, with control characters spelled out so that no text of a file can steer a terminal.
pub fn quoted(name: &str) -> String {
    format!("`{}`", printable(name))
}

/// The text with control characters and bidirectional overrides spelled out as `\u{..}`, and cut after 200 characters.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, c) in text.chars().enumerate() {
        if n == 200 {
            out.push('…');
            break;
        }
        let steers = c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if steers {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// `a`, `a or b`, `a, b or c`.
pub fn any_of<S: AsRef<str>>(words: &[S]) -> String {
    joined(words, "or")
}

/// `a`, `a and b`, `a, b and c`.
pub fn all_of<S: AsRef<str>>(words: &[S]) -> String {
    joined(words, "and")
}

fn joined<S: AsRef<str>>(words: &[S], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [rest @ .., end] => {
            let rest: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", rest.join(", "), end.as_ref())
        }
    }
}
