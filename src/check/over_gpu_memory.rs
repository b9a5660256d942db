//! A GPU with less memory than the roles on it need.

use super::shared::sum::{MAX_WITH_ADVICE, MemorySum, listed};
use crate::derive::{
    Alternative, Derived, FittingRole, MemoryLoad, MemoryScope, RoleGroup, RoleMemory, ServedRole,
};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{Bytes, Gpu, Host};
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A GPU whose `memory` minus its `reserve` is less than what its roles need together. The finding prints the sum line by
    /// line, and the smallest change of each kind with which it fits.
    ///
    /// ## Why
    /// The server fails when it allocates its buffers, or the driver moves them to the memory of the host, which makes it many
    /// times slower. If several roles run on one GPU, the last one to start fails.
    ///
    /// - All residencies count, also those that start on demand. If fewer roles run at a time, put them behind a
    ///   gateway and set `at-once`.
    /// - Each process has its own copy of the weights on the GPU.
    /// - With a `registry.lock`, caches, state and buffers also count, on the device where the engine puts them.
    /// - `reserve` is for the driver and the desktop. The default is 1 GiB.
    /// - A GPU without `memory` is not checked.
    /// - The engine decides what is on the GPU of a role with `layers` `fit`: such a role is not checked.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "CUDA0" memory="4 GB" }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 { placement gpu="CUDA0" }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GB" { gpu "CUDA0" memory="24 GB" }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 { placement gpu="CUDA0" }
    /// ```
    pub(super) static OVER_GPU_MEMORY = 501, "over-gpu-memory", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for group in derived.loads().of_hosts() {
        let host = derived.registry.hosts.get(group.host);
        for (index, gpu) in host.gpus.iter().enumerate() {
            let Some((memory, room)) = gpu.memory.zip(gpu.room()) else {
                let is_used = derived.on_gpu(group.host, gpu).next().is_some();
                let why = is_used.then(|| "its `memory` is not declared".to_owned());
                skip(findings, (host, gpu), why);
                continue;
            };
            if group.total(MemoryScope::gpu(index)) > room {
                findings.report(finding(derived, &group, (host, index, gpu), (memory, room)));
            }
            skip(findings, (host, gpu), unknown_memory(derived, &group, gpu));
        }
    }
}

/// Records why the sum of a GPU is not checked.
fn skip(findings: &mut Diagnostics, (host, gpu): (&Host, &Gpu), why: Option<String>) {
    if let Some(why) = why {
        findings.skip(&OVER_GPU_MEMORY, &host.head, format!("GPU {}: {why}", words::quoted(&gpu.name)));
    }
}

/// The roles whose memory on a GPU is not completely known, as text. `None` if all of it is known.
fn unknown_memory(derived: &Derived, group: &RoleGroup, gpu: &Gpu) -> Option<String> {
    let name = |role| words::quoted(&derived.registry.roles.get(role).head.name);
    let unknown =
        derived.unknown_on_gpu(group.host, gpu).map(|(role, why)| format!("role {}: {why}", name(role)));
    listed(unknown)
}

fn finding(
    derived: &Derived,
    group: &RoleGroup,
    (host, index, gpu): (&Host, usize, &Gpu),
    (declared, room): (Spanned<Bytes>, Bytes),
) -> Diagnostic {
    let registry = &derived.registry;
    let scope = MemoryScope::gpu(index);
    let load = group.load(scope);
    let memory = declared.value;
    let (over, reserve) = (load.total.minus(room), memory.minus(room));
    let name = words::quoted(&gpu.name);
    let message = format!(
        "the roles on GPU {name} of {host} need {}, but only {room} are free ({memory} minus {reserve} `reserve`)",
        load.total
    );
    let label = format!("{} needed in addition to the reserve", load.total);
    let finding = OVER_GPU_MEMORY.at(declared.span, label, message).about(host);
    let limit = [("memory", memory), ("reserve", reserve)];
    let has_sets = index < MAX_WITH_ADVICE;
    let sum = MemorySum { registry, group, scope, load: &load, services: &[], limit: &limit, over, has_sets };
    let finding = sum.add_to(finding);
    let changes = smallest_changes(derived, group, (index, over));
    let has_facts = derived.unknown_on_gpu(group.host, gpu).next().is_none();
    let finding = if changes.is_empty() && !has_facts {
        let finding = let_engine_fit(derived, &load, finding);
        finding.help("run `orchgen lock` where the model files are: orchgen then computes the layers, experts or context that fit")
    } else {
        finding
    };
    let or = if changes.is_empty() { "" } else { "or " };
    let finding = changes.into_iter().fold(finding, |finding, change| change.add_to(derived, finding));
    let several =
        load.lines.iter().any(|line| load.lines.first().is_some_and(|first| first.role != line.role));
    let moved = several.then(|| sum.removal(|roles| format!("{or}move {roles} to another GPU"), ""));
    finding.maybe_help(moved)
}

