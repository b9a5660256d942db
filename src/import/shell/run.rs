//! Follows the commands of a script, without starting anything: lists, conditions, loops and functions.

use super::functions::Functions;
use super::tree::{Body, Command, Connector, Item};
use super::variables::{FrameKind, Text, Value, Variable, Variables};
use super::words::RawWord;
use crate::import::source::{At, Loss, Reader, Server, Word};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum depth of calls, files and strings in each other.
const MAX_DEPTH: usize = 16;

/// The effort for a script: about the bytes of all expanded words.
const EFFORT: usize = 1 << 25;

/// The effort for a command, a word or an element.
pub(super) const UNIT: usize = 64;

/// The arguments of a script or a function.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// Those of the caller of the script, and further ones that `set --` adds.
    Unknown {
        /// The further ones.
        set: Vec<Text>,
    },
    /// Known ones.
    Known(Vec<Text>),
}

/// The kind of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A script.
    Script,
    /// A file of command lines: each line is independent of `exec` in front of it.
    Commands,
}

/// The commands that a pipe connects with a command.
#[derive(Clone, Copy, Default)]
pub(super) struct Pipe<'c> {
    /// The command whose output is the input.
    pub(super) before: Option<&'c Command>,
    /// The command that gets the output.
    pub(super) after: Option<&'c Command>,
}

/// A run through a script.
pub(super) struct Run<'r, 's> {
    pub(super) reader: &'r mut Reader<'s>,
    pub(super) file: usize,
    pub(super) variables: Variables,
    pub(super) caller: Caller,
    /// The defaults in the words of the current command, and of the calls and loops around it: indices of `notes`.
    pub(super) used: BTreeSet<usize>,
    pub(super) inherited: BTreeSet<usize>,
    pub(super) notes: Vec<Loss>,
    /// The servers, and other programs that have a port.
    pub(super) found: Vec<Server>,
    pub(super) others: Vec<Server>,
    /// The outermost call that runs: its place and its last line.
    pub(super) call: Option<(At, u32)>,
    pub(super) kind: Kind,
    pub(super) does_export_all: bool,
    /// True after `exec` and `exit`: the next commands never run.
    pub(super) is_ended: bool,
    pub(super) functions: Functions,
    reported: BTreeSet<(At, String)>,
    depth: usize,
    effort: usize,
}

impl<'r, 's> Run<'r, 's> {
    /// A run without variables.
    pub(super) fn new(reader: &'r mut Reader<'s>, file: usize, kind: Kind) -> Self {
        Self {
            reader,
            file,
            variables: Variables::default(),
            caller: Caller::Unknown { set: Vec::new() },
            used: BTreeSet::new(),
            inherited: BTreeSet::new(),
            notes: Vec::new(),
            found: Vec::new(),
            others: Vec::new(),
            call: None,
            kind,
            does_export_all: false,
            is_ended: false,
            functions: Functions::default(),
            reported: BTreeSet::new(),
            depth: 0,
            effort: EFFORT,
        }
    }

    /// Uses effort.
    pub(super) fn spend(&mut self, effort: usize) {
        self.effort = self.effort.saturating_sub(effort);
    }

    /// True if the effort is used up.
    pub(super) fn is_exhausted(&self) -> bool {
        self.effort == 0
    }

    /// Reports a setting of the script, once for each place.
    pub(super) fn lose(&mut self, what: impl Into<String>, at: At, why: impl Into<String>) {
        let what = what.into();
        if self.reported.insert((at, what.clone())) {
            self.reader.lose(what, at, why);
        }
    }

    /// Records a default that the current command uses.
    pub(super) fn note(&mut self, what: String, at: At, why: String) {
        let note = Loss { what, at, why };
        let known = self.notes.iter().rposition(|known| *known == note).filter(|_| self.notes.len() < 1024);
        self.used.insert(known.unwrap_or(self.notes.len()));
        if known.is_none() {
            self.notes.push(note);
        }
    }

    /// Assigns a variable, with the defaults of the current command.
    pub(super) fn assign(&mut self, name: &str, variable: Variable) {
        let is_exported = variable.is_exported || self.does_export_all || ["PATH", "HOME"].contains(&name);
        let defaults = self.used.iter().take(UNIT).copied().collect();
        self.variables.set(name, Variable { is_exported, defaults, ..variable });
    }

    /// Follows a list of commands.
    pub(super) fn items(&mut self, items: &[Item]) {
        let mut condition: Option<&Command> = None;
        let mut before: Option<&Item> = None;
        for item in items {
            let Some(first) = item.commands.first() else { continue };
            if self.is_exhausted() {
                return self.lose(
                    "rest of the script",
                    first.at,
                    "the commands in front of it are too many or too long",
                );
            }
            let last = before.and_then(|before| before.commands.last());
            condition = match item.connector {
                Connector::Always => None,
                Connector::And if condition.is_none() && last.is_some_and(is_certain) => None,
                Connector::And | Connector::Or => condition.or(last),
            };
            match condition {
                None => self.pipeline(item),
                Some(condition) => self.conditional(condition, item),
            }
            before = Some(item);
        }
    }

    fn conditional(&mut self, condition: &Command, item: &Item) {
        let servers = self.found.len() + self.others.len();
        let changed = self.branch(|run| run.pipeline(item));
        if !changed.is_empty() || self.found.len() + self.others.len() > servers {
            let why = "its result is known only when the script runs, so the commands after it are uncertain";
            self.lose(condition.head.clone(), condition.at, why);
        }
        self.merge(changed);
    }

