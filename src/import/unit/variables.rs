//! The variables of a service (systemd.exec(5)): `Environment=`, `EnvironmentFile=`, `PassEnvironment=` and `UnsetEnvironment=`.

use super::env_file::{self, EnvFile};
use super::settings::Settings;
use super::specifiers::Context;
use super::syntax::Setting;
use super::words::{Escapes, split};
use crate::import::prefix::is_name;
use crate::import::source::{At, Loss, Reader, Word};
use std::collections::{BTreeMap, BTreeSet};

/// Variables that systemd sets, if the unit does not.
const OF_SYSTEMD: &[&str] = &[
    "PATH",
    "LANG",
    "USER",
    "LOGNAME",
    "HOME",
    "SHELL",
    "INVOCATION_ID",
    "XDG_RUNTIME_DIR",
    "RUNTIME_DIRECTORY",
    "STATE_DIRECTORY",
    "CACHE_DIRECTORY",
    "LOGS_DIRECTORY",
    "CONFIGURATION_DIRECTORY",
    "CREDENTIALS_DIRECTORY",
    "MAINPID",
    "MANAGERPID",
    "JOURNAL_STREAM",
    "SYSTEMD_EXEC_PID",
];

/// The maximum number of variables.
const MAX_VARIABLES: usize = 4096;

/// The variables of a service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    values: BTreeMap<String, Word>,
    /// Variables of the user manager.
    inherited: BTreeMap<String, Word>,
    order: Vec<String>,
    /// Names whose value only the service manager knows.
    unknown: BTreeSet<String>,
    /// True if a file cannot be read, which may have further variables.
    has_unread_file: bool,
    /// True if the service has more variables than orchgen reads.
    is_full: bool,
}

/// A file of variables that a setting names.
pub(crate) struct NamedFile<'n> {
    /// The setting.
    pub(crate) setting: &'n Setting,
    /// The path.
    pub(crate) path: String,
    /// Its syntax.
    pub(crate) parse: fn(&str) -> EnvFile,
}

/// A value, or the reason why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'v> {
    /// Its value.
    Known(&'v Word),
    /// It is not set.
    Unset,
    /// The unit does not set it, and one of its files cannot be read.
    Unread,
    /// Only systemd knows.
    Unknown,
}

