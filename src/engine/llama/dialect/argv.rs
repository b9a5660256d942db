//! Builds the argv of one program. Each option is looked up in the profile before it is written.

use super::super::option::OptionRecord;
use super::super::options::{Given, OptionRow, row_of};
use super::super::profile::Profile;
use super::{
    FaultKind, Intent, Lowered, LoweringFault, OptionPath, OverrideValue, PresetEntry, UncheckedIntent,
};
use crate::engine::{Switch, Word};
use std::sync::Arc;

/// The longest override key that the engine accepts, in bytes (llama.cpp b11434, `common/common.cpp`).
const KEY_BYTES: usize = 127;
/// The longest string value of an override, in bytes (same source).
const VALUE_BYTES: usize = 127;

/// An option of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenOption {
    row: &'static OptionRow,
    title: Box<str>,
    is_on: bool,
    /// The value. `None` for a switch.
    value: Option<Word>,
    is_default: bool,
}

impl WrittenOption {
    /// The option with its value.
    pub fn given(&self) -> Given<'_> {
        let value = self.value.as_ref().map_or("", Word::text);
        Given { row: self.row, title: &self.title, is_on: self.is_on, value, is_default: self.is_default }
    }
}

/// Collects the arguments of one program of one build.
pub(super) struct ArgvBuilder<'p> {
    pub(super) profile: &'p Profile,
    pub(super) tool: &'static str,
    /// The names of the GPUs of the host. `None` if they are unknown.
    pub(super) gpus: Option<Vec<String>>,
    pub(super) args: Vec<Word>,
    /// The options as a section of a preset file. `None` for a process that has a command line.
    pub(super) preset: Option<Vec<PresetEntry>>,
    settings: Vec<WrittenOption>,
    /// The options written so far from fields of the registry, each with its field.
    pub(super) written: Vec<(&'p OptionRecord, &'static str)>,
    pub(super) errors: Vec<LoweringFault>,
    pub(super) warnings: Vec<LoweringFault>,
    pub(super) not_checked: Vec<UncheckedIntent>,
    /// The options that only the server has.
    pub(super) left_out: Vec<Arc<str>>,
    pub(super) paths: Vec<OptionPath>,
    pub(super) peers: Vec<Arc<str>>,
}

