//! Quoting of text in Markdown (`CommonMark` with tables), so that the rendered page shows exactly the text of the
//! registry. Escapes are minimal: `llama_cpp`, `Qwen3-*` at the end and `~15 t/s` stay unchanged.

use std::borrow::Cow;

#[derive(Clone, Copy, PartialEq, Eq)]
enum MarkdownContext {
    Cell,
    Prose,
}

/// Prose in a table cell: like [`markdown_text`], but also escapes `|`.
pub fn markdown_cell(text: &str) -> Cow<'_, str> {
    inline(text, MarkdownContext::Cell)
}

/// Prose on one line that renders as written. Text in backquotes remains code. Limitation: if the template puts the
/// text between `*`, a `*` at the end of the text can close the emphasis.
pub fn markdown_text(text: &str) -> Cow<'_, str> {
    inline(text, MarkdownContext::Prose)
}

/// Inline code, fenced with one backquote more than the longest run in it. An empty text gives no code. In a table
/// cell, use [`markdown_code_cell`].
pub fn markdown_code(text: &str) -> String {
    let text = super::line(text);
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let touches_fence = text.starts_with('`') || text.ends_with('`');
    let would_be_trimmed = text.starts_with(' ') && text.ends_with(' ') && text.contains(|c| c != ' ');
    let pad = if touches_fence || would_be_trimmed { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Inline code in a table cell: like [`markdown_code`], but also escapes `|`, which separates cells even in code. Limitation:
/// backslashes before a `|` are doubled.
pub fn markdown_code_cell(text: &str) -> String {
    let code = markdown_code(text);
    let mut out = String::with_capacity(code.len());
    for c in code.chars() {
        if c == '|' {
            let backslashes = out.len() - out.trim_end_matches('\\').len();
            out.extend(std::iter::repeat_n('\\', backslashes + 1));
        }
        out.push(c);
    }
    out
}

fn inline(text: &str, context: MarkdownContext) -> Cow<'_, str> {
    let special = |c: char| "\\`*_[]<&~|#".contains(c) || is_break(c);
    let starts = |c: char| c.is_ascii_digit() || c.is_whitespace() || ">+-=".contains(c);
    if !text.contains(special) && !text.starts_with(starts) && !text.ends_with(' ') {
        return Cow::Borrowed(text);
    }
    let folded = text.replace(is_break, " ");
    let text = folded.trim();
    let mut out = String::with_capacity(text.len() + 8);
    let mut at = start_of_line(text, &mut out);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        at += if rest.starts_with('`') {
            backticks(rest, context, &mut out)
        } else {
            run(text.get(..at).unwrap_or_default(), rest, context, &mut out)
        };
    }
    Cow::Owned(out)
}

/// True if a character is a line break for some parser, or another control character.
fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Escapes the start of a heading, list, quotation or rule at the start of a line. Returns the number of bytes written.
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

/// Writes a run of backquotes: as code up to its closing run, or escaped if there is no closing run.
fn backticks(rest: &str, context: MarkdownContext, out: &mut String) -> usize {
    let open = rest.bytes().take_while(|b| *b == b'`').count();
    let Some(end) = closing(rest, open) else {
        out.push_str(&"\\`".repeat(open));
        return open;
    };
    let code = rest.get(..end).unwrap_or_default();
    let mut prev = ' ';
    for c in code.chars() {
        if context == MarkdownContext::Cell && c == '|' {
            // After a backslash write two: the table parser reads the first two as an escaped backslash.
            out.push_str(if prev == '\\' { "\\\\" } else { "\\" });
        }
        out.push(c);
        prev = c;
    }
    end
}

/// The end of the code span that starts with `open` backquotes.
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

/// Writes a run of one character, escaped if it would be Markdown syntax. Returns its length.
fn run(before: &str, rest: &str, context: MarkdownContext, out: &mut String) -> usize {
    let Some(c) = rest.chars().next() else { return 0 };
    let after = rest.trim_start_matches(c);
    let prev = before.chars().next_back().unwrap_or(' ');
    let next = after.chars().next().unwrap_or(' ');
    let escape = match c {
        '\\' => true,
        '|' => context == MarkdownContext::Cell,
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

/// True if the text after `&` makes it an entity, such as `amp;` or `#38;`.
fn is_entity(after: &str) -> bool {
    after.split_once(';').is_some_and(|(name, _)| {
        let name = name.strip_prefix('#').unwrap_or(name);
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}
