//! Parses multi-line strings (`"""`). The whitespace before the closing quotes is removed from each line.

use super::KdlParser;
use super::space::{is_blank, is_newline};
use crate::diag::words::quoted;
use crate::syntax::codes;
use std::borrow::Cow;

/// The byte offsets of the parts of a `"""` string.
struct MultilineString {
    /// The first `#` or quote.
    open: usize,
    /// The first byte after the opening quotes.
    start: usize,
    /// The closing quotes.
    close: usize,
    hashes: usize,
}

impl<'a> KdlParser<'a> {
    /// Parses the `"""` string that begins here.
    pub(super) fn parse_multiline_string(&mut self, hashes: usize) -> Cow<'a, str> {
        let open = self.pos;
        let start = open + hashes + 3;
        let Some(close) = self.closing_quotes(start, hashes) else {
            return self.recover_unclosed_multiline(open, start, hashes);
        };
        let string = MultilineString { open, start, close, hashes };
        self.pos = close + 3 + hashes;
        if self.newline_len(start) == 0 {
            return self.text_after_opening(&string);
        }
        self.dedent(&string)
    }

    /// The position of the closing quotes. None if they are missing.
    fn closing_quotes(&mut self, start: usize, hashes: usize) -> Option<usize> {
        let mut at = if self.may_search() { start } else { self.bytes.len() };
        while let Some(byte) = self.byte(at) {
            match byte {
                // In `""""#`, the first quote is part of the text.
                b'"' if self.starts_with(at, b"\"\"\"") && self.hashes_end(at + 3) >= at + 3 + hashes => {
                    return Some(at);
                }
                b'\\' if hashes == 0 => at += 2,
                _ => at += 1,
            }
        }
        self.failed_searches = self.failed_searches.saturating_add(1);
        None
    }

    /// Splits the text into lines, removes the indentation of the closing quotes from each, and resolves the escapes.
    fn dedent(&mut self, string: &MultilineString) -> Cow<'a, str> {
        let raw = string.hashes > 0;
        let first = string.start + self.newline_len(string.start);
        let mut lines = self.split_lines(first.min(string.close), string.close, string.hashes);
        let Some((_, last)) = lines.pop() else { return Cow::Borrowed("") };
        if !last.trim_matches(is_blank).is_empty() {
            return self.text_before_closing(string, &lines, &last);
        }
        let mut out = String::with_capacity(string.close - first.min(string.close));
        let mut reported = false;
        for (n, (line_start, line)) in lines.into_iter().enumerate() {
            if n > 0 {
                out.push('\n');
            }
            if line.trim_matches(is_blank).is_empty() {
                continue;
            }
            let text = line.strip_prefix(&*last).unwrap_or_else(|| {
                if !reported {
                    self.report_wrong_indent(string, line_start);
                }
                reported = true;
                line.trim_start()
            });
            if raw {
                out.push_str(text);
            } else {
                let skipped = line.len() - text.len();
                self.unescape(text, line_start + skipped, &mut out, &mut reported);
            }
        }
        Cow::Owned(out)
    }

    /// The lines between two positions, each with its position. Escaped whitespace is removed, which can join lines.
    fn split_lines(&self, start: usize, end: usize, hashes: usize) -> Vec<(usize, Cow<'a, str>)> {
        let mut lines = Vec::new();
        let (mut line, mut piece, mut at) = (start, start, start);
        let mut joined: Option<String> = None;
        while at < end {
            let newline = self.newline_len(at);
            if newline > 0 {
                lines.push((line, join_line(joined.take(), self.slice(piece, at))));
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
        lines.push((line, join_line(joined, self.slice(piece, end))));
        lines
    }

    /// Reports text on the line of the opening quotes, and returns the text unchanged.
    fn text_after_opening(&mut self, string: &MultilineString) -> Cow<'a, str> {
        let body = self.slice(string.start, string.close);
        let line = body.find(is_newline);
        let here = string.start..string.start + line.unwrap_or(body.len());
        let help = if line.is_none() {
            "write single-line text as `\"..\"`"
        } else {
            "begin the text on the next line"
        };
        let message = "multi-line text must begin on the line after `\"\"\"`";
        self.error(here, "expected a line break", message, help);
        Cow::Borrowed(body)
    }

    /// Reports text on the line of the closing quotes. If they look like opening quotes, reports the string before them
    /// as unclosed instead.
    fn text_before_closing(
        &mut self,
        string: &MultilineString,
        lines: &[(usize, Cow<'a, str>)],
        last: &str,
    ) -> Cow<'a, str> {
        let opens =
            self.newline_len(string.close + 3 + string.hashes) > 0 && last.ends_with([' ', '\t', '=']);
        if opens {
            self.failed_searches = self.failed_searches.saturating_add(1);
            return self.recover_unclosed_multiline(string.open, string.start, string.hashes);
        }
        let (place, message) = (
            string.close..string.close + 3 + string.hashes,
            "the closing `\"\"\"` must be on a separate line",
        );
        self.error(place, "text is before this", message, "put a line break before the closing `\"\"\"`");
        let mut text: Vec<&str> = lines.iter().map(|(_, line)| line.trim()).collect();
        text.push(last.trim());
        Cow::Owned(text.join("\n"))
    }

    fn report_wrong_indent(&mut self, string: &MultilineString, line_start: usize) {
        let first = self.slice(line_start, string.close).chars().next().map_or(0, char::len_utf8);
        let end = self.blanks_end(line_start).max(line_start + first);
        let close = self.span(string.close, string.close + 3 + string.hashes);
        let finding = codes::KDL_SYNTAX
            .at(
                self.span(line_start, end),
                "different indentation",
                "this line does not begin with the indentation of the closing `\"\"\"`",
            )
            .also(close, "this indentation is removed from each line")
            .help("begin each line with the whitespace that is before the closing `\"\"\"`");
        self.report(finding);
    }

    /// Reports an unclosed string. Parsing continues at the first line that is not indented deeper than its first line.
    fn recover_unclosed_multiline(&mut self, open: usize, start: usize, hashes: usize) -> Cow<'a, str> {
        let close = format!("\"\"\"{}", "#".repeat(hashes));
        let message = format!("this text is never closed: expected {}", quoted(&close));
        let help = format!("add `{close}` on a separate line where the text ends");
        let margin = self.indent_of_line(open);
        let mut end = self.line_end(start);
        for line in self.lines_below(start) {
            let indent = self.blanks_end(line.start) - line.start;
            if indent <= margin && indent < line.len() {
                break;
            }
            end = line.end;
        }
        self.pos = end;
        self.error(open..start, "opened here", message, help);
        Cow::Borrowed(self.slice(start, end).trim())
    }

    fn indent_of_line(&self, at: usize) -> usize {
        let start = self.slice(0, at).rfind(['\n', '\r']).map_or(0, |newline| newline + 1);
        self.blanks_end(start).min(at) - start
    }
}

/// Joins a line that was split at escaped whitespace.
fn join_line(joined: Option<String>, rest: &str) -> Cow<'_, str> {
    match joined {
        Some(before) => Cow::Owned(before + rest),
        None => Cow::Borrowed(rest),
    }
}
