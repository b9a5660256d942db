//! Simple commands: assignments, commands of the shell, and all others.

use super::parse::parse;
use super::run::{Caller, Kind, Pipe, Run};
use super::tree::{AssignedValue, Assignment, Body, Command, DECLARATIONS, Item, Simple};
use super::variables::{Export, Text, Value, Variable, Variables};
use super::words::{Lines, PartKind, RawWord};
use crate::import::source::{At, Server, Word, join};

impl Run<'_, '_> {
    /// Follows a simple command.
    pub(super) fn simple(&mut self, command: &Command, simple: &Simple, pipe: Pipe<'_>) {
        self.used.clear();
        let declaration = simple.words.first().and_then(RawWord::literal);
        if let Some(name) = declaration.filter(|name| DECLARATIONS.contains(&name.as_str())) {
            return self.declare(&name, simple);
        }
        if simple.words.is_empty() {
            for assignment in &simple.assignments {
                self.used.clear();
                self.assignment(assignment, Export::No);
            }
            return;
        }
        let in_front: Vec<(String, Word)> =
            simple.assignments.iter().map(|assignment| self.in_front(assignment)).collect();
        let words: Vec<Word> = simple.words.iter().flat_map(|word| self.fields(word)).collect();
        if words.is_empty() || self.builtin(&words, command, simple) {
            return;
        }
        if !self.call(&words, command) {
            self.launch(words, in_front, command, pipe);
        }
    }

    /// An assignment in front of a command.
    fn in_front(&mut self, assignment: &Assignment) -> (String, Word) {
        let value = match &assignment.value {
            AssignedValue::Word(word) => self.value(word),
            AssignedValue::List(_) => Text::dynamic("(…)", At::default()),
        };
        (assignment.name.clone(), Word { text: value.text(), at: value.at, is_dynamic: value.is_dynamic() })
    }

    fn assignment(&mut self, assignment: &Assignment, export: Export) {
        let name = assignment.name.as_str();
        let (mut value, at) = match &assignment.value {
            AssignedValue::Word(word) => (Value::Text(self.value(word)), word.at),
            AssignedValue::List(words) => self.list(words),
        };
        if assignment.has_index {
            value = Value::Unknown;
        } else if assignment.is_append {
            if self.variables.append(name, &mut value, &self.used) {
                if export == Export::Yes {
                    self.variables.export(name, export);
                }
                return;
            }
            value = match value {
                Value::List(list) if self.variables.get(name).is_none() => Value::List(list),
                Value::Text(_) | Value::List(_) | Value::Unknown => Value::Unknown,
            };
        }
        let is_exported = export == Export::Yes;
        self.assign(name, Variable { value, is_exported, ..Variable::text(Text::known("", at)) });
    }

    fn list(&mut self, words: &[RawWord]) -> (Value, At) {
        let at = words.first().map(|word| word.at).unwrap_or_default();
        let has_keys = words.iter().any(|word| {
            word.parts.first().is_some_and(|part| !part.is_quoted && part.written.starts_with('['))
                && word.written().contains("]=")
        });
        if has_keys {
            return (Value::Unknown, at);
        }
        let fields = words.iter().flat_map(|word| self.fields(word)).collect::<Vec<_>>();
        (Value::List(fields.into_iter().map(Text::from_word).collect()), at)
    }

    /// `export`, `declare`, `local` and similar commands.
    fn declare(&mut self, name: &str, simple: &Simple) {
        let words: Vec<Word> = simple.words.iter().skip(1).flat_map(|word| self.fields(word)).collect();
        let (flags, names): (Vec<Word>, Vec<Word>) =
            words.into_iter().partition(|word| word.text.starts_with(['-', '+']));
        let has =
            |flag: char| flags.iter().any(|word| word.text.starts_with('-') && word.text.contains(flag));
        if has('f') || has('p') {
            return;
        }
        let is_local = name == "local";
        let is_removed = name == "export" && has('n');
        let is_exported = (name == "export" && !is_removed) || has('x');
        let export = if is_exported { Export::Yes } else { Export::No };
        for assignment in &simple.assignments {
            self.used.clear();
            if is_local {
                self.variables.localize(&assignment.name);
            }
            self.assignment(assignment, export);
            if has('A') || has('i') || has('l') || has('u') {
                let at = self.variables.get(&assignment.name).map(|variable| variable.at).unwrap_or_default();
                self.forget(&assignment.name, at);
            }
        }
        for word in names.iter().filter(|word| crate::import::prefix::is_name(&word.text)) {
            if is_local {
                self.variables.localize(&word.text);
                self.assign(&word.text, Variable::text(Text::known("", word.at)));
            } else if is_exported || is_removed {
                self.variables.export(&word.text, export);
            } else if has('A') {
                self.forget(&word.text, word.at);
            }
        }
    }

