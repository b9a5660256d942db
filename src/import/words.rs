//! Texts that know the line of each part, and splitting them into words.
//!
//! llama-swap splits a command with `shlex` of `billziss-gh/golib` 0.2, in its POSIX dialect. compose splits it with
//! `mattn/go-shellwords` 1.0.12. Neither expands variables.

use super::source::{At, Loss, Program, Server, Word};
use crate::syntax::yaml::Tree;

/// The maximum number of bytes of a command. Linux starts no longer one.
pub const MAX_COMMAND: usize = 4 << 20;

/// The ends of the names of variables with a secret.
const SECRETS: &[&str] = &["TOKEN", "KEY", "SECRET", "PASSWORD", "PASS"];

/// Options of llama.cpp with a secret.
const SECRET_OPTIONS: &[&str] = &["--api-key", "--hf-token", "-hft"];

/// True if the name of a variable shows that its value is a secret.
pub fn is_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    SECRETS.iter().any(|end| upper.ends_with(end)) || super::secret::is_secret_name(name)
}

/// True if a text uses a variable with a secret: `${NAME}` or `${env.NAME}`. Readers keep such variables as they are written.
pub fn uses_secret(text: &str) -> bool {
    let variables = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
    variables.map(|(name, _)| name).any(|name| {
        let name = name.strip_prefix("env.").unwrap_or(name);
        super::prefix::is_name(name) && is_secret(name)
    })
}

/// The report of a secret. `name` is the option or the variable that has it.
pub fn secret_loss(name: &str, at: At) -> Loss {
    let why = if matches!(name, "--api-key" | "LLAMA_API_KEY") {
        "a registry has no secrets: write a new key into a file, and name that file in `key-file`"
    } else {
        "a registry has no secrets: set it where the program runs"
    };
    Loss { what: name.to_owned(), at, why: why.to_owned() }
}

/// The text with `…` in place of each value whose name shows that it is a secret.
pub fn without_secrets(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        found.push_str(before);
        found.push('=');
        rest = after;
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = before.rsplit(|c: char| !is_part(c)).next().unwrap_or_default();
        if is_secret(name) {
            found.push('…');
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let end = match quote {
                Some(quote) => after.get(1..).and_then(|inner| inner.find(quote)).map(|at| at + 2),
                None => after.find(char::is_whitespace),
            };
            rest = end.and_then(|end| after.get(end..)).unwrap_or_default();
        }
    }
    found.push_str(rest);
    found
}

/// Removes the words and the variables of a server that have a secret, and reports them by name.
pub fn drop_secrets(server: &mut Server) {
    // The options of an engine are read later: those with a secret have their own report.
    let is_engine = match &server.program {
        Program::Path(program) => super::prefix::is_server(&program.text),
        Program::Image { .. } | Program::Gateway => true,
    };
    let mut kept: Vec<Word> = Vec::new();
    for word in std::mem::take(&mut server.args) {
        let before = kept.last().map_or("", |before| before.text.as_str());
        let is_variable = matches!(before, "-e" | "--env") && assigned(&word.text).is_some_and(is_secret);
        let is_value = SECRET_OPTIONS.contains(&before);
        let is_literal = !is_engine && (is_value || is_variable || has_literal(&word.text));
        if !is_literal && !uses_secret(&word.text) {
            kept.push(word);
            continue;
        }
        let is_option = |before: &mut Word| before.text.starts_with('-') && !before.text.contains('=');
        let option = kept.pop_if(|before| is_option(before) && (is_value || !word.text.starts_with('-')));
        let option = option.map(|option| option.text);
        let name = assigned(&word.text).map(str::to_owned).filter(|_| !is_value);
        server.losses.push(secret_loss(&name.or(option).unwrap_or(word.text), word.at));
    }
    server.args = kept;
    for (name, value) in std::mem::take(&mut server.env) {
        if is_secret(&name) || uses_secret(&value.text) {
            server.losses.push(secret_loss(&name, value.at));
        } else {
            server.env.push((name, value));
        }
    }
}

/// The name in a word such as `NAME=value`, `-eNAME=value`, `--env=NAME=value` or `--api-key=value`.
fn assigned(word: &str) -> Option<&str> {
    let variable = word.strip_prefix("--env=").or_else(|| word.strip_prefix("-e")).unwrap_or(word);
    variable.split_once('=').map(|(name, _)| name)
}

