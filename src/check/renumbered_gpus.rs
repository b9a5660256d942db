//! A variable that gives the GPUs of a role other numbers than its host has.

use crate::derive::{Derived, ServedRole};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::engine::dialect::{CUDA_ORDER, VISIBLE_DEVICES};
use crate::hir::{Bytes, Engine, Id, Registry, Role, Text};
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A variable such as `CUDA_VISIBLE_DEVICES` with which a GPU of the role has another number than on the host, or none. Also
    /// such a variable of a role without `gpu`, which uses no GPU. Also a role in a container with a CUDA GPU of a host whose CUDA
    /// GPUs have different sizes, without `CUDA_DEVICE_ORDER=PCI_BUS_ID`.
    ///
    /// ## Why
    /// The driver numbers the GPUs in the list from 0. With `CUDA_VISIBLE_DEVICES=1`, `CUDA0` is the second GPU of the machine.
    /// The role then runs on a GPU for which its memory was not counted. `gpu` of the placement selects GPUs without a variable.
    ///
    /// CUDA gives the fastest GPU the number 0. Containers get GPUs by the numbers of `nvidia-smi`, which are in the order of the PCI
    /// bus. With this variable, CUDA has the same order.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "CUDA0" memory="24 GB" }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 {
    ///     placement gpu="CUDA0"
    ///     env CUDA_VISIBLE_DEVICES="1"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "CUDA0" memory="24 GB"; gpu "CUDA1" memory="24 GB" }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 {
    ///     placement gpu="CUDA1"
    /// }
    /// ```
    pub(super) static RENUMBERED_GPUS = 505, "renumbered-gpus", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let mut reported: BTreeSet<Id<Engine>> = BTreeSet::new();
    for served in &derived.roles {
        let role = derived.registry.roles.get(served.id);
        let engine = served.serving.engine.map(|engine| derived.registry.engines.get(engine.value));
        let of_engine = engine.iter().flat_map(|engine| &engine.env);
        let own = &served.serving.env;
        let all = own.iter().chain(of_engine.filter(|(name, _)| own.iter().all(|(known, _)| known != name)));
        findings.extend(all.clone().filter_map(|variable| finding(role, served, variable)));
        let order = all.clone().find(|(name, _)| *name.value == *CUDA_ORDER.0).map(|(_, value)| value);
        let may_differ = may_differ(derived, served, order);
        if may_differ.is_none() {
            let why = "the `memory` of CUDA GPUs of its host is not declared";
            findings.skip(&RENUMBERED_GPUS, &role.head, why);
        }
        let Some(engine) = served.serving.engine.filter(|_| may_differ == Some(true)) else { continue };
        if reported.insert(engine.value) {
            findings.report(unordered(&derived.registry, (role, served), engine.value, order));
        }
    }
}

/// True if a role is in a container with CUDA GPUs that can have other numbers there than their names. `None` if it is unknown
/// whether these GPUs have different sizes.
fn may_differ(derived: &Derived, served: &ServedRole, order: Option<&Text>) -> Option<bool> {
    let uses_cuda = served.container.as_ref().is_some_and(|container| !container.nvidia.is_empty());
    if let Some(order) = order.filter(|_| uses_cuda) {
        return Some(*order.value != *CUDA_ORDER.1);
    }
    let gpus = derived.registry.hosts.get(served.serving.host.value).gpus.iter();
    let cuda = gpus.filter(|gpu| uses_cuda && gpu.name.starts_with("CUDA"));
    let sizes: Vec<Option<Bytes>> = cuda.map(|gpu| Some(gpu.memory?.value)).collect();
    let known: BTreeSet<Bytes> = sizes.iter().copied().flatten().collect();
    let is_known = sizes.len() < 2 || known.len() > 1 || sizes.iter().all(Option::is_some);
    is_known.then_some(known.len() > 1)
}

fn unordered(
    registry: &Registry,
    (role, served): (&Role, &ServedRole),
    engine: Id<Engine>,
    order: Option<&Text>,
) -> Diagnostic {
    let host = registry.hosts.get(served.serving.host.value);
    let devices = &served.serving.placement.gpus().devices;
    let gpu = devices.first().map_or(role.head.name.span, |name| name.span);
    let place = order.map_or(gpu, |order| order.span);
    let message = format!("the container of {role} can have other GPUs of {host} than those that it names");
    let finding = RENUMBERED_GPUS.at(place, "the order of the GPUs is not that of `nvidia-smi`", message);
    let help = "compare the names of the host with those that `CUDA_DEVICE_ORDER=PCI_BUS_ID llama-server --list-devices` prints";
    let finding = finding.about(role).help(help);
    let line = Line::of(CUDA_ORDER.0, CUDA_ORDER.1);
    match order {
        Some(order) => finding.remedy("then write `{}`", Change::rewrite(order.span, line)),
        None => {
            let item = registry.engines.get(engine).head.span;
            finding.remedy("then write `{}` in the engine", Change::set_in(item, "env", line))
        }
    }
}

fn finding(role: &Role, served: &ServedRole, (name, value): &(Text, Text)) -> Option<Diagnostic> {
    let (back_end, _) = VISIBLE_DEVICES.iter().find(|(_, variable)| **variable == *name.value)?;
    let gpus = served.gpus.as_ref()?.all();
    if gpus.is_empty() && !value.is_empty() && &*value.value != "-1" {
        let message = format!("{role} sets {} and has no `gpu`, so it uses no GPU", words::quoted(name));
        let finding = RENUMBERED_GPUS.at(value.span, "selects no GPU", message).about(role);
        let finding = finding.help("name the GPUs in `gpu` of `placement` instead of this variable");
        return Some(finding.remedy("or remove `{}`", Change::remove(value.span)));
    }
    let changed = gpus.into_iter().find(|gpu| {
        let number = gpu.strip_prefix(back_end).and_then(|number| number.parse::<usize>().ok());
        number.is_some_and(|number| !keeps_number(value, number))
    })?;
    let (name, gpu) = (words::quoted(name), words::quoted(changed));
    let message = format!(
        "{role} sets {name} to {}, with which {gpu} can be another GPU than on its host, or none",
        words::quoted(value)
    );
    let finding = RENUMBERED_GPUS.at(value.span, "numbers the GPUs in this list from 0", message).about(role);
    Some(finding.remedy("remove `{}`: `gpu` of `placement` selects the GPUs", Change::remove(value.span)))
}

/// True if the GPU with this number has it also in a list of visible GPUs: all GPUs up to this one are in their order.
fn keeps_number(list: &str, number: usize) -> bool {
    let kept = list.split(',').map(|one| one.trim().parse().ok()).enumerate();
    kept.take_while(|(at, one)| *one == Some(*at)).count() > number
}
