//! `${…}` and `$'…'`.

use super::words::{Cursor, Expansion, Operation, PartKind, Quotes, RawWord, Unreadable};

impl Cursor {
    /// `${…}`; the dollar is read.
    pub(super) fn braced(
        &mut self,
        word: &mut RawWord,
        quotes: Quotes,
        from: usize,
    ) -> Result<(), Unreadable> {
        self.bump();
        self.deeper()?;
        let is_length = self.peek(0) == Some('#') && self.peek(1).is_some_and(|c| c != '}');
        if is_length {
            self.bump();
        }
        let name = self.braced_name();
        let index = if self.eat("[") { Some(self.index_text()?) } else { None };
        let operation = match self.peek(0) {
            Some('}') if is_length => Operation::Length,
            Some('}') => Operation::Plain,
            _ if is_length => Operation::Other,
            _ => self.operation(quotes)?,
        };
        let is_complete = self.peek(0) == Some('}');
        self.skip_to_brace()?;
        self.leave();
        let is_read = is_complete && !name.is_empty() && !matches!(operation, Operation::Other);
        let kind = if is_read {
            PartKind::Variable(Box::new(Expansion { name, index, operation }))
        } else {
            PartKind::Other
        };
        let written = self.since(from);
        word.push(kind, written, quotes);
        Ok(())
    }

    /// A name, a number of several digits, or a special parameter.
    fn braced_name(&mut self) -> String {
        let from = self.index();
        if self.peek(0).is_some_and(|c| "@*#?$!-".contains(c)) {
            self.bump();
        } else {
            while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                self.bump();
            }
        }
        self.since(from)
    }

    fn index_text(&mut self) -> Result<String, Unreadable> {
        let from = self.index();
        loop {
            match self.bump() {
                Some(']') => break,
                Some('\n') | None => return Err(Unreadable { why: "an index has no end" }),
                Some(_) => {}
            }
        }
        let mut text = self.since(from);
        text.pop();
        Ok(text)
    }

    fn operation(&mut self, quotes: Quotes) -> Result<Operation, Unreadable> {
        let is_colon = self.peek(0) == Some(':') && self.peek(1).is_some_and(|c| "-=?+".contains(c));
        if is_colon {
            self.bump();
        }
        match self.bump() {
            Some(operator @ ('-' | '=' | '?' | '+')) => {
                let word = self.word_in_braces(quotes)?;
                Ok(Operation::Test { operator, is_colon, word })
            }
            Some(sign @ ('#' | '%')) => {
                let is_longest = self.peek(0) == Some(sign);
                if is_longest {
                    self.bump();
                }
                let pattern = self.word_in_braces(Quotes::Outside)?;
                Ok(Operation::Trim { is_suffix: sign == '%', is_longest, pattern })
            }
            Some(':') => {
                let from = self.index();
                while self.peek(0).is_some_and(|c| c.is_ascii_digit()) {
                    self.bump();
                }
                Ok(self.since(from).parse().map_or(Operation::Other, Operation::From))
            }
            _ => Ok(Operation::Other),
        }
    }

    /// The word to the closing brace. In double quotes, single quotes are text.
    fn word_in_braces(&mut self, quotes: Quotes) -> Result<RawWord, Unreadable> {
        let mut word = RawWord { parts: Vec::new(), at: self.at() };
        while let Some(c) = self.peek(0).filter(|c| *c != '}') {
            match c {
                '\'' if quotes == Quotes::Inside => {
                    self.bump();
                    word.push_char(c, Quotes::Inside);
                }
                '\\' | '$' | '`' | '\'' | '"' => {
                    let before = word.parts.len();
                    self.unquoted(&mut word)?;
                    word.parts
                        .iter_mut()
                        .skip(before)
                        .for_each(|part| part.is_quoted |= quotes == Quotes::Inside);
                }
                _ => {
                    self.bump();
                    word.push_char(c, quotes);
                }
            }
        }
        Ok(word)
    }

    /// Reads to the closing brace of a form that is not read.
    fn skip_to_brace(&mut self) -> Result<(), Unreadable> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.bump() {
                Some('{') => depth += 1,
                Some('}') => depth -= 1,
                Some('\\') => self.skip(1),
                Some(_) => {}
                None => return Err(Unreadable { why: "a brace has no end" }),
            }
        }
        Ok(())
    }

    /// `$'…'` with its escapes; the first quote is read.
    pub(super) fn ansi_quoted(&mut self) -> Result<String, Unreadable> {
        let mut text = String::new();
        loop {
            match self.bump() {
                Some('\'') => return Ok(text),
                Some('\\') => self.ansi_escape(&mut text),
                Some(c) => text.push(c),
                None => return Err(Unreadable { why: "a quote has no end" }),
            }
        }
    }

    fn ansi_escape(&mut self, text: &mut String) {
        let Some(c) = self.bump() else { return };
        let plain = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'e' | 'E' => '\u{1b}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '\\' | '\'' | '"' | '?' => c,
            'x' => return self.ansi_number(text, c, 16, 2),
            'u' => return self.ansi_number(text, c, 16, 4),
            'U' => return self.ansi_number(text, c, 16, 8),
            '0'..='7' => {
                self.step_back();
                return self.ansi_number(text, c, 8, 3);
            }
            _ => {
                text.push('\\');
                c
            }
        };
        text.push(plain);
    }

    fn ansi_number(&mut self, text: &mut String, letter: char, radix: u32, most: usize) {
        let from = self.index();
        while self.index() - from < most && self.peek(0).is_some_and(|c| c.is_digit(radix)) {
            self.bump();
        }
        let digits = self.since(from);
        match u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32) {
            Some(c) => text.push(c),
            None => text.extend(['\\', letter]),
        }
    }
}
