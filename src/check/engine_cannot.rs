//! A setting of a role that its engine build does not support.

use super::shared::faults::{self, FaultyRole};
use super::shared::free_ports::FreePorts;
use super::shared::gateway_remedy::own_port;
use crate::derive::Derived;
use crate::derive::overrides::effective_overrides;
use crate::diag::{Change, Diagnostics, Line, words};
use crate::engine::dialect::{FaultKind, GpuIntent, Intent};
use crate::hir::{Registry, Serving, Setting};
use crate::source::{Span, Spanned};

declare_code! {
    /// ## What it finds
    /// A field of a role that the pinned engine build does not support. Examples: `lookup` together with `draft` on a
    /// build that accepts only one of them, several listening addresses on a build that accepts only one, a `batch`
    /// smaller than `slots`.
    ///
    /// ## Why
    /// orchgen translates each field to the options of the build. It never drops a value silently, so a field without
    /// such an option is an error.
    ///
    /// ## Example
    /// ```kdl
    /// engine "spring" profile="llama.cpp-b9093" bin="/opt/spring/bin"
    /// role "extra" tier="A" residency="hot" model="plain" engine="spring" port=9000 context=4096 {
    ///     draft "tiny" max=16
    ///     lookup 3
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "spring" profile="llama.cpp-b9093" bin="/opt/spring/bin"
    /// role "extra" tier="A" residency="hot" model="plain" engine="spring" port=9000 context=4096 {
    ///     draft "tiny" max=16
    /// }
    /// ```
    pub(super) static ENGINE_CANNOT = 312, "engine-cannot", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let mut free: Option<FreePorts> = None;
    for (role, fault) in faults::of_kind(derived, FaultKind::NotExpressible) {
        let (place, what) = place(&derived.registry, &role, fault.intent);
        let message = format!("{} cannot use {what}: {}", role.role, words::printable(&fault.why));
        let label = if fault.builds.is_empty() { "not possible" } else { "not supported by this build" };
        let finding = role.complete(ENGINE_CANNOT.at(place, label, message), fault, None);
        let or = if fault.builds.is_empty() { "" } else { "or " };
        if let Some((title, change)) = cache_change(role.serving, fault.intent) {
            findings.report(finding.remedy(format!("{or}{title}"), change));
            continue;
        }
        if let Intent::OptionName(_) = fault.intent {
            let finding = finding.remedy(format!("{or}remove this option"), Change::field("option", place));
            let free = free.get_or_insert_with(|| FreePorts::of(derived));
            let port = own_port(free, &derived.registry, role.role);
            findings.report(port.into_iter().fold(finding, |finding, port| {
                finding.remedy("or write `{}` in the role instead of `gateway`", port)
            }));
            continue;
        }
        let is_removable = matches!(
            fault.intent,
            Intent::Alias
                | Intent::Template
                | Intent::Adapter(_)
                | Intent::Lookup
                | Intent::DraftWithLookup
                | Intent::Setting(_)
                | Intent::Gpu(GpuIntent::SplitMode | GpuIntent::HostExperts | GpuIntent::CachePlace)
        );
        findings.report(if is_removable && place != role.role.head.name.span {
            finding.remedy(format!("{or}remove `{{}}`"), Change::remove(place))
        } else {
            finding
        });
    }
    for (role, _, command) in derived.commands() {
        for missing in &command.server().not_checked {
            findings.skip(&ENGINE_CANNOT, role, &*missing.why);
        }
    }
}

/// The change for a quantized type of values without flash attention.
fn cache_change(serving: &Serving, wanted: Intent) -> Option<(&'static str, Change)> {
    let Intent::Setting(at) = wanted else { return None };
    let setting = serving.settings.get(at).filter(|setting| setting.field == "cache-type")?;
    let place = setting.value.span;
    let (Setting::Text(name), ("off", _)) = (&setting.value.value, serving.setting_word("flash-attention")?)
    else {
        return None;
    };
    Some(if setting.part.is_some() {
        ("write `{}`", Change::Value { span: place, to: "f16".into() })
    } else {
        let line = Line::new("cache-type").with(Line::of("k", &**name));
        ("write `{}`: keys do not need flash attention", Change::rewrite(place, line))
    })
}

