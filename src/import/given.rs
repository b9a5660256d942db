//! The options of a command line and of its environment, as the builds of a family know them.

use super::secret::is_secret_name;
use super::source::{Server, Word};
use crate::engine::options::OptionRow;
use crate::engine::{OptionRecord, Profile, Repeat, Switch};

/// An option that a server is started with.
#[derive(Clone, Debug)]
pub struct Given<'s> {
    /// Its record: that of the build of the registry, or of another build of the family.
    pub record: &'s OptionRecord,
    /// True if the build of the registry has it.
    pub is_known: bool,
    /// True unless its spelling switches it off.
    pub is_on: bool,
    /// Its values: none for a switch, several for an option that is given several times.
    pub values: Vec<String>,
    /// Its spelling, with the place. A variable has its name.
    pub spelling: Word,
    /// True if a part of it is known only when the source runs.
    pub is_dynamic: bool,
}

impl Given<'_> {
    /// The first name in the table of options, without dashes. Without a row, the main name.
    pub fn name(&self) -> &str {
        let row = self.row().and_then(|row| row.names.first().copied());
        row.unwrap_or_else(|| self.record.title().trim_start_matches('-'))
    }

    /// The row of the table of options.
    pub fn row(&self) -> Option<&'static OptionRow> {
        self.record.row()
    }

    /// The value of an option with one value. Several are joined with commas.
    pub fn text(&self) -> String {
        self.values.join(",")
    }

    /// The option as a user would write it.
    pub fn shown(&self) -> String {
        let mut shown = self.spelling.text.clone();
        let is_secret = is_secret_name(self.record.title()) || self.row().is_some_and(|row| row.is_secret);
        if !self.values.is_empty() && !is_secret {
            shown = format!("{shown} {}", self.values.join(","));
        }
        shown
    }
}

/// A word of a command line that no option of any build takes.
#[derive(Clone, Debug)]
pub struct UnknownWord {
    /// The word.
    pub word: Word,
    /// Its value, if the next word seems to be one.
    pub value: Option<Word>,
}

/// The options of a server.
#[derive(Clone, Debug, Default)]
pub struct GivenOptions<'s> {
    /// The options, each once, in the order of the source.
    pub all: Vec<Given<'s>>,
    /// The words that no build knows.
    pub unknown: Vec<UnknownWord>,
}

/// The profiles with which a command line is read.
#[derive(Clone, Copy, Debug)]
pub struct Builds<'p> {
    /// The profile of the registry.
    pub profile: &'p Profile,
}

