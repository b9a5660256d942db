//! The field of a role that sets an option, with the value of the option.

use super::adapter_remedy::{adapters, alias_line, is_adapter, template_line};
use super::faults::FaultyRole;
use super::gpu_remedy::{gpu_fields, is_of_gpus};
use super::speculation_remedy::speculation_fields;
use super::window_remedy::window_line;
use crate::diag::{Change, Line, Literal};
use crate::engine::options::{Unit, owning_field, row_of};
use crate::hir::{EngineOption, Field, KINDS, Setting, Shape};

/// Options whose field has the same value, or the same number of MiB.
const DIRECT: &[&str] = &[
    "ctx-size",
    "c",
    "parallel",
    "np",
    "batch-size",
    "b",
    "port",
    "flash-attn",
    "fa",
    "cache-ram",
    "cram",
    "ctx-checkpoints",
    "ctxcp",
    "swa-checkpoints",
    "ctx-ckpt",
    "threads-batch",
    "tb",
];

/// Writes the field that sets an option, with the value of the option. `None` if the value has another form in the field.
pub(super) fn field_line(role: &FaultyRole, option: &EngineOption) -> Option<Change> {
    let instead = |block, line| role.instead(option, block, line);
    if option.name.trim_start_matches('-') == "mlock" {
        return Some(instead(Some("placement"), Line::of("lock", true)));
    }
    if option.name.trim_start_matches('-') == "override-kv" {
        return Some(instead(None, override_line(&option.value.as_ref()?.value)?));
    }
    if option.name.trim_start_matches('-') == "alias" {
        return Some(instead(None, alias_line(role, &option.value.as_ref()?.value)?));
    }
    if option.name.trim_start_matches('-') == "chat-template-file" {
        return Some(instead(None, template_line(role, option)?));
    }
    if is_adapter(option) {
        return adapters(role, option);
    }
    if is_of_gpus(option) {
        return gpu_fields(role, option);
    }
    if let Some(change) = speculation_fields(role, option) {
        return Some(change);
    }
    let name = owning_field(&option.name)?;
    if name == "cache-type" {
        return cache_types(role, option);
    }
    if let Some((written, line)) = window_line(role, option) {
        let Some(written) = written else { return Some(instead(None, line)) };
        // The field is already there with another value.
        let is_one = role.serving.options.len() == 1;
        let changes = vec![Change::rewrite(option.name.span, line), Change::remove(written)];
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
    let is_direct = DIRECT.contains(&option.name.trim_start_matches('-'));
    let value = if let Shape::Count(least, most) | Shape::CountOr(least, most, _) = shape {
        text.parse::<u64>().ok().filter(|number| (least..=most).contains(&number)).map(Literal::from)
    } else if let Shape::Word(words) = shape {
        words.contains(&text.as_str()).then(|| Literal::from(text.as_str()))
    } else if *shape == Shape::SizeOrZero {
        let unit = row_of(&option.name)?.setter.map_or(Unit::Same, |setter| setter.unit);
        mebibytes(&text).filter(|_| unit == Unit::Mebibytes)
    } else {
        None
    };
    // Do not overwrite a field that the role already has.
    let is_free = role.serving.setting(name).is_none() && !matches!(name, "model" | "port" | "listen");
    value.filter(|_| is_direct && is_free).map(|value| instead(None, Line::of(name, value)))
}

/// The size for a number of MiB. A negative number has no size: it is no limit.
fn mebibytes(text: &str) -> Option<Literal> {
    let number: u64 = text.parse().ok()?;
    Some(Literal::from(if number == 0 { "0 B".to_owned() } else { format!("{number} MiB") }))
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
    Some(role.instead(option, None, line))
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
