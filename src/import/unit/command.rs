//! Command lines (systemd.service(5), Command lines): `ExecStart=`, with variables.

use super::specifiers::{Context, Expanded};
use super::syntax::Setting;
use super::variables::{Value, Variables};
use super::words::{Escapes, Token, split};
use crate::import::prefix::is_name;
use crate::import::source::{At, Loss, Word};
use std::collections::BTreeSet;

/// The maximum length of an expanded command line. Linux accepts no longer ones.
const MAX_LENGTH: usize = 2 << 20;

/// A command line.
#[derive(Debug, Default)]
pub(crate) struct Command {
    /// The characters in front of the program, such as `-`.
    pub(crate) marks: String,
    /// The program and its arguments.
    pub(crate) words: Vec<Word>,
    /// The place.
    pub(crate) at: At,
    /// Variables that fill in the command line.
    pub(crate) used: BTreeSet<String>,
    /// Words that systemd changes unexpectedly.
    pub(crate) losses: Vec<Loss>,
}

/// The commands of a setting. The error is the reason why systemd does not accept it.
pub(crate) fn commands(
    setting: &Setting,
    context: &Context<'_>,
    variables: &Variables,
) -> Result<Vec<Command>, String> {
    let tokens = split(&setting.value, Escapes::C)?;
    tokens
        .split(|token| token.is_separator)
        .filter(|tokens| !tokens.is_empty())
        .map(|tokens| command(tokens, setting, context, variables))
        .collect()
}

fn command(
    tokens: &[Token],
    setting: &Setting,
    context: &Context<'_>,
    variables: &Variables,
) -> Result<Command, String> {
    let mut expander = Expander { context, variables, setting, length: 0, command: Command::default() };
    let Some((first, rest)) = tokens.split_first() else { return Ok(expander.command) };
    let (marks, program) = marks(&first.text);
    marks.clone_into(&mut expander.command.marks);
    expander.command.at = setting.place(first.offset);
    let program = expand(program, context)?;
    if program.text.is_empty() || program.text.starts_with('$') {
        return Err("the program of a command is no variable".to_owned());
    }
    let at = expander.command.at;
    expander.command.words.push(Word { text: program.text, at, is_dynamic: program.is_dynamic });
    let mut rest = rest.iter();
    if marks.contains('@')
        && let Some(name) = rest.next()
    {
        let what = format!("{}: name {}", setting.key, name.text);
        expander.lose(what, setting.place(name.offset), "orchgen starts the program under its own name");
    }
    for token in rest {
        if marks.contains(':') {
            expander.plain(token)?;
        } else {
            expander.word(token)?;
        }
    }
    Ok(expander.command)
}

fn expand(text: &str, context: &Context<'_>) -> Result<Expanded, String> {
    let expanded = context.expand(text);
    if expanded.is_refused {
        return Err(format!("`{text}` has a `%` that is no specifier; `%%` is a percent sign"));
    }
    Ok(expanded)
}

/// The special characters in front of a program. Each counts once, except `!`.
fn marks(text: &str) -> (&str, &str) {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let is_repeated = text.get(..at).is_some_and(|before| before.contains(c)) && c != '!';
        if !"-@:+!|".contains(c) || is_repeated {
            break;
        }
        end = at + c.len_utf8();
    }
    text.split_at(end)
}

/// Replaces specifiers, then variables.
pub(crate) struct Expander<'e, 's> {
    context: &'e Context<'s>,
    variables: &'e Variables,
    setting: &'e Setting,
    length: usize,
    command: Command,
}

impl<'e, 's> Expander<'e, 's> {
    /// An expander without words.
    pub(crate) fn new(setting: &'e Setting, context: &'e Context<'s>, variables: &'e Variables) -> Self {
        Self { context, variables, setting, length: 0, command: Command::default() }
    }

    /// The words with the variables that they use.
    pub(crate) fn finish(self) -> Command {
        self.command
    }

    fn lose(&mut self, what: String, at: At, why: &str) {
        self.command.losses.push(Loss { what, at, why: why.to_owned() });
    }

    fn push(&mut self, word: Word) -> Result<(), String> {
        self.length = self.length.saturating_add(word.text.len() + 1);
        if self.length > MAX_LENGTH {
            return Err("the command line is longer than 2 MiB".to_owned());
        }
        self.command.words.push(word);
        Ok(())
    }

    fn plain(&mut self, token: &Token) -> Result<(), String> {
        let at = self.setting.place(token.offset);
        let text = expand(&token.text, self.context)?;
        self.push(Word { text: text.text, at, is_dynamic: text.is_dynamic })
    }

    /// Adds a word: `$X` alone is split, `${X}` is replaced, `$$` is a dollar sign.
    pub(crate) fn word(&mut self, token: &Token) -> Result<(), String> {
        let at = self.setting.place(token.offset);
        let expanded = expand(&token.text, self.context)?;
        match expanded.text.strip_prefix('$') {
            Some(name) if !name.starts_with(['{', '$']) => self.alone(name, at),
            _ => {
                let (text, is_dynamic) = self.replace(&expanded.text, at)?;
                self.push(Word { text, at, is_dynamic: is_dynamic || expanded.is_dynamic })
            }
        }
    }

    fn alone(&mut self, name: &str, at: At) -> Result<(), String> {
        if !is_name(name) {
            self.lose(format!("${name}"), at, "systemd removes the word: this is no name of a variable");
            return Ok(());
        }
        match self.value(&format!("${name}"), name, at) {
            Value::Known(value) => {
                for token in split(&value.text, Escapes::Plain)? {
                    let is_dynamic = value.is_dynamic && token.text.contains('%');
                    self.push(Word { text: token.text, at, is_dynamic })?;
                }
                Ok(())
            }
            Value::Unset => Ok(()),
            Value::Unread | Value::Unknown => {
                self.push(Word { text: format!("${name}"), at, is_dynamic: true })
            }
        }
    }

    /// The value of a variable. The first use of each variable without a value is reported.
    fn value(&mut self, written: &str, name: &str, at: At) -> Value<'e> {
        let is_first = self.command.used.insert(name.to_owned());
        let value = self.variables.get(name);
        let why = match value {
            Value::Unset => "the unit does not set it, so systemd passes nothing",
            Value::Unread => "the unit does not set it, and its environment file cannot be read",
            Value::Known(_) | Value::Unknown => return value,
        };
        if is_first && is_name(name) {
            self.lose(written.to_owned(), at, why);
        }
        value
    }

    fn replace(&mut self, text: &str, at: At) -> Result<(String, bool), String> {
        let mut out = String::new();
        let mut is_dynamic = false;
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                out.push('$');
                rest = after;
                continue;
            }
            let Some(inner) = after.strip_prefix('{') else {
                out.push('$');
                rest = after;
                continue;
            };
            let Some((name, after)) = inner.split_once('}') else {
                out.push('$');
                rest = after;
                break;
            };
            rest = after;
            let written = format!("${{{name}}}");
            match self.value(&written, name, at) {
                Value::Known(value) => {
                    out.push_str(&value.text);
                    is_dynamic |= value.is_dynamic;
                }
                Value::Unread | Value::Unknown => {
                    out.push_str(&written);
                    is_dynamic = true;
                }
                Value::Unset if is_name(name) => {}
                Value::Unset => {
                    self.lose(written, at, "systemd replaces it by nothing: this is no name of a variable");
                }
            }
            if out.len() > MAX_LENGTH {
                return Err("the command line is longer than 2 MiB".to_owned());
            }
        }
        out.push_str(rest);
        Ok((out, is_dynamic))
    }
}
