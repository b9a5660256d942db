//! `$(…)` and `$((…))`: the text in them.

use super::words::{Cursor, PartKind, Quotes, RawWord, Unreadable};

impl Cursor {
    /// `$(…)` and `$((…))`; the dollar is read.
    pub(super) fn substitution(
        &mut self,
        word: &mut RawWord,
        quotes: Quotes,
        from: usize,
    ) -> Result<(), Unreadable> {
        self.bump();
        let is_arithmetic = self.peek(0) == Some('(');
        let inner = self.index();
        self.skip_parentheses()?;
        let mut text = self.since(inner);
        text.pop();
        let kind = match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
            Some(expression) if is_arithmetic => PartKind::Arithmetic(expression.to_owned()),
            _ => PartKind::Command(text),
        };
        word.push(kind, self.since(from), quotes);
        Ok(())
    }

    /// Reads to the closing parenthesis. Quotes hide parentheses.
    pub(super) fn skip_parentheses(&mut self) -> Result<(), Unreadable> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.bump() {
                Some('(') => depth += 1,
                Some(')') => depth -= 1,
                Some('\\') => self.skip(1),
                Some('\'') => drop(self.until('\'')?),
                Some('"') => self.skip_double_quoted()?,
                Some(_) => {}
                None => return Err(Unreadable { why: "a parenthesis has no end" }),
            }
        }
        Ok(())
    }

    fn skip_double_quoted(&mut self) -> Result<(), Unreadable> {
        self.deeper()?;
        loop {
            match self.bump() {
                Some('"') => break,
                Some('\\') => self.skip(1),
                Some('$') if self.eat("(") => self.skip_parentheses()?,
                Some(_) => {}
                None => return Err(Unreadable { why: "a quote has no end" }),
            }
        }
        self.leave();
        Ok(())
    }
}
