//! Reports text that is not allowed in a node: an `=` without a key, text without quotes, values after a block.

use super::space::is_space;
use super::{KdlParser, NodeStage, PartialNode, Retention};
use crate::diag::words::quoted;
use crate::source::Span;
use crate::syntax::{Scalar, Value};
use std::borrow::Cow;

impl<'a> KdlParser<'a> {
    /// Reports an `=` without a key. Users of other languages write an `=` directly after the node name: the next value
    /// then becomes a value of the node.
    pub(super) fn recover_from_equals(&mut self, partial: &mut PartialNode<'a>) -> bool {
        let PartialNode { node, stage, .. } = partial;
        let is_first = node.args.is_empty() && node.fields.is_empty() && *stage == NodeStage::Entries;
        let name = self.text.get(node.key_span.range()).unwrap_or_default();
        let is_value = is_first && !name.is_empty();
        let help = if is_value {
            let value = self.value_after(self.pos + 1);
            format!("write the value directly after the name: {}", quoted(&format!("{name} {value}")))
        } else {
            "write properties as `key=value`".to_owned()
        };
        self.error(self.pos..self.pos + 1, "only allowed in `key=value`", "unexpected `=`", help);
        self.pos += 1;
        if !is_value {
            self.recover();
        }
        self.skip_space_after_error()
    }

    /// The text of the value after a position: a string in quotes, or a word. Two dots if there is none.
    fn value_after(&self, at: usize) -> &'a str {
        let start = self.blanks_end(at);
        let rest = self.rest(start);
        let quoted = rest.strip_prefix('"').and_then(|inner| inner.find('"')).map(|end| start + end + 2);
        let word = self.find_end(start, |c| matches!(c, ',' | ';' | '{' | '}') || is_space(c));
        match self.slice(start, quoted.unwrap_or(word)) {
            "" => "..",
            value => value,
        }
    }

    /// Reports a `:` after a name in quotes, as in JSON. The value follows.
    fn recover_from_colon(&mut self, partial: &PartialNode<'a>) -> bool {
        let value = self.value_after(self.pos + 1);
        let name = &partial.node.key;
        let help = format!("write {}, without the colon", quoted(&format!("{name} {value}")));
        self.error(self.pos..self.pos + 1, "KDL has no `:` after a name", "unexpected `:`", help);
        self.pos += 1;
        self.skip_space_after_error()
    }

    /// Reports text after a block. True if it is the next node, without a line break before it.
    pub(super) fn recover_after_block(&mut self) -> bool {
        let next = self.describe_found();
        let end = self.loose_word_end(self.pos);
        let begins_node =
            self.peek() == Some(b'"') || self.word_end(self.pos) > self.pos && !self.at_number();
        let comma = self.peek() == Some(b',');
        let help =
            if comma { "remove the comma" } else { "begin the next node on a new line, or after a `;`" };
        let message = format!("expected the end of the line after a block, found {next}");
        self.error(self.pos..end, "the node ends with its block", message, help);
        if begins_node && !comma {
            return true;
        }
        self.pos += usize::from(comma);
        self.recover();
        false
    }

    /// Reports a value or a property after a block. Only a block after `/-` can come before it here.
    pub(super) fn check_entry_position(&mut self, partial: &PartialNode<'a>) {
        if partial.stage == NodeStage::Entries {
            return;
        }
        let message = format!("expected a block or the end of the line, found {}", self.describe_found());
        let (place, label) =
            (self.pos..self.loose_word_end(self.pos), "values and properties must be before all blocks");
        self.error(place, label, message, "move it before the `/-` of the block");
    }

    /// Reports a part without whitespace before it.
    pub(super) fn recover_missing_space(&mut self, partial: &mut PartialNode<'a>) -> bool {
        let start = self.pos;
        let part = self.slice(start, self.loose_word_end(start));
        let whole_value =
            matches!(self.peek(), Some(b'"' | b'(')) || self.at_raw_string() || self.at_keyword();
        let after_quote = matches!(self.byte(start.wrapping_sub(1)), Some(b'"' | b'#'));
        if !whole_value && !after_quote {
            self.recover_unquoted_text(partial);
            return self.skip_space_after_error();
        }
        if part.starts_with(':') && partial.node.key_span.range().end == start {
            return self.recover_from_colon(partial);
        }
        let (message, help) = if part.starts_with(',') {
            ("expected a space between values, found `,`".to_owned(), "remove the comma")
        } else {
            (format!("expected a space before {}", quoted(part)), "add a space before it")
        };
        if part.starts_with(':') {
            self.error(start..start + 1, "KDL has no `:` after a name", "unexpected `:`", "remove the colon");
            self.pos += 1;
            return self.skip_space_after_error();
        }
        let len = part.chars().next().map_or(0, char::len_utf8);
        self.error(start..start + len, "no space before this", message, help);
        if part == "," {
            self.pos += 1;
            return self.skip_space_after_error();
        }
        // The rest may be half of a word: its errors are part of the same mistake.
        let muted = std::mem::replace(&mut self.muted, true);
        let has_space = self.parse_entry(partial, Retention::Keep);
        self.muted = muted;
        // Always consume at least one character, so that parsing makes progress.
        self.pos = self.pos.max(start + len);
        has_space
    }

    /// Reports a character that is not allowed in a bare word. The whole text becomes one string, as if it were quoted.
    fn recover_unquoted_text(&mut self, partial: &mut PartialNode<'a>) {
        let at = self.pos;
        let before = [
            partial.node.args.last_mut(),
            partial.node.fields.last_mut().and_then(|field| field.args.last_mut()),
        ];
        let last = before.into_iter().flatten().find(|scalar| scalar.span.range().end == at);
        let key = partial.node.key_span.range();
        let first = if key.end == at { key.start } else { at };
        let start = last.as_ref().map_or(first, |last| last.span.range().start);
        let end = self.loose_word_end(at);
        let whole = self.text.get(start..end).unwrap_or_default();
        let span = Span::new(self.file, start, end);
        if let Some(scalar) = last {
            *scalar = Scalar { value: Value::String(Cow::Borrowed(whole)), span };
        } else if key.end == at {
            (partial.node.key, partial.node.key_span) = (Cow::Borrowed(whole), span);
        }
        partial.node.span = partial.node.span.to(span);
        self.pos = end;
        let len = self.slice(at, end).chars().next().map_or(0, char::len_utf8);
        let message = format!("{} is not allowed in a word without quotes", quoted(self.slice(at, at + len)));
        self.error(at..at + len, "ends the word", message, format!("put the text in quotes: `\"{whole}\"`"));
    }
}
