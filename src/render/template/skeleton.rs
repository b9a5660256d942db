//! Files that differ in their words alone: of thousands, each kind is rendered once, with holes where the words go, and the
//! words are quoted into the holes.
//!
//! A view holds what its template decides by, and a [`Hole`] for every text: two equal views have one skeleton. Templates
//! know nothing of it, since the filter that a hole meets is noted in it and applied to each text.

use super::super::artifact::RenderError;
use super::super::quote;
use super::{Template, Templates};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// What stands before and after a hole; neither a template nor a text of the registry holds one.
const EDGE: char = '\0';
/// More kinds of one file than this are not kept: no registry that people write has them.
const MOST: usize = 1024;

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
    /// [`Lines`], each on a line of a script.
    Lines,
    /// [`Lines`], each on a line of a unit.
    Continued,
}

/// Each quoting with the letter by which a hole notes it.
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
/// Notes a variable with its value, which is another hole.
const ASSIGNED: char = 'a';

/// A place for a text in a view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::render) struct Hole(usize);

/// The texts of one file, by the numbers of their holes.
pub(in crate::render) struct Texts<'t>(Vec<Cow<'t, str>>);

/// Words with their breaks into lines, packed into one text.
pub(in crate::render) struct Lines(String);

/// The skeletons of one template, for each view that was met.
pub(in crate::render) struct Skeletons<V> {
    template: &'static Template,
    known: RwLock<BTreeMap<V, Arc<Skeleton>>>,
}

/// A rendered file without its texts.
struct Skeleton {
    text: String,
    /// Where in the text something is to be filled in, in order.
    holes: Vec<(usize, Filling)>,
}

#[derive(Clone, Copy)]
enum Filling {
    Text(usize, Quoting),
    Assignment(usize, usize),
}

impl Quoting {
    /// Writes a text.
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

    /// What a hole becomes by being quoted so, or the quoted text of anything else.
    pub(in crate::render) fn of(self, text: &str) -> String {
        let mut out = String::new();
        match text.strip_prefix(EDGE).and_then(|rest| rest.strip_suffix(EDGE)) {
            Some(number) => {
                let letter = LETTERS.iter().find(|(_, quoting)| *quoting == self).map(|(letter, _)| *letter);
                out.extend([EDGE]);
                out.push_str(number);
                out.extend(letter);
                out.extend([EDGE]);
            }
            None => self.push(&mut out, text),
        }
        out
    }
}

/// A variable and its value, as an entry of `Environment=`; of two holes the hole for both.
pub(in crate::render) fn assignment(name: &str, value: &str) -> String {
    let number = |text: &str| -> Option<usize> { text.strip_prefix(EDGE)?.strip_suffix(EDGE)?.parse().ok() };
    match (number(name), number(value)) {
        (Some(name), Some(value)) => format!("{EDGE}{name}{ASSIGNED}{value}{EDGE}"),
        _ => quote::systemd_assignment(name, value),
    }
}

fn push_lines(out: &mut String, packed: &str, begin: &str, quoting: Quoting) {
    for word in packed.split_terminator(EDGE) {
        match word.strip_prefix('\n') {
            Some(word) => {
                out.push_str(begin);
                quoting.push(out, word);
            }
            // Its own first character is the blank before it.
            None => {
                out.push(' ');
                quoting.push(out, word.get(1..).unwrap_or_default());
            }
        }
    }
}

impl Serialize for Hole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{EDGE}{}{EDGE}", self.0))
    }
}

impl Default for Texts<'_> {
    fn default() -> Self {
        Self(Vec::with_capacity(32))
    }
}

impl<'t> Texts<'t> {
    /// The hole of a text.
    pub(in crate::render) fn hole(&mut self, text: impl Into<Cow<'t, str>>) -> Hole {
        self.0.push(text.into());
        Hole(self.0.len() - 1)
    }

