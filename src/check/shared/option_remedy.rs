//! The helps of findings about options: the option in its right form, the field that sets it, or its removal.

use super::adapter_remedy::relative_file;
use super::faults::FaultyRole;
use super::field_line::field_line;
use super::gpu_remedy::declare_gpus;
use super::speculation_remedy::surplus_kinds;
use crate::diag::{Change, Diagnostic, Line, Literal, Safety, Similarity, Suggestion, suggest, words};
use crate::engine::dialect::{DeprecatedKey, FaultKind, LoweringFault};
use crate::engine::options::{field_help, is_option};
use crate::engine::{Meaning, OptionRecord, Profile, meaning, usual_name};
use crate::hir::{EngineOption, Setting};

const INSTEAD: &str = "write `{}` instead of this option";

/// The option with the fault, and the role that has it.
pub(in crate::check) struct FaultyOption<'g> {
    pub(in crate::check) role: &'g FaultyRole<'g>,
    pub(in crate::check) option: &'g EngineOption,
    pub(in crate::check) fault: &'g LoweringFault,
}

impl<'g> FaultyOption<'g> {
    /// The name and the value that a name contains by mistake: `--top-k 20` or `--top-k=20`.
    fn name_with_value(&self) -> Option<(&'g str, &'g str)> {
        let (name, value) = self.option.name.trim().split_once([' ', '='])?;
        let value = value.trim();
        (!name.is_empty() && !value.is_empty()).then_some((name, value))
    }

    /// True for an unknown option whose name is a known name and a value.
    pub(in crate::check) fn has_known_name(&self) -> bool {
        let profile = self.role.profile;
        let found = self.name_with_value().and_then(|(name, _)| profile.find(profile.server(), name));
        self.fault.kind == FaultKind::UnknownOption && found.is_some_and(|(record, ..)| record.arity() > 0)
    }

