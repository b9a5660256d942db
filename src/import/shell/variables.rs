//! The variables of a script, as far as they are known.

use crate::import::source::{At, Word};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum length of a value in bytes: that of an argument on Linux.
pub(super) const MAX_LENGTH: usize = 128 << 10;

/// A part of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// The text, or the part as written.
    pub(super) text: String,
    /// True if it is known only when the script runs.
    pub(super) is_dynamic: bool,
}

/// A value.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Text {
    /// Its parts.
    pub(super) pieces: Vec<Piece>,
    /// The line on which it is written.
    pub(super) at: At,
}

/// The value of a variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value {
    /// A text.
    Text(Text),
    /// An array.
    List(Vec<Text>),
    /// Not known.
    Unknown,
}

/// A variable.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    /// The value.
    pub(super) value: Value,
    /// True if programs get it.
    pub(super) is_exported: bool,
    /// The defaults that are in the value, as indices of the run.
    pub(super) defaults: BTreeSet<usize>,
    /// The line of the assignment.
    pub(super) at: At,
}

/// The export of a variable to programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Export {
    /// Programs get it.
    Yes,
    /// Only the script has it.
    No,
}

/// The kind of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FrameKind {
    /// A call: it restores local variables.
    Call,
    /// Commands of which it is not known if they run, or of a subshell: it restores all variables.
    Branch,
}

/// All variables. Frames record old values, so that the end of a frame is as fast as its assignments.
#[derive(Default)]
pub(super) struct Variables {
    known: BTreeMap<String, Variable>,
    frames: Vec<Frame>,
}

struct Frame {
    kind: FrameKind,
    old: BTreeMap<String, Option<Variable>>,
}

impl Text {
    /// A known text.
    pub(super) fn known(text: impl Into<String>, at: At) -> Self {
        Self { pieces: vec![Piece { text: text.into(), is_dynamic: false }], at }
    }

    /// The text of an expanded word.
    pub(super) fn from_word(word: Word) -> Self {
        Self { pieces: vec![Piece { text: word.text, is_dynamic: word.is_dynamic }], at: word.at }
    }

    /// A text that is known only when the script runs.
    pub(super) fn dynamic(written: impl Into<String>, at: At) -> Self {
        Self { pieces: vec![Piece { text: written.into(), is_dynamic: true }], at }
    }

    /// True if a part is not known.
    pub(super) fn is_dynamic(&self) -> bool {
        self.pieces.iter().any(|piece| piece.is_dynamic)
    }

    /// The text with unknown parts as written.
    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// The text, if all of it is known.
    pub(super) fn if_known(&self) -> Option<String> {
        (!self.is_dynamic()).then(|| self.text())
    }

    /// Adds a part; parts of one kind are joined.
    pub(super) fn add(&mut self, piece: Piece) {
        match self.pieces.last_mut() {
            Some(last) if last.is_dynamic == piece.is_dynamic => last.text.push_str(&piece.text),
            _ => self.pieces.push(piece),
        }
    }

    /// The number of bytes.
    pub(super) fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.len()).sum()
    }
}

impl Variable {
    /// A text that is not exported.
    pub(super) fn text(text: Text) -> Self {
        let at = text.at;
        Self { value: Value::Text(text), is_exported: false, defaults: BTreeSet::new(), at }
    }

    fn begins_with(&self, list: &[Text]) -> bool {
        matches!(&self.value, Value::List(own) if own.starts_with(list))
    }

    /// True if further words follow a text that is not empty.
    fn begins_with_text(&self, text: &Text) -> bool {
        let start = text.text();
        let rest = |own: &Text| {
            own.text().strip_prefix(&start).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        !start.is_empty() && matches!(&self.value, Value::Text(own) if rest(own))
    }
}

impl Variables {
    /// A variable that the script has assigned.
    pub(super) fn get(&self, name: &str) -> Option<&Variable> {
        self.known.get(name)
    }

    /// The exported variables in the order of their names.
    pub(super) fn exported(&self) -> impl Iterator<Item = (&String, &Variable)> {
        self.known.iter().filter(|(_, variable)| variable.is_exported)
    }

