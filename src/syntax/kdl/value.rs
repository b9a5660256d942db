//! Parses one value: selects the parser by the first character, and handles bare words and the keywords of KDL 1.

use super::KdlParser;
use crate::diag::Change;
use crate::diag::words::quoted;
use crate::source::Span;
use crate::syntax::{Scalar, Value, codes};
use std::borrow::Cow;

/// The description of an expected part, for findings.
pub(super) struct ExpectedPart {
    /// Completes the headline `expected ..`, such as "a value".
    pub(super) what: &'static str,
    /// The label at the position of the finding.
    pub(super) label: &'static str,
    /// True for a name. A keyword of KDL 1, such as `true`, is then not a value.
    pub(super) is_name: bool,
}

impl ExpectedPart {
    pub(super) const fn name(what: &'static str, label: &'static str) -> Self {
        Self { what, label, is_name: true }
    }

    pub(super) const fn value(what: &'static str, label: &'static str) -> Self {
        Self { what, label, is_name: false }
    }
}

/// The keywords with their values.
const KEYWORDS: [(&str, Value<'static>); 6] = [
    ("#true", Value::Bool(true)),
    ("#false", Value::Bool(false)),
    ("#null", Value::Null),
    ("#inf", Value::Float(f64::INFINITY)),
    ("#-inf", Value::Float(f64::NEG_INFINITY)),
    ("#nan", Value::Float(f64::NAN)),
];

/// The value of a word that KDL reserves: a keyword without its `#`.
pub(in crate::syntax) fn reserved_word(word: &str) -> Option<&'static Value<'static>> {
    if !word.starts_with(['t', 'f', 'n', 'i', '-']) {
        return None;
    }
    KEYWORDS.iter().find(|(keyword, _)| keyword.strip_prefix('#') == Some(word)).map(|(_, value)| value)
}

impl<'a> KdlParser<'a> {
    /// Parses a value. If there is none, reports this, skips the rest of the line and returns none.
    pub(super) fn parse_value(&mut self, expected: &ExpectedPart) -> Option<Scalar<'a>> {
        let start = self.pos;
        let value = match self.peek() {
            Some(b'"') => Value::String(self.parse_string(0)),
            Some(b'#') => self.parse_hash(expected)?,
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') if self.at_number() => self.parse_number()?,
            _ => match self.word_end(start) {
                end if end == start => {
                    self.report_unexpected(expected.what, expected.label);
                    return None;
                }
                end => self.parse_word(end, expected),
            },
        };
        Some(Scalar { value, span: self.span(start, self.pos) })
    }

    /// True if a raw string begins here.
    pub(super) fn at_raw_string(&self) -> bool {
        self.peek() == Some(b'#') && self.byte(self.hashes_end(self.pos)) == Some(b'"')
    }

    /// True if a keyword is here.
    pub(super) fn at_keyword(&self) -> bool {
        self.peek() == Some(b'#') && self.keyword().is_some()
    }

    fn keyword(&self) -> Option<(usize, Value<'static>)> {
        let end = self.word_end(self.pos + 1);
        let word = self.slice(self.pos, end);
        KEYWORDS.iter().find(|(keyword, _)| *keyword == word).map(|(_, value)| (end, value.clone()))
    }

    /// Parses a value that begins with a `#`.
    fn parse_hash(&mut self, expected: &ExpectedPart) -> Option<Value<'a>> {
        let quote = self.hashes_end(self.pos);
        if self.byte(quote) == Some(b'"') {
            return Some(Value::String(self.parse_string(quote - self.pos)));
        }
        if let Some((end, value)) = self.keyword() {
            self.pos = end;
            return Some(value);
        }
        let end = self.word_end(self.pos + 1);
        let word = self.slice(self.pos, end);
        if word == "#" {
            self.report_hash_comment();
            return None;
        }
        let message = format!("expected {}, found {}", expected.what, quoted(word));
        let lower = word.to_lowercase();
        let keyword = KEYWORDS.iter().find(|(keyword, _)| *keyword == lower);
        let help = keyword.map_or_else(
            || "write `//` before a comment, and put text that contains a `#` in quotes".to_owned(),
            |(keyword, _)| format!("write `{keyword}`"),
        );
        let label = if keyword.is_some() { "keywords are lower case" } else { expected.label };
        self.error(self.pos..end, label, message, help);
        self.pos = end;
        self.recover();
        None
    }

    /// Parses the bare word that ends at `end`.
    fn parse_word(&mut self, end: usize, expected: &ExpectedPart) -> Value<'a> {
        let start = self.pos;
        let word = self.slice(start, end);
        self.pos = end;
        if let Some(value) = reserved_word(word) {
            return self.report_reserved_word(start, word, value, expected);
        }
        let quote = self.hashes_end(end);
        if word == "r" && self.byte(quote) == Some(b'"') {
            self.report_version_1(self.span(start, quote + 1), "r\"..\"", "#\"..\"#");
            return Value::String(self.parse_string(quote - end));
        }
        Value::String(Cow::Borrowed(word))
    }

    /// Reports a word that KDL 2 reserves. As a value, it gets its meaning in KDL 1.
    fn report_reserved_word(
        &mut self,
        start: usize,
        word: &'a str,
        value: &Value<'a>,
        expected: &ExpectedPart,
    ) -> Value<'a> {
        let span = self.span(start, self.pos);
        let message = format!("{} is a reserved word", quoted(word));
        if expected.is_name || self.byte(self.blanks_end(self.pos)) == Some(b'=') {
            let label = "a name with this spelling needs quotes";
            self.error(span.range(), label, message, format!("write `\"{word}\"`"));
            return Value::String(Cow::Borrowed(word));
        }
        if matches!(value, Value::Float(_)) {
            let help = format!("write `#{word}` for the number, or `\"{word}\"` for text");
            self.error(span.range(), "neither a number nor a string", message, help);
        } else {
            self.report_version_1(span, word, &format!("#{word}"));
        }
        value.clone()
    }

    /// Reports KDL 1, once per file.
    fn report_version_1(&mut self, span: Span, written: &str, instead: &str) {
        if self.muted || std::mem::replace(&mut self.is_version_1, true) {
            return;
        }
        let message = format!("`{written}` is KDL 1 syntax; in KDL 2.0 it is `{instead}`");
        let label = "from here, the file is parsed as KDL 1 where the versions differ";
        let finding = codes::KDL_VERSION_1.at(span, label, message);
        let rest = "and change the other words of KDL 1 in the file, too";
        // The end of a raw string changes, too.
        let finding = if instead.contains('"') {
            finding.help(format!("use the form `{instead}`, {rest}"))
        } else {
            let change = Change::Text { span, text: instead.to_owned() };
            finding.remedy(format!("write `{{}}`, {rest}"), change)
        };
        self.report(finding);
    }
}