    /// The most similar option for an unknown one, unless a server with it would not serve. `None` for an option of
    /// another program or build, which is not a spelling error.
    pub(in crate::check) fn near(&self) -> Option<Suggestion<'g>> {
        let profile = self.role.profile;
        let name = self.name_with_value().map_or(self.option.name.trim(), |(name, _)| name);
        let name = dashed(name);
        let is_misspelt = self.fault.kind == FaultKind::UnknownOption
            && self.fault.help.is_none()
            && self.fault.builds.is_empty()
            && profile.tools_with(&name).is_empty();
        let names = || profile.option_names(profile.server()).into_iter();
        is_misspelt.then(|| suggest(&name, names().filter(|name| is_possible(profile, name)))).flatten()
    }

    /// The option of the server that another program has under this name, such as `n_ctx`.
    fn other_name(&self) -> Option<Suggestion<'static>> {
        let profile = self.role.profile;
        let name = usual_name(&self.option.name)?;
        let is_known = profile.option(profile.server(), &dashed(name)).is_some();
        is_known.then_some(Suggestion { name, similarity: Similarity::Same })
    }

    /// Adds the helps that are changes. `text` is the help of the fault.
    pub(in crate::check) fn remedies(&self, finding: Diagnostic, text: Option<String>) -> Diagnostic {
        let name = self.option.name.span;
        let remove = Change::field("option", name);
        match self.fault.kind {
            FaultKind::UnknownOption => self.write_name(finding, text),
            FaultKind::Removed if self.replacement().is_some() => self.write_replacement(finding, text),
            FaultKind::OwnedByField | FaultKind::Removed => {
                match self.field_change(&self.option.name.value) {
                    Some(change @ Change::Field { .. }) => {
                        finding.remedy("remove this option: the fields declare the same", change)
                    }
                    Some(change) => finding.remedy(self.instead(), change),
                    None => match relative_file(self.option).or_else(|| declare_gpus(self.role, self.option))
                    {
                        Some(help) => finding.help(help),
                        None => or_remove(finding, text, ("and remove this option", remove)),
                    },
                }
            }
            FaultKind::BadValue => self.write_value(finding, text),
            FaultKind::Incomplete | FaultKind::NoEffect => {
                or_remove(finding, text, ("or remove this option", remove))
            }
            FaultKind::Deprecated => match self.deprecated_key() {
                Some(key) => self.replace_key(finding, &key),
                None => self.write_replacement(finding, text),
            },
            FaultKind::Repeated | FaultKind::NotExpressible | FaultKind::UnknownContext => {
                finding.maybe_help(text)
            }
        }
    }

    /// The option with a value that replaces a switch of earlier builds.
    fn replacement(&self) -> Option<Line> {
        let Some(Meaning::OptionValue(name, value)) = meaning(&self.option.name) else { return None };
        let profile = self.role.profile;
        profile.option(profile.server(), &dashed(name)).filter(|_| self.option.value.is_none())?;
        Some(option_line(name, Some(value.into())))
    }

    /// The help that writes the replacement, or `text` if there is none.
    fn write_replacement(&self, finding: Diagnostic, text: Option<String>) -> Diagnostic {
        match self.replacement() {
            Some(line) => finding.remedy(INSTEAD, Change::rewrite(self.option.name.span, line)),
            None if text.as_deref() == Some("remove it") => {
                finding.remedy("remove this option", Change::field("option", self.option.name.span))
            }
            None => finding.maybe_help(text),
        }
    }

    /// The title of the help that writes a field, with the kinds of draft that the field cannot have.
    fn instead(&self) -> String {
        let surplus: Vec<String> =
            surplus_kinds(self.role, self.option).into_iter().map(words::quoted).collect();
        match surplus.as_slice() {
            [] => INSTEAD.to_owned(),
            kinds => format!("{INSTEAD}, without {}: a role has one kind of draft", words::all_of(kinds)),
        }
    }

    /// The deprecated key in the value of the option, if the fault is about it.
    pub(in crate::check) fn deprecated_key(&self) -> Option<DeprecatedKey> {
        let Setting::Text(value) = &self.option.value.as_ref()?.value else { return None };
        let is_key = self.fault.kind == FaultKind::Deprecated && self.fault.why.starts_with("the key ");
        DeprecatedKey::of(value).filter(|_| is_key)
    }

    /// Writes the option that replaces a key, or the value without the key if there are other keys or the role has the
    /// option.
    fn replace_key(&self, finding: Diagnostic, deprecated: &DeprecatedKey) -> Diagnostic {
        let DeprecatedKey { option, word, others, .. } = deprecated;
        let name = self.option.name.span;
        let has_option = self.role.serving.options.iter().any(|other| is_option(&other.name, option));
        let word = word.unwrap_or("auto");
        match (others, &self.option.value) {
            (Some(others), Some(value)) => {
                let also = if has_option {
                    String::new()
                } else {
                    format!(", and set the option `{option}` to `{word}`")
                };
                let to = Literal::from(others.as_str());
                finding.remedy(
                    format!("write `{{}}` as the value{also}"),
                    Change::Value { span: value.span, to },
                )
            }
            _ if has_option => finding.remedy("remove `{}`", Change::field("option", name)),
            _ => finding.remedy(INSTEAD, Change::rewrite(name, option_line(option, Some(word.into())))),
        }
    }

    /// The help with the right name, and with the value that the name contains.
    fn write_name(&self, finding: Diagnostic, text: Option<String>) -> Diagnostic {
        let option = self.option;
        let near = self.near();
        if option.name.trim_start_matches('-') == "no-mlock" {
            let title = "remove this option: only `lock` of `placement` locks memory";
            return finding.remedy(title, Change::field("option", option.name.span));
        }
        let Some((name, value)) = self.name_with_value() else {
            let Some(near) = near.or_else(|| self.other_name()) else { return finding.maybe_help(text) };
            if let Some(help) = field_help(near.name) {
                return match self.field_change(near.name) {
                    Some(change) => finding.remedy(INSTEAD, change),
                    None => finding.help(help),
                };
            }
            // The suggestion has leading dashes only if the registry writes them.
            let is_dashed = option.name.starts_with('-');
            let word = if is_dashed { near.name } else { near.name.trim_start_matches('-') };
            let change = Change::Word { span: option.name.span, replacement: word.to_owned() };
            let title = format!("write `{}`", words::printable(word));
            return finding.remedy_as(near.safety().unwrap_or(Safety::Manual), title, change);
        };
        let known = self.has_known_name();
        // In a map, an option without a value is `true`.
        let has_value = option.value.as_ref().is_some_and(|value| value.value != Setting::Flag(true));
        let right = if known { Some(name) } else { near.map(|near| near.name) };
        let Some(name) = right.filter(|_| !has_value) else {
            return finding.help("write only the name of the option here");
        };
        let corrected = EngineOption {
            name: option.name.clone().map(|_| name.into()),
            value: Some(option.name.clone().map(|_| Setting::Text(value.into()))),
        };
        if let Some(change) = field_line(self.role, &corrected) {
            return finding.remedy(INSTEAD, change);
        }
        if let Some(help) = field_help(name) {
            return finding.help(help);
        }
        let line = option_line(name.trim_start_matches('-'), Some(value_of(value)));
        let safety = if known { Safety::Safe } else { Safety::Unsafe };
        finding.remedy_as(safety, "write `{}`", Change::rewrite(option.name.span, line))
    }

    /// The help for a value: none for a switch, or a number in digits.
    fn write_value(&self, finding: Diagnostic, text: Option<String>) -> Diagnostic {
        let option = self.option;
        let record = self.role.profile.option(self.role.profile.server(), &dashed(&option.name));
        let is_switch = record.is_some_and(|record| record.value.is_none());
        let name = option.name.trim_start_matches('-');
        match &option.value {
            Some(value) if is_switch && is_off(value) => {
                let change = Change::field("option", option.name.span);
                finding.remedy("remove this option: without it the switch is off", change)
            }
            Some(_) if is_switch => {
                let change = Change::rewrite(option.name.span, option_line(name, None));
                finding.remedy("write `{}`: the option takes no value", change)
            }
            Some(value) => {
                let expected =
                    text.as_deref().and_then(|text| text.strip_prefix("write ")).unwrap_or_default();
                match near_value(value, expected) {
                    Some(near) => {
                        let title = format!("write `{{}}`; the option takes {expected}");
                        finding.remedy(title, Change::Value { span: value.span, to: near })
                    }
                    None => finding.maybe_help(text),
                }
            }
            None => finding.maybe_help(text),
        }
    }

    /// Writes the field that sets the option `name`, with the value of this option.
    fn field_change(&self, name: &str) -> Option<Change> {
        let option =
            EngineOption { name: self.option.name.clone().map(|_| name.into()), ..self.option.clone() };
        field_line(self.role, &option)
    }
}

