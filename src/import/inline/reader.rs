//! Reads the commands of a script one by one, with quotes, variables and redirections.

use crate::import::prefix::{assignment, is_name};
use crate::import::source::{At, Word};
use crate::import::words::Lined;
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of bytes that variables insert.
const MAX_INSERTED: usize = 1 << 20;

/// A simple command.
pub(super) struct Command {
    /// The words.
    pub(super) words: Vec<Lined>,
    /// Redirections such as `> /dev/null`.
    pub(super) redirections: Vec<Lined>,
    /// The command as written.
    pub(super) written: String,
    /// The first line.
    pub(super) at: At,
    /// A pipe or `&` after the command.
    pub(super) unsupported_end: Option<Lined>,
}

impl Command {
    /// The first word. Empty if there is none.
    pub(super) fn first(&self) -> &str {
        self.words.first().map_or("", Lined::text)
    }
}

/// A script that is being read.
pub(super) struct ScriptReader<'a> {
    source: &'a Lined,
    at: usize,
    inserted: usize,
    /// The known variables.
    pub(super) variables: BTreeMap<String, Word>,
    /// The names of the known variables that the script uses.
    pub(super) used: BTreeSet<String>,
    /// True if a file was read that may have set any variable.
    pub(super) is_tainted: bool,
}

/// The value of a variable or of another expansion.
struct Expansion {
    text: String,
    is_dynamic: bool,
}

impl<'a> ScriptReader<'a> {
    /// A reader at the start of a script.
    pub(super) fn new(source: &'a Lined, positional: &[Word], env: &[(String, Word)]) -> Self {
        let numbered = positional.iter().enumerate().map(|(at, word)| (at.to_string(), word.clone()));
        let variables = env.iter().cloned().chain(numbered).collect();
        Self { source, at: 0, inserted: 0, variables, used: BTreeSet::new(), is_tainted: false }
    }

    /// The text that is not read yet.
    pub(super) fn rest(&self) -> Lined {
        self.source.part(self.at..self.source.text().len())
    }