    /// Follows a command of the shell. False for other commands.
    fn builtin(&mut self, words: &[Word], command: &Command, simple: &Simple) -> bool {
        let Some((name, rest)) = words.split_first() else { return true };
        match name.text.as_str() {
            "cd" | "pushd" => self.change_folder(rest, name.at),
            "popd" => self.forget("PWD", name.at),
            "set" => self.set(rest, simple),
            "unset" => {
                for word in rest.iter().filter(|word| !word.text.starts_with('-')) {
                    self.variables.remove(&word.text);
                    self.assign(&word.text, Variable::text(Text::known("", word.at)));
                    self.variables.export(&word.text, Export::No);
                }
            }
            "shift" => self.shift(rest.first()),
            "source" | "." => self.source(command, simple, rest),
            "eval" => self.evaluate(command, rest),
            "exit" | "return" => self.is_ended = self.kind == Kind::Script,
            "read" | "mapfile" | "readarray" | "getopts" | "let" => {
                for word in rest {
                    let name = word
                        .text
                        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                        .next()
                        .unwrap_or_default();
                    if crate::import::prefix::is_name(name) {
                        self.forget(name, word.at);
                    }
                }
            }
            "printf" if rest.first().is_some_and(|word| word.text == "-v") => {
                rest.get(1).into_iter().for_each(|word| self.forget(&word.text, word.at));
            }
            _ => return false,
        }
        true
    }

    fn change_folder(&mut self, words: &[Word], at: At) {
        let target = words.iter().find(|word| !["-L", "-P", "-e", "--"].contains(&word.text.as_str()));
        let old = self.variables.get("PWD").map(|variable| variable.value.clone());
        let value = match (target, old) {
            (None, _) => match self.reader.around.variable("HOME") {
                Some(home) => Value::Text(Text::known(home, at)),
                None => Value::Unknown,
            },
            (Some(word), _) if word.text == "-" => Value::Unknown,
            (Some(word), old) => {
                let is_absolute = word.text.starts_with(['/', '$', '`']);
                match old.filter(|_| !is_absolute) {
                    Some(Value::Text(old)) => {
                        let is_dynamic = old.is_dynamic() || word.is_dynamic;
                        let path = join(&old.text(), &word.text);
                        Value::Text(if is_dynamic { Text::dynamic(path, at) } else { Text::known(path, at) })
                    }
                    Some(_) => Value::Unknown,
                    None => Value::Text(Text::from_word(word.clone())),
                }
            }
        };
        self.assign("PWD", Variable { value, ..Variable::text(Text::known("", at)) });
    }

