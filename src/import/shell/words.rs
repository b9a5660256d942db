//! Words of a script before expansion: quotes, `$X`, `${X:-default}`, `$(…)` and escapes.

use crate::import::source::At;

/// The maximum depth of `${…}` and quotes in each other.
const MAX_DEPTH: usize = 32;

/// A part of a script that cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// The reason.
    pub(super) why: &'static str,
}

/// The place of a part: in double quotes or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quotes {
    /// Not in quotes, or after a backslash.
    Outside,
    /// In quotes.
    Inside,
}

/// The lines of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lines {
    /// They are those of a file.
    Counted,
    /// The text is a string on one line of a file.
    Fixed,
}

/// A word as its parts.
#[derive(Clone, Debug, Default)]
pub(super) struct RawWord {
    /// The parts.
    pub(super) parts: Vec<Part>,
    /// The line on which it begins.
    pub(super) at: At,
}

/// A part of a word.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Its kind.
    pub(super) kind: PartKind,
    /// The part as written, without quotes.
    pub(super) written: String,
    /// True in quotes: it is not split.
    pub(super) is_quoted: bool,
}

/// The kind of a part.
#[derive(Clone, Debug)]
pub(super) enum PartKind {
    /// A text.
    Text,
    /// A variable or a parameter.
    Variable(Box<Expansion>),
    /// The text in `$((…))`.
    Arithmetic(String),
    /// The text in `$(…)`.
    Command(String),
    /// A part that is not read.
    Other,
}

/// The form of a variable.
#[derive(Clone, Debug)]
pub(super) struct Expansion {
    /// The name, a number, or one of `@*#?$!-`.
    pub(super) name: String,
    /// The index of an array.
    pub(super) index: Option<String>,
    /// The operation.
    pub(super) operation: Operation,
}

/// The operation in `${…}`.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// None.
    Plain,
    /// `-`, `=`, `?` and `+` with their word. `is_colon`: empty is as unset.
    Test { operator: char, is_colon: bool, word: RawWord },
    /// `#`, `##`, `%` and `%%` with their pattern.
    Trim { is_suffix: bool, is_longest: bool, pattern: RawWord },
    /// `:N` of the parameters.
    From(usize),
    /// `${#X}`.
    Length,
    /// Not read.
    Other,
}

/// A position in a script.
pub(super) struct Cursor {
    chars: Vec<char>,
    next: usize,
    at: At,
    lines: Lines,
    depth: usize,
}

impl RawWord {
    /// The text, if the word is only text.
    pub(super) fn literal(&self) -> Option<String> {
        let is_text = |part: &Part| matches!(part.kind, PartKind::Text);
        self.parts.iter().all(is_text).then(|| self.written())
    }

    /// The word as written, without quotes.
    pub(super) fn written(&self) -> String {
        self.parts.iter().map(|part| part.written.as_str()).collect()
    }

    /// Adds a part.
    pub(super) fn push(&mut self, kind: PartKind, written: impl Into<String>, quotes: Quotes) {
        self.parts.push(Part { kind, written: written.into(), is_quoted: quotes == Quotes::Inside });
    }

    /// Adds a character of a text.
    pub(super) fn push_char(&mut self, c: char, quotes: Quotes) {
        match self.parts.last_mut() {
            Some(part)
                if matches!(part.kind, PartKind::Text) && part.is_quoted == (quotes == Quotes::Inside) =>
            {
                part.written.push(c);
            }
            _ => self.push(PartKind::Text, c, quotes),
        }
    }
}

/// True for characters that end a word.
pub(super) fn is_meta(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
}

impl Cursor {
    /// The start of a text.
    pub(super) fn new(text: &str, at: At, lines: Lines) -> Self {
        Self { chars: text.chars().collect(), next: 0, at, lines, depth: 0 }
    }

    /// The place.
    pub(super) fn at(&self) -> At {
        self.at
    }

    /// The index of the next character.
    pub(super) fn index(&self) -> usize {
        self.next
    }

    /// Returns to an earlier place.
    pub(super) fn reset(&mut self, index: usize, at: At) {
        (self.next, self.at, self.depth) = (index, at, 0);
    }

    /// Returns to a place in the same nested part.
    pub(super) fn reset_to(&mut self, index: usize, at: At) {
        (self.next, self.at) = (index, at);
    }

    /// The text from an index to here.
    pub(super) fn since(&self, from: usize) -> String {
        self.chars.get(from..self.next).unwrap_or_default().iter().collect()
    }