    /// The next command. An error is the reason why the script cannot be read.
    pub(super) fn next_command(&mut self) -> Result<Option<Command>, &'static str> {
        loop {
            self.skip(|c| matches!(c, ' ' | '\t' | '\n' | ';'));
            if self.peek() != Some('#') {
                break;
            }
            self.skip(|c| c != '\n');
        }
        if self.peek().is_none() {
            return Ok(None);
        }
        let start = self.at;
        let mut command = Command {
            words: Vec::new(),
            redirections: Vec::new(),
            written: String::new(),
            at: self.source.at(start),
            unsupported_end: None,
        };
        let end = self.command_body(&mut command)?;
        command.written = self.source.text().get(start..end).unwrap_or_default().to_owned();
        Ok(Some(command))
    }

    /// Reads up to the end of a command, and returns the end of its text.
    fn command_body(&mut self, command: &mut Command) -> Result<usize, &'static str> {
        loop {
            self.skip(|c| matches!(c, ' ' | '\t'));
            let at = self.at;
            match self.peek() {
                None => return Ok(at),
                Some('#') => self.skip(|c| c != '\n'),
                Some('\n' | ';') => {
                    self.bump();
                    return Ok(at);
                }
                Some('&') if self.starts_with("&>") => self.redirection(command, at)?,
                Some('&' | '|') => {
                    let is_double = self.starts_with("&&") || self.starts_with("||");
                    self.at += if is_double { 2 } else { 1 };
                    if !is_double {
                        command.unsupported_end = Some(self.source.part(at..at + 1));
                    }
                    return Ok(at);
                }
                Some('<' | '>') => self.redirection(command, at)?,
                Some(_) => self.word(command)?,
            }
        }
    }

    fn redirection(&mut self, command: &mut Command, from: usize) -> Result<(), &'static str> {
        if self.starts_with("<<") {
            return Err("it has a here-document");
        }
        self.skip(|c| matches!(c, '<' | '>' | '&' | '|'));
        self.skip(|c| matches!(c, ' ' | '\t'));
        let mut target = Command {
            words: Vec::new(),
            redirections: Vec::new(),
            written: String::new(),
            at: command.at,
            unsupported_end: None,
        };
        if !matches!(self.peek(), None | Some('\n' | ';' | '&' | '|' | '<' | '>')) {
            self.word(&mut target)?;
        }
        command.redirections.push(self.source.part(from..self.at));
        Ok(())
    }

    /// Reads a word. Variables without quotes can make several words of it, or none.
    fn word(&mut self, command: &mut Command) -> Result<(), &'static str> {
        let from = self.at;
        let mut word: Option<Lined> = None;
        while let Some(c) = self.peek() {
            let at = self.at;
            let start = Lined::new("", self.source.at(at));
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' => break,
                '<' | '>' => {
                    let written = self.source.text().get(from..at).unwrap_or_default();
                    if !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit()) {
                        return self.redirection(command, from);
                    }
                    break;
                }
                '(' | ')' => return Err("it has brackets: a subshell, a function or an array"),
                '$' | '`' => {
                    let is_assignment = command.words.iter().all(|word| assignment(&word.word()).is_some())
                        && word.as_ref().is_some_and(|word| assignment(&word.word()).is_some());
                    let expansion = self.expansion()?;
                    let place = self.source.at(at);
                    if is_assignment || expansion.is_dynamic {
                        append(word.get_or_insert(start), &expansion, place);
                    } else {
                        split(&expansion.text, place, &mut word, &mut command.words);
                    }
                }
                '\'' | '"' | '\\' => self.quoted(c, word.get_or_insert(start))?,
                c => {
                    self.bump();
                    let place = self.source.at(at);
                    word.get_or_insert(start).push(c.encode_utf8(&mut [0; 4]), place);
                }
            }
        }
        command.words.extend(word);
        Ok(())
    }

    /// Reads a text in quotes, or a character after a backslash.
    fn quoted(&mut self, quote: char, word: &mut Lined) -> Result<(), &'static str> {
        self.bump();
        if quote == '\\' {
            let at = self.at;
            if let Some(c) = self.bump().filter(|c| *c != '\n') {
                word.push(c.encode_utf8(&mut [0; 4]), self.source.at(at));
            }
            return Ok(());
        }
        loop {
            let at = self.at;
            let Some(c) = self.peek() else { return Err("a quote is not closed") };
            match c {
                c if c == quote => {
                    self.bump();
                    return Ok(());
                }
                '$' | '`' if quote == '"' => {
                    let expansion = self.expansion()?;
                    append(word, &expansion, self.source.at(at));
                }
                _ => {
                    self.bump();
                    let escaped =
                        self.peek().filter(|next| c == '\\' && quote == '"' && "$`\"\\\n".contains(*next));
                    let c = if escaped.is_some() { self.bump() } else { Some(c) };
                    if let Some(c) = c.filter(|c| escaped.is_none() || *c != '\n') {
                        word.push(c.encode_utf8(&mut [0; 4]), self.source.at(at));
                    }
                }
            }
        }
    }

    /// Reads a variable or a command substitution.
    fn expansion(&mut self) -> Result<Expansion, &'static str> {
        let from = self.at;
        let rest = self.source.text().get(from..).unwrap_or_default();
        let length = expansion_length(rest).ok_or("an expansion is not closed")?;
        self.at += length;
        let written = rest.get(..length).unwrap_or_default();
        let found = self.value(written).unwrap_or_else(|| {
            // A dollar alone is a text.
            Expansion { text: written.to_owned(), is_dynamic: written != "$" }
        });
        self.inserted += found.text.len();
        if self.inserted > MAX_INSERTED {
            return Err("its variables are too long");
        }
        Ok(found)
    }

    /// The value of `$NAME`, `${NAME}` or `${NAME:-default}`.
    fn value(&mut self, written: &str) -> Option<Expansion> {
        let inner = written.strip_prefix('$')?;
        let inner = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(inner);
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let (name, operator) = inner.split_at(end);
        if !is_name(name) && name.parse::<u8>().is_err() {
            return None;
        }
        let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
        if !operator.is_empty() && default.is_none() {
            return None;
        }
        let known = self.variables.get(name).cloned();
        if known.is_some() {
            self.used.insert(name.to_owned());
        }
        let is_usable = |word: &Word| default.is_none() || !word.text.is_empty() || operator.starts_with('-');
        if let Some(word) = known.filter(is_usable) {
            return Some(Expansion { is_dynamic: word.is_dynamic, text: word.text });
        }
        let default =
            default.filter(|text| !self.is_tainted && !text.contains(['$', '`', '"', '\'', '\\']))?;
        Some(Expansion { text: default.to_owned(), is_dynamic: false })
    }

    fn peek(&self) -> Option<char> {
        self.source.text().get(self.at..).and_then(|rest| rest.chars().next())
    }

    fn starts_with(&self, text: &str) -> bool {
        self.source.text().get(self.at..).is_some_and(|rest| rest.starts_with(text))
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&is_skipped) {
            self.bump();
        }
    }
}

/// The length of an expansion at the start of a text. `None` if it is not closed.
fn expansion_length(text: &str) -> Option<usize> {
    let rest = text.get(1..)?;
    if text.starts_with('`') {
        return Some(rest.find('`')? + 2);
    }
    let (open, close) = match rest.chars().next() {
        Some('(') => ('(', ')'),
        Some('{') => ('{', '}'),
        Some(c) if "@*#?$!-0123456789".contains(c) => return Some(2),
        _ => {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            return Some(1 + end);
        }
    };
    let mut depth = 0usize;
    for (at, c) in rest.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(1 + at + c.len_utf8());
            }
        }
    }
    None
}

fn append(word: &mut Lined, expansion: &Expansion, at: At) {
    word.push(&expansion.text, at);
    if expansion.is_dynamic {
        word.set_dynamic();
    }
}

/// Splits the value of a variable without quotes at blanks.
fn split(text: &str, at: At, word: &mut Option<Lined>, words: &mut Vec<Lined>) {
    let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n');
    for (n, part) in text.split(is_blank).enumerate() {
        if n > 0 {
            words.extend(word.take());
        }
        if !part.is_empty() {
            word.get_or_insert_with(|| Lined::new("", at)).push(part, at);
        }
    }
}
