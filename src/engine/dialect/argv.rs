//! An argv in the making: every word of it is asked of the profile first.

use std::borrow::Cow;

use super::super::option::OptionRecord;
use super::super::profile::Profile;
use super::{Fault, Inexpressible, Intent, Lowered, NotChecked, Value};

/// The longest override key that the engine takes, in bytes (llama.cpp b11434, `common/common.cpp`).
const KEY_BYTES: usize = 127;
/// The longest string value of an override, in bytes (as above).
const VALUE_BYTES: usize = 127;

/// Collects the arguments of one program of one build.
pub(super) struct Argv<'p> {
    pub(super) profile: &'p Profile,
    pub(super) tool: &'static str,
    pub(super) args: Vec<Cow<'static, str>>,
    /// What the fields of the registry wrote, each with its field.
    pub(super) written: Vec<(&'p OptionRecord, &'static str)>,
    pub(super) cannot: Vec<Inexpressible>,
    pub(super) warned: Vec<Inexpressible>,
    pub(super) not_checked: Vec<NotChecked>,
}

/// Whose wish an option is: the intent, and the field of the registry that says it.
pub(super) type Whose = (Intent, &'static str);

impl<'p> Argv<'p> {
    pub(super) fn new(profile: &'p Profile, tool: &'static str) -> Self {
        Self {
            profile,
            tool,
            args: Vec::with_capacity(48),
            written: Vec::with_capacity(24),
            cannot: Vec::new(),
            warned: Vec::new(),
            not_checked: Vec::new(),
        }
    }

    /// The first spelling that the program takes, with its record.
    pub(super) fn known(&self, spellings: &[&'static str]) -> Option<(&'static str, &'p OptionRecord)> {
        let usable = |name: &&'static str| {
            let option = self.profile.option(self.tool, name)?;
            option.removed.is_none().then_some((*name, option))
        };
        spellings.iter().find_map(usable)
    }

    /// Writes an option with its value, or says that the build has none. True where it was written.
    pub(super) fn report(
        &mut self,
        (intent, field): Whose,
        spellings: &[&'static str],
        value: impl Into<Cow<'static, str>>,
    ) -> bool {
        let value = value.into();
        let Some((spelling, option)) = self.known(spellings) else {
            self.lacks(intent, spellings);
            return false;
        };
        if option.arity() != 1 {
            self.cannot(intent, format!("`{spelling}` of {} does not take a value", self.build()));
            return false;
        }
        if !option.takes_list_of_choices() && !option.allows(&value) {
            let choices = option.choices.join(", ");
            let why =
                format!("`{spelling}` of {} takes {choices}, not `{}`", self.build(), value.escape_debug());
            self.cannot(intent, why);
            return false;
        }
        self.written.push((option, field));
        self.args.push(Cow::Borrowed(spelling));
        self.args.push(value);
        true
    }

    /// Writes an option that takes no value, or says that the build has none.
    pub(super) fn set(&mut self, (intent, field): Whose, spellings: &[&'static str]) {
        match self.known(spellings) {
            Some((spelling, option)) if option.arity() == 0 => {
                self.written.push((option, field));
                self.args.push(Cow::Borrowed(spelling));
            }
            _ => self.lacks(intent, spellings),
        }
    }

    /// Writes an option that settles a default, where the build has it and nobody else has said it.
    pub(super) fn pin(
        &mut self,
        spellings: &[&'static str],
        value: Option<Cow<'static, str>>,
        said: &[&OptionRecord],
    ) {
        let Some((spelling, option)) = self.known(spellings) else { return };
        let taken = said.iter().chain(self.written.iter().map(|(option, _)| option));
        if taken.into_iter().any(|other| std::ptr::eq(*other, option)) {
            return;
        }
        let fits = match &value {
            Some(value) => option.arity() == 1 && option.allows(value),
            None => option.arity() == 0,
        };
        if fits {
            self.args.push(Cow::Borrowed(spelling));
            self.args.extend(value);
        }
    }

    pub(super) fn cannot(&mut self, intent: Intent, why: String) {
        let (fault, help, builds) = (Fault::Intent, None, Vec::new());
        self.cannot.push(Inexpressible { intent, fault, why, help, builds });
    }

    fn lacks(&mut self, intent: Intent, spellings: &[&'static str]) {
        let removed = spellings.iter().find_map(|name| {
            let option = self.profile.option(self.tool, name)?;
            option.removed.as_ref().map(|instead| (*name, instead))
        });
        let why = match (removed, spellings.first()) {
            (Some((name, instead)), _) => {
                format!("`{name}` is removed from {} of {} ({instead})", self.tool, self.build())
            }
            (None, Some(name)) => format!("{} of {} has no `{name}`", self.tool, self.build()),
            (None, None) => format!("{} of {} has no word for it", self.tool, self.build()),
        };
        self.cannot(intent, why);
    }

    /// What the build is called in a sentence.
    pub(super) fn build(&self) -> &'p str {
        self.profile.name()
    }

    /// `--override-kv` for the experts and all overrides: in one argument where the build takes several, else one for each.
    /// Of one key given twice the engine takes the first (llama.cpp b11434, `src/llama-model-loader.cpp`).
    pub(super) fn overrides(&mut self, experts: Option<(&str, u32)>, overrides: &[(&str, Value<'_>)]) {
        let mut items = Vec::with_capacity(1 + overrides.len());
        if let Some((arch, used)) = experts {
            items.push(format!("{arch}.expert_used_count=int:{used}"));
        }
        let experts_key = experts.map(|(arch, _)| format!("{arch}.expert_used_count"));
        for (at, (key, value)) in overrides.iter().enumerate() {
            let earlier = overrides.iter().take(at).any(|(other, _)| other == key);
            match item(key, *value) {
                Err(why) => self.cannot(Intent::Override(at), why),
                Ok(_) if experts_key.as_deref() == Some(*key) => {
                    self.cannot(Intent::Override(at), format!("`experts` writes `{key}` already"));
                }
                Ok(_) if earlier => self.cannot(
                    Intent::Override(at),
                    format!("`{}` is overridden twice, and the engine takes the first", key.escape_debug()),
                ),
                Ok(item) => items.push(item),
            }
        }
        if items.is_empty() {
            return;
        }
        let intent = if experts.is_some() { Intent::Experts } else { Intent::Override(0) };
        let (whose, spellings) = ((intent, "override"), &["--override-kv"]);
        let several = self.known(spellings).is_some_and(|(_, option)| option.takes_several());
        if several {
            let fields: Vec<String> = items.iter().map(|item| csv(item)).collect();
            self.report(whose, spellings, fields.join(","));
        } else {
            for item in items {
                self.report(whose, spellings, item);
            }
        }
    }

    pub(super) fn finish(self) -> Lowered {
        let Self { tool, args, cannot, warned, not_checked, .. } = self;
        Lowered { tool, args, cannot, warned, not_checked }
    }
}

/// One override as the engine reads it, or why it would not.
fn item(key: &str, value: Value<'_>) -> Result<String, String> {
    let shown = key.escape_debug();
    if key.is_empty() || key.len() > KEY_BYTES {
        return Err(format!("`{shown}` has {} bytes, and a key has 1 to {KEY_BYTES}", key.len()));
    }
    if key.chars().any(|c| matches!(c, '=' | ',' | '"') || c.is_whitespace() || c.is_control()) {
        return Err(format!("`{shown}` holds a character that no key can have"));
    }
    match value {
        Value::Int(number) => Ok(format!("{key}=int:{number}")),
        Value::Float(number) if number.is_finite() => Ok(format!("{key}=float:{number}")),
        Value::Float(_) => Err(format!("`{shown}` is given a number that is not finite")),
        Value::Bool(truth) => Ok(format!("{key}=bool:{truth}")),
        Value::Str(text) if text.len() > VALUE_BYTES => {
            Err(format!("the text of `{shown}` has {} bytes, {VALUE_BYTES} at the most", text.len()))
        }
        Value::Str(text) if text.contains('\0') => Err(format!("the text of `{shown}` holds a zero byte")),
        Value::Str(text) => Ok(format!("{key}=str:{text}")),
    }
}

/// An item of a list with commas: in double quotes where it holds a comma (llama.cpp b11434, `common/arg.cpp`).
fn csv(item: &str) -> String {
    if item.contains(',') { format!("\"{}\"", item.replace('"', "\"\"")) } else { item.to_owned() }
}