    /// Assigns a variable. It stays exported.
    pub(super) fn set(&mut self, name: &str, variable: Variable) {
        self.record(name, FrameKind::Branch);
        let was_exported = self.get(name).is_some_and(|old| old.is_exported);
        let is_exported = variable.is_exported || was_exported;
        self.known.insert(name.to_owned(), Variable { is_exported, ..variable });
    }

    /// Changes if programs get a variable. A variable without a value stays without.
    pub(super) fn export(&mut self, name: &str, export: Export) {
        if let Some(variable) = self.get(name).cloned() {
            self.record(name, FrameKind::Branch);
            let is_exported = export == Export::Yes;
            self.known.insert(name.to_owned(), Variable { is_exported, ..variable });
        }
    }

    /// Removes a variable.
    pub(super) fn remove(&mut self, name: &str) {
        self.record(name, FrameKind::Branch);
        self.known.remove(name);
    }

    /// Makes a variable local to the function that runs.
    pub(super) fn localize(&mut self, name: &str) {
        self.record(name, FrameKind::Call);
    }

    fn record(&mut self, name: &str, kind: FrameKind) {
        let Some(frame) = self.frames.iter_mut().rev().find(|frame| frame.kind == kind) else {
            return;
        };
        if !frame.old.contains_key(name) {
            frame.old.insert(name.to_owned(), self.known.get(name).cloned());
        }
    }

    /// Begins a frame.
    pub(super) fn begin(&mut self, kind: FrameKind) {
        self.frames.push(Frame { kind, old: BTreeMap::new() });
    }

    /// Ends the frame and restores the old values. Returns the names with the values that they had in it.
    pub(super) fn end(&mut self) -> Vec<(String, Option<Variable>)> {
        let old = self.frames.pop().map(|frame| frame.old).unwrap_or_default();
        let restore = |(name, old): (String, Option<Variable>)| {
            let new = match old {
                Some(old) => self.known.insert(name.clone(), old),
                None => self.known.remove(&name),
            };
            (name, new)
        };
        old.into_iter().map(restore).collect()
    }

    /// After branches that may have run, with the values in each: an array that only grew keeps its start, the others are not known.
    pub(super) fn merge(&mut self, name: &str, new: &[Option<Variable>]) {
        let old = self.get(name).cloned();
        let last = new.iter().flatten().next_back();
        let value = match old.as_ref().map(|old| &old.value) {
            Some(value) if new.iter().all(|new| new.as_ref().is_some_and(|new| new.value == *value)) => {
                return;
            }
            Some(Value::List(list))
                if new.iter().all(|new| new.as_ref().is_some_and(|new| new.begins_with(list))) =>
            {
                let rest =
                    Text::dynamic(format!("${{{name}[@]}}"), last.map(|last| last.at).unwrap_or_default());
                Value::List(list.iter().cloned().chain([rest]).collect())
            }
            Some(Value::Text(text))
                if new.iter().all(|new| new.as_ref().is_some_and(|new| new.begins_with_text(text))) =>
            {
                let mut text = text.clone();
                for (written, is_dynamic) in [(" ".to_owned(), false), (format!("${{{name}[@]}}"), true)] {
                    text.add(Piece { text: written, is_dynamic });
                }
                Value::Text(text)
            }
            _ => Value::Unknown,
        };
        let is_exported = old.iter().chain(last).any(|variable| variable.is_exported);
        let at = last.or(old.as_ref()).map(|variable| variable.at).unwrap_or_default();
        let defaults = old.map(|old| old.defaults).unwrap_or_default();
        self.set(name, Variable { value, is_exported, defaults, at });
    }

    /// Adds to a variable: texts to a text, elements to an array. False if their kinds differ, or if it has no value.
    pub(super) fn append(&mut self, name: &str, value: &mut Value, defaults: &BTreeSet<usize>) -> bool {
        self.record(name, FrameKind::Branch);
        let Some(variable) = self.known.get_mut(name) else { return false };
        variable.defaults.extend(defaults);
        match (&mut variable.value, value) {
            (Value::Text(old), Value::Text(new)) if old.len() < MAX_LENGTH => {
                new.pieces.drain(..).for_each(|piece| old.add(piece));
                true
            }
            (Value::List(old), Value::List(new)) => {
                old.append(new);
                true
            }
            _ => false,
        }
    }
}
