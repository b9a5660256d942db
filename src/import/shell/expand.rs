//! Expands words: variables, defaults, arrays, tilde and braces; then splits unquoted values at blanks.

use super::braces_list::{self, Braces};
use super::lookup::Found;
use super::run::{Caller, Run, UNIT};
use super::variables::{MAX_LENGTH, Piece, Text, Value, Variable};
use super::words::{Expansion, Operation, Part, PartKind, Quotes, RawWord};
use super::{arithmetic, idioms};
use crate::import::source::{At, Word};

/// A part of an expanded word.
pub(super) struct Chunk {
    pieces: Vec<Piece>,
    at: At,
    /// True if blanks in it end a word.
    is_split: bool,
    /// True if it begins a new word: the next element of an array.
    is_next: bool,
    /// True if it makes a word even if it is empty.
    is_word: bool,
}

impl Chunk {
    fn new(text: Text, quotes: Quotes) -> Self {
        let is_split = quotes == Quotes::Outside;
        Self { at: text.at, pieces: text.pieces, is_split, is_next: false, is_word: !is_split }
    }
}

impl Run<'_, '_> {
    /// The words that a word becomes in a command.
    pub(super) fn fields(&mut self, word: &RawWord) -> Vec<Word> {
        let mut fields = Vec::new();
        let braces = if self.is_exhausted() { Braces::Dynamic } else { braces_list::expand(word) };
        match braces {
            Braces::None => self.add_fields(word, &mut fields),
            Braces::Dynamic => {
                self.spend(UNIT * braces_list::MAX_WORDS);
                self.add_fields(word, &mut fields);
                for field in &mut fields {
                    field.is_dynamic = true;
                }
            }
            Braces::Words(words) => {
                for word in &words {
                    self.add_fields(word, &mut fields);
                }
            }
        }
        fields
    }

    fn add_fields(&mut self, word: &RawWord, fields: &mut Vec<Word>) {
        let has_glob = word.parts.iter().any(is_glob);
        let chunks = self.chunks(word, 0);
        let before = fields.len();
        split(chunks, fields);
        for field in fields.iter_mut().skip(before) {
            // A pattern that matches no file stays as it is, so only patterns of paths are files.
            let is_pattern =
                field.text.contains('/') || field.text.starts_with('*') || field.text.contains(".gguf");
            let is_file = has_glob && is_pattern && !field.text.contains("://");
            field.is_dynamic |= is_file;
        }
        self.spend(fields.iter().skip(before).map(|field| field.text.len() + UNIT).sum());
    }

    /// The text of a word in an assignment: it is not split.
    pub(super) fn value(&mut self, word: &RawWord) -> Text {
        let mut text = Text { pieces: Vec::new(), at: word.at };
        for chunk in self.chunks(word, 0) {
            let blank = Piece { text: " ".to_owned(), is_dynamic: false };
            let space = (chunk.is_next && !text.pieces.is_empty()).then_some(blank);
            space.into_iter().chain(chunk.pieces).for_each(|piece| text.add(piece));
        }
        self.spend(text.len());
        if text.len() > MAX_LENGTH {
            let start: String = word.written().chars().take(100).collect();
            return Text::dynamic(start, word.at);
        }
        text
    }

