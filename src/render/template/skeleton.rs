//! Skeletons: rendered files with placeholders instead of texts. Thousands of files differ only in their texts, so each
//! distinct skeleton is rendered once, and then filled with the quoted texts of each file.
//!
//! A view contains the values that the template branches on, and a [`Placeholder`] for every text. Equal views share
//! one skeleton. Templates do not need to support this: a filter writes its quoting into the placeholder, and the
//! quoting is applied when the text is filled in.

use super::super::artifact::RenderError;
use super::super::quote;
use super::{Template, Templates};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The delimiter before and after a placeholder. Templates and texts of a registry never contain it.
const DELIMITER: char = '\0';
/// The maximum number of cached skeletons per template. No realistic registry has more.
const MAX_SKELETONS: usize = 1024;

/// How a text is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::render) enum Quoting {
    Safe,
    Shell,
    SystemdWord,
    Program,
    Value,
    Path,
    Cell,
    Prose,
    Code,
    Line,
    /// [`PackedLines`] in a script, one line each.
    Lines,
    /// [`PackedLines`] in a unit, one line each.
    Continued,
}

/// The letter that represents each quoting in a placeholder.
const LETTERS: &[(char, Quoting)] = &[
    ('f', Quoting::Safe),
    ('s', Quoting::Shell),
    ('w', Quoting::SystemdWord),
    ('g', Quoting::Program),
    ('v', Quoting::Value),
    ('p', Quoting::Path),
    ('c', Quoting::Cell),
    ('t', Quoting::Prose),
    ('d', Quoting::Code),
    ('l', Quoting::Line),
    ('n', Quoting::Lines),
    ('u', Quoting::Continued),
];
/// The letter between the placeholders of a variable and its value.
const ASSIGNMENT: char = 'a';

/// The number of a text in [`PlaceholderTexts`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::render) struct Placeholder(usize);

/// The texts of one file, in the order of their placeholders.
pub(in crate::render) struct PlaceholderTexts<'t>(Vec<Cow<'t, str>>);

/// Words with their line breaks, packed into one string.
pub(in crate::render) struct PackedLines(String);

/// The skeletons of one template by view.
pub(in crate::render) struct SkeletonCache<V> {
    template: &'static Template,
    skeletons: RwLock<BTreeMap<V, Arc<Skeleton>>>,
}

/// A rendered file without its texts.
struct Skeleton {
    text: String,
    /// The offsets in the text to fill in, in order.
    placeholders: Vec<(usize, PlaceholderKind)>,
}

#[derive(Clone, Copy)]
enum PlaceholderKind {
    Text(usize, Quoting),
    Assignment(usize, usize),
}

impl Quoting {
    /// Appends the quoted text.
    pub(in crate::render) fn push(self, out: &mut String, text: &str) {
        out.push_str(&match self {
            Self::Safe => Cow::Borrowed(text),
            Self::Shell => quote::shell(text),
            Self::SystemdWord => quote::systemd_word(text),
            Self::Program => quote::systemd_program(text),
            Self::Value => quote::systemd_value(text),
            Self::Path => quote::systemd_path(text),
            Self::Cell => quote::markdown_cell(text),
            Self::Prose => quote::markdown_text(text),
            Self::Code => Cow::Owned(quote::markdown_code(text)),
            Self::Line => quote::line(text),
            Self::Lines => return push_lines(out, text, "\n  ", Self::Shell),
            Self::Continued => return push_lines(out, text, " \\\n    ", Self::SystemdWord),
        });
    }

    /// The quoted text. For a placeholder: the placeholder with the letter of this quoting.
    pub(in crate::render) fn of(self, text: &str) -> String {
        let mut out = String::new();
        match text.strip_prefix(DELIMITER).and_then(|rest| rest.strip_suffix(DELIMITER)) {
            Some(number) => {
                let letter = LETTERS.iter().find(|(_, quoting)| *quoting == self).map(|(letter, _)| *letter);
                out.extend([DELIMITER]);
                out.push_str(number);
                out.extend(letter);
                out.extend([DELIMITER]);
            }
            None => self.push(&mut out, text),
        }
        out
    }
}

/// An entry of `Environment=`. For two placeholders: a combined placeholder.
pub(in crate::render) fn assignment(name: &str, value: &str) -> String {
    let number =
        |text: &str| -> Option<usize> { text.strip_prefix(DELIMITER)?.strip_suffix(DELIMITER)?.parse().ok() };
    match (number(name), number(value)) {
        (Some(name), Some(value)) => format!("{DELIMITER}{name}{ASSIGNMENT}{value}{DELIMITER}"),
        _ => quote::systemd_assignment(name, value),
    }
}

fn push_lines(out: &mut String, packed: &str, line_start: &str, quoting: Quoting) {
    for word in packed.split_terminator(DELIMITER) {
        match word.strip_prefix('\n') {
            Some(word) => {
                out.push_str(line_start);
                quoting.push(out, word);
            }
            // The first character is the space before the word.
            None => {
                out.push(' ');
                quoting.push(out, word.get(1..).unwrap_or_default());
            }
        }
    }
}

impl Serialize for Placeholder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{DELIMITER}{}{DELIMITER}", self.0))
    }
}

impl Default for PlaceholderTexts<'_> {
    fn default() -> Self {
        Self(Vec::with_capacity(32))
    }
}

impl<'t> PlaceholderTexts<'t> {
    /// Adds a text.
    pub(in crate::render) fn placeholder(&mut self, text: impl Into<Cow<'t, str>>) -> Placeholder {
        self.0.push(text.into());
        Placeholder(self.0.len() - 1)
    }