    /// Follows commands of which it is not known if they run. Returns the variables that they change.
    pub(super) fn branch(&mut self, follow: impl FnOnce(&mut Self)) -> Vec<(String, Option<Variable>)> {
        let was_ended = self.is_ended;
        self.variables.begin(FrameKind::Branch);
        follow(self);
        self.is_ended = was_ended;
        let changed = self.variables.end();
        let size = |variable: &Option<Variable>| {
            variable.as_ref().map_or(UNIT, |variable| match &variable.value {
                Value::List(list) => UNIT * (list.len() + 1),
                Value::Text(text) => UNIT + text.len(),
                Value::Unknown => UNIT,
            })
        };
        self.spend(changed.iter().map(|(_, variable)| size(variable)).sum());
        changed
    }

    fn merge(&mut self, changed: Vec<(String, Option<Variable>)>) {
        let mut by_name: BTreeMap<String, Vec<Option<Variable>>> = BTreeMap::new();
        for (name, variable) in changed {
            by_name.entry(name).or_default().push(variable);
        }
        for (name, variables) in by_name {
            self.variables.merge(&name, &variables);
        }
    }

    fn pipeline(&mut self, item: &Item) {
        let commands = &item.commands;
        let is_inner = commands.len() > 1 || item.is_background;
        for (n, command) in commands.iter().enumerate() {
            let before = n.checked_sub(1).and_then(|n| commands.get(n));
            let pipe = Pipe { before, after: commands.get(n + 1) };
            if is_inner {
                self.branch(|run| run.command(command, pipe));
            } else {
                self.command(command, pipe);
            }
        }
    }

    /// Follows a command.
    pub(super) fn command(&mut self, command: &Command, pipe: Pipe<'_>) {
        self.spend(UNIT);
        let servers = self.found.len();
        match &command.body {
            Body::Simple(simple) => return self.simple(command, simple, pipe),
            Body::Group(items) => self.items(items),
            Body::Subshell(items) => drop(self.branch(|run| run.items(items))),
            Body::For { name, words, items } => self.counted(command, name, words.as_deref(), items),
            Body::Branches { conditions, branches } => self.branches(command, conditions, branches),
            Body::Function(name, body) => self.functions.define(name, body),
            Body::Test(text) => self.test(command, text),
        }
        if self.found.len() > servers {
            self.compound_output(command, pipe);
        }
    }

    fn branches(&mut self, command: &Command, conditions: &[Item], branches: &[Vec<Item>]) {
        let why = "it is known only when the script runs, so values that it changes are unknown";
        self.lose(command.head.clone(), command.at, why);
        let mut changed = self.branch(|run| run.items(conditions));
        for items in branches {
            changed.extend(self.branch(|run| run.items(items)));
        }
        self.merge(changed);
    }

    fn counted(&mut self, command: &Command, name: &str, words: Option<&[RawWord]>, items: &[Item]) {
        self.used.clear();
        let values: Vec<Word> = match (words, &self.caller) {
            (Some(words), _) => words.iter().flat_map(|word| self.fields(word)).collect(),
            (None, Caller::Known(arguments)) => {
                let word =
                    |text: &Text| Word { text: text.text(), at: text.at, is_dynamic: text.is_dynamic() };
                arguments.iter().map(word).collect()
            }
            (None, Caller::Unknown { .. }) => vec![Word { is_dynamic: true, ..Word::new("$@", command.at) }],
        };
        let inherited = self.inherited.clone();
        self.inherited.extend(self.used.iter().copied());
        if values.iter().any(|value| value.is_dynamic) {
            let unknown = Variable { value: Value::Unknown, ..Variable::text(Text::known("", command.at)) };
            self.lose(command.head.clone(), command.at, "its words are known only when the script runs");
            let changed = self.branch(|run| {
                run.assign(name, unknown);
                run.items(items);
            });
            self.merge(changed);
        } else {
            for value in values {
                self.assign(name, Variable::text(Text::known(value.text, value.at)));
                self.items(items);
            }
        }
        self.inherited = inherited;
    }

    /// `((X++))` and similar: the variables in it are no longer known if it may change them.
    fn test(&mut self, command: &Command, text: &str) {
        let changes = text.starts_with("((")
            && (text.contains("++") || text.contains("--") || text.replace("==", "").contains('='));
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let names =
            text.split(|c| !is_part(c)).filter(|name| changes && crate::import::prefix::is_name(name));
        for name in names {
            self.forget(name, command.at);
        }
    }

    /// Makes a variable unknown.
    pub(super) fn forget(&mut self, name: &str, at: At) {
        self.assign(name, Variable { value: Value::Unknown, ..Variable::text(Text::known("", at)) });
    }

    /// Follows nested commands, if they are not too deep.
    pub(super) fn nested(&mut self, at: At, follow: impl FnOnce(&mut Self)) {
        if self.depth == MAX_DEPTH {
            return self.lose("call", at, "calls are nested too deeply");
        }
        self.depth += 1;
        follow(self);
        self.depth -= 1;
    }
}

/// True for commands that the script needs to succeed, so that commands after `&&` run.
fn is_certain(command: &Command) -> bool {
    const CERTAIN: &[&str] = &[
        "cd", "pushd", "mkdir", "source", ".", "set", "export", "declare", "local", "readonly", "echo",
        "printf", ":", "true", "sleep", "wait", "chmod", "chown", "rm", "ln", "cp", "mv", "touch", "sync",
        "ulimit", "unset", "umask",
    ];
    match &command.body {
        Body::Simple(simple) => simple
            .words
            .first()
            .is_none_or(|word| word.literal().is_some_and(|name| CERTAIN.contains(&name.as_str()))),
        Body::Group(_)
        | Body::Subshell(_)
        | Body::For { .. }
        | Body::Branches { .. }
        | Body::Function(..)
        | Body::Test(_) => false,
    }
}