/// True for an option in one word with a secret.
fn has_literal(word: &str) -> bool {
    let is_option = |name: &str| SECRET_OPTIONS.contains(&name);
    let is_variable = word.starts_with("-e") || word.starts_with("--env=");
    assigned(word).is_some_and(|name| is_option(name) || (is_variable && is_secret(name)))
}

/// Removes secrets from the reports about a server.
pub fn hide_secrets(server: &mut Server) {
    let losses = server.losses.iter_mut().chain(&mut server.unreadable).map(|loss| &mut loss.what);
    let changes = server.changes.iter_mut().flat_map(|change| [&mut change.was, &mut change.is]);
    for text in losses.chain(changes).filter(|text| text.contains('=')) {
        *text = without_secrets(text);
    }
}

/// A text with the line of each part.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lined {
    text: String,
    /// The byte offsets at which a part begins, with its place. The first is 0.
    marks: Vec<(usize, At)>,
    /// True if a part is known only when the source runs.
    is_dynamic: bool,
}

impl Lined {
    /// A text that is on one line.
    pub fn new(text: impl Into<String>, at: At) -> Self {
        Self { text: text.into(), marks: vec![(0, at)], is_dynamic: false }
    }

    /// The text of a scalar. Empty for other values.
    pub fn of(tree: &Tree, file: usize) -> Self {
        let at = At { file, line: tree.line };
        let Some(scalar) = tree.scalar() else { return Self::new("", at) };
        let mut marks = vec![(0, at)];
        let lines = scalar.lines.iter().filter(|(from, _)| *from > 0);
        marks.extend(lines.map(|(from, line)| (*from, At { file, line: *line })));
        Self { text: scalar.text.clone(), marks, is_dynamic: false }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place of a byte.
    pub fn at(&self, offset: usize) -> At {
        let before = self.marks.partition_point(|(from, _)| *from <= offset);
        self.marks.get(before.saturating_sub(1)).map_or(At::default(), |(_, at)| *at)
    }

    /// The place of the first byte.
    pub fn start(&self) -> At {
        self.at(0)
    }

    /// Appends a text.
    pub fn push(&mut self, text: &str, at: At) {
        if text.is_empty() {
            return;
        }
        if self.text.is_empty() {
            self.marks = vec![(0, at)];
        } else if self.marks.last().is_none_or(|(_, last)| *last != at) {
            self.marks.push((self.text.len(), at));
        }
        self.text.push_str(text);
    }

    /// Appends a part of another text, with its lines.
    pub fn push_part(&mut self, other: &Self, range: std::ops::Range<usize>) {
        let mut from = range.start;
        while from < range.end {
            let next = other.marks.partition_point(|(start, _)| *start <= from);
            let to = other.marks.get(next).map_or(range.end, |(start, _)| (*start).min(range.end));
            self.push(other.text.get(from..to).unwrap_or_default(), other.at(from));
            from = to;
        }
    }

    /// A part of the text.
    #[must_use]
    pub fn part(&self, range: std::ops::Range<usize>) -> Self {
        let mut found = Self::new("", self.at(range.start));
        found.push_part(self, range);
        found.is_dynamic = self.is_dynamic;
        found
    }

    /// Replaces every `pattern`. The new text has the line of the pattern.
    #[must_use]
    pub fn replace(&self, pattern: &str, text: &str) -> Self {
        let mut found = Self::new("", self.start());
        found.is_dynamic = self.is_dynamic;
        let mut from = 0;
        for (at, _) in self.text.match_indices(pattern) {
            found.push_part(self, from..at);
            found.push(text, self.at(at));
            from = at + pattern.len();
        }
        found.push_part(self, from..self.text.len());
        found
    }

    /// Marks the text: a part of it is known only when the source runs.
    pub fn set_dynamic(&mut self) {
        self.is_dynamic = true;
    }

    /// The text as a word on its first line.
    pub fn word(&self) -> Word {
        Word { text: self.text.clone(), at: self.start(), is_dynamic: self.is_dynamic }
    }

    /// The text without the lines that begin with `#`.
    #[must_use]
    pub fn without_comments(&self) -> Self {
        self.map_lines(|line| if line.trim().starts_with('#') { Line::Skip } else { Line::Keep })
    }

    /// The text without comment lines, and with a blank for each backslash at the end of a line, as llama-swap does.
    #[must_use]
    pub fn without_continuations(&self) -> Self {
        self.map_lines(|line| match line.trim() {
            comment if comment.starts_with('#') => Line::Skip,
            continued if continued.ends_with('\\') => Line::Continued,
            _ => Line::Keep,
        })
    }

    fn map_lines(&self, kind: impl Fn(&str) -> Line) -> Self {
        let mut found = Self::new("", self.start());
        found.is_dynamic = self.is_dynamic;
        let (mut from, mut is_first) = (0, true);
        for line in self.text.split('\n') {
            let (to, kind) = (from + line.len(), kind(line));
            if !matches!(kind, Line::Skip) {
                if !std::mem::take(&mut is_first) {
                    found.push("\n", self.at(from));
                }
                let start = from
                    + if matches!(kind, Line::Continued) { line.len() - line.trim_start().len() } else { 0 };
                let cut =
                    if matches!(kind, Line::Continued) { line.len() - line.trim_end().len() + 1 } else { 0 };
                found.push_part(self, start..to - cut);
                if matches!(kind, Line::Continued) {
                    found.push(" ", self.at(to.saturating_sub(1)));
                }
            }
            from = to + 1;
        }
        found
    }
}

#[derive(Clone, Copy)]
enum Line {
    Keep,
    Skip,
    Continued,
}

/// A word that is being read.
struct WordBuilder<'a> {
    source: &'a Lined,
    words: Vec<Lined>,
    word: Option<Lined>,
}

