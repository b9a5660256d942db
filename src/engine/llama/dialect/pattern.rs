//! Regular expressions of tensor names, as the engine reads them: ECMAScript in the form of libstdc++ (llama.cpp b11434,
//! `src/llama-model-loader.cpp`; compared with GCC 12).

/// A fault of a regular expression: the reason as a clause, and the help.
type Fault = (&'static str, &'static str);

/// The fault of a regular expression. `None` if the engine accepts it.
pub(super) fn fault(pattern: &str) -> Option<Fault> {
    let mut parser = Parser { rest: pattern.as_bytes(), groups: Vec::new() };
    match parser.disjunction(0) {
        Err(why) => Some(why),
        Ok(()) => parser.rest.first().map(|next| match next {
            b')' => ("a `)` has no `(`", "add the `(`, or write `\\)` for the character"),
            _ => REPEATS_NOTHING,
        }),
    }
}

/// The deepest nesting that is read. No tensor name needs more.
const MAX_DEPTH: usize = 100;

const NO_END: Fault = ("a `[` has no `]`", "add the `]`, or write `\\[` for the character");
const REPEATS_NOTHING: Fault = (
    "a repetition such as `*` has nothing before it",
    "write `.*` for any characters, or `\\*` for the character",
);
const BAD_ESCAPE: Fault =
    ("a `\\` is followed by nothing that it can escape", "write `\\\\` for the character, or remove it");
const BAD_RANGE: Fault = (
    "a range in `[...]` is not from a lower to a higher character",
    "write the lower character first, or `-` as the first character",
);
const BAD_COUNT: Fault = ("a `{` is not followed by a number and `}`", "write `\\{` for the character");
const BAD_GROUP: Fault =
    ("a `(?` is not followed by `:`, `=` or `!`", "write a group without a name or option");
const NO_GROUP: Fault = ("a `\\` with a number names no group before it", "remove it");
const NO_GROUP_END: Fault = ("a `(` has no `)`", "add the `)`, or write `\\(` for the character");
const TOO_DEEP: Fault = ("groups are nested too deeply", "remove groups");
const BAD_CLASS: Fault =
    ("the name in `[:...:]` is no class of characters", "write a class such as `[:digit:]`");

/// The names of character classes such as `[:digit:]`.
const CLASSES: [&[u8]; 15] = [
    b"d", b"w", b"s", b"alnum", b"alpha", b"blank", b"cntrl", b"digit", b"graph", b"lower", b"print",
    b"punct", b"space", b"upper", b"xdigit",
];

struct Parser<'p> {
    rest: &'p [u8],
    /// For each group so far: true if it has ended.
    groups: Vec<bool>,
}

type Parsed<T = ()> = Result<T, Fault>;

/// A part of a bracket expression.
enum Item {
    Char(u8),
    Class,
}

/// The part before a minus in a bracket expression.
#[derive(PartialEq, Eq)]
enum Last {
    /// Nothing, or a range.
    Nothing,
    Char(u8),
    Class,
}

