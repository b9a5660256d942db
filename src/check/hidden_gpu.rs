//! A sandbox that hides the GPUs of a role.

use super::owner_of;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, Line, words};
use crate::hir::{Hardening, Head, ProcessSettings, Registry, TargetName};
use crate::source::Span;
use std::sync::Arc;

declare_code! {
    /// ## What it finds
    /// A role with GPUs whose `hardening` is `strict` or `default`, written in the role, in `defaults` or in the stack.
    ///
    /// ## Why
    /// These levels hide all devices from the service (`PrivateDevices=`), and forbid a driver to generate code. The server
    /// would not find its GPU: it exits, or it loads the model into the memory of the host. The level `gpu` allows the
    /// device files of the drivers of the GPUs, and no others. It is the default of a role with GPUs.
    ///
    /// ## Example
    /// ```kdl
    /// host "tower" memory="64 GB" cpus="0-15" { gpu "CUDA0" memory="24 GB" }
    /// role "extra" tier="A" residency="hot" model="plain" host="tower" port=9000 context=4096 hardening="strict" {
    ///     placement gpu="CUDA0"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "tower" memory="64 GB" cpus="0-15" { gpu "CUDA0" memory="24 GB" }
    /// role "extra" tier="A" residency="hot" model="plain" host="tower" port=9000 context=4096 hardening="gpu" {
    ///     placement gpu="CUDA0"
    /// }
    /// ```
    pub(super) static HIDDEN_GPU = 328, "hidden-gpu", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    if !registry.stack.has_target(TargetName::Systemd) {
        return;
    }
    // The level has no effect on a container.
    let own =
        derived.roles.iter().filter(|served| served.serving.gateway.is_none() && served.container.is_none());
    for served in own {
        let of_draft = served.serving.draft.iter().flat_map(|draft| &draft.gpu);
        let named = served.serving.placement.gpus().devices.iter().chain(of_draft).next();
        let place = named.map(|name| name.span);
        let gpus = served.used_gpus().unwrap_or_default();
        of_item((registry, &registry.roles.get(served.id).head), &served.serving, (&gpus, place), findings);
    }
    for served in &derived.programs {
        let place = served.program.placement.gpus().devices.first().map(|name| name.span);
        let gpus = served.used_gpus().unwrap_or_default();
        of_item((registry, &registry.roles.get(served.id).head), &served.program, (&gpus, place), findings);
    }
    for served in &derived.gateways {
        let (head, gpus) =
            (&registry.gateways.get(served.id).head, served.gpus.as_deref().unwrap_or_default());
        of_item((registry, head), &served.settings, (gpus, None), findings);
    }
}

fn of_item(
    (registry, head): (&Registry, &Head),
    process: &ProcessSettings,
    (gpus, gpu_place): (&[Arc<str>], Option<Span>),
    findings: &mut Diagnostics,
) {
    let Some(declared) = process.hardening.or(registry.stack.hardening) else { return };
    let level = match declared.value {
        Hardening::Strict => "strict",
        Hardening::Default => "default",
        Hardening::Gpu | Hardening::Off => return,
    };
    if gpus.is_empty() {
        return;
    }
    let names: Vec<String> = gpus.iter().map(|name| words::quoted(name)).collect();
    let (noun, names) = (if names.len() == 1 { "GPU" } else { "GPUs" }, words::all_of(&names));
    let message = format!("`hardening` `{level}` hides the {noun} {names} of {head}");
    let line = || Line::of("hardening", "gpu");
    let finding = if owner_of(registry, head, declared.span).kind == head.kind {
        let finding = HIDDEN_GPU.at(declared.span, "hides all devices", message);
        finding.remedy("write `{}`", Change::rewrite(declared.span, line()))
    } else {
        let finding = HIDDEN_GPU.at(head.name.span, format!("has the {noun} {names}"), message);
        finding
            .also(declared.span, "hides all devices")
            .remedy(format!("write `{{}}` in the {}", head.kind), Change::set(head.span, line()))
            .remedy("or remove `{}` for all roles", Change::remove(declared.span))
    };
    let place = gpu_place.filter(|place| *place != head.name.span);
    findings.report(finding.also_each(place.map(|place| (place, "the GPU"))).about(head));
}
