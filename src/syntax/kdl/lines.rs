//! Strings of several lines, `"""`: the closing quotes say how far the text is indented.

use super::Reader;
use super::string::{is_blank, is_newline};
use crate::diag::words::quoted;
use crate::syntax::codes;
use std::borrow::Cow;

/// The pieces of a `"""` string, as places in the text.
struct Quotes {
    /// The first `#` or quote.
    open: usize,
    /// The first byte behind the opening quotes.
    start: usize,
    /// The closing quotes.
    close: usize,
    hashes: usize,
}

impl<'a> Reader<'a> {
    /// Reads the `"""` string that begins here.
    pub(super) fn lines(&mut self, hashes: usize) -> Cow<'a, str> {
        let open = self.pos;
        let start = open + hashes + 3;
        let Some(close) = self.closing_quotes(start, hashes) else {
            return self.never_closed(open, start, hashes);
        };
        let frame = Quotes { open, start, close, hashes };
        self.pos = close + 3 + hashes;
        if self.newline_len(start) == 0 {
            return self.text_behind_quotes(&frame);
        }
        self.dedent(&frame)
    }

    /// The quotes that end a string; none where they are missing.
    fn closing_quotes(&mut self, start: usize, hashes: usize) -> Option<usize> {
        let mut at = if self.may_search() { start } else { self.bytes.len() };
        while let Some(byte) = self.byte(at) {
            match byte {
                b'"' if self.starts_with(at, b"\"\"\"") => {
                    // `""""#` holds a quote and then ends.
                    if hashes == 0 || self.hashes_end(at + 3) - at - 3 >= hashes {
                        return Some(at);
                    }
                    at += 1;
                }
                b'\\' if hashes == 0 => at += 2,
                _ => at += 1,
            }
        }
        self.searches = self.searches.saturating_add(1);
        None
    }

    /// Cuts the text into lines, takes the indentation of the closing quotes off each, and resolves its escapes.
    fn dedent(&mut self, frame: &Quotes) -> Cow<'a, str> {
        let raw = frame.hashes > 0;
        let first = frame.start + self.newline_len(frame.start);
        let mut lines = self.cut(first.min(frame.close), frame.close, frame.hashes);
        let Some((_, last)) = lines.pop() else { return Cow::Borrowed("") };
        if !last.trim_matches(is_blank).is_empty() {
            return self.text_before_quotes(frame, &lines, &last);
        }
        let mut out = String::with_capacity(frame.close - first.min(frame.close));
        let mut said = false;
        for (n, (place, line)) in lines.into_iter().enumerate() {
            if n > 0 {
                out.push('\n');
            }
            if line.trim_matches(is_blank).is_empty() {
                continue;
            }
            let text = line.strip_prefix(&*last).unwrap_or_else(|| {
                if !said {
                    self.too_little_indent(frame, place);
                }
                said = true;
                line.trim_start()
            });
            if raw {
                out.push_str(text);
            } else {
                let skipped = line.len() - text.len();
                self.unescape(text, place + skipped, &mut out, &mut said);
            }
        }
        Cow::Owned(out)
    }

    /// The lines between two places, each with its place; escaped blanks are gone and join lines.
    fn cut(&self, start: usize, end: usize, hashes: usize) -> Vec<(usize, Cow<'a, str>)> {
        let mut lines = Vec::new();
        let (mut line, mut piece, mut at) = (start, start, start);
        let mut joined: Option<String> = None;
        while at < end {
            let newline = self.newline_len(at);
            if newline > 0 {
                lines.push((line, ended(joined.take(), self.slice(piece, at))));
                at += newline;
                (line, piece) = (at, at);
            } else if hashes == 0 && self.byte(at) == Some(b'\\') {
                let escape = at;
                at = self.escape_end(at).min(end);
                if self.blank_len(escape + 1) + self.newline_len(escape + 1) > 0 {
                    joined.get_or_insert_default().push_str(self.slice(piece, escape));
                    piece = at;
                }
            } else {
                at += 1;
            }
        }
        lines.push((line, ended(joined, self.slice(piece, end))));
        lines
    }

    /// Says that a string does not begin on a line of its own, and takes its text as it stands.
    fn text_behind_quotes(&mut self, frame: &Quotes) -> Cow<'a, str> {
        let body = self.slice(frame.start, frame.close);
        let line = body.find(is_newline);
        let here = self.span(frame.start, frame.start + line.unwrap_or(body.len()));
        let help = if line.is_none() {
            "write text of one line between single quotes: `\"..\"`"
        } else {
            "begin the text on the next line"
        };
        let message = "text of several lines has to begin on the line after `\"\"\"`";
        self.report(codes::KDL_SYNTAX.at(here, "expected a line break", message).help(help));
        Cow::Borrowed(body)
    }

    /// Says that the closing quotes do not stand on a line of their own. Where they look like opening ones, the
    /// string before them is the one that was not closed.
    fn text_before_quotes(
        &mut self,
        frame: &Quotes,
        lines: &[(usize, Cow<'a, str>)],
        last: &str,
    ) -> Cow<'a, str> {
        let opens = self.newline_len(frame.close + 3 + frame.hashes) > 0 && last.ends_with([' ', '\t', '=']);
        if opens {
            self.searches = self.searches.saturating_add(1);
            return self.never_closed(frame.open, frame.start, frame.hashes);
        }
        let span = self.span(frame.close, frame.close + 3 + frame.hashes);
        let finding = codes::KDL_SYNTAX
            .at(span, "text stands before this", "the closing `\"\"\"` has to stand on a line of its own")
            .help("put a line break before the closing `\"\"\"`");
        self.report(finding);
        let mut text: Vec<&str> = lines.iter().map(|(_, line)| line.trim()).collect();
        text.push(last.trim());
        Cow::Owned(text.join("\n"))
    }

    fn too_little_indent(&mut self, frame: &Quotes, place: usize) {
        let first = self.slice(place, frame.close).chars().next().map_or(0, char::len_utf8);
        let end = self.blanks_end(place).max(place + first);
        let close = self.span(frame.close, frame.close + 3 + frame.hashes);
        let finding = codes::KDL_SYNTAX
            .at(
                self.span(place, end),
                "not the indentation of the closing quotes",
                "a line of this text is not indented as its closing `\"\"\"` is",
            )
            .also(close, "the indentation of the text is measured here")
            .help("begin every line with the blanks that stand before the closing `\"\"\"`");
        self.report(finding);
    }

    /// Says that a string has no end, and goes on at the first line that is indented no more than the string's own.
    fn never_closed(&mut self, open: usize, start: usize, hashes: usize) -> Cow<'a, str> {
        let close = format!("\"\"\"{}", "#".repeat(hashes));
        let message = format!("this text is never closed: expected {}", quoted(&close));
        let help = format!("write `{close}` on a line of its own where the text ends");
        let finding = codes::KDL_SYNTAX.at(self.span(open, start), "opened here", message).help(help);
        let margin = self.indent_of_line(open);
        let mut at = self.line_end(start);
        let end = loop {
            let next = at + self.newline_len(at);
            if next == at {
                break at;
            }
            let text = self.blanks_end(next);
            let blank_line = self.newline_len(text) > 0;
            if !blank_line && text - next <= margin {
                break at;
            }
            at = self.line_end(text);
        };
        self.pos = end;
        self.report(finding);
        Cow::Borrowed(self.slice(start, end).trim())
    }

    fn indent_of_line(&self, at: usize) -> usize {
        let start = self.slice(0, at).rfind(['\n', '\r']).map_or(0, |newline| newline + 1);
        self.blanks_end(start).min(at) - start
    }
}

/// A line of which escaped blanks may have been taken out before.
fn ended(joined: Option<String>, rest: &str) -> Cow<'_, str> {
    match joined {
        Some(before) => Cow::Owned(before + rest),
        None => Cow::Borrowed(rest),
    }
}
