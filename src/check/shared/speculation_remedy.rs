//! The helps for options of speculation: the fields `draft` and `lookup` with the values of the options.

use super::faults::FaultyRole;
use super::gpu_remedy::{self, GivenLayers};
use crate::diag::{Change, Line, Literal};
use crate::engine::dialect::{DRAFT_KINDS, LOOKUP_KINDS, kinds_of_architecture};
use crate::engine::options::{Owner, row_of, spec_types};
use crate::hir::{CpuExperts, Draft, EngineOption, GpuLayers, Lookup, Model, NO_GPU, Setting};
use crate::source::Span;
use std::collections::BTreeSet;

/// The change that writes the fields with the value of an option of speculation, and with those of the other options of the
/// role. `None` if the option is another one, or if the fields cannot have its value.
pub(super) fn speculation_fields(role: &FaultyRole, option: &EngineOption) -> Option<Change> {
    let types = types_of(option);
    let part = part_of(option);
    if types.is_empty() && part.is_none() {
        return None;
    }
    if part.is_none() && types.iter().all(|kind| is_declared(role, kind)) {
        return Some(Change::field("option", option.name.span));
    }
    let all = role.options_with(option);
    let is_new = |kind: &&str| kind.starts_with("draft-") && !is_declared(role, kind);
    let implied = types.iter().any(|kind| kind.starts_with("draft-") && is_declared(role, kind));
    let (value_span, instead) = (option.name.span, |line| role.instead(option, None, line));
    if !(part.is_some() || types.iter().any(is_new) && !implied) {
        return lookup_line(role, &types)?.map(instead);
    }
    // The field `draft` has the values of all options of speculation, so none of them may stay.
    let draft = draft_line(role, &all)?;
    let types: Vec<&str> = all.iter().flat_map(|option| types_of(option)).collect();
    let lookup = lookup_line(role, &types)?;
    let others = all.iter().filter(|other| part_of(other).is_some() || !types_of(other).is_empty());
    let others: BTreeSet<Span> =
        others.map(|other| other.name.span).filter(|place| *place != value_span).collect();
    if others.is_empty() && lookup.is_none() {
        return Some(instead(draft));
    }
    let removals = std::iter::once(value_span).chain(others).map(|place| Change::field("option", place));
    let lines = std::iter::once(draft).chain(lookup).map(|line| role.set(option, line));
    Some(Change::All(removals.chain(lines).collect()))
}

/// The kinds of draft in the options of the role for which the fields have no place: a role has one kind of draft.
pub(super) fn surplus_kinds<'o>(role: &FaultyRole<'o>, option: &'o EngineOption) -> BTreeSet<&'o str> {
    if types_of(option).is_empty() && part_of(option).is_none() {
        return BTreeSet::new();
    }
    let all = role.options_with(option);
    let drafts = || all.iter().flat_map(|option| types_of(option)).filter(|kind| kind.starts_with("draft-"));
    let declared = drafts().find(|kind| is_declared(role, kind));
    let written = || {
        let kind = draft_line(role, &all)?.fields.into_iter().find(|field| field.name == "kind")?;
        let word = kind.values.into_iter().next()?.into_text();
        drafts().find(|kind| draft_word(kind) == Some(&word))
    };
    let kept = declared.or_else(written).or_else(|| drafts().next());
    drafts().filter(|kind| Some(*kind) != kept).collect()
}

/// True if the fields of the role already ask for a type of speculation.
fn is_declared(role: &FaultyRole, spec_type: &str) -> bool {
    let serving = role.serving;
    if let Some(kind) = LOOKUP_KINDS.iter().find(|known| known.spec_type == spec_type) {
        let own =
            serving.lookup.as_deref().map(|lookup| lookup.kind.map_or("simple", |kind| kind.value.word()));
        return own == Some(kind.word);
    }
    let Some(draft) = serving.draft.as_deref() else { return false };
    let implied = || {
        let model = role.registry.models.get(draft.model?.value);
        let arch = role.registry.arch_of(model)?;
        Some(kinds_of_architecture(arch).first().copied().unwrap_or("simple"))
    };
    let own =
        if draft.is_own() { Some("mtp") } else { draft.kind.map(|kind| kind.value.word()).or_else(implied) };
    own.is_some() && own == draft_word(spec_type)
}

/// The types of speculation that an option asks for.
fn types_of(option: &EngineOption) -> Vec<&str> {
    match option.value.as_ref().map(|value| &value.value) {
        Some(Setting::Text(text)) => spec_types(&option.name, text).filter(|kind| *kind != "none").collect(),
        _ => Vec::new(),
    }
}

/// The part of the field `draft` that an option sets.
fn part_of(option: &EngineOption) -> Option<&'static str> {
    row_of(&option.name)?.owner.filter(|owner: &Owner| owner.field == "draft")?.part
}

/// The whole field `draft`. `None` if several kinds are possible, or none.
fn draft_line(role: &FaultyRole, all: &[&EngineOption]) -> Option<Line> {
    let draft = role.serving.draft.as_deref().map(|draft| &draft.value);
    let words = all.iter().flat_map(|option| types_of(option));
    let asked: Vec<&'static str> = words.filter_map(draft_word).collect();
    let drafter = role.serving.draft_model().map(|(_, model)| role.registry.models.get(model.value));
    let mut line = match drafter {
        Some(model) => Line::of("draft", &*model.head.name.value).principal("model"),
        None => Line::new("draft").with(Line::of("self", true)),
    };
    let kind = match (drafter, draft) {
        (Some(model), Some(draft)) => kind_of(role, (model, draft), &asked)?,
        // Only MTP layers are part of a model.
        _ if asked.contains(&"mtp") && asked.iter().all(|kind| *kind == "mtp") => None,
        (_, Some(draft)) if draft.is_own() && asked.is_empty() => None,
        _ => return None,
    };
    line = line.with_each(kind.map(|kind| Line::of("kind", kind)));
    for name in ["max", "min", "p-min"] {
        let given = all.iter().find(|option| part_of(option) == Some(name));
        let value = match given {
            Some(option) => Some(number(&option.value.as_ref()?.value)?),
            None => draft.and_then(|draft| declared(draft, name)),
        };
        line = line.with_each(value.map(|value| Line::of(name, Literal::Number(value))));
    }
    Some(gpu_lines(role, draft, all)?.into_iter().fold(line, Line::with))
}