    fn chunks(&mut self, word: &RawWord, depth: usize) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for (n, part) in word.parts.iter().enumerate() {
            if n == 0
                && depth == 0
                && let Some(chunk) = self.tilde(part, word)
            {
                chunks.push(chunk);
                continue;
            }
            self.part(part, word.at, depth, &mut chunks);
        }
        chunks
    }

    /// `~` and `~/…` at the start of a word.
    fn tilde(&self, part: &Part, word: &RawWord) -> Option<Chunk> {
        let is_text = matches!(part.kind, PartKind::Text) && !part.is_quoted;
        let rest = part.written.strip_prefix('~').filter(|_| is_text)?;
        let is_home = rest.starts_with('/') || (rest.is_empty() && word.parts.len() == 1);
        let text = match self.reader.around.variable("HOME").filter(|_| is_home) {
            Some(home) => Text::known(format!("{home}{rest}"), word.at),
            None => Text::dynamic(part.written.clone(), word.at),
        };
        Some(Chunk { is_word: true, ..Chunk::new(text, Quotes::Inside) })
    }

    fn part(&mut self, part: &Part, at: At, depth: usize, chunks: &mut Vec<Chunk>) {
        let text = match &part.kind {
            PartKind::Text => Text::known(part.written.clone(), at),
            PartKind::Variable(expansion) => return self.variable(expansion, part, at, (depth, chunks)),
            PartKind::Arithmetic(expression) => self.arithmetic(expression, part, at),
            PartKind::Command(command) => self.command_output(command, part, at),
            PartKind::Other => Text::dynamic(part.written.clone(), at),
        };
        chunks.push(Chunk::new(text, Quotes::Inside));
    }

    fn arithmetic(&mut self, expression: &str, part: &Part, at: At) -> Text {
        let number = |name: &str| self.known_text(name)?.trim().parse().ok();
        match arithmetic::evaluate(expression, &number) {
            Some(number) => Text::known(number.to_string(), at),
            None => Text::dynamic(part.written.clone(), at),
        }
    }

    /// The text of a parameter, if all of it is known.
    pub(super) fn known_text(&self, name: &str) -> Option<String> {
        let positional = name.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        match (positional, &self.caller) {
            (Some(n), Caller::Known(words)) => words.get(n)?.if_known(),
            (Some(_), Caller::Unknown { .. }) => None,
            (None, _) => match &self.variables.get(name)?.value {
                Value::Text(text) => text.if_known(),
                Value::List(_) | Value::Unknown => None,
            },
        }
    }

    fn command_output(&mut self, command: &str, part: &Part, at: At) -> Text {
        let folder = idioms::is_folder_of_script(command).then(|| self.folder_of_script()).flatten();
        match folder.or_else(|| idioms::searched_program(command)) {
            Some(text) => Text::known(text, at),
            None => Text::dynamic(part.written.clone(), at),
        }
    }

    fn variable(
        &mut self,
        expansion: &Expansion,
        part: &Part,
        at: At,
        (depth, chunks): (usize, &mut Vec<Chunk>),
    ) {
        let quotes = if part.is_quoted { Quotes::Inside } else { Quotes::Outside };
        let unknown = || Chunk::new(Text::dynamic(part.written.clone(), at), Quotes::Inside);
        let found = if self.is_exhausted() { Found::Unknown } else { self.find(expansion, part, at) };
        self.spend(UNIT + found.size());
        let found = match (&expansion.operation, found) {
            (Operation::Test { .. }, found) => match self.replacement(expansion, part, (depth, at), found) {
                Ok(found) => found,
                Err(replacement) => return chunks.extend(replacement),
            },
            (Operation::Trim { .. }, Found::Text(text)) => self.trim(expansion, &text),
            (Operation::Length, Found::Text(text)) => text.if_known().map_or(Found::Unknown, |text| {
                Found::Text(Text::known(text.chars().count().to_string(), at))
            }),
            (Operation::Length, Found::List(list)) => Found::Text(Text::known(list.len().to_string(), at)),
            (Operation::From(first), Found::List(list)) => {
                // Parameters begin at 1: 0 is the script.
                let is_parameter = expansion.index.is_none();
                match (is_parameter, first.checked_sub(1)) {
                    (false, _) => Found::List(list.into_iter().skip(*first).collect()),
                    (true, Some(before)) => Found::List(list.into_iter().skip(before).collect()),
                    (true, None) => Found::Unknown,
                }
            }
            (Operation::Plain, found) => found,
            _ => Found::Unknown,
        };
        match found {
            Found::Unset | Found::Unknown => chunks.push(unknown()),
            Found::Text(text)
                if !text.pieces.is_empty() && text.pieces.iter().all(|piece| piece.is_dynamic) =>
            {
                chunks.push(unknown());
            }
            Found::Text(text) => chunks.push(Chunk::new(text, quotes)),
            Found::List(list) if part.is_quoted && is_joined(expansion) => {
                chunks.push(Chunk::new(joined(list, at), quotes));
            }
            Found::List(list) => {
                for (n, text) in list.into_iter().enumerate() {
                    chunks.push(Chunk { is_next: n > 0, ..Chunk::new(text, quotes) });
                }
            }
        }
    }

    /// `:-`, `:=`, `:?` and `:+`. `Err` has the parts of the word that replaces the value.
    fn replacement(
        &mut self,
        expansion: &Expansion,
        part: &Part,
        (depth, at): (usize, At),
        found: Found,
    ) -> Result<Found, Vec<Chunk>> {
        let Operation::Test { operator, is_colon, word } = &expansion.operation else { return Ok(found) };
        let is_empty = match &found {
            Found::Unset => true,
            Found::Text(text) => *is_colon && text.len() == 0 && !text.is_dynamic(),
            Found::List(list) => list.is_empty(),
            Found::Unknown => return Ok(found),
        };
        let is_unset = matches!(found, Found::Unset);
        let name = expansion.name.as_str();
        if is_unset && *operator != '?' {
            let value = if *operator == '+' { String::new() } else { word.written() };
            let caller = if name.parse::<usize>().is_ok() {
                "an argument of the caller"
            } else {
                "the environment of the caller"
            };
            let why = format!("the default `{value}` is imported; {caller} can change it");
            let sign = if name.parse::<usize>().is_ok() { "$" } else { "" };
            self.note(format!("{sign}{name}: {}", part.written), at, why);
        }
        let is_replaced = match operator {
            '+' if is_empty => return Ok(Found::Text(Text::known("", at))),
            '+' => true,
            '?' => return Ok(if is_unset { Found::Unset } else { found }),
            _ => is_empty,
        };
        if !is_replaced || depth > 16 {
            return Ok(if depth > 16 { Found::Unknown } else { found });
        }
        let mut chunks = Vec::new();
        for inner in &word.parts {
            self.part(inner, at, depth + 1, &mut chunks);
        }
        if !part.is_quoted {
            chunks.iter_mut().zip(&word.parts).for_each(|(chunk, inner)| chunk.is_split |= !inner.is_quoted);
        } else if chunks.is_empty() {
            chunks.push(Chunk::new(Text::known("", at), Quotes::Inside));
        }
        if *operator == '=' && crate::import::prefix::is_name(name) {
            let text = self.value(word);
            self.assign(name, Variable::text(text));
        }
        Err(chunks)
    }

    fn trim(&mut self, expansion: &Expansion, text: &Text) -> Found {
        let Operation::Trim { is_suffix, is_longest, pattern } = &expansion.operation else {
            return Found::Unknown;
        };
        let pattern_text = self.value(pattern).if_known();
        let trimmed = match (text.if_known(), pattern_text) {
            (Some(text), Some(pattern)) => {
                idioms::trim(&text, &pattern, idioms::Trim { is_suffix: *is_suffix, is_longest: *is_longest })
            }
            _ => None,
        };
        trimmed.map_or(Found::Unknown, |trimmed| Found::Text(Text::known(trimmed, text.at)))
    }
}

