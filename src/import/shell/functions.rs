//! The functions of a script: calls, and functions that no command calls.

use super::launch::mentions_server;
use super::run::{Caller, Pipe, Run};
use super::tree::{Body, Command, Item};
use super::variables::{FrameKind, Text};
use crate::import::source::{At, Loss, Word};
use std::collections::BTreeMap;
use std::rc::Rc;

const UNCALLED: &str = "no command that is read calls this function";

/// The functions that are known.
#[derive(Default)]
pub(super) struct Functions {
    known: BTreeMap<String, Function>,
    /// Those of sourced files that are not read.
    unread: BTreeMap<String, Unread>,
}

struct Function {
    command: Rc<Command>,
    is_called: bool,
}

/// A function that starts a server, in a file that is not read.
struct Unread {
    at: At,
    path: String,
    is_called: bool,
}

impl Functions {
    /// Defines a function. One that is read again stays called.
    pub(super) fn define(&mut self, name: &str, command: &Rc<Command>) {
        let is_same = |old: &Function| old.is_called && old.command.at == command.at;
        let is_called = self.known.get(name).is_some_and(is_same);
        self.known.insert(name.to_owned(), Function { command: Rc::clone(command), is_called });
    }

    /// Records the functions of a file that is not read, if their text has the command of a server.
    pub(super) fn skip(&mut self, items: &[Item], text: &str, path: &str) {
        for command in items.iter().flat_map(|item| &item.commands) {
            let Body::Function(name, _) = &command.body else { continue };
            let first = usize::try_from(command.at.line).unwrap_or(usize::MAX).saturating_sub(1);
            let count = usize::try_from(command.last_line).unwrap_or(usize::MAX).saturating_sub(first);
            let body: Vec<&str> = text.lines().skip(first).take(count).collect();
            if mentions_server(&body.join(" ")) {
                let unread = Unread { at: command.at, path: path.to_owned(), is_called: false };
                self.unread.insert(name.clone(), unread);
            }
        }
    }

    /// The places of the functions that a command calls.
    fn called(&self) -> Vec<At> {
        let known = self.known.values().filter(|function| function.is_called);
        let unread = self.unread.values().filter(|function| function.is_called);
        known.map(|function| function.command.at).chain(unread.map(|function| function.at)).collect()
    }
}

impl Run<'_, '_> {
    /// Calls a function. False if there is none of this name.
    pub(super) fn call(&mut self, words: &[Word], command: &Command) -> bool {
        let Some(name) = words.first() else { return false };
        let Some(function) = self.functions.known.get_mut(&name.text) else {
            return self.unread_call(&name.text, command);
        };
        function.is_called = true;
        let body = Rc::clone(&function.command);
        let arguments = words.iter().skip(1).cloned().map(Text::from_word).collect();
        let caller = std::mem::replace(&mut self.caller, Caller::Known(arguments));
        let (inherited, outer, was_ended) = (self.inherited.clone(), self.call, self.is_ended);
        self.inherited.extend(self.used.iter().copied());
        self.call = Some(outer.unwrap_or((command.at, command.last_line)));
        self.variables.begin(FrameKind::Call);
        self.nested(command.at, |run| run.command(&body, Pipe::default()));
        self.variables.end();
        (self.caller, self.inherited, self.call, self.is_ended) = (caller, inherited, outer, was_ended);
        true
    }

    /// Reports the call of a function with a server, in a file that is not read.
    fn unread_call(&mut self, name: &str, command: &Command) -> bool {
        let Some(function) = self.functions.unread.get_mut(name) else { return false };
        function.is_called = true;
        let why = format!("the function is in {}, which is not read; write its command here", function.path);
        self.lose(command.head.clone(), command.at, why);
        true
    }

    /// Reports functions with servers that no command calls, once for each place.
    pub(super) fn finish(&mut self) {
        self.is_ended = false;
        let called = self.functions.called();
        let is_called = |at: &At| called.contains(at);
        self.reader.found.losses.retain(|loss| loss.why != UNCALLED || !is_called(&loss.at));
        // A script in front of this file has sourced it, so the run of that script has already reported its functions.
        let files = &self.reader.found.files;
        let path = files.get(self.file).map(|file| &file.path);
        if files.iter().take(self.file).any(|file| Some(&file.path) == path) {
            return;
        }
        let unused = self.functions.known.iter().filter(|(_, function)| !function.is_called);
        let unused: Vec<(String, Rc<Command>)> =
            unused.map(|(name, function)| (name.clone(), Rc::clone(&function.command))).collect();
        for (name, command) in unused {
            let (servers, losses) = (self.found.len(), self.reader.found.losses.len());
            self.branch(|run| run.command(&command, Pipe::default()));
            self.reader.found.losses.truncate(losses);
            if self.found.len() > servers {
                self.found.truncate(servers);
                let is_known = |loss: &Loss| loss.why == UNCALLED && loss.at == command.at;
                if !self.reader.found.losses.iter().any(is_known) {
                    self.lose(format!("{name}()"), command.at, UNCALLED);
                }
            }
        }
    }
}
