//! The names of GPUs, and placements on them that differ from what the model or the device has.

use crate::derive::locked::facts;
use crate::derive::{Derived, RoleCommand, RoleGpus, ServedRole};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, suggest, words};
use crate::engine::dialect::{BACK_ENDS, computes_attention, is_device_name};
use crate::hir::codes::{CONFLICTING_FIELDS, UNKNOWN_NAME};
use crate::hir::{AUTO_GPU, Bytes, CachePlace, CpuExperts, Gpu, GpuLayers, Host, NO_GPU, Role};

declare_code! {
    /// ## What it finds
    /// A `gpu` of a host whose name is neither that of a device of `CUDA`, `ROCm`, `Vulkan` or `SYCL`, nor `auto`.
    ///
    /// ## Why
    /// The name goes to the command line. With a name that it does not know, the server exits at startup.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "rtx" memory="24 GB" }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "CUDA0" memory="24 GB" title="RTX 4090" }
    /// ```
    pub(super) static UNKNOWN_DEVICE = 502, "unknown-device", Error;
}

declare_code! {
    /// ## What it finds
    /// A `layers` or `cpu-experts` with more layers than the model has. The lock has their number.
    ///
    /// ## Why
    /// The server uses all layers, without a warning. The number was meant for another model, or `all` was meant. The output
    /// matrix counts as one layer more.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "CUDA0" memory="24 GB" }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 { placement gpu="CUDA0" layers=99 }
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000, "architecture": "qwen2",
    ///             "parameters": {"block_count": 28, "embedding_length": 2048, "attention.head_count": 16}}}}
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "CUDA0" memory="24 GB" }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 { placement gpu="CUDA0" }
    /// ```
    /// ```lock
    /// {"format_version": 1, "models": {
    ///   "plain": {"file": "plain.gguf", "header": "0", "size": 4400000000, "architecture": "qwen2",
    ///             "parameters": {"block_count": 28, "embedding_length": 2048, "attention.head_count": 16}}}}
    /// ```
    pub(super) static SURPLUS_LAYERS = 503, "surplus-layers", Note;
}

declare_code! {
    /// ## What it finds
    /// A `cache-type` with which the GPU cannot compute attention.
    ///
    /// ## Why
    /// The server starts, and the CPU computes attention. Each token then moves between the GPU and the host, which is many
    /// times slower (`ggml/src/ggml-cuda/fattn.cu` of llama.cpp). `CUDA`, `ROCm` and `MUSA` have no attention for `iq4_nl`. Up to
    /// b10434, the usual builds only have it for `f16`, `bf16`, `q8_0` and `q4_0`, with the same type of keys and values.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "CUDA0" memory="24 GB" }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 cache-type="iq4_nl" { placement gpu="CUDA0" }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "CUDA0" memory="24 GB" }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 cache-type="q4_0" { placement gpu="CUDA0" }
    /// ```
    pub(super) static SLOW_CACHE_TYPE = 504, "slow-cache-type", Warning;
}

declare_code! {
    /// ## What it finds
    /// A `reserve` of a GPU that is as large as its `memory`, or larger. The default reserve is 1 GiB.
    ///
    /// ## Why
    /// Nothing is left for roles, so no role fits.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "CUDA0" memory="24 GB" reserve="30 GB" }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "CUDA0" memory="24 GB" reserve="3 GB" }
    /// ```
    pub(super) static WHOLE_RESERVE = 506, "whole-reserve", Error;
}

