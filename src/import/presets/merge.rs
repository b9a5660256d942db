//! The options of one section, each once.

use super::syntax::{Entry, Section};
use super::{OptionTable, PresetOption, options};
use crate::import::source::{At, Change, Loss, Word};
use std::collections::BTreeMap;

/// An option with its value.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// The long spelling.
    pub(super) title: String,
    /// The words of the command line: none for a switch that is off and has no negative spelling.
    pub(super) words: Vec<String>,
    /// The place.
    pub(super) at: At,
    /// The setting as it is written, without secrets.
    pub(super) written: String,
}

impl Setting {
    /// The words with their place.
    pub(super) fn words(&self) -> impl Iterator<Item = Word> + '_ {
        self.words.iter().map(|word| Word::new(word.clone(), self.at))
    }
}

/// A report about a section.
#[derive(Debug)]
pub(super) enum Note {
    /// A setting without effect, or without a field.
    Loss(Loss),
    /// A value that llama-server reads in another way than it seems.
    Change(Change),
}

/// The settings of a section.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// The options by their long spelling.
    pub(super) options: BTreeMap<String, Setting>,
    /// The names of `alias`.
    pub(super) aliases: Vec<Word>,
    /// True if the model is loaded at the start of the router.
    pub(super) start: Option<(bool, At)>,
    /// Reports.
    pub(super) notes: Vec<Note>,
}

/// `on`, `enabled`, `true` and `1`.
pub(super) fn is_truthy(value: &str) -> bool {
    matches!(value, "on" | "enabled" | "true" | "1")
}

/// `off`, `disabled`, `false` and `0`.
pub(super) fn is_falsy(value: &str) -> bool {
    matches!(value, "off" | "disabled" | "false" | "0")
}

/// The words of an option. The second part is false if `value` is not a usual word for on or off.
pub(super) fn words(option: &PresetOption, value: &str) -> (Vec<String>, bool) {
    if option.takes_value {
        return (vec![option.title.clone(), value.to_owned()], true);
    }
    let is_off = if option.is_negative { is_truthy(value) } else { is_falsy(value) };
    let word = if is_off { option.negative.clone() } else { Some(option.title.clone()) };
    (word.into_iter().collect(), is_truthy(value) || is_falsy(value))
}

/// Reads a section. Keys are read in byte order, as llama-server does: of two spellings of an option, the last one in this order wins.
pub(super) fn section(section: &Section, file: usize, table: &dyn OptionTable) -> Merged {
    let mut merged = Merged::default();
    let mut entries: Vec<&Entry> = section.entries.iter().collect();
    entries.sort_by(|one, other| one.key.cmp(&other.key));
    let mut alias: Option<&Entry> = None;
    for (number, entry) in entries.iter().enumerate() {
        let repeated = entries.get(number + 1).filter(|next| next.key == entry.key);
        if let Some(next) = repeated {
            if next.value != entry.value {
                let why = format!("line {} repeats the key", next.line);
                merged.lose(written(entry, table), at(entry, file), why);
            }
            continue;
        }
        if is_alias(entry, table) {
            if let Some(other) = alias.filter(|other| other.value != entry.value) {
                merged.lose(written(other, table), at(other, file), format!("`{}` wins", entry.key));
            }
            alias = Some(entry);
        }
        read(entry, file, table, &mut merged);
    }
    merged.notes.sort_by_key(|note| match note {
        Note::Loss(loss) => loss.at,
        Note::Change(change) => change.at,
    });
    merged
}

fn at(entry: &Entry, file: usize) -> At {
    At { file, line: entry.line }
}

fn is_alias(entry: &Entry, table: &dyn OptionTable) -> bool {
    options::find_key(table, &entry.key).is_some_and(|option| option.title == "--alias")
}

/// A key with its value, without a secret.
fn written(entry: &Entry, table: &dyn OptionTable) -> String {
    let is_secret =
        options::find_key(table, &entry.key).is_some_and(|option| options::is_secret(&option.title));
    if is_secret { entry.key.clone() } else { format!("{} = {}", entry.key, entry.value) }
}

fn read(entry: &Entry, file: usize, table: &dyn OptionTable, merged: &mut Merged) {
    let at = at(entry, file);
    if let Some(cut) = &entry.cut {
        let what = format!("{}: text behind a semicolon or number sign", entry.key);
        let why = format!("llama-server reads `{}` as a comment, and the value ends before it", shorten(cut));
        merged.lose(what, at, why);
    }
    match entry.key.as_str() {
        "version" => {}
        "load-on-startup" => {
            let is_on = is_truthy(&entry.value);
            merged.start = Some((is_on, at));
            if !is_on && !is_falsy(&entry.value) {
                let why = "llama-server loads the model at its start only with on, enabled, true or 1";
                merged.lose(written(entry, table), at, why);
            }
        }
        "stop-timeout" => merged.lose(
            written(entry, table),
            at,
            "orchgen writes `stop-timeout = 10`, the default of the router",
        ),
        "dedup-cache-models" => {
            merged.lose(
                written(entry, table),
                at,
                "no field of a registry; orchgen names the file of each model",
            );
        }
        key => match options::find_key(table, key) {
            Some(option) => read_option(entry, at, &option, table, merged),
            None => {
                let why = "llama-server does not know this key and refuses the whole file";
                merged.lose(format!("{key} = {}", entry.value), at, why);
            }
        },
    }
}

fn read_option(entry: &Entry, at: At, option: &PresetOption, table: &dyn OptionTable, merged: &mut Merged) {
    let written = written(entry, table);
    if let Some(why) = options::removed(&option.title) {
        merged.lose(written, at, why);
        return;
    }
    if option.title == "--alias" {
        let names = entry.value.split(',').map(str::trim).filter(|name| !name.is_empty());
        merged.aliases = names.map(|name| Word::new(name, at)).collect();
        return;
    }
    // llama-server reverses only spellings of options, not their variables.
    let is_variable = entry.key.starts_with("LLAMA_ARG_");
    let is_reversed = option.is_negative && !is_variable;
    let is_misleading = option.is_negative && is_variable;
    let option = &PresetOption { is_negative: is_reversed, ..option.clone() };
    let (words, is_usual) = words(option, &entry.value);
    if !is_usual || is_misleading {
        let why = match is_usual {
            _ if is_misleading => {
                "in a preset file, llama-server reads a negative variable as the option itself"
            }
            false if is_reversed => "only on, enabled, true and 1 are true in a preset file",
            _ => "only off, disabled, false and 0 are false in a preset file",
        };
        let is = words.first().cloned().unwrap_or_default();
        let was = entry.value.clone();
        merged.notes.push(Note::Change(Change {
            option: entry.key.clone(),
            was,
            is,
            why: why.to_owned(),
            at,
        }));
    }
    let setting = Setting { title: option.title.clone(), words, at, written };
    if let Some(other) = merged
        .options
        .insert(option.title.clone(), setting.clone())
        .filter(|other| other.words != setting.words)
    {
        let why = format!("`{}` in line {} is the same option, and wins", entry.key, entry.line);
        merged.lose(other.written, other.at, why);
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

impl Merged {
    fn lose(&mut self, what: String, at: At, why: impl Into<String>) {
        self.notes.push(Note::Loss(Loss { what, at, why: why.into() }));
    }
}
