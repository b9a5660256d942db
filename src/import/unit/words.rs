//! The words of a value (systemd.syntax(7), Quoting): quotes, and escapes as in C.

/// A word, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The text without quotes and escapes.
    pub(crate) text: String,
    /// Its offset in the value.
    pub(crate) offset: usize,
    /// True if it is written as `;` alone, which separates commands.
    pub(crate) is_separator: bool,
    /// True if it has an escape that systemd does not know. The text then has it as written.
    pub(crate) has_unknown_escape: bool,
}

/// How backslashes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// As escapes of C.
    C,
    /// A backslash is removed, and the next character stays: values of variables that are split.
    Plain,
}

/// The blanks between words.
const BLANK: &[u8] = b" \t\n\r";

/// Splits a value. The error is the reason why systemd does not accept it.
pub(crate) fn split(value: &str, escapes: Escapes) -> Result<Vec<Token>, String> {
    let mut rest = Rest { bytes: value.as_bytes(), at: 0 };
    let mut tokens = Vec::new();
    loop {
        while rest.peek().is_some_and(|byte| BLANK.contains(&byte)) {
            rest.at += 1;
        }
        if rest.peek().is_none() {
            return Ok(tokens);
        }
        tokens.push(rest.word(escapes)?);
    }
}

struct Rest<'v> {
    bytes: &'v [u8],
    at: usize,
}

impl Rest<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn word(&mut self, escapes: Escapes) -> Result<Token, String> {
        let offset = self.at;
        let mut text = Vec::new();
        let mut quote = None;
        let mut has_unknown_escape = false;
        while let Some(byte) = self.peek() {
            if quote.is_none() && BLANK.contains(&byte) {
                break;
            }
            self.at += 1;
            match (byte, quote) {
                (b'\\', _) => has_unknown_escape |= !self.escape(escapes, &mut text),
                (b'"' | b'\'', None) => quote = Some(byte),
                (byte, Some(mark)) if byte == mark => quote = None,
                (byte, _) => text.push(byte),
            }
        }
        // Values of variables may have open quotes.
        if quote.is_some() && escapes == Escapes::C {
            return Err("a quote is not closed".to_owned());
        }
        let raw = self.bytes.get(offset..self.at).unwrap_or_default();
        let text = if raw == b"\\;" { b";".to_vec() } else { text };
        let has_unknown_escape = has_unknown_escape && raw != b"\\;";
        let text = String::from_utf8(text).map_err(|_| "an escape makes it invalid UTF-8".to_owned())?;
        Ok(Token { text, offset, is_separator: raw == b";", has_unknown_escape })
    }

    /// Reads what follows a backslash. False if it is no known escape.
    fn escape(&mut self, escapes: Escapes, text: &mut Vec<u8>) -> bool {
        let Some(byte) = self.next() else {
            text.extend((escapes == Escapes::C).then_some(b'\\'));
            return escapes == Escapes::Plain;
        };
        let plain = match byte {
            _ if escapes == Escapes::Plain => byte,
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b's' => b' ',
            b'\\' | b'"' | b'\'' => byte,
            _ => {
                self.at -= 1;
                return self.number(text);
            }
        };
        text.push(plain);
        true
    }

    /// `\x41`, `\101`, `\u0041` and `\U00000041`. Otherwise the backslash stays.
    fn number(&mut self, text: &mut Vec<u8>) -> bool {
        let (skipped, length, radix) = match self.peek() {
            Some(b'x') => (1, 2, 16),
            Some(b'u') => (1, 4, 16),
            Some(b'U') => (1, 8, 16),
            _ => (0, 3, 8),
        };
        let is_character = length > 3;
        let start = self.at + skipped;
        let digits =
            self.bytes.get(start..start + length).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|byte| char::from(byte).is_digit(radix)));
        let number =
            digits.and_then(|digits| u32::from_str_radix(digits, radix).ok()).filter(|number| *number > 0);
        let mut buffer = [0; 4];
        let encoded = match number {
            Some(number) if is_character => {
                char::from_u32(number).map(|c| c.encode_utf8(&mut buffer).as_bytes())
            }
            Some(number) => u8::try_from(number).ok().map(|byte| {
                buffer = [byte, 0, 0, 0];
                buffer.get(..1).unwrap_or_default()
            }),
            None => None,
        };
        match encoded {
            Some(bytes) => {
                text.extend_from_slice(bytes);
                self.at = start + length;
                true
            }
            None => {
                text.push(b'\\');
                // The next byte may be the first of a character, which the caller copies as a whole.
                text.extend(self.next());
                false
            }
        }
    }
}
