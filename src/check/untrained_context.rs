//! A context longer than the trained context of the model.

use crate::derive::Derived;
use crate::derive::overrides::extended_context;
use crate::diag::{Diagnostics, Line, words};
use crate::engine::Profile;
use crate::engine::options::is_option;
use crate::hir::{Context, Role, Serving, Setting};
use crate::source::Span;
use std::num::NonZeroU32;

declare_code! {
    /// ## What it finds
    /// A role whose `context` is longer than the `trained-context` of its model.
    ///
    /// ## Why
    /// The engine caps each slot at the trained context and logs a warning, but allocates memory for the longer context
    /// (llama.cpp b11434, `tools/server/server-context.cpp`). To extend the context of a model, override
    /// `ARCH.context_length`. Then the overridden number is the limit. With the options `rope-scaling` `yarn` and
    /// `rope-scale`, builds since b10754 multiply the trained context by the scale (`src/llama-context.cpp`).
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 65536}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 32768}
    /// ```
    pub(super) static UNTRAINED_CONTEXT = 356, "untrained-context", Error;
}

declare_code! {
    /// ## What it finds
    /// A role with YaRN and an override of `context_length`, but without the option `yarn-orig-ctx`.
    ///
    /// ## Why
    /// YaRN needs the original context. Without the option, the engine takes the overridden number for it, and scales
    /// wrongly (llama.cpp b11434, `src/llama-model.cpp` and `src/llama-context.cpp`).
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=65536 {
    ///     override "qwen2.context_length" value=131072
    ///     option "rope-scaling" value="yarn"
    ///     option "rope-scale" value=4
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=65536 {
    ///     override "qwen2.context_length" value=131072
    ///     option "rope-scaling" value="yarn"
    ///     option "rope-scale" value=4
    ///     option "yarn-orig-ctx" value=32768
    /// }
    /// ```
    pub(super) static SPOILED_YARN = 383, "spoiled-yarn", Warning;
}

/// The first build that is known to adapt the trained context to YaRN (llama.cpp pull request 28030,
/// `src/llama-context.cpp`; a log of b10754 has its line, and b10435 does not have its code).
const ADAPTS_TO_YARN: u32 = 10754;

/// YaRN, as the options of a role configure it.
struct Yarn {
    /// The place of `yarn`.
    place: Span,
    scale: f64,
    /// The value of `yarn-orig-ctx`.
    original: Option<u64>,
}

impl Yarn {
    fn of(serving: &Serving) -> Option<Self> {
        let find = |title: &str| serving.options.iter().find(|option| is_option(&option.name, title));
        let number = |title: &str| {
            let value = find(title)?.value.as_ref()?;
            match &value.value {
                Setting::Integer(number) => number.to_string().parse().ok(),
                Setting::Float(number) => Some(*number),
                Setting::Text(text) => text.parse::<f64>().ok(),
                Setting::Flag(_) => None,
            }
        };
        let kind = find("rope-scaling")?.value.as_ref()?;
        if !matches!(&kind.value, Setting::Text(text) if &**text == "yarn") {
            return None;
        }
        let scale = number("rope-scale").or_else(|| Some(1.0 / number("rope-freq-scale")?)).unwrap_or(1.0);
        let original = find("yarn-orig-ctx").and_then(|option| match option.value.as_ref()?.value {
            Setting::Integer(number) => u64::try_from(number).ok().filter(|number| *number > 0),
            Setting::Float(_) | Setting::Text(_) | Setting::Flag(_) => None,
        });
        Some(Self { place: kind.span, scale, original })
    }

    /// The trained context that the engine computes from the original one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "contexts are small, and the result saturates"
    )]
    fn limit(&self, trained: u64) -> u64 {
        (self.original.unwrap_or(trained) as f64 * self.scale) as u64
    }
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let (model, _) = registry.model_of(serving);
        let extended = extended_context(registry, serving)
            .map(|limit| (limit.value, limit.span, "extended to this", "is extended to"));
        let trained = model.trained_context;
        let trained =
            trained.map(|trained| (trained.value, trained.span, "trained for this", "was trained for"));
        let yarn = Yarn::of(serving);
        if let (Some(yarn), Some((_, place, ..))) = (&yarn, &extended)
            && yarn.original.is_none()
        {
            report_spoiled(role, yarn, (*place, trained), findings);
        }
        let Some((limit, place, label, what)) = extended.or(trained) else { continue };
        let build = derived.profile_of(serving).and_then(Profile::build_number);
        let adapts = build.is_some_and(|build| build >= ADAPTS_TO_YARN);
        let limit = yarn.as_ref().filter(|_| adapts).map_or(limit, |yarn| yarn.limit(limit));
        // Slots that share a cache cannot use more than the trained context of each.
        let shared = Some(serving.slots.value).filter(|slots| slots.is_shared);
        let limit = shared.map_or(limit, |slots| limit.saturating_mul(slots.count.into()));
        let (asked, fits) = match serving.context.value {
            Context::Tokens(tokens) => (Some(tokens), false),
            Context::Fit(least) => (least.map(NonZeroU32::get), true),
            Context::Trained => (None, false),
        };
        let Some(context) = asked.filter(|tokens| u64::from(*tokens) > limit) else { continue };
        let title = words::quoted(&model.title);
        let message = format!("{role} has a context of {context} tokens, but {title} {what} {limit}");
        let mut finding = UNTRAINED_CONTEXT
            .at(serving.context.span, format!("expected at most {limit}"), message)
            .also(place, label)
            .about(role);
        if super::owner(registry, role, serving.context.span).kind != "role" {
            finding = finding.also(role.head.name.span, "applies to this role");
        }
        if yarn.is_some() && !adapts {
            let arch = registry.arch_of(model).map_or("ARCH".into(), |arch| words::printable(arch));
            finding = finding.help(format!(
                "for YaRN, this build needs an `override` of `{arch}.context_length` with {context}, and the option \
                 `yarn-orig-ctx` with {limit}"
            ));
        }
        let line = Line::of("context", limit);
        let fit = || Line::of("context", "fit").principal("tokens").with(Line::of("least", limit));
        findings.report(finding.write(role.head.span, if fits { fit() } else { line }));
    }
}

/// Reports an override that hides the original context from YaRN.
fn report_spoiled(
    role: &Role,
    yarn: &Yarn,
    (extended, trained): (Span, Option<(u64, Span, &str, &str)>),
    findings: &mut Diagnostics,
) {
    let message = format!("{role} uses YaRN, but its override hides the original context of the model");
    let finding = SPOILED_YARN
        .at(yarn.place, "scales from the overridden context", message)
        .also(extended, "overridden here")
        .about(role);
    let original =
        trained.map_or_else(|| "the trained context".to_owned(), |(trained, ..)| trained.to_string());
    findings.report(finding.help(format!("add the option `yarn-orig-ctx` with the value {original}")));
}