impl WordBuilder<'_> {
    fn start(&mut self, at: usize) -> &mut Lined {
        let source = self.source;
        self.word.get_or_insert_with(|| {
            let mut word = Lined::new("", source.at(at));
            word.is_dynamic = source.is_dynamic;
            word
        })
    }

    fn push(&mut self, c: char, at: usize) {
        let place = self.source.at(at);
        self.start(at).push(c.encode_utf8(&mut [0; 4]), place);
    }

    fn finish(&mut self) {
        self.words.extend(self.word.take());
    }
}

/// Splits a command as llama-swap does. Quotes that are not closed end with the text.
pub fn split_posix(source: &Lined) -> Vec<Lined> {
    let mut builder = WordBuilder { source, words: Vec::new(), word: None };
    let mut quote = None;
    let mut chars = source.text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some('"'), '\\') if next.is_none_or(|next| "$`\"\\\n".contains(next)) => {
                chars.next();
                if let Some(next) = next.filter(|next| *next != '\n') {
                    builder.push(next, at);
                }
            }
            (None, '\\') => {
                chars.next();
                if let Some(next) = next.filter(|next| *next != '\n') {
                    builder.push(next, at);
                }
            }
            (None, '"' | '\'') => {
                quote = Some(c);
                builder.start(at);
            }
            (None, ' ' | '\t' | '\n') => builder.finish(),
            _ => builder.push(c, at),
        }
    }
    builder.finish();
    builder.words
}

/// The words of a command of compose, and the byte at which the command ends: compose drops the text from there on.
pub type ComposeWords = (Vec<Lined>, Option<usize>);

/// Splits a command as compose does. An error is the reason why compose refuses the command.
pub fn split_compose(source: &Lined) -> Result<ComposeWords, &'static str> {
    let mut builder = WordBuilder { source, words: Vec::new(), word: None };
    let mut quote = None;
    let mut chars = source.text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') | (Some('`'), '`') | (Some('('), ')') => {
                if matches!(c, '`' | ')') {
                    builder.push(c, at);
                }
                quote = None;
            }
            (None | Some('"' | '`' | '('), '\\') => {
                let Some((_, next)) = chars.next() else { return Err("a backslash ends it") };
                builder.push(
                    if next == 't' {
                        '\t'
                    } else if next == 'n' {
                        '\n'
                    } else {
                        next
                    },
                    at,
                );
            }
            (None, '\'' | '"') => {
                quote = Some(c);
                builder.start(at);
            }
            (None, '`') => {
                quote = Some(c);
                builder.push(c, at);
            }
            (None, '(') if builder.word.as_ref().is_some_and(|word| word.text.ends_with('$')) => {
                quote = Some('(');
                builder.push(c, at);
            }
            (None, '(' | ')') => return Err("a bracket needs quotes"),
            (None, ';' | '&' | '|' | '<' | '>') => {
                let is_descriptor = |word: &Lined| word.text.starts_with(|c: char| c.is_ascii_digit());
                if c == '>' && builder.word.as_ref().is_some_and(is_descriptor) {
                    builder.word = None;
                }
                builder.finish();
                return Ok((builder.words, Some(at)));
            }
            (None, ' ' | '\t' | '\r' | '\n') => builder.finish(),
            _ => builder.push(c, at),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed");
    }
    builder.finish();
    Ok((builder.words, None))
}