impl Variables {
    /// The value of a variable, or the reason why there is none.
    pub(crate) fn get(&self, name: &str) -> Value<'_> {
        match self.values.get(name).or_else(|| self.inherited.get(name)) {
            Some(value) => Value::Known(value),
            None if self.is_full || self.unknown.contains(name) || OF_SYSTEMD.contains(&name) => {
                Value::Unknown
            }
            None if self.has_unread_file => Value::Unread,
            None => Value::Unset,
        }
    }

    /// The variables in the order in which they are first set.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Word)> {
        self.order.iter().filter_map(|name| self.values.get_key_value(name))
    }

    fn set(&mut self, name: String, value: Word, losses: &mut Vec<Loss>) {
        if self.values.len() == MAX_VARIABLES && !self.values.contains_key(&name) {
            if !self.is_full {
                lose(losses, name, value.at, "orchgen reads at most 4096 variables of a service");
            }
            self.is_full = true;
        } else if self.values.insert(name.clone(), value).is_none() {
            self.order.push(name);
        }
    }

    fn remove(&mut self, name: &str) -> bool {
        self.order.retain(|known| known != name);
        self.values.remove(name).is_some()
    }

    /// Reads the variables of a section.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        settings: &Settings,
        section: &str,
        context: &Context<'_>,
        losses: &mut Vec<Loss>,
    ) -> Self {
        let mut variables = Self::default();
        for name in ["HOME", "USER", "XDG_RUNTIME_DIR"] {
            let value = context.around.variable(name).filter(|_| context.is_user);
            variables.inherited.extend(value.map(|value| (name.to_owned(), Word::new(value, At::default()))));
        }
        for setting in settings.list(section, "PassEnvironment") {
            variables.unknown.extend(setting.value.split_whitespace().map(str::to_owned));
            lose(
                losses,
                setting.written(),
                setting.at,
                "only the service manager knows the value; set `env` of the role",
            );
        }
        for setting in settings.list(section, "Environment") {
            for (name, value) in assignments(setting, context, losses) {
                variables.set(name, value, losses);
            }
        }
        for setting in settings.list(section, "EnvironmentFile") {
            let path = context.expand(setting.value.strip_prefix('-').unwrap_or(&setting.value));
            if !path.is_dynamic && !path.text.starts_with('/') {
                lose(losses, setting.written(), setting.at, "systemd ignores relative paths here");
                continue;
            }
            variables.add_file(
                reader,
                &NamedFile { setting, path: path.text, parse: env_file::systemd },
                losses,
            );
        }
        for setting in settings.list(section, "UnsetEnvironment") {
            variables.unset(setting, context, losses);
        }
        variables
    }

    /// Reads a file of variables. Later files win.
    pub(crate) fn add_file(
        &mut self,
        reader: &mut Reader<'_>,
        named: &NamedFile<'_>,
        losses: &mut Vec<Loss>,
    ) {
        let (setting, path) = (named.setting, &named.path);
        let is_pattern = path.contains(['*', '?', '[']);
        let companion = if is_pattern { None } else { reader.companion(setting.at.file, path) };
        let Some(file) = companion else {
            self.has_unread_file = true;
            let why = "the file cannot be read; put it next to the unit, or write its variables into `env` of the role";
            lose(losses, setting.written(), setting.at, why);
            return;
        };
        let text = reader.found.files.get(file).map_or("", |file| &file.text);
        let parsed = (named.parse)(text);
        for (line, what, why) in parsed.faults {
            lose(losses, what, At { file, line }, why);
        }
        for variable in parsed.variables {
            let at = At { file, line: variable.line };
            if is_name(&variable.name) {
                self.set(variable.name, Word::new(variable.value, at), losses);
            } else {
                lose(losses, variable.name, at, "this is no name of a variable");
            }
        }
    }

    /// Sets a variable.
    pub(crate) fn insert(&mut self, name: String, value: Word, losses: &mut Vec<Loss>) {
        self.set(name, value, losses);
    }

    fn unset(&mut self, setting: &Setting, context: &Context<'_>, losses: &mut Vec<Loss>) {
        let mut is_inherited = false;
        for token in split(&setting.value, Escapes::C).unwrap_or_default() {
            let entry = context.expand(&token.text).text;
            let (name, value) =
                entry.split_once('=').map_or((entry.as_str(), None), |(name, value)| (name, Some(value)));
            let is_equal = |word: &Word| value.is_none_or(|value| word.text == value);
            let is_removed = self.values.get(name).is_some_and(is_equal) && self.remove(name);
            is_inherited |= !is_removed;
            self.unknown.remove(name);
        }
        if is_inherited {
            let why = "the variable is none of the unit; orchgen's units remove variables that are options of the engine";
            lose(losses, setting.written(), setting.at, why);
        }
    }
}

/// The variables of a line. The rest of a line is lost if systemd cannot read a word.
pub(crate) fn assignments(
    setting: &Setting,
    context: &Context<'_>,
    losses: &mut Vec<Loss>,
) -> Vec<(String, Word)> {
    let mut found = Vec::new();
    let tokens = match split(&setting.value, Escapes::C) {
        Ok(tokens) => tokens,
        Err(why) => {
            lose(losses, setting.written(), setting.at, &format!("systemd ignores it: {why}"));
            return found;
        }
    };
    for token in tokens {
        let at = setting.place(token.offset);
        if token.has_unknown_escape {
            let what = format!("{}={}", setting.key, token.text);
            lose(losses, what, at, "systemd ignores the rest of the line: it does not know an escape");
            break;
        }
        let expanded = context.expand(&token.text);
        let word = |text: &str| Word { text: text.to_owned(), at, is_dynamic: expanded.is_dynamic };
        match expanded.text.split_once('=') {
            Some((name, value)) if is_name(name) && !expanded.is_refused => {
                found.push((name.to_owned(), word(value)));
            }
            _ => lose(
                losses,
                format!("{}={}", setting.key, expanded.text),
                at,
                "systemd ignores it: no variable with a value, or an unknown specifier",
            ),
        }
    }
    found
}

pub(super) fn lose(losses: &mut Vec<Loss>, what: String, at: At, why: &str) {
    losses.push(Loss { what, at, why: why.to_owned() });
}