/// The GPUs without memory for roles.
fn whole_reserves(derived: &Derived) -> Vec<Diagnostic> {
    let hosts = derived.registry.hosts.iter();
    let all = hosts.flat_map(|host| host.gpus.iter().map(move |gpu| (host, gpu)));
    let full = all.filter(|(_, gpu)| gpu.room() == Some(Bytes(0))).filter_map(|(host, gpu)| {
        let (name, memory) = (words::quoted(&gpu.name), gpu.memory?);
        let message = format!("`reserve` of GPU {name} of {host} leaves nothing of {}", memory.value);
        let finding = WHOLE_RESERVE.at(memory.span, "all of it is reserved", message).about(host);
        Some(finding.help("write a `reserve` that is less than the `memory` of the GPU"))
    });
    full.collect()
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    findings.extend(unknown_devices(derived));
    findings.extend(whole_reserves(derived));
    for host in derived.registry.hosts.iter() {
        findings.extend(host.gpus.iter().flat_map(|gpu| misused_fields(host, gpu)));
    }
    for (role, served, command) in derived.commands() {
        findings.extend(unknown_projector_gpu(derived, role, served));
        let Some(gpus) = served.gpus.as_deref().filter(|gpus| !gpus.devices.is_empty()) else { continue };
        findings.extend(surplus_layers(derived, role, (served, gpus)));
        findings.extend(slow_cache_type(role, (served, gpus), command));
    }
}

/// The GPUs of hosts whose names no back end has. Other programs than engines know other names.
fn unknown_devices(derived: &Derived) -> Vec<Diagnostic> {
    let hosts = derived.registry.hosts.iter();
    let all = hosts.flat_map(|host| host.gpus.iter().map(move |gpu| (host, &gpu.name)));
    let unknown = all.filter(|(_, name)| !is_device_name(name) && *name.value != *AUTO_GPU).map(|(host, name)| {
        let message = format!("{host} has the GPU {}, which is no name of a device", words::quoted(name));
        let numbered: Vec<String> = BACK_ENDS.iter().map(|back_end| format!("{back_end}0")).collect();
        let near = suggest(name, numbered.iter().map(String::as_str));
        let finding = UNKNOWN_DEVICE.at_unknown(name.span, (near, "not a device of llama.cpp"), message).about(host);
        finding.help(
            "write the name that `llama-server --list-devices` prints: `CUDA0` for the first NVIDIA card, `ROCm0` for AMD, \
             `Vulkan0` or `SYCL0`, or `auto` for all GPUs; a product name goes to `title`",
        )
    });
    unknown.collect()
}

/// An `auto` next to other GPUs, its fields that are for one GPU, and a reserve of unknown size.
fn misused_fields(host: &Host, gpu: &Gpu) -> Vec<Diagnostic> {
    let name = words::quoted(&gpu.name);
    let mut found = Vec::new();
    if gpu.is_auto() {
        if host.gpus.len() > 1 {
            let message = format!("{host} has the GPU {name} and others");
            let finding = CONFLICTING_FIELDS.at(gpu.name.span, "means all GPUs", message);
            found.push(finding.help(format!("keep either {name} or the names of the GPUs")));
        }
        let fields = [
            ("memory", gpu.memory.map(|memory| memory.span)),
            ("reserve", gpu.reserve.map(|reserve| reserve.span)),
        ];
        for (field, place) in fields.into_iter().filter_map(|(field, place)| Some((field, place?))) {
            let message = format!("the GPU {name} of {host} has `{field}`, but {name} can be several GPUs");
            let finding = CONFLICTING_FIELDS.at(place, "is for one GPU", message);
            let finding = finding.remedy("remove `{}`", Change::remove(place));
            found.push(finding.help(format!("or declare each GPU instead of {name}")));
        }
    } else if let Some(reserve) = gpu.reserve.filter(|_| gpu.reserved().is_none()) {
        let message =
            format!("`reserve` of GPU {name} of {host} is a percentage, and its `memory` is unknown");
        let finding = CONFLICTING_FIELDS.at(reserve.span, "needs `memory`", message);
        found.push(finding.help("write the `memory` of the GPU, or a size such as `1.5 GB`"));
    }
    found.into_iter().map(|finding| finding.about(host)).collect()
}