    /// `set -a`, `set +a` and `set -- WORDS`.
    fn set(&mut self, words: &[Word], simple: &Simple) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let flags = word.text.get(1..).unwrap_or_default();
            let is_long = flags.ends_with('o') && word.text.starts_with(['-', '+']);
            let option = if is_long { words.next().map_or("", |word| word.text.as_str()) } else { "" };
            match word.text.chars().next() {
                _ if word.text == "--" => return self.set_arguments(words.cloned().collect(), simple),
                Some(sign @ ('-' | '+')) if option == "allexport" || flags.contains('a') => {
                    self.does_export_all = sign == '-';
                }
                Some('-' | '+') => {}
                _ => {
                    let all = std::iter::once(word).chain(words).cloned().collect();
                    return self.set_arguments(all, simple);
                }
            }
        }
    }

    fn set_arguments(&mut self, words: Vec<Word>, simple: &Simple) {
        let is_all = |kind: &PartKind| matches!(kind, PartKind::Variable(expansion) if ["@", "*"].contains(&expansion.name.as_str()));
        let has_all = simple.words.iter().flat_map(|word| &word.parts).any(|part| is_all(&part.kind));
        let words = words.into_iter().map(Text::from_word).collect();
        self.caller = match &self.caller {
            Caller::Unknown { .. } if has_all => Caller::Unknown { set: words },
            Caller::Unknown { .. } | Caller::Known(_) => Caller::Known(words),
        };
    }

    fn shift(&mut self, count: Option<&Word>) {
        let count = count.map_or(Some(1), |word| word.text.parse::<usize>().ok());
        if let (Caller::Known(words), Some(count)) = (&mut self.caller, count) {
            words.drain(..count.min(words.len()));
        }
    }

    /// `source FILE`: reads a file that has only assignments and functions.
    fn source(&mut self, command: &Command, simple: &Simple, words: &[Word]) {
        let path = words.first().and_then(|word| {
            if word.is_dynamic { self.next_to_script(simple) } else { Some(word.text.clone()) }
        });
        let companion = path.and_then(|path| self.reader.companion(self.file, &path));
        let what = words.first().map_or_else(|| command.head.clone(), |word| format!("source {}", word.text));
        let Some(file) = companion else {
            return self.lose(
                what,
                command.at,
                "the file cannot be read, so variables that it sets are unknown",
            );
        };
        let text = self.reader.found.files.get(file).map(|file| file.text.clone()).unwrap_or_default();
        let (items, losses) = parse(&text, At { file, line: 1 }, Lines::Counted);
        if !losses.is_empty() || !items.iter().all(is_plain) {
            let path = words.first().map_or("", |word| &word.text);
            self.functions.skip(&items, &text, path);
            let why = "the file has more than assignments, so variables that it sets are unknown";
            return self.lose(what, command.at, why);
        }
        self.nested(command.at, |run| run.items(&items));
    }

    /// The path of a word that begins with the folder of the script, relative to it.
    fn next_to_script(&self, simple: &Simple) -> Option<String> {
        let (first, rest) = simple.words.get(1)?.parts.split_first()?;
        let command = match &first.kind {
            PartKind::Command(command) => command.clone(),
            PartKind::Variable(expansion) => match &self.variables.get(&expansion.name)?.value {
                Value::Text(text) => text.text().strip_prefix("$(")?.strip_suffix(')')?.to_owned(),
                Value::List(_) | Value::Unknown => return None,
            },
            PartKind::Text | PartKind::Arithmetic(_) | PartKind::Other => return None,
        };
        let path = RawWord { parts: rest.to_vec(), ..RawWord::default() }.literal()?;
        super::idioms::is_folder_of_script(&command).then(|| path.trim_start_matches('/').to_owned())
    }

    /// The folder of the script, if its path is absolute.
    pub(super) fn folder_of_script(&self) -> Option<String> {
        let folder = self.reader.folder_of(self.file);
        folder.starts_with('/').then_some(folder)
    }

    fn evaluate(&mut self, command: &Command, words: &[Word]) {
        if words.iter().any(|word| word.is_dynamic) {
            return self.lose(
                command.head.clone(),
                command.at,
                "the command is known only when the script runs",
            );
        }
        let script = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        self.script(&script, command.at);
    }

    /// The variables for a string that another shell runs: those that its process gets. Returns the variables of the script.
    pub(super) fn variables_of_string(&mut self, server: &Server) -> Variables {
        let mut inner = Variables::default();
        for (name, word) in &server.env {
            let variable = Variable::text(Text::from_word(word.clone()));
            inner.set(name, Variable { is_exported: true, ..variable });
        }
        let folder = server.folder.clone().map(|folder| Variable::text(Text::from_word(folder)));
        let folder = folder.or_else(|| self.variables.get("PWD").cloned());
        if let Some(folder) = folder {
            inner.set("PWD", folder);
        }
        std::mem::replace(&mut self.variables, inner)
    }

    /// Follows the commands of a string.
    pub(super) fn script(&mut self, script: &str, at: At) {
        let (items, losses) = parse(script, at, Lines::Fixed);
        for loss in losses {
            self.lose(loss.what, loss.at, loss.why);
        }
        self.spend(script.len());
        self.nested(at, |run| run.items(&items));
    }
}

/// True for assignments and functions.
fn is_plain(item: &Item) -> bool {
    item.commands.iter().all(|command| match &command.body {
        Body::Simple(simple) => simple.words.first().is_none_or(|word| {
            let name = word.literal().unwrap_or_default();
            DECLARATIONS.contains(&name.as_str()) || ["set", ":", "unset"].contains(&name.as_str())
        }),
        Body::Function(..) => true,
        Body::Group(_) | Body::Subshell(_) | Body::For { .. } | Body::Branches { .. } | Body::Test(_) => {
            false
        }
    })
}
