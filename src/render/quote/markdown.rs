//! Text of Markdown documents as `CommonMark` with tables reads them: what is written in the registry is what is read on the page.
//! Escapes are as few as that needs: `llama_cpp`, `Qwen3-*` at the end and `~15 t/s` stay as they are.

use std::borrow::Cow;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Cell,
    Prose,
}

/// Prose in a cell of a table: as [`markdown_text`], and a `|` does not part it.
pub fn markdown_cell(text: &str) -> Cow<'_, str> {
    inline(text, Place::Cell)
}

/// Prose that prints as written, on one line; what stands between backticks is code and stays. Between stars of the
/// template's own it may close them with one of its own at its end.
pub fn markdown_text(text: &str) -> Cow<'_, str> {
    inline(text, Place::Prose)
}

/// Inline code, in one backtick more than any run in it; no text, no code. In a table a `|` in it still parts cells.
pub fn markdown_code(text: &str) -> String {
    let text = super::line(text);
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let touches = text.starts_with('`') || text.ends_with('`');
    let stripped = text.starts_with(' ') && text.ends_with(' ') && text.contains(|c| c != ' ');
    let pad = if touches || stripped { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn inline(text: &str, place: Place) -> Cow<'_, str> {
    let special = |c: char| "\\`*_[]<&~|#".contains(c) || breaks(c);
    let starts = |c: char| c.is_ascii_digit() || c.is_whitespace() || ">+-=".contains(c);
    if !text.contains(special) && !text.starts_with(starts) && !text.ends_with(' ') {
        return Cow::Borrowed(text);
    }
    let folded = text.replace(breaks, " ");
    let text = folded.trim();
    let mut out = String::with_capacity(text.len() + 8);
    let mut at = start_of_line(text, &mut out);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        at += if rest.starts_with('`') {
            backticks(rest, place, &mut out)
        } else {
            run(text.get(..at).unwrap_or_default(), rest, place, &mut out)
        };
    }
    Cow::Owned(out)
}

/// Whether a character ends a line for some reader, or has no business in prose.
fn breaks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Writes what would begin a heading, a list, a quotation or a rule at the start of a line; gives its length.
fn start_of_line(text: &str, out: &mut String) -> usize {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, after) = text.split_at(digits);
    let next = after.chars().nth(1).unwrap_or(' ');
    let begins = match after.chars().next() {
        Some('.' | ')') if digits > 0 => next == ' ',
        _ if digits > 0 => false,
        Some('#' | '>' | '[') => true,
        Some('=') => after.trim_end().bytes().all(|b| b == b'='),
        Some(c @ ('+' | '-' | '*' | '_')) => next == ' ' || next == c,
        Some('~') => after.starts_with("~~~"),
        _ => false,
    };
    if !begins {
        return 0;
    }
    out.push_str(number);
    out.push('\\');
    out.push_str(after.get(..1).unwrap_or_default());
    digits + 1
}

/// Writes a run of backticks: with all up to its closing run as code, or escaped where nothing closes it.
fn backticks(rest: &str, place: Place, out: &mut String) -> usize {
    let open = rest.bytes().take_while(|b| *b == b'`').count();
    let Some(end) = closing(rest, open) else {
        out.push_str(&"\\`".repeat(open));
        return open;
    };
    let code = rest.get(..end).unwrap_or_default();
    let mut prev = ' ';
    for c in code.chars() {
        if place == Place::Cell && c == '|' {
            // Of two backslashes before it the table's parser takes the first for the escape of the second.
            out.push_str(if prev == '\\' { "\\\\" } else { "\\" });
        }
        out.push(c);
        prev = c;
    }
    end
}

/// Where the code that begins with a run of so many backticks ends.
fn closing(rest: &str, open: usize) -> Option<usize> {
    let mut at = open;
    while let Some(found) = rest.get(at..)?.find('`') {
        at += found;
        let count = rest.get(at..)?.bytes().take_while(|b| *b == b'`').count();
        at += count;
        if count == open {
            return Some(at);
        }
    }
    None
}

/// Writes a run of one character, each escaped where the run would mean something; gives its length.
fn run(before: &str, rest: &str, place: Place, out: &mut String) -> usize {
    let Some(c) = rest.chars().next() else { return 0 };
    let after = rest.trim_start_matches(c);
    let prev = before.chars().next_back().unwrap_or(' ');
    let next = after.chars().next().unwrap_or(' ');
    let escape = match c {
        '\\' => true,
        '|' => place == Place::Cell,
        '*' => !next.is_whitespace(),
        '_' => !next.is_whitespace() && !prev.is_alphanumeric(),
        '~' => !(prev.is_whitespace() || prev.is_ascii_punctuation() && next.is_alphanumeric()),
        '<' => after.is_empty() || next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'),
        ']' => matches!(next, '(' | '[' | ':'),
        '&' => is_entity(after),
        '#' => after.is_empty() && prev == ' ',
        _ => false,
    };
    let run = rest.get(..rest.len() - after.len()).unwrap_or_default();
    for c in run.chars() {
        if escape {
            out.push('\\');
        }
        out.push(c);
    }
    run.len()
}

/// Whether what follows an ampersand makes it an entity, such as `amp;` and `#38;`.
fn is_entity(after: &str) -> bool {
    after.split_once(';').is_some_and(|(name, _)| {
        let name = name.strip_prefix('#').unwrap_or(name);
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}
