//! Something that the role's engine build cannot do.

use super::{Check, intent, profile_of, secrets};
use crate::diag::{Diagnostic, Diagnostics, NotChecked, Subject, nearest, words};
use crate::engine::Profile;
use crate::engine::dialect::{Inexpressible, Intent};
use crate::hir::{Registry, Role, Serving};
use crate::source::{Span, Spanned};

declare_code! {
    /// ## What it finds
    /// A setting of a role that the pinned build of its engine cannot express: an option that the build does not have or has
    /// removed, lookup beside a draft on a build that takes one of them, a value that the option does not take.
    ///
    /// ## Why
    /// Options come and go between builds. llama-server refuses one that it does not know, and the unit does not start; the
    /// same setting has to be spelled as the build spells it, and where it cannot be, nothing may be left out in silence.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "draft-max" value=16
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     draft "tiny" max=16
    /// }
    /// ```
    static ENGINE_CANNOT = 312, "engine-cannot", Error;
}

pub(super) static CHECK: Check = Check { code: &ENGINE_CANNOT, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for (role, serving) in registry.served() {
        let (Some(lowered), Some(profile)) =
            (intent::serve(registry, serving, 0), profile_of(registry, serving))
        else {
            continue;
        };
        // A key that stands in the registry is said as a secret.
        let is_secret = |wanted: &Inexpressible| {
            let Intent::OptionName(n) = wanted.intent else { return false };
            let option = serving.options.get(n);
            option.is_some_and(|option| secrets::is_key_option(&option.name) && secrets::in_option(option))
        };
        for cannot in lowered.cannot.into_iter().filter(|cannot| !is_secret(cannot)) {
            let place = place(registry, role, serving, cannot.intent);
            findings.say(finding((role, serving), profile, &cannot, place));
        }
        for left in lowered.not_checked {
            let subject = Subject::new("role", &*role.head.name.value);
            findings.leave(NotChecked { check: ENGINE_CANNOT.name, subject, why: left.why });
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
    let near = option_near(serving, profile, cannot.intent);
    ENGINE_CANNOT
        .at(place, if builds.is_empty() { "cannot be said" } else { "not with this build" }, message)
        .about("role", &*role.head.name.value)
        .also(
            serving.engine.map_or(role.head.name.span, |engine| engine.span),
            format!("served by {}", profile.name()),
        )
        .maybe_help(near.map(|near| format!("did you mean `{near}`?")))
        .maybe_help((!builds.is_empty()).then(|| format!("builds that can: {}", words::all_of(&builds))))
}

/// The option of the build that is nearest to one that it does not have.
fn option_near<'p>(serving: &Serving, profile: &'p Profile, intent: Intent) -> Option<&'p str> {
    let Intent::OptionName(n) = intent else { return None };
    let name = format!("--{}", serving.options.get(n)?.name.trim_start_matches('-'));
    nearest(&name, profile.option_names("llama-server")).filter(|near| *near != name)
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
        Intent::OptionName(n) => {
            let option = serving.options.get(n).map(|option| &option.name);
            let what = format!("option {}", option.map(|name| words::quoted(name)).unwrap_or_default());
            return (span(option).unwrap_or(role.head.name.span), what);
        }
    };
    (place.unwrap_or(role.head.name.span), format!("`{what}`"))
}

fn span<T>(value: Option<&Spanned<T>>) -> Option<Span> {
    value.map(|value| value.span)
}