/// The place and the field of an intent. The place is the name of the role if the intent is only implied.
fn place(registry: &Registry, at: &FaultyRole, wanted: Intent) -> (Span, String) {
    let serving = at.serving;
    let draft = serving.draft.as_deref();
    let (place, what) = match wanted {
        Intent::Tool => (serving.engine.map(|engine| engine.span), at.profile.server()),
        Intent::Model => (Some(serving.model.span), "model"),
        Intent::Template => (span(serving.template()), "template"),
        Intent::Adapter(n) => (span(serving.adapters().get(n).map(|adapter| &adapter.file)), "lora"),
        Intent::Projector => (Some(serving.model.span), "projector"),
        Intent::Alias => (span(serving.aliases().first()), "alias"),
        Intent::Listen => (span(serving.listen.first()), "listen"),
        Intent::Port => (Some(serving.ports.span), "port"),
        Intent::Context => (Some(serving.context.span), "context"),
        Intent::Slots => (Some(serving.slots.span), "slots"),
        // An embedder without `batch` uses the context as its batch.
        Intent::Batch if serving.batch.is_none() => (Some(serving.context.span), "context"),
        Intent::Batch => (span(serving.batch.as_ref()), "batch"),
        Intent::Experts => (span(serving.experts.as_ref()), "experts"),
        Intent::Override(n) => {
            let overrides = effective_overrides(registry, serving);
            (overrides.get(n).map(|one| one.key.span), "override")
        }
        Intent::Draft => (span(draft), "draft"),
        Intent::DraftMax => match draft.and_then(|draft| draft.max.as_ref()) {
            Some(max) => (Some(max.span), "max"),
            None => (span(draft), "draft"),
        },
        Intent::DraftMin => (draft.and_then(|draft| span(draft.min.as_ref())), "min"),
        Intent::DraftPMin => (draft.and_then(|draft| span(draft.p_min.as_ref())), "p-min"),
        Intent::Lookup | Intent::DraftWithLookup => (span(serving.lookup.as_deref()), "lookup"),
        Intent::Pooling | Intent::Embeddings => (span(serving.pooling.as_deref()), "pooling"),
        Intent::Threads => (span(serving.placement.threads.as_ref()), "threads"),
        Intent::Numa => (span(serving.placement.numa.as_ref()), "numa"),
        Intent::Lock => (span(serving.placement.lock.as_ref()), "lock"),
        Intent::Gpu(part) => gpu_place(serving, part),
        Intent::Setting(n) => {
            let setting = serving.settings.get(n);
            (setting.map(|setting| setting.value.span), setting.map_or("", |setting| setting.field))
        }
        Intent::KeyFile => (span(serving.key_file.as_deref()), "key-file"),
        Intent::Metrics => {
            (serving.gateway.map(|gateway| registry.gateways.get(gateway.value).head.name.span), "metrics")
        }
        Intent::Idle => (span(registry.residencies.get(serving.residency.value).idle.as_ref()), "idle"),
        // Options have separate codes, so this is only a fallback.
        Intent::OptionName(n) => (span(serving.options.get(n).map(|option| &option.name)), "option"),
    };
    (place.unwrap_or(at.role.head.name.span), format!("`{what}`"))
}

/// The place and the field of an intent about GPUs.
fn gpu_place(serving: &Serving, part: GpuIntent) -> (Option<Span>, &'static str) {
    let gpu = serving.placement.gpu.as_deref();
    match part {
        GpuIntent::Layers => (gpu.and_then(|gpu| span(gpu.layers.as_ref())), "layers"),
        GpuIntent::Split => (gpu.and_then(|gpu| span(gpu.split.as_ref())), "split"),
        GpuIntent::SplitMode => (gpu.and_then(|gpu| span(gpu.split_mode.as_ref())), "split-mode"),
        GpuIntent::HostExperts => (gpu.and_then(|gpu| span(gpu.cpu_experts.as_ref())), "cpu-experts"),
        GpuIntent::CachePlace => (gpu.and_then(|gpu| span(gpu.kv.as_ref())), "kv"),
        GpuIntent::Draft => (span(serving.draft.as_deref()), "draft"),
        GpuIntent::Devices => (gpu.and_then(|gpu| span(gpu.devices.first())), "gpu"),
    }
}

fn span<T>(value: Option<&Spanned<T>>) -> Option<Span> {
    value.map(|value| value.span)
}