impl Parser<'_> {
    fn take(&mut self, start: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(start);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn disjunction(&mut self, depth: usize) -> Parsed {
        if depth > MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        loop {
            while self.term(depth)? {}
            if !self.take(b"|") {
                return Ok(());
            }
        }
    }

    /// Reads an assertion, or an atom with its repetitions. False if there is none.
    fn term(&mut self, depth: usize) -> Parsed<bool> {
        if self.take(b"^") || self.take(b"$") || self.take(b"\\b") || self.take(b"\\B") {
            return Ok(true);
        }
        if self.take(b"(?=") || self.take(b"(?!") {
            self.group_end(depth)?;
            return Ok(true);
        }
        match self.rest.first() {
            None | Some(b'|' | b')' | b'*' | b'+' | b'?' | b'{') => return Ok(false),
            Some(b'(') => self.group(depth)?,
            Some(b'[') => self.bracket()?,
            Some(b'\\') => {
                self.rest = self.rest.get(1..).unwrap_or_default();
                self.escape()?;
            }
            Some(_) => self.rest = self.rest.get(1..).unwrap_or_default(),
        }
        while self.repetition()? {}
        Ok(true)
    }

    fn group(&mut self, depth: usize) -> Parsed {
        if self.take(b"(?:") {
            return self.group_end(depth);
        }
        if self.take(b"(?") {
            return Err(BAD_GROUP);
        }
        self.take(b"(");
        let number = self.groups.len();
        self.groups.push(false);
        self.group_end(depth)?;
        self.groups.get_mut(number).into_iter().for_each(|has_ended| *has_ended = true);
        Ok(())
    }

    fn group_end(&mut self, depth: usize) -> Parsed {
        self.disjunction(depth + 1)?;
        match self.rest.first() {
            Some(b')') => {
                self.take(b")");
                Ok(())
            }
            None => Err(NO_GROUP_END),
            Some(_) => Err(REPEATS_NOTHING),
        }
    }

    fn repetition(&mut self) -> Parsed<bool> {
        if self.take(b"{") {
            let digits = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
            let (number, rest) = self.rest.split_at_checked(digits).unwrap_or_default();
            let is_number = std::str::from_utf8(number).is_ok_and(|number| number.parse::<u16>().is_ok());
            self.rest = rest;
            if !is_number || !self.take(b"}") {
                return Err(BAD_COUNT);
            }
        } else if !(self.take(b"*") || self.take(b"+") || self.take(b"?")) {
            return Ok(false);
        }
        // Not greedy.
        self.take(b"?");
        Ok(true)
    }

    /// Reads the rest of an escape sequence.
    fn escape(&mut self) -> Parsed<Item> {
        let first = self.next().ok_or(BAD_ESCAPE)?;
        match first {
            b'd' | b'D' | b's' | b'S' | b'w' | b'W' => Ok(Item::Class),
            b'c' => self.next().map(Item::Char).ok_or(BAD_ESCAPE),
            b'x' | b'u' => {
                let digits = if first == b'x' { 2 } else { 4 };
                let (number, rest) = self.rest.split_at_checked(digits).ok_or(BAD_ESCAPE)?;
                self.rest = rest;
                let number = std::str::from_utf8(number)
                    .ok()
                    .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
                let code =
                    number.and_then(|number| u16::from_str_radix(number, 16).ok()).ok_or(BAD_ESCAPE)?;
                Ok(Item::Char(code.to_be_bytes()[1]))
            }
            b'0' => Ok(Item::Char(0)),
            b'1'..=b'9' => self.reference(first),
            other => Ok(Item::Char(unescaped(other))),
        }
    }

    /// Reads the rest of a reference to a group, which must have ended.
    fn reference(&mut self, first: u8) -> Parsed<Item> {
        let mut number = usize::from(first - b'0');
        while let Some(digit) = self.rest.first().filter(|b| b.is_ascii_digit()) {
            number = number.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
            self.next();
        }
        let is_known = self.groups.get(number - 1) == Some(&true);
        if is_known { Ok(Item::Class) } else { Err(NO_GROUP) }
    }

    fn bracket(&mut self) -> Parsed {
        self.take(b"[");
        self.take(b"^");
        let mut last = Last::Nothing;
        loop {
            if self.take(b"]") {
                return Ok(());
            }
            // A minus at the start, at the end, or after a range is a character.
            if self.rest.first() == Some(&b'-') && self.rest.get(1) != Some(&b']') && last != Last::Nothing {
                self.take(b"-");
                let Item::Char(high) = self.item()? else { return Err(BAD_RANGE) };
                match last {
                    // The engine compares signed bytes.
                    Last::Char(low) if low.cast_signed() <= high.cast_signed() => last = Last::Nothing,
                    Last::Char(_) | Last::Class | Last::Nothing => return Err(BAD_RANGE),
                }
                continue;
            }
            last = match self.item()? {
                Item::Char(c) => Last::Char(c),
                Item::Class => Last::Class,
            };
        }
    }

    fn item(&mut self) -> Parsed<Item> {
        match self.next().ok_or(NO_END)? {
            // No reference to a group.
            b'\\' if self.rest.first().is_some_and(|b| matches!(b, b'1'..=b'9')) => Err(BAD_ESCAPE),
            b'\\' => self.escape(),
            b'[' => match self.rest.first() {
                Some(kind @ (b':' | b'.' | b'=')) => self.named(*kind),
                _ => Ok(Item::Char(b'[')),
            },
            c => Ok(Item::Char(c)),
        }
    }

    /// Reads a class such as `[:digit:]`. Collating elements are refused, because tensor names need none.
    fn named(&mut self, kind: u8) -> Parsed<Item> {
        self.next();
        let end = self.rest.windows(2).position(|pair| pair == [kind, b']']).ok_or(NO_END)?;
        let (name, rest) = self.rest.split_at_checked(end).ok_or(NO_END)?;
        self.rest = rest.get(2..).unwrap_or_default();
        let is_known = kind == b':' && CLASSES.contains(&name.to_ascii_lowercase().as_slice());
        if is_known { Ok(Item::Class) } else { Err(BAD_CLASS) }
    }
}

fn unescaped(c: u8) -> u8 {
    match c {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => c,
    }
}
