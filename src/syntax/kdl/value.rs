//! One value of any kind: which reader it needs, bare words, and the words of KDL 1.

use super::{Reader, Version};
use crate::diag::words::quoted;
use crate::source::Span;
use crate::syntax::{Scalar, Value, codes};
use std::borrow::Cow;

/// What a place wants, in the words of a finding.
pub(super) struct Wanted {
    /// As in "expected a value".
    pub(super) what: &'static str,
    /// Why.
    pub(super) label: &'static str,
    /// Whether it names something: then a word of KDL 1 is no value.
    pub(super) name: bool,
}

/// The words that begin with a `#`, with what they mean.
const KEYWORDS: [(&str, Value<'static>); 6] = [
    ("#true", Value::Bool(true)),
    ("#false", Value::Bool(false)),
    ("#null", Value::Null),
    ("#inf", Value::Float(f64::INFINITY)),
    ("#-inf", Value::Float(f64::NEG_INFINITY)),
    ("#nan", Value::Float(f64::NAN)),
];

impl<'a> Reader<'a> {
    /// Reads a value; none where there is none, which is said, and the rest of the line passed over.
    pub(super) fn value(&mut self, wanted: &Wanted) -> Option<Scalar<'a>> {
        let start = self.pos;
        let value = match self.peek() {
            Some(b'"') => Value::String(self.string(0)),
            Some(b'#') => self.hash(wanted)?,
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') if self.at_number() => self.number()?,
            _ => match self.word_end(start) {
                end if end == start => {
                    self.unexpected(wanted.what, wanted.label);
                    return None;
                }
                end => self.word(end, wanted),
            },
        };
        Some(Scalar { value, span: self.span(start, self.pos) })
    }

    /// Whether a raw string begins here.
    pub(super) fn at_raw_string(&self) -> bool {
        self.peek() == Some(b'#') && self.byte(self.hashes_end(self.pos)) == Some(b'"')
    }

    /// Whether one of the keywords stands here.
    pub(super) fn at_keyword(&self) -> bool {
        self.peek() == Some(b'#') && self.keyword().is_some()
    }

    fn keyword(&self) -> Option<(usize, Value<'static>)> {
        let end = self.word_end(self.pos + 1);
        let word = self.slice(self.pos, end);
        KEYWORDS.iter().find(|(keyword, _)| *keyword == word).map(|(_, value)| (end, value.clone()))
    }

    /// Reads what begins with a `#`.
    fn hash(&mut self, wanted: &Wanted) -> Option<Value<'a>> {
        let quote = self.hashes_end(self.pos);
        if self.byte(quote) == Some(b'"') {
            return Some(Value::String(self.string(quote - self.pos)));
        }
        if let Some((end, value)) = self.keyword() {
            self.pos = end;
            return Some(value);
        }
        let end = self.word_end(self.pos + 1);
        let word = self.slice(self.pos, end);
        if word == "#" {
            self.hash_comment();
            return None;
        }
        let message = format!("expected {}, found {}", wanted.what, quoted(word));
        let known = ["true", "false", "null", "inf", "nan"];
        let lower = word.trim_start_matches('#').to_lowercase();
        let meant = known.iter().find(|known| **known == lower);
        let help = meant.map_or_else(
            || "write `//` before a comment, and text with a `#` in quotes".to_owned(),
            |meant| format!("write `#{meant}`"),
        );
        let label = if meant.is_some() { "keywords are written small" } else { wanted.label };
        self.report(codes::KDL_SYNTAX.at(self.span(self.pos, end), label, message).help(help));
        self.pos = end;
        self.recover();
        None
    }

    /// Reads the bare word that ends at `end`.
    fn word(&mut self, end: usize, wanted: &Wanted) -> Value<'a> {
        let start = self.pos;
        let word = self.slice(start, end);
        self.pos = end;
        match word {
            "true" | "false" | "null" | "inf" | "-inf" | "nan" => self.bare_keyword(start, word, wanted),
            "r" if self.byte(self.hashes_end(end)) == Some(b'"') => {
                self.pos = start;
                self.say_version_1(self.span(start, self.hashes_end(end) + 1), "r\"..\"", "#\"..\"#");
                Value::String(self.raw_of_version_1())
            }
            _ => Value::String(Cow::Borrowed(word)),
        }
    }

    /// Meets a word that KDL 2 reserves: as a value of KDL 1 it is taken for what it meant there.
    fn bare_keyword(&mut self, start: usize, word: &'a str, wanted: &Wanted) -> Value<'a> {
        let span = self.span(start, self.pos);
        let name = wanted.name || self.byte(self.blanks_end(self.pos)) == Some(b'=');
        let meant = KEYWORDS.iter().find(|(keyword, _)| keyword.strip_prefix('#') == Some(word));
        let number = word.ends_with("inf") || word == "nan";
        if !name && !number {
            self.say_version_1(span, word, &format!("#{word}"));
            return meant.map_or(Value::Null, |(_, value)| value.clone());
        }
        let message = format!("{} is a reserved word", quoted(word));
        let label = if name { "cannot be a name without quotes" } else { "neither a number nor a string" };
        let help = if name {
            format!("write `\"{word}\"`")
        } else {
            format!("write `#{word}` for the number, or `\"{word}\"` for text")
        };
        self.report(codes::KDL_SYNTAX.at(span, label, message).help(help));
        match meant {
            Some((_, value)) if !name => value.clone(),
            _ => Value::String(Cow::Borrowed(word)),
        }
    }

    /// Says, once for the file, that it is KDL 1.
    fn say_version_1(&mut self, span: Span, written: &str, instead: &str) {
        if self.muted || std::mem::replace(&mut self.version, Version::One) == Version::One {
            return;
        }
        let message = format!("`{written}` is KDL 1; KDL 2.0 writes `{instead}`");
        let finding = codes::KDL_VERSION_1
            .at(span, "the file is read as KDL 1 where the two differ", message)
            .help("write `#true`, `#false`, `#null` and raw strings as `#\"..\"#`, in the whole file");
        self.report(finding);
    }
}