    /// A later character.
    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.next + ahead).copied()
    }

    /// The next character, which is then read.
    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.next += 1;
        if c == '\n' && self.lines == Lines::Counted {
            self.at.line = self.at.line.saturating_add(1);
        }
        Some(c)
    }

    /// Reads some characters.
    pub(super) fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.bump();
        }
    }

    /// True if a text follows.
    pub(super) fn is_next(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    /// Reads a text if it follows.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let is_next = self.is_next(text);
        if is_next {
            self.skip(text.chars().count());
        }
        is_next
    }

    /// Reads blanks and continued lines.
    pub(super) fn skip_blanks(&mut self) {
        while self.eat("\\\n") || self.eat("\\\r\n") || (self.peek(0).is_some_and(|c| " \t\r".contains(c))) {
            if self.peek(0).is_some_and(|c| " \t\r".contains(c)) {
                self.bump();
            }
        }
    }

    /// True if `<(…)` or `>(…)` follows, which is a word.
    pub(super) fn is_process(&self) -> bool {
        self.is_next("<(") || self.is_next(">(")
    }

    /// Reads a word.
    pub(super) fn word(&mut self) -> Result<RawWord, Unreadable> {
        let mut word = RawWord { parts: Vec::new(), at: self.at };
        while let Some(c) = self.peek(0) {
            let is_process = self.is_process();
            if is_meta(c) && !is_process {
                break;
            }
            if is_process {
                let from = self.next;
                self.skip(2);
                self.skip_parentheses()?;
                let written = self.since(from);
                word.push(PartKind::Other, written, Quotes::Outside);
            } else {
                self.unquoted(&mut word)?;
            }
        }
        Ok(word)
    }

    /// Reads one unquoted character, quote or variable.
    pub(super) fn unquoted(&mut self, word: &mut RawWord) -> Result<(), Unreadable> {
        match self.bump() {
            Some('\\') => match self.bump() {
                Some('\n') | None => {}
                Some('\r') if self.peek(0) == Some('\n') => self.skip(1),
                Some(c) => word.push_char(c, Quotes::Inside),
            },
            Some('\'') => {
                let text = self.until('\'')?;
                word.push(PartKind::Text, text, Quotes::Inside);
            }
            Some('"') => self.double_quoted(word)?,
            Some('$') => self.dollar(word, Quotes::Outside)?,
            Some('`') => self.backquoted(word, Quotes::Outside)?,
            Some(c) => word.push_char(c, Quotes::Outside),
            None => {}
        }
        Ok(())
    }

    /// The text to a character, which is read.
    pub(super) fn until(&mut self, end: char) -> Result<String, Unreadable> {
        let from = self.next;
        loop {
            match self.bump() {
                Some(c) if c == end => break,
                Some(_) => {}
                None => return Err(Unreadable { why: "a quote has no end" }),
            }
        }
        let mut text = self.since(from);
        text.pop();
        Ok(text)
    }

    fn double_quoted(&mut self, word: &mut RawWord) -> Result<(), Unreadable> {
        self.deeper()?;
        let before = word.parts.len();
        loop {
            match self.bump() {
                Some('"') => break,
                Some('\\') => match self.bump() {
                    Some('\n') => {}
                    Some(c) if "$`\"\\".contains(c) => word.push_char(c, Quotes::Inside),
                    Some(c) => {
                        word.push_char('\\', Quotes::Inside);
                        word.push_char(c, Quotes::Inside);
                    }
                    None => return Err(Unreadable { why: "a quote has no end" }),
                },
                Some('$') => self.dollar(word, Quotes::Inside)?,
                Some('`') => self.backquoted(word, Quotes::Inside)?,
                Some(c) => word.push_char(c, Quotes::Inside),
                None => return Err(Unreadable { why: "a quote has no end" }),
            }
        }
        if word.parts.len() == before {
            word.push(PartKind::Text, "", Quotes::Inside);
        }
        self.depth -= 1;
        Ok(())
    }

    /// Ends a nested part.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Returns by one character of the same line.
    pub(super) fn step_back(&mut self) {
        self.next -= 1;
    }

    /// Begins a nested part.
    pub(super) fn deeper(&mut self) -> Result<(), Unreadable> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            Err(Unreadable { why: "quotes and braces are nested too deeply" })
        } else {
            Ok(())
        }
    }

    fn backquoted(&mut self, word: &mut RawWord, quotes: Quotes) -> Result<(), Unreadable> {
        let from = self.next;
        loop {
            match self.bump() {
                Some('`') => break,
                Some('\\') => self.skip(1),
                Some(_) => {}
                None => return Err(Unreadable { why: "a quote has no end" }),
            }
        }
        let written = self.since(from);
        let text = written.strip_suffix('`').unwrap_or_default().to_owned();
        word.push(PartKind::Command(text), format!("`{written}"), quotes);
        Ok(())
    }

    /// The part after a dollar.
    fn dollar(&mut self, word: &mut RawWord, quotes: Quotes) -> Result<(), Unreadable> {
        let from = self.next - 1;
        match self.peek(0) {
            Some('(') => self.substitution(word, quotes, from)?,
            Some('{') => self.braced(word, quotes, from)?,
            Some('\'') if quotes == Quotes::Outside => {
                self.bump();
                let text = self.ansi_quoted()?;
                word.push(PartKind::Text, text, Quotes::Inside);
            }
            Some('"') if quotes == Quotes::Outside => {
                self.bump();
                self.double_quoted(word)?;
            }
            Some(c) if c.is_ascii_alphanumeric() || "_@*#?$!-".contains(c) => {
                let name = self.name();
                let expansion = Expansion { name, index: None, operation: Operation::Plain };
                word.push(PartKind::Variable(Box::new(expansion)), self.since(from), quotes);
            }
            _ => word.push_char('$', quotes),
        }
        Ok(())
    }

    /// A name, a number or a special parameter. Without braces, a number has one digit.
    fn name(&mut self) -> String {
        let from = self.next;
        match self.bump() {
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                    self.bump();
                }
            }
            _ => {}
        }
        self.since(from)
    }
}
