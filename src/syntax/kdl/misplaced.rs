//! What stands in a node and does not belong there: an `=` without a key, text without quotes, values behind a block.

use super::{Draft, Fate, Reader, Stage};
use crate::diag::words::quoted;
use crate::source::Span;
use crate::syntax::{Scalar, Value, codes};
use std::borrow::Cow;

impl<'a> Reader<'a> {
    /// Meets an `=` with no key before it. Right behind the name it is the sign of other languages: the value that
    /// follows was meant for the node.
    pub(super) fn equals(&mut self, draft: &mut Draft<'a>) -> bool {
        let span = self.span(self.pos, self.pos + 1);
        let name = draft.node.key_span;
        let alone =
            draft.node.args.is_empty() && draft.node.fields.is_empty() && draft.stage == Stage::Entries;
        let finding = codes::KDL_SYNTAX.at(span, "no key stands before this", "unexpected `=`");
        if alone && !self.slice(name.range().start, name.range().end).is_empty() {
            let name = self.slice(name.range().start, name.range().end);
            self.report(finding.help(format!("write the value right behind the name: `{name} ..`")));
            self.pos += 1;
            self.node_space();
        } else {
            self.report(finding.help("write properties as `key=value`"));
            self.pos += 1;
            self.recover();
        }
        true
    }

    /// Meets something behind a finished block. True where that is the next node, which lacks its line break.
    pub(super) fn behind_block(&mut self) -> bool {
        let next = self.found();
        let end = self.lump_end(self.pos);
        let begins_node =
            self.peek() == Some(b'"') || self.word_end(self.pos) > self.pos && !self.at_number();
        let comma = self.peek() == Some(b',');
        let help = if comma {
            "remove the comma"
        } else {
            "begin the next node on a line of its own, or after a `;`"
        };
        let message = format!("expected the end of the line after a block, found {next}");
        let finding =
            codes::KDL_SYNTAX.at(self.span(self.pos, end), "does not belong to the node any more", message);
        self.report(finding.help(help));
        if begins_node && !comma {
            return true;
        }
        self.pos += usize::from(comma);
        self.recover();
        false
    }

    pub(super) fn entries_before_blocks(&mut self, draft: &Draft<'a>) {
        if draft.stage == Stage::Entries {
            return;
        }
        let message = format!("expected a block or the end of the line, found {}", self.found());
        let span = self.span(self.pos, self.lump_end(self.pos));
        let finding = codes::KDL_SYNTAX.at(span, "values and properties stand before all blocks", message);
        self.report(finding.help("move it before the `/-` of the block"));
    }

    /// Meets something that no space separates from what stands before it.
    pub(super) fn glued(&mut self, draft: &mut Draft<'a>) -> bool {
        let start = self.pos;
        let part = self.slice(start, self.lump_end(start));
        let whole_value =
            matches!(self.peek(), Some(b'"' | b'(')) || self.at_raw_string() || self.at_keyword();
        let behind_quote = matches!(self.byte(start.wrapping_sub(1)), Some(b'"' | b'#'));
        if !whole_value && !behind_quote {
            self.glued_to_word(draft);
            return self.node_space_after_fault();
        }
        let (message, help) = if part.starts_with(',') {
            ("values are separated by blanks, found `,`".to_owned(), "remove the comma")
        } else {
            (format!("expected a blank before {}", quoted(part)), "write a blank between the two")
        };
        let len = part.chars().next().map_or(0, char::len_utf8);
        let finding =
            codes::KDL_SYNTAX.at(self.span(start, start + len), "runs into what stands before it", message);
        self.report(finding.help(help));
        if part == "," {
            self.pos += 1;
            return self.node_space_after_fault();
        }
        // What follows may be half a word: its own faults are of the same slip.
        let muted = std::mem::replace(&mut self.muted, true);
        let spaced = self.entry(draft, Fate::Kept);
        self.muted = muted;
        // The part itself is taken in any case, so that reading goes on.
        self.pos = self.pos.max(start + len);
        spaced
    }

    /// Meets a sign that cannot stand in a bare word: text that lacks its quotes. It is taken as if it had them.
    fn glued_to_word(&mut self, draft: &mut Draft<'a>) {
        let sign = self.pos;
        let before = [
            draft.node.args.last_mut(),
            draft.node.fields.last_mut().and_then(|field| field.args.last_mut()),
        ];
        let last = before.into_iter().flatten().find(|scalar| scalar.span.range().end == sign);
        let key = draft.node.key_span.range();
        let first = if key.end == sign { key.start } else { sign };
        let start = last.as_ref().map_or(first, |last| last.span.range().start);
        let end = self.lump_end(sign);
        let whole = self.text.get(start..end).unwrap_or_default();
        let span = Span::new(self.file, start, end);
        if let Some(scalar) = last {
            *scalar = Scalar { value: Value::String(Cow::Borrowed(whole)), span };
        } else if key.end == sign {
            (draft.node.key, draft.node.key_span) = (Cow::Borrowed(whole), span);
        }
        draft.node.span = draft.node.span.to(span);
        self.pos = end;
        let found = self
            .slice(sign, end)
            .chars()
            .next()
            .map_or_else(String::new, |c| quoted(c.encode_utf8(&mut [0; 4])));
        let message = format!("{found} cannot stand in a word without quotes");
        let len = self.slice(sign, end).chars().next().map_or(0, char::len_utf8);
        let finding = codes::KDL_SYNTAX.at(self.span(sign, sign + len), "ends the word", message);
        self.report(finding.help(format!("write text in quotes: `\"{whole}\"`")));
    }
}