/// The reason why an option is written: the intent, and the field of the registry.
pub(super) type Origin = (Intent, &'static str);

impl<'p> ArgvBuilder<'p> {
    pub(super) fn new(profile: &'p Profile, tool: &'static str) -> Self {
        Self {
            profile,
            tool,
            gpus: None,
            args: Vec::with_capacity(48),
            preset: None,
            settings: Vec::with_capacity(24),
            written: Vec::with_capacity(24),
            errors: Vec::new(),
            warnings: Vec::new(),
            not_checked: Vec::new(),
            left_out: Vec::new(),
            paths: Vec::new(),
            peers: Vec::new(),
        }
    }

    /// The first of several spellings that the program accepts, with its record.
    pub(super) fn find_option(&self, spellings: &[&'static str]) -> Option<(&'static str, &'p OptionRecord)> {
        let usable = |name: &&'static str| {
            let option = self.profile.option(self.tool, name)?;
            option.removed.is_none().then_some((*name, option))
        };
        spellings.iter().find_map(usable)
    }

    /// Writes an option with its value. Adds an error and returns false if the build does not accept it.
    pub(super) fn write_option(
        &mut self,
        (intent, field): Origin,
        spellings: &[&'static str],
        value: impl Into<Word>,
    ) -> bool {
        let word = value.into();
        let value = word.text();
        let Some((spelling, option)) = self.find_option(spellings) else {
            self.report_missing(intent, spellings);
            return false;
        };
        if option.arity() != 1 {
            self.add_error(intent, format!("`{spelling}` of {} does not take one value", self.build()));
            return false;
        }
        if !option.takes_list_of_choices() && !option.allows_value(value) {
            let choices = option.choices.join(", ");
            let why =
                format!("`{spelling}` of {} accepts {choices}, not `{}`", self.build(), value.escape_debug());
            self.add_error(intent, why);
            return false;
        }
        self.written.push((option, field));
        self.push(option, spelling.into(), Some(word));
        true
    }

    /// Writes the files of the model and of its projector.
    pub(super) fn write_model(&mut self, model: &str, projector: Option<&str>) {
        self.write_option((Intent::Model, "model"), &["-m", "--model"], Word::ModelFile(model.into()));
        if let Some(projector) = projector {
            let word = Word::ProjectorFile(projector.into());
            self.write_option((Intent::Projector, "projector"), &["--mmproj"], word);
        }
    }

    /// Writes an option that takes no value. Adds an error if the build does not have it.
    pub(super) fn write_flag(&mut self, (intent, field): Origin, spellings: &[&'static str]) {
        match self.find_option(spellings) {
            Some((spelling, option)) if option.arity() == 0 => {
                self.written.push((option, field));
                self.push(option, spelling.into(), None);
            }
            _ => self.report_missing(intent, spellings),
        }
    }

    /// Writes an option with a fixed value, if the build has it and nothing else sets it.
    pub(super) fn write_unless_set(
        &mut self,
        spellings: &[&'static str],
        value: Option<Word>,
        accepted: &[&OptionRecord],
    ) {
        let Some((spelling, option)) = self.find_option(spellings) else { return };
        let mut set = accepted.iter().chain(self.written.iter().map(|(option, _)| option));
        if set.any(|other| std::ptr::eq(*other, option)) {
            return;
        }
        let fits = match &value {
            Some(value) => option.arity() == 1 && option.allows_value(value.text()),
            None => option.arity() == 0,
        };
        if fits {
            self.push(option, spelling.into(), value);
        }
    }

    /// Writes the engine's default of an option, as the table of options has it, unless something else sets the option:
    /// another version of the program may have another default.
    pub(super) fn write_default(&mut self, spellings: &[&'static str], accepted: &[&OptionRecord]) {
        let row = spellings.first().and_then(|name| row_of(name));
        let Some(default) = row.and_then(|row| row.default) else { return };
        let before = self.settings.len();
        self.write_unless_set(spellings, Some(default.value.into()), accepted);
        self.settings.iter_mut().skip(before).for_each(|written| written.is_default = true);
    }

    /// Adds an option and its value to the arguments.
    pub(super) fn push(&mut self, option: &OptionRecord, spelling: Word, value: Option<Word>) {
        let is_on = !option.negative.iter().any(|name| name == spelling.text());
        if let Some(preset) = &mut self.preset {
            let switch = if is_on { Switch::On } else { Switch::Off };
            preset.push(PresetEntry::new(option, switch, value.as_ref()));
        }
        if let Some(row) = option.row().filter(|row| row.affects_memory()) {
            let title = option.title().into();
            self.settings.push(WrittenOption { row, title, is_on, value: value.clone(), is_default: false });
        }
        self.args.push(spelling);
        self.args.extend(value);
    }

    pub(super) fn add_error(&mut self, intent: Intent, why: String) {
        self.add_fault(FaultKind::NotExpressible, intent, why);
    }

    pub(super) fn add_fault(&mut self, kind: FaultKind, intent: Intent, why: String) {
        self.errors.push(LoweringFault { intent, kind, why, help: None, builds: Vec::new() });
    }

    fn report_missing(&mut self, intent: Intent, spellings: &[&'static str]) {
        let removed = spellings.iter().find_map(|name| {
            let option = self.profile.option(self.tool, name)?;
            option.removed.as_ref().map(|instead| (*name, instead))
        });
        let why = match (removed, spellings.first()) {
            (Some((name, instead)), _) => {
                format!("{} of {} has removed `{name}` ({instead})", self.tool, self.build())
            }
            (None, Some(name)) => format!("{} of {} has no `{name}`", self.tool, self.build()),
            (None, None) => format!("{} of {} has no such option", self.tool, self.build()),
        };
        self.add_error(intent, why);
    }

    /// The name of the build in messages.
    pub(super) fn build(&self) -> &'p str {
        self.profile.name()
    }

    /// Writes `--override-kv` for the experts and all overrides: one argument if the build accepts a list, else one
    /// argument for each. If a key is given twice, the engine uses the first (llama.cpp b11434,
    /// `src/llama-model-loader.cpp`).
    pub(super) fn write_overrides(
        &mut self,
        experts: Option<(&str, u32)>,
        overrides: &[(&str, OverrideValue<'_>)],
    ) {
        let mut items = Vec::with_capacity(1 + overrides.len());
        if let Some((arch, used)) = experts {
            items.push(format!("{arch}.expert_used_count=int:{used}"));
        }
        let experts_key = experts.map(|(arch, _)| format!("{arch}.expert_used_count"));
        for (at, (key, value)) in overrides.iter().enumerate() {
            let earlier = overrides.iter().take(at).any(|(other, _)| other == key);
            match override_item(key, *value) {
                Err(why) => self.add_error(Intent::Override(at), why),
                Ok(_) if experts_key.as_deref() == Some(*key) => {
                    self.add_error(Intent::Override(at), format!("the field `experts` already sets `{key}`"));
                }
                Ok(_) if earlier => self.add_error(
                    Intent::Override(at),
                    format!("`{}` is overridden twice; the engine uses the first value", key.escape_debug()),
                ),
                Ok(item) => items.push(item),
            }
        }
        if items.is_empty() {
            return;
        }
        let intent = if experts.is_some() { Intent::Experts } else { Intent::Override(0) };
        let (origin, spellings) = ((intent, "override"), &["--override-kv"]);
        let several = self.find_option(spellings).is_some_and(|(_, option)| option.takes_comma_list());
        if several {
            let fields: Vec<String> = items.iter().map(|item| quote_item(item)).collect();
            self.write_option(origin, spellings, fields.join(","));
        } else {
            for item in items {
                self.write_option(origin, spellings, item);
            }
        }
    }

    pub(super) fn finish(self) -> Lowered {
        Lowered {
            tool: self.tool,
            args: self.args.into(),
            preset: self.preset.unwrap_or_default().into(),
            settings: self.settings.into(),
            paths: self.paths.into(),
            peers: self.peers.into(),
            errors: self.errors.into(),
            warnings: self.warnings.into(),
            not_checked: self.not_checked.into(),
            left_out: self.left_out.into(),
        }
    }
}

/// One override in the syntax of the engine, or the reason why the engine would refuse it.
fn override_item(key: &str, value: OverrideValue<'_>) -> Result<String, String> {
    let shown = key.escape_debug();
    if key.is_empty() || key.len() > KEY_BYTES {
        return Err(format!("the key `{shown}` has {} bytes; allowed are 1 to {KEY_BYTES}", key.len()));
    }
    if key.chars().any(|c| matches!(c, '=' | ',' | '"') || c.is_whitespace() || c.is_control()) {
        return Err(format!("the key `{shown}` contains `=`, `,`, `\"`, a blank or a control character"));
    }
    match value {
        OverrideValue::Int(number) => Ok(format!("{key}=int:{number}")),
        OverrideValue::Float(number) if number.is_finite() => Ok(format!("{key}=float:{number}")),
        OverrideValue::Float(_) => Err(format!("the value of `{shown}` is not a finite number")),
        OverrideValue::Bool(truth) => Ok(format!("{key}=bool:{truth}")),
        OverrideValue::Str(text) if text.len() > VALUE_BYTES => {
            Err(format!("the value of `{shown}` has {} bytes; the maximum is {VALUE_BYTES}", text.len()))
        }
        OverrideValue::Str(text) if text.contains('\0') => {
            Err(format!("the value of `{shown}` contains a zero byte"))
        }
        OverrideValue::Str(text) => Ok(format!("{key}=str:{text}")),
    }
}

/// An item of a comma-separated list, in double quotes if it contains a comma (llama.cpp b11434, `common/arg.cpp`).
fn quote_item(item: &str) -> String {
    if item.contains(',') { format!("\"{}\"", item.replace('"', "\"\"")) } else { item.to_owned() }
}
