//! The helps of findings about options: the option in its right form, the field that sets it, or its removal.

use super::faults::FaultyRole;
use super::speculation_remedy::speculation_fields;
use super::window_remedy::window_line;
use crate::diag::{Change, Diagnostic, Line, Literal, Safety, Suggestion, suggest, words};
use crate::engine::dialect::{DeprecatedKey, FaultKind, LoweringFault};
use crate::engine::options::{field_help, is_option, owning_field, row_of};
use crate::engine::{OptionRecord, Profile};
use crate::hir::{EngineOption, Field, KINDS, Setting, Shape};

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

    /// Adds the helps that are changes. `text` is the help of the fault.
    pub(in crate::check) fn remedies(&self, finding: Diagnostic, text: Option<String>) -> Diagnostic {
        let name = self.option.name.span;
        let remove = Change::field("option", name);
        match self.fault.kind {
            FaultKind::UnknownOption => self.write_name(finding, text),
            FaultKind::OwnedByField | FaultKind::Removed => {
                match self.field_change(&self.option.name.value) {
                    Some(change @ Change::Field { .. }) => {
                        finding.remedy("remove this option: the fields of the role declare the same", change)
                    }
                    Some(change) => finding.remedy(INSTEAD, change),
                    None => or_remove(finding, text, ("and remove this option", remove)),
                }
            }
            FaultKind::BadValue => self.write_value(finding, text),
            FaultKind::Incomplete | FaultKind::NoEffect => {
                or_remove(finding, text, ("or remove this option", remove))
            }
            FaultKind::Deprecated => match self.deprecated_key() {
                Some(key) => self.replace_key(finding, &key),
                None => finding.maybe_help(text),
            },
            FaultKind::Repeated | FaultKind::NotExpressible | FaultKind::UnknownContext => {
                finding.maybe_help(text)
            }
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
        let Some((name, value)) = self.name_with_value() else {
            let Some(near) = near else { return finding.maybe_help(text) };
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
            let title = format!("write `{}`", words::printable(near.name));
            return finding.remedy_as(near.safety().unwrap_or(Safety::Manual), title, change);
        };
        let known = self.has_known_name();
        let (Some(name), None) = (if known { Some(name) } else { near.map(|near| near.name) }, &option.value)
        else {
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

/// Writes the field that sets an option, with the value of the option. `None` if the value has another form in the field.
fn field_line(role: &FaultyRole, option: &EngineOption) -> Option<Change> {
    let (item, value_span) = (role.role.head.span, option.name.span);
    let instead = |path, line| Change::Instead { old: "option", value_span, item, path, line };
    if option.name.trim_start_matches('-') == "mlock" {
        return Some(instead(vec!["placement"], Line::of("lock", true)));
    }
    if option.name.trim_start_matches('-') == "override-kv" {
        return Some(instead(Vec::new(), override_line(&option.value.as_ref()?.value)?));
    }
    if option.name.trim_start_matches('-') == "alias" {
        return Some(instead(Vec::new(), alias_line(role, &option.value.as_ref()?.value)?));
    }
    if matches!(option.name.trim_start_matches('-'), "chat-template-file" | "lora" | "lora-scaled") {
        return Some(instead(Vec::new(), file_line(role, option)?));
    }
    if let Some(change) = speculation_fields(role, option) {
        return Some(change);
    }
    let name = owning_field(&option.name)?;
    if name == "cache-type" {
        return cache_types(role, option);
    }
    if let Some((written, line)) = window_line(role, option) {
        let Some(written) = written else { return Some(instead(Vec::new(), line)) };
        // The field is already there with another value.
        let is_one = role.serving.options.len() == 1;
        let changes = vec![Change::rewrite(value_span, line), Change::remove(written)];
        return is_one.then_some(Change::All(changes));
    }
    let field = role_field(name)?;
    let principal = if let Shape::Block(table) = &field.shape { table.principal_field() } else { None };
    let shape = &principal.unwrap_or(field).shape;
    let text = match &option.value.as_ref()?.value {
        Setting::Text(text) => text.to_string(),
        Setting::Integer(number) => number.to_string(),
        Setting::Flag(_) | Setting::Float(_) => return None,
    };
    let names = ["ctx-size", "c", "parallel", "np", "batch-size", "b", "port", "flash-attn", "fa"];
    let is_direct = names.contains(&option.name.trim_start_matches('-'));
    let value = if let Shape::Count(least, most) | Shape::CountOr(least, most, _) = shape {
        text.parse::<u64>().ok().filter(|number| (least..=most).contains(&number)).map(Literal::from)
    } else if let Shape::Word(words) = shape {
        words.contains(&text.as_str()).then(|| Literal::from(text.as_str()))
    } else {
        None
    };
    // Do not overwrite a field that the role already has.
    let is_free = role.serving.setting(name).is_none() && !matches!(name, "model" | "port" | "listen");
    value.filter(|_| is_direct && is_free).map(|value| instead(Vec::new(), Line::of(name, value)))
}

/// The field `cache-type` with the types of all options that it replaces, and with the type that the role declares.
fn cache_types(role: &FaultyRole, option: &EngineOption) -> Option<Change> {
    let part_of =
        |option: &EngineOption| row_of(&option.name)?.owner.filter(|owner| owner.field == "cache-type")?.part;
    part_of(option)?;
    let Shape::Block(table) = &role_field("cache-type")?.shape else { return None };
    let is_type = |part, word| {
        table
            .field(part)
            .is_some_and(|field| matches!(&field.shape, Shape::Word(words) if words.contains(&word)))
    };
    let given = |part: &str| {
        let all = std::iter::once(option).chain(&role.serving.options);
        let value = all.filter(|other| part_of(other) == Some(part)).find_map(|other| other.value.as_ref());
        value.map(|value| if let Setting::Text(word) = &value.value { word } else { "" })
    };
    let mut line = Line::new("cache-type");
    for part in ["k", "v"] {
        if let Some(word) = given(part).or_else(|| Some(role.serving.cache_type(part)?.0)) {
            is_type(part, word).then_some(())?;
            line = line.with(Line::of(part, word));
        }
    }
    let (item, value_span) = (role.role.head.span, option.name.span);
    Some(Change::Instead { old: "option", value_span, item, path: Vec::new(), line })
}

fn role_field(name: &str) -> Option<&'static Field> {
    KINDS.iter().find(|kind| kind.word == "role")?.table.field(name)
}

/// The field for a value of `--override-kv` with one override: `KEY=TYPE:VALUE`.
fn override_line(value: &Setting) -> Option<Line> {
    let Setting::Text(text) = value else { return None };
    let (key, value) = text.split_once('=').filter(|_| !text.contains(','))?;
    let (kind, value) = value.split_once(':')?;
    let value = match kind {
        "int" | "float" => Literal::Number(value.parse::<f64>().ok().map(|_| value.to_owned())?),
        "bool" => Literal::Flag(value.parse().ok()?),
        "str" => Literal::from(value),
        _ => return None,
    };
    Some(Line::of("override", key).principal("key").with(Line::of("value", value)))
}

/// The field for a chat template or an adapter. `None` if the option has several files or no full path, or if the role
/// has the field.
fn file_line(role: &FaultyRole, option: &EngineOption) -> Option<Line> {
    let Setting::Text(text) = &option.value.as_ref()?.value else { return None };
    if !text.starts_with('/') || text.contains(',') {
        return None;
    }
    if option.name.ends_with("template-file") {
        return role.serving.template().is_none().then(|| Line::of("template", &**text));
    }
    let (file, scale) = if option.name.ends_with("scaled") { text.rsplit_once(':')? } else { (&**text, "1") };
    let is_usable = !file.contains(':') && role.serving.adapters().is_empty() && scale.parse::<f64>().is_ok();
    let line = Line::of("lora", file).principal("file");
    let line =
        if scale == "1" { line } else { line.with(Line::of("scale", Literal::Number(scale.to_owned()))) };
    is_usable.then_some(line)
}

/// The field for the names of `--alias`: without the name of the role, which is always a name. `None` if no other name is
/// left, or if the role has the field.
fn alias_line(role: &FaultyRole, value: &Setting) -> Option<Line> {
    let Setting::Text(text) = value else { return None };
    let names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && *name != &*role.role.head.name.value);
    let line = names.fold(Line::new("alias"), Line::value);
    (!line.values.is_empty() && role.serving.aliases().is_empty()).then_some(line)
}

/// The help of the fault, and the removal of the option. One help if the text already names the removal.
fn or_remove(finding: Diagnostic, text: Option<String>, (title, remove): (&str, Change)) -> Diagnostic {
    match text {
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

/// A number if the text is one, otherwise a string.
fn value_of(text: &str) -> Literal {
    match text.parse::<i64>() {
        Ok(number) => Literal::Number(number.to_string()),
        Err(_) => Literal::Text(words::printable(text)),
    }
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