    /// Adds a text, unless it is missing or empty.
    pub(in crate::render) fn optional<T: Into<Cow<'t, str>>>(
        &mut self,
        text: Option<T>,
    ) -> Option<Placeholder> {
        text.map(Into::into).filter(|text| !text.is_empty()).map(|text| self.placeholder(text))
    }

    /// Adds a list of texts.
    pub(in crate::render) fn list<T: Into<Cow<'t, str>>>(
        &mut self,
        texts: impl IntoIterator<Item = T>,
    ) -> Vec<Placeholder> {
        texts.into_iter().map(|text| self.placeholder(text)).collect()
    }

    /// Adds pairs of variables and values.
    pub(in crate::render) fn pairs<T: AsRef<str>>(
        &mut self,
        pairs: &'t [(T, T)],
    ) -> Vec<(Placeholder, Placeholder)> {
        pairs
            .iter()
            .map(|(name, value)| (self.placeholder(name.as_ref()), self.placeholder(value.as_ref())))
            .collect()
    }

    fn get(&self, number: usize) -> &str {
        self.0.get(number).map_or("", |text| text)
    }
}

impl Default for PackedLines {
    fn default() -> Self {
        Self(String::with_capacity(512))
    }
}

impl PackedLines {
    /// Adds a word on a new line.
    pub(in crate::render) fn start_line(&mut self, word: &str) {
        self.add("\n", word);
    }

    /// Adds a word to the current line.
    pub(in crate::render) fn push_word(&mut self, word: &str) {
        self.add(if self.0.is_empty() { "\n" } else { " " }, word);
    }

    fn add(&mut self, before: &str, word: &str) {
        self.0.push_str(before);
        self.0.push_str(word);
        self.0.push(DELIMITER);
    }

    /// True if there are no words.
    pub(in crate::render) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<PackedLines> for Cow<'_, str> {
    fn from(lines: PackedLines) -> Self {
        Cow::Owned(lines.0)
    }
}

impl<V: Ord + Serialize> SkeletonCache<V> {
    /// An empty cache for a template.
    pub(in crate::render) fn new(template: &'static Template) -> Self {
        Self { template, skeletons: RwLock::default() }
    }

    /// Renders a view and fills in the texts.
    pub(in crate::render) fn render(
        &self,
        templates: &Templates,
        view: V,
        texts: &PlaceholderTexts<'_>,
    ) -> Result<String, RenderError> {
        let cached = self.skeletons.read().unwrap_or_else(PoisonError::into_inner).get(&view).cloned();
        if let Some(skeleton) = cached {
            return Ok(skeleton.fill(texts));
        }
        let skeleton = Arc::new(Skeleton::parse(&templates.render(self.template, &view)?));
        let mut skeletons = self.skeletons.write().unwrap_or_else(PoisonError::into_inner);
        if skeletons.len() < MAX_SKELETONS {
            skeletons.insert(view, skeleton.clone());
        }
        drop(skeletons);
        Ok(skeleton.fill(texts))
    }
}

impl Skeleton {
    /// Splits a rendered text at its placeholders.
    fn parse(rendered: &str) -> Self {
        let mut skeleton = Self { text: String::with_capacity(rendered.len()), placeholders: Vec::new() };
        for (n, piece) in rendered.split(DELIMITER).enumerate() {
            if n % 2 == 0 {
                skeleton.text.push_str(piece);
            } else if let Some(kind) = parse_placeholder(piece) {
                skeleton.placeholders.push((skeleton.text.len(), kind));
            }
        }
        skeleton
    }

    fn fill(&self, texts: &PlaceholderTexts<'_>) -> String {
        let estimate = |(_, kind): &(usize, PlaceholderKind)| match kind {
            PlaceholderKind::Text(n, Quoting::Lines | Quoting::Continued) => texts.get(*n).len() * 2,
            PlaceholderKind::Text(n, _) => texts.get(*n).len() + 2,
            PlaceholderKind::Assignment(name, value) => texts.get(*name).len() + texts.get(*value).len() + 8,
        };
        let estimated: usize = self.placeholders.iter().map(estimate).sum();
        let mut out = String::with_capacity(self.text.len() + estimated);
        let mut done = 0;
        for (at, kind) in &self.placeholders {
            out.push_str(self.text.get(done..*at).unwrap_or_default());
            done = *at;
            match kind {
                PlaceholderKind::Text(n, quoting) => quoting.push(&mut out, texts.get(*n)),
                PlaceholderKind::Assignment(name, value) => {
                    out.push_str(&quote::systemd_assignment(texts.get(*name), texts.get(*value)));
                }
            }
        }
        out.push_str(self.text.get(done..).unwrap_or_default());
        out
    }
}

/// Parses a placeholder: a number and a letter. The letter is missing for a text that is not quoted.
fn parse_placeholder(piece: &str) -> Option<PlaceholderKind> {
    if let Some((name, value)) = piece.split_once(ASSIGNMENT) {
        return Some(PlaceholderKind::Assignment(name.parse().ok()?, value.parse().ok()?));
    }
    let number = piece.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let letter = piece.get(number.len()..)?.chars().next();
    let quoting = LETTERS.iter().find(|(code, _)| Some(*code) == letter).map(|(_, quoting)| *quoting);
    Some(PlaceholderKind::Text(number.parse().ok()?, quoting.unwrap_or(Quoting::Safe)))
}
