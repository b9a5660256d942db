//! The fields of `placement` for options that place a model on GPUs.

use super::faults::FaultyRole;
use crate::diag::{Change, Line, Literal};
use crate::engine::options::places_on_gpus;
use crate::hir::{EngineOption, NO_GPU, Setting};
use crate::source::Span;
use std::collections::BTreeSet;

/// The number of layers from which an option means all of them: 99 and 999 are usual.
const MEANS_ALL: u64 = 99;

/// True if the option places the model on GPUs.
pub(super) fn is_of_gpus(option: &EngineOption) -> bool {
    places_on_gpus(&option.name)
}

/// Writes the fields of `placement` for all options of the role that place the model on GPUs. `None` if the host declares no
/// GPU, or if a value has another form there. The first of these options has the change; the others are removed.
pub(super) fn gpu_fields(role: &FaultyRole, option: &EngineOption) -> Option<Change> {
    let options = role.options_with(option);
    let all: Vec<&EngineOption> = options.into_iter().filter(|other| is_of_gpus(other)).collect();
    let host = role.registry.hosts.get(role.serving.host.value);
    let first = host.gpus.first()?;
    if all.first().is_some_and(|first| first.name.span != option.name.span) {
        return Some(Change::field("option", option.name.span));
    }
    let mut lines: Vec<Line> = Vec::new();
    for other in &all {
        let line = line(other)?;
        if let Some(line) = line.filter(|line| lines.iter().all(|known| known.name != line.name)) {
            lines.push(line);
        }
    }
    let has_gpu = lines.iter().any(|line| line.name == "gpu") || role.serving.placement.gpu.is_some();
    if !has_gpu {
        lines.insert(0, Line::of("gpu", &*first.name.value));
    }
    let places: BTreeSet<Span> = all.iter().map(|option| option.name.span).collect();
    let removals = places.into_iter().map(|place| Change::field("option", place));
    let sets = lines.into_iter().map(|line| role.set_in(option, "placement", line));
    Some(Change::All(removals.chain(sets).collect()))
}

/// The field for an option. `Some(None)` if it has the default.
#[expect(clippy::option_option, reason = "a default needs no line, and an unknown value no help")]
fn line(option: &EngineOption) -> Option<Option<Line>> {
    let value = option.value.as_ref().map(|value| &value.value);
    let text = match value {
        Some(Setting::Text(text)) => text.to_string(),
        Some(Setting::Integer(number)) => number.to_string(),
        Some(Setting::Flag(_) | Setting::Float(_)) | None => String::new(),
    };
    let is_off = matches!(value, Some(Setting::Flag(false)));
    let count = |field: &str| text.parse::<u64>().ok().map(|count| Some(Line::of(field, count)));
    match option.name.trim_start_matches('-') {
        "device" | "dev" if !text.is_empty() => Some(Some(Line::of("gpu", text.as_str()))),
        "gpu-layers" | "n-gpu-layers" | "ngl" => match text.parse::<i64>().map(u64::try_from) {
            Ok(Ok(0)) => Some(Some(Line::of("gpu", NO_GPU))),
            Ok(Ok(layers)) if layers < MEANS_ALL => Some(Some(Line::of("layers", layers))),
            Ok(_) => Some(None),
            Err(_) if text == "all" => Some(None),
            Err(_) if text == "auto" => Some(Some(Line::of("layers", "fit"))),
            Err(_) => None,
        },
        "tensor-split" | "ts" => {
            let is_split = text.split(',').all(|share| share.trim().parse::<u32>().is_ok());
            is_split
                .then(|| Some(Line::of("split", Literal::from(text.replace([' '], "").replace(',', ":")))))
        }
        "split-mode" | "sm" if matches!(&*text, "row" | "tensor") => {
            Some(Some(Line::of("split-mode", text.as_str())))
        }
        "split-mode" | "sm" if text == "layer" => Some(None),
        "cpu-moe" | "cmoe" => Some(Some(Line::of("cpu-experts", "all"))),
        "n-cpu-moe" | "ncmoe" => count("cpu-experts"),
        "no-kv-offload" | "nkvo" if !is_off => Some(Some(Line::of("kv", "host"))),
        "kv-offload" | "kvo" if is_off => Some(Some(Line::of("kv", "host"))),
        "kv-offload" | "kvo" | "no-kv-offload" | "nkvo" => Some(None),
        _ => None,
    }
}

/// The help for an option that places a model on GPUs, if the host declares none.
pub(super) fn declare_gpus(role: &FaultyRole, option: &EngineOption) -> Option<String> {
    let host = role.registry.hosts.get(role.serving.host.value);
    let is_alone = host.gpus.is_empty() && is_of_gpus(option);
    is_alone.then(|| {
        format!(
            "declare the GPUs in {host}, each as `gpu \"CUDA0\" memory=\"24 GB\"` with the name and the memory that \
             `llama-server --list-devices` prints; then write `placement gpu=\"CUDA0\"` in the role instead of this option"
        )
    })
}