/// The fields of the draft for its GPUs. `None` if the host does not have them, or if the values have no fields.
fn gpu_lines(role: &FaultyRole, draft: Option<&Draft>, all: &[&EngineOption]) -> Option<Vec<Line>> {
    let host = role.registry.hosts.get(role.serving.host.value);
    let given = |part: &str| all.iter().find(|option| part_of(option) == Some(part));
    let declared = draft.map(|draft| draft.gpu.iter().map(|name| name.value.to_string()).collect::<Vec<_>>());
    let gpus = match given("gpu") {
        Some(option) => gpu_remedy::names(&gpu_remedy::text_of(option)),
        None => declared.unwrap_or_default(),
    };
    if gpus.iter().any(|name| host.gpu(name).is_none() && *gpus != [NO_GPU]) {
        return None;
    }
    let layers = match (given("layers"), draft.and_then(|draft| draft.layers)) {
        (Some(option), _) => GivenLayers::parse(&gpu_remedy::text_of(option))?.line(),
        (None, Some(declared)) => match declared.value {
            GpuLayers::All => Some(Line::of("layers", "all")),
            GpuLayers::Fit => Some(Line::of("layers", "fit")),
            GpuLayers::Count(count) => Some(Line::of("layers", u64::from(count))),
        },
        (None, None) => None,
    };
    let experts = match (given("cpu-experts"), draft.and_then(|draft| draft.cpu_experts)) {
        (Some(option), _) if option.value.is_none() => Some(Line::of("cpu-experts", "all")),
        (Some(option), _) => Some(Line::of("cpu-experts", gpu_remedy::text_of(option).parse::<u64>().ok()?)),
        (None, Some(declared)) => Some(match declared.value {
            CpuExperts::All => Line::of("cpu-experts", "all"),
            CpuExperts::Count(count) => Line::of("cpu-experts", u64::from(count)),
        }),
        (None, None) => None,
    };
    let has_gpu =
        if gpus.is_empty() { !role.serving.placement.gpus().devices.is_empty() } else { *gpus != [NO_GPU] };
    let parts: Vec<Line> = layers.into_iter().chain(experts).collect();
    // They would have no effect.
    if !has_gpu && !parts.is_empty() {
        return None;
    }
    let line = (!gpus.is_empty()).then(|| Line::of("gpu", gpus.join(",")));
    Some(line.into_iter().chain(parts).collect())
}

/// The kind to write: that of the options which the architecture of the draft allows.
fn kind_of(
    role: &FaultyRole,
    (model, draft): (&Model, &Draft),
    asked: &[&'static str],
) -> Option<Option<&'static str>> {
    let known = role.registry.arch_of(model).map(|arch| kinds_of_architecture(arch));
    let possible = match known.unwrap_or_default() {
        [] => &["simple", "mtp"],
        some => some,
    };
    let mut fitting = asked.iter().filter(|kind| possible.contains(kind)).copied();
    let declared = draft.kind.map(|kind| kind.value.word());
    match (asked.is_empty(), fitting.next()) {
        (true, _) => Some(declared),
        (false, kind) => {
            let kind = kind?;
            // The architecture implies the only kind; an ordinary draft is simple.
            let is_implied = possible.len() == 1 || kind == "simple";
            Some(if is_implied { declared.map(|_| kind) } else { Some(kind) })
        }
    }
}

/// The field `lookup`, if the types ask for it. The outer value is `None` if they ask for several kinds.
fn lookup_line(role: &FaultyRole, types: &[&str]) -> Option<Option<Line>> {
    let words = types.iter().filter_map(|kind| LOOKUP_KINDS.iter().find(|known| known.spec_type == *kind));
    let mut kinds: Vec<&'static str> = words.map(|known| known.word).collect();
    kinds.dedup();
    let [kind] = kinds.as_slice() else { return kinds.is_empty().then_some(None) };
    let lookup = role.serving.lookup.as_deref().map(|lookup| &lookup.value);
    let length = lookup.and_then(|Lookup { ngram_min, .. }| *ngram_min);
    let mut line = Line::new("lookup").principal("ngram-min");
    if let Some(length) = length.filter(|_| *kind != "cache") {
        line = line.value(u64::from(length.value));
    }
    Some(Some(line.with(Line::of("kind", *kind))))
}

fn draft_word(spec_type: &str) -> Option<&'static str> {
    DRAFT_KINDS.iter().find(|(_, known)| *known == spec_type).map(|(word, _)| *word)
}

fn declared(draft: &Draft, name: &str) -> Option<String> {
    match name {
        "max" => draft.max.map(|max| max.value.to_string()),
        "min" => draft.min.map(|min| min.value.to_string()),
        _ => draft.p_min.map(|p_min| p_min.value.to_string()),
    }
}

fn number(value: &Setting) -> Option<String> {
    match value {
        Setting::Integer(number) => Some(number.to_string()),
        Setting::Float(number) => Some(number.to_string()),
        Setting::Text(text) => text.parse::<f64>().ok().map(|_| text.to_string()),
        Setting::Flag(_) => None,
    }
}