impl<'p> Builds<'p> {
    /// The option with a spelling: in the build of the registry, else in the latest build of the family that has it.
    pub fn find(self, spelling: &str) -> Option<(&'p OptionRecord, Switch, bool)> {
        if !spelling.starts_with('-') {
            return None;
        }
        let own = |profile: &'p Profile| {
            let (record, _, switch) = profile.find(profile.server(), spelling)?;
            record.removed.is_none().then_some((record, switch))
        };
        if let Some((record, switch)) = own(self.profile) {
            return Some((record, switch, true));
        }
        let all: Vec<&'static Profile> = Profile::built_in_of(self.profile.family()).collect();
        let (record, switch) = all.into_iter().rev().find_map(own)?;
        // Another spelling of the same option may still exist.
        let kept = record.spellings().find_map(|(name, on)| {
            let (kept, _, now) = self.profile.find(self.profile.server(), name)?;
            (kept.removed.is_none() && kept.arity() == record.arity()).then_some((kept, on == now))
        });
        match kept {
            Some((kept, is_same)) => {
                let flipped = if switch == Switch::On { Switch::Off } else { Switch::On };
                Some((kept, if is_same { switch } else { flipped }, true))
            }
            None => Some((record, switch, false)),
        }
    }

    /// The options of a server: of its environment, then of its command line, which wins.
    pub fn read(self, server: &Server) -> GivenOptions<'p> {
        let mut found = GivenOptions::default();
        let mut rest = server.args.iter().peekable();
        // The subcommand of the program `llama`.
        rest.next_if(|word| word.text == "serve");
        let mut words = 0_usize;
        while let Some(word) = rest.next() {
            words += 1;
            if words > MAX_OPTIONS {
                let more = Word { text: format!("{} and all words after it", word.text), ..word.clone() };
                found.unknown.push(UnknownWord { word: more, value: None });
                break;
            }
            let Some((record, switch, is_known)) = self.find(&word.text) else {
                let is_option = word.text.starts_with('-') && word.text.len() > 1;
                let value = rest.next_if(|next| is_option && !next.text.starts_with('-')).cloned();
                found.unknown.push(UnknownWord { word: word.clone(), value });
                continue;
            };
            let mut values: Vec<&Word> = Vec::new();
            while values.len() < record.arity() {
                // Builds in which such an option was a switch need no value.
                let is_next = |next: &&Word| record.choices.is_empty() || !next.text.starts_with('-');
                let Some(next) = rest.next_if(is_next) else { break };
                values.push(next);
            }
            let is_dynamic = word.is_dynamic || values.iter().any(|value| value.is_dynamic);
            let mut values: Vec<String> = values.into_iter().map(|value| value.text.clone()).collect();
            if record.arity() == 1 && values.is_empty() && record.lists_value("on") {
                values.push("on".to_owned());
            }
            if record.arity() > 1 {
                values = vec![values.join(" ")];
            }
            let is_on = switch == Switch::On;
            found.add(Given { record, is_known, is_on, values, spelling: word.clone(), is_dynamic });
        }
        for (name, value) in &server.env {
            self.read_variable(&mut found, name, value);
        }
        found
    }

    /// An option that a variable sets. The command line wins.
    fn read_variable(self, found: &mut GivenOptions<'p>, name: &str, value: &Word) {
        let Some(record) = self.variable(name) else { return };
        if found.all.iter().any(|given| std::ptr::eq(given.record, record)) {
            return;
        }
        let is_positive = record.env.as_deref() == Some(name);
        let is_switch = record.arity() == 0;
        let is_true = matches!(value.text.as_str(), "on" | "enabled" | "true" | "1");
        found.add(Given {
            record,
            is_known: true,
            is_on: if is_switch { is_positive && is_true } else { is_positive },
            values: if is_switch { Vec::new() } else { vec![value.text.clone()] },
            spelling: Word { text: name.to_owned(), ..value.clone() },
            is_dynamic: value.is_dynamic,
        });
    }

    /// The option that a variable sets in the build of the registry. A switch without a negative form cannot be switched off.
    pub fn variable(self, name: &str) -> Option<&'p OptionRecord> {
        let record = self.profile.variable(name)?;
        self.profile.tool_accepts(self.profile.server(), record).then_some(record)
    }
}

impl<'s> GivenOptions<'s> {
    /// Adds an option. The last of several wins, except for options whose values add up.
    fn add(&mut self, mut given: Given<'s>) {
        let adds_up = adds_up(given.record);
        let same = self.all.iter_mut().find(|known| std::ptr::eq(known.record, given.record));
        match same {
            Some(known) if adds_up => {
                known.values.append(&mut given.values);
                known.is_dynamic |= given.is_dynamic;
            }
            Some(known) => *known = given,
            None => self.all.push(given),
        }
    }

    /// True if an option is given.
    pub fn has(&self, name: &str) -> bool {
        self.all.iter().any(|given| given.row().is_some_and(|row| row.names.contains(&name)))
    }

    /// True if an option is given with a number of at least 0.
    pub fn has_number(&self, name: &str) -> bool {
        self.all.iter().any(|given| given.name() == name && given.text().parse::<u64>().is_ok())
    }

    /// Removes an option by a name in the table of options.
    pub fn take(&mut self, name: &str) -> Option<Given<'s>> {
        let at = self.all.iter().position(|given| {
            given.name() == name || given.row().is_some_and(|row| row.names.contains(&name))
        })?;
        Some(self.all.remove(at))
    }
}

/// The most options of a command line.
const MAX_OPTIONS: usize = 4096;

/// The options whose values add up if they are given several times (llama.cpp b11669, `common/arg.cpp`).
const ADDED: &[&str] = &[
    "--alias",
    "--api-key",
    "--control-vector",
    "--control-vector-scaled",
    "--dry-sequence-breaker",
    "--logit-bias",
    "--lora",
    "--lora-scaled",
    "--override-kv",
    "--override-tensor",
    "--override-tensor-draft",
    "--reverse-prompt",
    "--spec-draft-override-tensor",
];

/// True if an option that is given twice has both values.
pub fn adds_up(record: &OptionRecord) -> bool {
    record.repeat == Some(Repeat::List) || record.names.iter().any(|name| ADDED.contains(&name.as_str()))
}
