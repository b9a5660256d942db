//! `.env` and the files of `env_file` (`dotenv/parser.go` of compose-go, July 2026).

use super::interpolate::{Lookup, interpolate};
use crate::import::source::{At, Loss, Word};
use crate::import::words::Lined;
use std::collections::BTreeMap;

/// The variables of a file, in its order, with the lines that cannot be read.
#[derive(Default)]
pub(super) struct EnvFile {
    pub(super) variables: Vec<(String, Word)>,
    pub(super) losses: Vec<Loss>,
}

/// Reads a file. Values use variables from `lookup`, or from the lines above.
pub(super) fn read(text: &str, file: usize, lookup: Lookup<'_>) -> EnvFile {
    let mut reader = DotenvReader {
        text,
        at: 0,
        line: 1,
        file,
        lookup,
        known: BTreeMap::new(),
        found: EnvFile::default(),
    };
    while reader.statement() {}
    reader.found
}

/// Reads a file with `format: raw`: no quotes, no variables.
pub(super) fn read_raw(text: &str, file: usize) -> EnvFile {
    let mut found = EnvFile::default();
    for (line, text) in (1..).zip(text.lines()) {
        let at = At { file, line };
        if text.trim().is_empty() || text.trim_start().starts_with('#') {
            continue;
        }
        match text.split_once('=') {
            Some((name, value)) => found.variables.push((name.trim().to_owned(), Word::new(value, at))),
            None => found.losses.push(lost(text, at, "it has no `=`")),
        }
    }
    found
}

struct DotenvReader<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    file: usize,
    lookup: Lookup<'a>,
    known: BTreeMap<String, String>,
    found: EnvFile,
}

impl<'a> DotenvReader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        let passed = self.rest().get(..bytes).unwrap_or_else(|| self.rest()).matches('\n').count();
        self.line += u32::try_from(passed).unwrap_or(u32::MAX);
        self.at += bytes;
    }

    /// Reads a statement. False at the end of the file.
    fn statement(&mut self) -> bool {
        let rest = self.rest();
        let blank = rest.len() - rest.trim_start().len();
        self.advance(blank);
        let (place, rest) = (At { file: self.file, line: self.line }, self.rest());
        if rest.is_empty() {
            return false;
        }
        let line = rest.lines().next().unwrap_or_default();
        if line.starts_with('#') {
            self.advance(line.len());
            return true;
        }
        let exported = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
        let declaration = exported.map_or(line, str::trim_start);
        let skipped = line.len() - declaration.len();
        let Some(end) = declaration.find(['=', ':']) else {
            self.advance(line.len());
            self.inherited(declaration.trim(), place);
            return true;
        };
        let name = declaration.get(..end).unwrap_or_default().trim();
        let is_name = |c: char| c.is_alphanumeric() || "_.-[]".contains(c);
        if name.is_empty() || !name.chars().all(is_name) {
            self.advance(line.len());
            self.found.losses.push(lost(
                name,
                place,
                "it is no name of a variable, so compose refuses the file",
            ));
            return true;
        }
        self.advance(skipped + end + 1);
        let rest = self.rest();
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
        self.advance(blank);
        self.value(name, place);
        true
    }

    /// A name without a value has the value of the environment.
    fn inherited(&mut self, name: &str, place: At) {
        match (self.lookup)(name) {
            Some(value) => self.add(name, Word::new(value, place)),
            None => self.found.losses.push(lost(
                name,
                place,
                "it has no value, and it is not set in the environment",
            )),
        }
    }

    fn value(&mut self, name: &str, place: At) {
        let quote = self.rest().chars().next().filter(|c| matches!(c, '"' | '\''));
        let Some(quote) = quote else {
            let line = self.rest().lines().next().unwrap_or_default();
            let (length, value) =
                (line.len(), line.split(" #").next().unwrap_or_default().trim_end().to_owned());
            self.advance(length);
            return self.interpolated(name, &value, place);
        };
        let Some((length, text)) = quoted(self.rest(), quote) else {
            let length = self.rest().lines().next().map_or(0, str::len);
            self.advance(length);
            self.found.losses.push(lost(name, place, "its quote is not closed, so compose refuses the file"));
            return;
        };
        self.advance(length);
        if quote == '"' {
            self.interpolated(name, &escaped(&text), place);
        } else {
            self.add(name, Word::new(text, place));
        }
    }

    fn interpolated(&mut self, name: &str, value: &str, place: At) {
        let known = |name: &str| {
            let value = (self.lookup)(name).or_else(|| self.known.get(name).cloned());
            value.map(|value| super::without_secret(name, value))
        };
        let value = interpolate(&Lined::new(value, place), &known, &mut self.found.losses).word();
        self.add(name, value);
    }

    fn add(&mut self, name: &str, value: Word) {
        self.known.insert(name.to_owned(), value.text.clone());
        self.found.variables.push((name.to_owned(), value));
    }
}

/// A value in quotes: its length with the quotes, and its text. Only an escaped quote is replaced.
fn quoted(text: &str, quote: char) -> Option<(usize, String)> {
    let mut found = String::new();
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return Some((at + 1, found));
        }
        if c == '\\' && !is_escaped {
            is_escaped = true;
            continue;
        }
        if std::mem::take(&mut is_escaped) && c != quote {
            found.push('\\');
        }
        found.push(c);
    }
    None
}

/// The escapes of double quotes. An escaped dollar becomes `$$`, which is a dollar after interpolation.
fn escaped(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escape = chars.peek().copied().filter(|_| c == '\\');
        let replacement = match escape {
            Some('n') => "\n",
            Some('r') => "\r",
            Some('t') => "\t",
            Some('a') => "\u{7}",
            Some('b') => "\u{8}",
            Some('f') => "\u{c}",
            Some('v') => "\u{b}",
            Some('$') => "$$",
            Some('"') => "\"",
            Some('\\') => "\\",
            _ => {
                found.push(c);
                continue;
            }
        };
        found.push_str(replacement);
        chars.next();
    }
    found
}

fn lost(name: &str, at: At, why: &str) -> Loss {
    let what: String = name.chars().take(100).collect();
    Loss { what, at, why: why.to_owned() }
}