/// The GPU of a projector that the host of a role lacks.
fn unknown_projector_gpu(derived: &Derived, role: &Role, served: &ServedRole) -> Option<Diagnostic> {
    let registry = &derived.registry;
    let model = registry.models.get(served.serving.model.value);
    let name = model.projector.as_ref()?.gpu.as_ref().filter(|name| &*name.value != NO_GPU)?;
    let host = registry.hosts.get(served.serving.host.value);
    // A role without GPUs keeps the projector on its host.
    let is_off = served.gpus.as_ref().is_none_or(|gpus| gpus.devices.is_empty());
    let is_known = |host: &Host| host.gpu(name).is_some();
    if is_known(host) || is_off && registry.hosts.iter().any(is_known) {
        return None;
    }
    let message = format!(
        "the projector of {model} is on {}, which is no GPU of {host} of {role}",
        words::quoted(name)
    );
    let near = suggest(name, host.gpus.iter().map(|gpu| &*gpu.name.value));
    let finding = UNKNOWN_NAME.at_unknown(name.span, (near, "no GPU of the host"), message);
    let then = if is_off { "" } else { ": the projector is then on the first GPU of the role" };
    Some(finding.about(model).remedy(format!("remove `{{}}`{then}"), Change::remove(name.span)))
}

/// More layers on GPUs, or with experts on the host, than the model has.
fn surplus_layers(
    derived: &Derived,
    role: &Role,
    (served, gpus): (&ServedRole, &RoleGpus),
) -> Vec<Diagnostic> {
    let registry = &derived.registry;
    let model = registry.models.get(served.serving.model.value);
    let Some(layers) = facts(&derived.lock, model).ok().and_then(|locked| locked.facts.number("block_count"))
    else {
        return Vec::new();
    };
    let placement = served.serving.placement.gpus();
    let on_gpus = placement.layers.and_then(|declared| match gpus.layers {
        GpuLayers::Count(count) => Some(("layers", declared.span, count, layers.saturating_add(1))),
        GpuLayers::All | GpuLayers::Fit => None,
    });
    let experts = placement.cpu_experts.and_then(|declared| match declared.value {
        CpuExperts::Count(count) => Some(("cpu-experts", declared.span, count, layers)),
        CpuExperts::All => None,
    });
    let surplus =
        [on_gpus, experts].into_iter().flatten().filter(|(_, _, count, most)| u64::from(*count) > *most);
    let findings = surplus.map(|(field, place, count, most)| {
        let message = format!("`{field}` of {role} is {count}, and {model} has {layers} layers");
        let finding = SURPLUS_LAYERS.at(place, format!("at most {most} have an effect"), message).about(role);
        finding.remedy("write `{}`", Change::rewrite(place, Line::of(field, "all")))
    });
    findings.collect()
}

/// A type of the KV cache with which the GPU does not compute attention.
fn slow_cache_type(
    role: &Role,
    (served, gpus): (&ServedRole, &RoleGpus),
    command: &RoleCommand,
) -> Option<Diagnostic> {
    let serving = &served.serving;
    let is_off = serving.setting_word("flash-attention").is_some_and(|(word, _)| word == "off");
    let is_on_host = serving.placement.gpus().kv.is_some_and(|kv| kv.value == CachePlace::Host);
    if is_off || is_on_host {
        return None;
    }
    let [keys, values] = ["k", "v"].map(|part| serving.cache_type(part));
    let (_, place) = values.or(keys)?;
    let types = [keys, values].map(|half| half.map_or("f16", |(word, _)| word));
    let build = command.profile.build_number();
    let device =
        gpus.devices.iter().find(|device| computes_attention(build, device, types) == Some(false))?;
    let [keys, values] = types.map(words::quoted);
    let what = if keys == values { keys } else { format!("{keys} for keys and {values} for values") };
    let message = format!(
        "{role} has the cache type {what}, with which {} does not compute attention",
        words::quoted(device)
    );
    let finding = SLOW_CACHE_TYPE.at(place, "the CPU computes attention", message).about(role);
    let nearest = if types.contains(&"q8_0") { "q8_0" } else { "q4_0" };
    let change = Change::rewrite(place, Line::of("cache-type", nearest));
    Some(finding.remedy("write `{}`, or `f16` for the best quality", change))
}