/// True for `$*` and `${X[*]}`.
fn is_joined(expansion: &Expansion) -> bool {
    expansion.name == "*" || expansion.index.as_deref() == Some("*")
}

/// Texts with blanks between them.
fn joined(list: Vec<Text>, at: At) -> Text {
    let mut all = Text { pieces: Vec::new(), at };
    for (n, text) in list.into_iter().enumerate() {
        let blank = (n > 0).then(|| Piece { text: " ".to_owned(), is_dynamic: false });
        blank.into_iter().chain(text.pieces).for_each(|piece| all.add(piece));
    }
    all
}

fn is_glob(part: &Part) -> bool {
    let is_plain = matches!(part.kind, PartKind::Text) && !part.is_quoted;
    is_plain
        && (part.written.contains(['*', '?']) || (part.written.contains('[') && part.written.contains(']')))
}

/// Splits the parts of a word into words.
fn split(chunks: Vec<Chunk>, fields: &mut Vec<Word>) {
    let mut current: Option<Word> = None;
    for chunk in chunks {
        if chunk.is_next {
            fields.extend(current.take());
        }
        if chunk.is_word {
            current.get_or_insert_with(|| Word::new("", chunk.at));
        }
        for piece in chunk.pieces {
            if piece.is_dynamic || !chunk.is_split {
                let word = current.get_or_insert_with(|| Word::new("", chunk.at));
                word.text.push_str(&piece.text);
                word.is_dynamic |= piece.is_dynamic;
                continue;
            }
            for (n, text) in piece.text.split([' ', '\t', '\n']).enumerate() {
                if n > 0 {
                    fields.extend(current.take());
                }
                if !text.is_empty() {
                    current.get_or_insert_with(|| Word::new("", chunk.at)).text.push_str(text);
                }
            }
        }
    }
    fields.extend(current);
}
