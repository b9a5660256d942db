//! Grammar for messages: counts, quoted names, lists.

/// `1 role`, `2 roles`: a count with its noun, whose plural takes an `s`.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// A name between backticks, with control characters spelled out so that no text of a file can steer a terminal.
pub fn quoted(name: &str) -> String {
    format!("`{}`", printable(name))
}

/// Whether a character could steer a terminal or deceive a reader: control characters, bidirectional marks and
/// overrides, line separators, and what is not seen at all. The joiners of scripts and emoji are none.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text with what [`steers`] spelled out as `\u{..}`, and cut after 200 characters.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, c) in text.chars().enumerate() {
        if n == 200 {
            out.push('…');
            break;
        }
        if steers(c) {
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
