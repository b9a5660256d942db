//! The helps for options whose fields list files or names: `template`, `lora` and `alias`.

use super::faults::FaultyRole;
use crate::diag::{Change, Line, Literal, words};
use crate::engine::options::owning_field;
use crate::hir::{EngineOption, Setting};
use crate::source::Span;
use std::collections::BTreeSet;

/// The field for a chat template. `None` if the option has no full path, or if the role has the field.
pub(super) fn template_line(role: &FaultyRole, option: &EngineOption) -> Option<Line> {
    let Setting::Text(text) = &option.value.as_ref()?.value else { return None };
    let is_usable = text.starts_with('/') && role.serving.template().is_none();
    is_usable.then(|| Line::of("template", &**text))
}

pub(super) fn is_adapter(option: &EngineOption) -> bool {
    matches!(option.name.trim_start_matches('-'), "lora" | "lora-scaled")
}

/// Writes the field `lora` with the adapters of the role and of all its options. `None` if an option has several files or
/// no full path, or if one of several adapters has a scale.
pub(super) fn adapters(role: &FaultyRole, option: &EngineOption) -> Option<Change> {
    let options = role.options_with(option);
    let all: Vec<&EngineOption> = options.into_iter().filter(|other| is_adapter(other)).collect();
    let declared = role.serving.adapters();
    if let ([one], []) = (all.as_slice(), declared) {
        let (file, scale) = adapter(one)?;
        let line = Line::of("lora", file).principal("file");
        let scale = scale.map(|scale| Line::of("scale", Literal::Number(scale.to_owned())));
        let line = line.with_each(scale);
        return Some(role.instead(option, None, line));
    }
    let files: Option<Vec<_>> =
        all.iter().map(|option| adapter(option).filter(|(_, scale)| scale.is_none())).collect();
    let files = files?;
    declared.iter().all(|adapter| adapter.scale.is_none()).then_some(())?;
    let declared = declared.iter().map(|adapter| &*adapter.file.value);
    let line = declared.chain(files.iter().map(|(file, _)| *file)).fold(Line::new("lora"), Line::value);
    let places: BTreeSet<Span> = all.iter().map(|option| option.name.span).collect();
    let removals = places.into_iter().map(|place| Change::field("option", place));
    Some(Change::All(removals.chain([role.set(option, line)]).collect()))
}

/// The file and the scale of an option for an adapter. No scale is 1.
fn adapter(option: &EngineOption) -> Option<(&str, Option<&str>)> {
    let Setting::Text(text) = &option.value.as_ref()?.value else { return None };
    let has_scale = option.name.ends_with("scaled");
    let (file, scale) = if has_scale { text.rsplit_once(':')? } else { (&**text, "1") };
    let is_usable = file.starts_with('/') && !file.contains([',', ':']) && scale.parse::<f64>().is_ok();
    is_usable.then_some((file, Some(scale).filter(|scale| *scale != "1")))
}

/// The help for a relative path of a file that a field sets.
pub(super) fn relative_file(option: &EngineOption) -> Option<String> {
    let field = owning_field(&option.name).filter(|field| matches!(*field, "template" | "lora"))?;
    let Setting::Text(path) = &option.value.as_ref()?.value else { return None };
    let is_relative = !path.starts_with('/') && !path.contains(',');
    let path = words::quoted(path);
    is_relative
        .then(|| format!("write the full path of {path} in the field `{field}` instead of this option"))
}

/// The field for the names of `--alias`: without the name of the role, which is always a name. `None` if no other name is
/// left, or if the role has the field.
pub(super) fn alias_line(role: &FaultyRole, value: &Setting) -> Option<Line> {
    let Setting::Text(text) = value else { return None };
    let names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && *name != &*role.role.head.name.value);
    let line = names.fold(Line::new("alias"), Line::value);
    (!line.values.is_empty() && role.serving.aliases().is_empty()).then_some(line)
}
