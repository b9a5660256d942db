//! Something that the role's engine build cannot do.

use super::{Check, intent, profile_of};
use crate::diag::{Diagnostic, Diagnostics, NotChecked, Subject, nearest, words};
use crate::engine::Profile;
use crate::engine::dialect::{Inexpressible, Intent};
use crate::hir::{Registry, Role, Serving};
use crate::source::Span;

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
    for role in registry.roles.iter() {
        let Some(serving) = role.serving() else { continue };
        let (Some(lowered), Some(profile)) =
            (intent::serve(registry, serving, 0), profile_of(registry, serving))
        else {
            continue;
        };
        for cannot in lowered.cannot {
            findings.say(finding(role, serving, profile, &cannot));
        }
        for left in lowered.not_checked {
            let subject = Subject::new("role", &*role.head.name.value);
            findings.leave(NotChecked { check: ENGINE_CANNOT.name, subject, why: left.why });
        }
    }
}

fn finding(role: &Role, serving: &Serving, profile: &Profile, cannot: &Inexpressible) -> Diagnostic {
    let (place, what) = place(role, serving, cannot.intent);
    let message = format!(
        "role {} cannot have {what}: {}",
        words::quoted(&role.head.name),
        words::printable(&cannot.why)
    );
    let builds: Vec<String> = cannot.builds.iter().map(|build| format!("`{build}`")).collect();
    let near = match cannot.intent {
        Intent::OptionName(n) => serving.options.get(n).and_then(|option| {
            let name = format!("--{}", option.name.trim_start_matches('-'));
            nearest(&name, profile.option_names("llama-server"))
                .filter(|near| *near != name)
                .map(ToOwned::to_owned)
        }),
        _ => None,
    };
    ENGINE_CANNOT
        .at(place, "not with this build", message)
        .about("role", &*role.head.name.value)
        .also(
            serving.engine.map_or(role.head.name.span, |engine| engine.span),
            format!("served by {}", profile.name()),
        )
        .maybe_help(near.map(|near| format!("did you mean `{near}`?")))
        .maybe_help((!builds.is_empty()).then(|| format!("builds that can: {}", words::all_of(&builds))))
}

/// Where an intent stands, and its name.
fn place(role: &Role, serving: &Serving, intent: Intent) -> (Span, String) {
    let name = role.head.name.span;
    let draft = serving.draft.as_ref();
    let at = |place: Option<Span>, what: &str| (place.unwrap_or(name), format!("`{what}`"));
    match intent {
        Intent::Tool => at(serving.engine.map(|engine| engine.span), "llama-server"),
        Intent::Model => at(Some(serving.model.span), "model"),
        Intent::Listen => at(serving.listen.first().map(|address| address.span), "listen"),
        Intent::Port => at(Some(serving.ports.span), "port"),
        Intent::Context => at(Some(serving.context.span), "context"),
        Intent::Slots => at(Some(serving.slots.span), "slots"),
        Intent::Batch => at(serving.batch.map(|batch| batch.span), "batch"),
        Intent::Experts => at(serving.experts.map(|experts| experts.span), "experts"),
        Intent::Override(n) => at(serving.overrides.get(n).map(|o| o.key.span), "override"),
        Intent::Draft => at(draft.map(|draft| draft.span), "draft"),
        Intent::DraftMax => {
            at(draft.and_then(|draft| draft.max).map(|max| max.span).or(draft.map(|d| d.span)), "max")
        }
        Intent::DraftMin => at(draft.and_then(|draft| draft.min).map(|min| min.span), "min"),
        Intent::DraftPMin => at(draft.and_then(|draft| draft.p_min).map(|p| p.span), "p-min"),
        Intent::Lookup | Intent::DraftWithLookup => at(serving.lookup.map(|lookup| lookup.span), "lookup"),
        Intent::Pooling | Intent::Embeddings => {
            at(serving.pooling.as_ref().map(|pooling| pooling.span), "pooling")
        }
        Intent::Projector => at(Some(serving.model.span), "projector"),
        Intent::Threads => at(serving.placement.threads.map(|threads| threads.span), "threads"),
        Intent::Lock => at(serving.placement.lock.map(|lock| lock.span), "lock"),
        Intent::CacheType => at(serving.cache_type.as_ref().map(|cache| cache.span), "cache-type"),
        Intent::FlashAttention => {
            at(serving.flash_attention.as_ref().map(|flash| flash.span), "flash-attention")
        }
        Intent::PromptCache => at(serving.prompt_cache.map(|cache| cache.span), "prompt-cache"),
        Intent::KeyFile => at(serving.key_file.as_ref().map(|file| file.span), "key-file"),
        Intent::Metrics => (name, "metrics".to_owned()),
        Intent::OptionName(n) => {
            let option = serving.options.get(n);
            let what = option.map(|option| words::quoted(&option.name)).unwrap_or_default();
            (option.map_or(name, |option| option.name.span), format!("option {what}"))
        }
    }
}