    /// The hole of a text that may be missing, as an empty one is.
    pub(in crate::render) fn maybe<T: Into<Cow<'t, str>>>(&mut self, text: Option<T>) -> Option<Hole> {
        text.map(Into::into).filter(|text| !text.is_empty()).map(|text| self.hole(text))
    }

    /// The holes of a list.
    pub(in crate::render) fn each<T: Into<Cow<'t, str>>>(
        &mut self,
        texts: impl IntoIterator<Item = T>,
    ) -> Vec<Hole> {
        texts.into_iter().map(|text| self.hole(text)).collect()
    }

    /// The holes of variables with their values.
    pub(in crate::render) fn pairs<T: AsRef<str>>(&mut self, pairs: &'t [(T, T)]) -> Vec<(Hole, Hole)> {
        pairs.iter().map(|(name, value)| (self.hole(name.as_ref()), self.hole(value.as_ref()))).collect()
    }

    fn get(&self, number: usize) -> &str {
        self.0.get(number).map_or("", |text| text)
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self(String::with_capacity(512))
    }
}

impl Lines {
    /// Adds a word on a line of its own.
    pub(in crate::render) fn begin(&mut self, word: &str) {
        self.add("\n", word);
    }

    /// Adds a word after the one before it.
    pub(in crate::render) fn word(&mut self, word: &str) {
        self.add(if self.0.is_empty() { "\n" } else { " " }, word);
    }

    fn add(&mut self, before: &str, word: &str) {
        self.0.push_str(before);
        self.0.push_str(word);
        self.0.push(EDGE);
    }

    /// Whether there is none.
    pub(in crate::render) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Lines> for Cow<'_, str> {
    fn from(lines: Lines) -> Self {
        Cow::Owned(lines.0)
    }
}

impl<V: Ord + Serialize> Skeletons<V> {
    /// Those of a template, none of which is known yet.
    pub(in crate::render) fn new(template: &'static Template) -> Self {
        Self { template, known: RwLock::default() }
    }

    /// The file of a view with these texts in its holes.
    pub(in crate::render) fn render(
        &self,
        templates: &Templates,
        view: V,
        texts: &Texts<'_>,
    ) -> Result<String, RenderError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&view).cloned();
        if let Some(skeleton) = known {
            return Ok(skeleton.fill(texts));
        }
        let skeleton = Arc::new(Skeleton::of(&templates.render(self.template, &view)?));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST {
            known.insert(view, skeleton.clone());
        }
        drop(known);
        Ok(skeleton.fill(texts))
    }
}

impl Skeleton {
    /// Takes a rendered text with holes apart.
    fn of(rendered: &str) -> Self {
        let mut skeleton = Self { text: String::with_capacity(rendered.len()), holes: Vec::new() };
        for (n, piece) in rendered.split(EDGE).enumerate() {
            if n % 2 == 0 {
                skeleton.text.push_str(piece);
            } else if let Some(filling) = filling(piece) {
                skeleton.holes.push((skeleton.text.len(), filling));
            }
        }
        skeleton
    }

    fn fill(&self, texts: &Texts<'_>) -> String {
        let longer = |(_, filling): &(usize, Filling)| match filling {
            Filling::Text(n, Quoting::Lines | Quoting::Continued) => texts.get(*n).len() * 2,
            Filling::Text(n, _) => texts.get(*n).len() + 2,
            Filling::Assignment(name, value) => texts.get(*name).len() + texts.get(*value).len() + 8,
        };
        let more: usize = self.holes.iter().map(longer).sum();
        let mut out = String::with_capacity(self.text.len() + more);
        let mut done = 0;
        for (at, filling) in &self.holes {
            out.push_str(self.text.get(done..*at).unwrap_or_default());
            done = *at;
            match filling {
                Filling::Text(n, quoting) => quoting.push(&mut out, texts.get(*n)),
                Filling::Assignment(name, value) => {
                    out.push_str(&quote::systemd_assignment(texts.get(*name), texts.get(*value)));
                }
            }
        }
        out.push_str(self.text.get(done..).unwrap_or_default());
        out
    }
}

/// What a hole says: a number and a letter, which a text that is printed as it stands lacks.
fn filling(piece: &str) -> Option<Filling> {
    if let Some((name, value)) = piece.split_once(ASSIGNED) {
        return Some(Filling::Assignment(name.parse().ok()?, value.parse().ok()?));
    }
    let number = piece.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let letter = piece.get(number.len()..)?.chars().next();
    let quoting = LETTERS.iter().find(|(known, _)| Some(*known) == letter).map(|(_, quoting)| *quoting);
    Some(Filling::Text(number.parse().ok()?, quoting.unwrap_or(Quoting::Safe)))
}