/// The help that lets the engine decide how many layers of the largest role are on its GPUs.
fn let_engine_fit(derived: &Derived, load: &MemoryLoad, finding: Diagnostic) -> Diagnostic {
    let largest = load.freed.iter().max_by_key(|(_, bytes)| *bytes).map(|(role, _)| *role);
    let served = derived.roles.iter().find(|role| Some(role.id) == largest);
    let Some(served) = served.filter(|served| is_plain(served)) else { return finding };
    let role = derived.registry.roles.get(served.id);
    let change = Change::set_in(role.head.span, "placement", Line::of("layers", "fit"));
    let name = words::quoted(&role.head.name);
    finding.remedy(
        format!("write `{{}}` in `placement` of role {name}: the engine then decides at each start"),
        change,
    )
}

/// True if nothing keeps the engine from fitting the layers of a role.
fn is_plain(served: &ServedRole) -> bool {
    let gpus = served.serving.placement.gpus();
    gpus.layers.is_none() && gpus.split.is_none() && gpus.split_mode.is_none() && gpus.cpu_experts.is_none()
}

/// A change of a role with which a GPU fits.
struct SmallestChange<'d> {
    role: FittingRole<'d>,
    change: Alternative,
    /// The memory that it frees on the GPU.
    saved: Bytes,
}

impl SmallestChange<'_> {
    fn add_to(&self, derived: &Derived, finding: Diagnostic) -> Diagnostic {
        let role = derived.registry.roles.get(self.role.served.id);
        let name = words::quoted(&role.head.name);
        let (block, line) = self.change.line();
        let change = match block {
            Some(block) => Change::set_in(role.head.span, block, line),
            None => Change::set(role.head.span, line),
        };
        let place =
            block.map_or_else(|| format!("in role {name}"), |block| format!("in `{block}` of role {name}"));
        finding.remedy(format!("write `{{}}` {place}: this frees {}", self.saved), change)
    }
}

/// The smallest change of each kind of one role: the largest on a GPU for which a change is enough.
fn smallest_changes<'d>(
    derived: &'d Derived,
    group: &RoleGroup,
    (index, over): (usize, Bytes),
) -> Vec<SmallestChange<'d>> {
    let scope = MemoryScope::gpu(index);
    let before = group.total(scope);
    let limit = before.minus(over);
    let on_gpu = |role: &ServedRole| {
        let parts = role.memory.counted.iter().filter(|part| part.gpu == Some(index));
        let one = parts.fold(0, |sum: u64, part| sum.saturating_add(part.bytes.0));
        Bytes(one.saturating_mul(role.serving.ports.value.len() as u64))
    };
    let roles = derived.roles.iter().filter(|role| role.serving.host.value == group.host);
    let mut roles: Vec<(Bytes, &ServedRole)> = roles.map(|role| (on_gpu(role), role)).collect();
    roles.retain(|(bytes, _)| *bytes > Bytes(0));
    roles.sort_by_key(|(bytes, role)| (std::cmp::Reverse(*bytes), role.id));
    let of_role = |(_, served): (Bytes, &'d ServedRole)| {
        let role = FittingRole::new(&derived.registry, &derived.lock, served).ok()?;
        let total = |memory: &RoleMemory| group.total_with(scope, (served.id, memory));
        // A change of this role cannot be enough if its removal is not.
        if total(&RoleMemory::default()) > limit {
            return None;
        }
        let changes = role.smallest(|memory| total(memory) <= limit).into_iter();
        let changes = changes.map(|(change, memory)| SmallestChange {
            role,
            change,
            saved: before.minus(total(&memory)),
        });
        Some(changes.collect::<Vec<_>>()).filter(|changes| !changes.is_empty())
    };
    roles.into_iter().find_map(of_role).unwrap_or_default()
}

/// A placement in lines of the registry.
impl Alternative {
    /// The field to write, and the block of the role that it is in.
    pub(super) fn line(self) -> (Option<&'static str>, Line) {
        match self {
            Self::Layers(layers) => (Some("placement"), Line::of("layers", u64::from(layers))),
            Self::CpuExperts(layers) => (Some("placement"), Line::of("cpu-experts", u64::from(layers))),
            Self::Context(tokens) => (None, Line::of("context", u64::from(tokens))),
            Self::CacheType(name) => (None, Line::of("cache-type", name)),
        }
    }
}
