//! Quoting of text in HTML.

use std::borrow::Cow;

/// A text in the content of an element or in a quoted attribute. Characters that HTML does not allow become U+FFFD.
pub fn html(text: &str) -> Cow<'_, str> {
    let is_special = |c: char| "&<>\"'".contains(c) || is_forbidden(c);
    if !text.contains(is_special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ if is_forbidden(c) => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A text in the content of an element, in which words in backquotes become `<code>`.
pub fn html_prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, (word, after))) =
        rest.split_once('`').and_then(|(before, after)| Some((before, after.split_once('`')?)))
    {
        out.extend([&html(before), "<code>", &html(word), "</code>"]);
        rest = after;
    }
    out.push_str(&html(rest));
    out
}

/// True for a control character that is no whitespace in HTML, and for the non-characters at the end of the first plane.
fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{fffe}' | '\u{ffff}')
}
