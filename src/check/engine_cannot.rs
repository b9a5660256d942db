//! Something that the role's engine build cannot do.

use super::ground::Ground;
use super::{GroundCheck, intent};
use crate::diag::{Diagnostic, Diagnostics, NotChecked, Subject, words};
use crate::engine::Profile;
use crate::engine::dialect::{Fault, Inexpressible, Intent};
use crate::hir::{Registry, Role, Serving};
use crate::source::{Span, Spanned};

declare_code! {
    /// ## What it finds
    /// A field of a role that the pinned build of its engine cannot express: lookup beside a draft on a build that takes one of them,
    /// several addresses on a build that takes one, a batch smaller than the slots.
    ///
    /// ## Why
    /// The same setting has to be spelled as the build spells it, and where it cannot be, nothing may be left out in silence.
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
    static ENGINE_CANNOT = 312, "engine-cannot", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &ENGINE_CANNOT, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    let registry = &ground.registry;
    for trouble in ground.troubles() {
        let role = registry.roles.get(trouble.role);
        let Some(serving) = role.serving() else { continue };
        let Some(profile) = ground.profile_of(serving) else { continue };
        for cannot in trouble.cannot.iter().filter(|cannot| cannot.fault == Fault::Intent) {
            let place = place(registry, role, serving, cannot.intent);
            findings.report(finding((role, serving), profile, cannot, place));
        }
        for left in &trouble.not_checked {
            let subject = Subject::new("role", &*role.head.name.value);
            findings.record_not_checked(NotChecked {
                check: ENGINE_CANNOT.name,
                subject,
                why: left.why.clone(),
            });
        }
    }
}

fn finding(
    (role, serving): (&Role, &Serving),
    profile: &Profile,
    cannot: &Inexpressible,
    (place, what): (Span, String),
) -> Diagnostic {
    let message = format!(
        "role {} cannot have {what}: {}",
        words::quoted(&role.head.name),
        words::printable(&cannot.why)
    );
    let builds: Vec<String> = cannot.builds.iter().map(|build| format!("`{build}`")).collect();
    ENGINE_CANNOT
        .at(place, if builds.is_empty() { "cannot be said" } else { "not with this build" }, message)
        .about("role", &*role.head.name.value)
        .also(
            serving.engine.map_or(role.head.name.span, |engine| engine.span),
            format!("served by {}", words::printable(profile.name())),
        )
        .maybe_help((!builds.is_empty()).then(|| format!("builds that can: {}", words::all_of(&builds))))
}

/// Where an intent stands, and its name; the role's name where it is only implied.
fn place(registry: &Registry, role: &Role, serving: &Serving, wanted: Intent) -> (Span, String) {
    let draft = serving.draft.as_ref();
    let (place, what) = match wanted {
        Intent::Tool => (serving.engine.map(|engine| engine.span), "llama-server"),
        Intent::Model => (Some(serving.model.span), "model"),
        Intent::Projector => (Some(serving.model.span), "projector"),
        Intent::Listen => (span(serving.listen.first()), "listen"),
        Intent::Port => (Some(serving.ports.span), "port"),
        Intent::Context => (Some(serving.context.span), "context"),
        Intent::Slots => (Some(serving.slots.span), "slots"),
        Intent::Batch => (span(serving.batch.as_ref()), "batch"),
        Intent::Experts => (span(serving.experts.as_ref()), "experts"),
        Intent::Override(n) => {
            let said = intent::said_overrides(registry, serving);
            (said.get(n).map(|one| one.key.span), "override")
        }
        Intent::Draft => (span(draft), "draft"),
        Intent::DraftMax => (draft.and_then(|draft| span(draft.max.as_ref())).or(span(draft)), "max"),
        Intent::DraftMin => (draft.and_then(|draft| span(draft.min.as_ref())), "min"),
        Intent::DraftPMin => (draft.and_then(|draft| span(draft.p_min.as_ref())), "p-min"),
        Intent::Lookup | Intent::DraftWithLookup => (span(serving.lookup.as_ref()), "lookup"),
        Intent::Pooling | Intent::Embeddings => (span(serving.pooling.as_ref()), "pooling"),
        Intent::Threads => (span(serving.placement.threads.as_ref()), "threads"),
        Intent::Lock => (span(serving.placement.lock.as_ref()), "lock"),
        Intent::CacheType => (span(serving.cache_type.as_ref()), "cache-type"),
        Intent::FlashAttention => (span(serving.flash_attention.as_ref()), "flash-attention"),
        Intent::PromptCache => (span(serving.prompt_cache.as_ref()), "prompt-cache"),
        Intent::KeyFile => (span(serving.key_file.as_ref()), "key-file"),
        Intent::Metrics => (None, "metrics"),
        // A value or name of an option has a code of its own.
        Intent::OptionName(n) => (span(serving.options.get(n).map(|option| &option.name)), "option"),
    };
    (place.unwrap_or(role.head.name.span), format!("`{what}`"))
}

fn span<T>(value: Option<&Spanned<T>>) -> Option<Span> {
    value.map(|value| value.span)
}