/// The help of the fault, and the removal of the option. One help if the text already names the removal.
fn or_remove(finding: Diagnostic, text: Option<String>, (title, remove): (&str, Change)) -> Diagnostic {
    match text {
        Some(text) if text == "remove it" => finding.remedy("remove this option", remove),
        Some(text) if text.contains("remove") => finding.remedy(text, remove),
        text => finding.maybe_help(text).remedy(title, remove),
    }
}

/// The value that is meant: one of the expected words, the nearest number of a range, or a number in digits.
fn near_value(value: &Setting, expected: &str) -> Option<Literal> {
    if let (Setting::Text(text), Some(words)) = (value, expected.strip_prefix("one of ")) {
        return suggest(text, words.split(", ")).map(|near| Literal::from(near.name));
    }
    let range = expected.strip_prefix("a whole number from ").unwrap_or(expected).split_once(" to ");
    let range = range.and_then(|(least, most)| Some((least.parse().ok()?, most.parse().ok()?)));
    match (value, range) {
        (Setting::Integer(number), Some((least, most))) if least <= most => {
            Some(Literal::Number(i64::clamp(*number, least, most).to_string()))
        }
        _ if expected.contains("digits only") => digits(value).map(Literal::from),
        _ => None,
    }
}

fn option_line(name: &str, value: Option<Literal>) -> Line {
    let line = Line::of("option", name).principal("name");
    value.into_iter().fold(line, |line, value| line.with(Line::of("value", value)))
}

/// A number if the text is one in decimal digits, otherwise a string.
fn value_of(text: &str) -> Literal {
    let is_decimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let is_number = match text.strip_prefix('-').unwrap_or(text).split_once('.') {
        Some((whole, fraction)) => is_decimal(whole) && is_decimal(fraction),
        None => text.parse::<i64>().is_ok() && !text.starts_with('+'),
    };
    if is_number { Literal::Number(text.to_owned()) } else { Literal::Text(words::printable(text)) }
}

fn is_off(value: &Setting) -> bool {
    match value {
        Setting::Flag(flag) => !flag,
        Setting::Text(text) => matches!(&**text, "off" | "false" | "no" | "0"),
        Setting::Integer(number) => *number == 0,
        Setting::Float(_) => false,
    }
}

/// The number of `8k`, `1_000` or `20 tokens`.
fn digits(value: &Setting) -> Option<u64> {
    let Setting::Text(text) = value else { return None };
    let text: String = text.trim().chars().filter(|c| !matches!(c, '_' | ',')).collect();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let scale = if unit.trim().eq_ignore_ascii_case("k") { 1024 } else { 1 };
    number.parse::<u64>().ok()?.checked_mul(scale)
}

/// True if a role can have an option with this spelling, or a field that sets it.
fn is_possible(profile: &Profile, spelling: &str) -> bool {
    let row = profile.option(profile.server(), spelling).and_then(OptionRecord::row);
    row.is_none_or(|row| row.refusal.is_none())
}

fn dashed(name: &str) -> String {
    format!("--{}", name.trim_start_matches('-'))
}
