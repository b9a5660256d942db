//! The number of experts that a role uses, compared with the model and with the advice of the registry.

use crate::derive::Derived;
use crate::derive::overrides::EXPERT_USED_COUNT;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::engine::architecture::lacks_experts;
use crate::hir::{Experts, Family, Model, Override, Registry, Role, Serving, Setting, Text};
use crate::source::{Span, Spanned};

declare_code! {
    /// ## What it finds
    /// A role that uses more experts than its model has, uses zero experts, or sets `experts` for a dense model.
    ///
    /// ## Why
    /// If the number exceeds the experts of the model, the engine aborts with a stack trace that does not show the
    /// reason. For a dense model it ignores the number.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, experts: 200}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, experts: 4}
    /// ```
    pub(super) static TOO_MANY_EXPERTS = 308, "too-many-experts", Error;
}

declare_code! {
    /// ## What it finds
    /// A role with a number of experts that its model or family lists under `avoid`. A number that the model advises is
    /// accepted, even if its family avoids it.
    ///
    /// ## Why
    /// Measurements have shown that the model degrades with this number. The engine starts anyway.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, experts: 1}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, experts: 4}
    /// ```
    pub(super) static AVOIDED_EXPERTS = 309, "avoided-experts", Error;
}

declare_code! {
    /// ## What it finds
    /// A role that uses fewer experts than a number that its model or family declares in `avoid` as too few. A number
    /// is too few if it is below the default and below every number in `advise`.
    ///
    /// ## Why
    /// If 2 experts degrade a model, 1 degrades it even more. The engine accepts any number from 1.
    ///
    /// ## Example
    /// ```kdl
    /// model "wide" family="qwen3moe" title="Wide-30B" quant="Q4_K_M" size="17.5 GB" file="wide.gguf" {
    ///     experts total=128 default=8 { advise 4; avoid 2 }
    /// }
    /// role "extra" tier="A" residency="hot" model="wide" port=9000 context=4096 experts=1
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// model "wide" family="qwen3moe" title="Wide-30B" quant="Q4_K_M" size="17.5 GB" file="wide.gguf" {
    ///     experts total=128 default=8 { advise 4; avoid 2 }
    /// }
    /// role "extra" tier="A" residency="hot" model="wide" port=9000 context=4096 experts=4
    /// ```
    pub(super) static TOO_FEW_EXPERTS = 355, "too-few-experts", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for (role, serving) in derived.registry.served() {
        let Some(used) = used(&derived.registry, serving) else { continue };
        let (model, family) = derived.registry.model_of(serving);
        let (title, advice) = (words::quoted(&model.title), advice(model, family));
        let advised = match avoided(&advice, used.value) {
            Some(place) => {
                let message = format!("{role} uses {}, which degrades {title}", count(used.value));
                let finding = AVOIDED_EXPERTS.at(used.span, "listed under `avoid`", message);
                Some(finding.also(place, "listed here"))
            }
            None => too_few(&advice, model, used.value).map(|avoided| {
                let of = format!("{} of {title}", count(used.value));
                let message = format!("{role} uses {of}, but even {} degrade it", avoided.value);
                let finding = TOO_FEW_EXPERTS.at(used.span, "even fewer", message);
                finding.also(avoided.span, "declared as too few")
            }),
        };
        let advised = advised.map(|finding| advise(finding, &advice, |n| change(role, serving, used, n)));
        let arch = derived.registry.arch_of(model);
        let impossible = impossible((role, serving), (model, arch), used);
        for finding in impossible.into_iter().chain(advised) {
            findings.report(finding.about(role));
        }
    }
}

/// The number of experts of a role: the field `experts`, else an override of its metadata key by the role, else by the
/// family.
fn used(registry: &Registry, serving: &Serving) -> Option<Spanned<i64>> {
    if let Some(experts) = serving.experts {
        return Some(experts.map(i64::from));
    }
    let (model, family) = registry.model_of(serving);
    let key = format!("{}.{EXPERT_USED_COUNT}", registry.arch_of(model)?.value);
    let number = |one: &Override| match one.value.value {
        Setting::Integer(number) if *one.key.value == *key => Some(Spanned::new(number, one.value.span)),
        Setting::Integer(_) | Setting::Flag(_) | Setting::Float(_) | Setting::Text(_) => None,
    };
    let inherited = family.into_iter().flat_map(|family| &family.overrides);
    serving.overrides.iter().chain(inherited).find_map(number)
}

/// The finding about a number of experts that the model does not have.
fn impossible(
    (role, serving): (&Role, &Serving),
    (model, arch): (&Model, Option<&Text>),
    declared: Spanned<i64>,
) -> Option<Diagnostic> {
    let Spanned { value: used, span } = declared;
    let title = words::quoted(&model.title);
    if let Some(total) = model.experts.as_ref().and_then(|experts| experts.total) {
        let message = format!("{role} uses {used} experts, but {title} has {}", total.value);
        let finding = TOO_MANY_EXPERTS
            .at(span, format!("expected 1 to {}", total.value), message)
            .also(total.span, "the number of experts of the model")
            .remedy("write `{}`", change(role, serving, declared, u64::from(total.value)));
        return (!(1..=i64::from(total.value)).contains(&used)).then_some(finding);
    }
    if let Some(arch) = arch.filter(|arch| model.experts.is_none() && lacks_experts(arch)) {
        let message = format!("{role} uses {used} experts, but {title} has none");
        let label = format!("`{}` is an architecture without experts", words::printable(arch));
        let finding = TOO_MANY_EXPERTS.at(span, "has no effect", message).also(arch.span, label);
        let removal = match serving.experts {
            Some(_) => Change::remove(span),
            None => Change::field("override", span),
        };
        return Some(finding.remedy("remove `{}`", removal));
    }
    (used < 1).then(|| {
        let message = format!("{role} uses {used} experts of {title}");
        let finding = TOO_MANY_EXPERTS.at(span, "expected at least 1", message);
        finding.remedy("write `{}` or more", change(role, serving, declared, 1))
    })
}

/// The advice about experts: of the model, then of its family.
fn advice<'r>(model: &'r Model, family: Option<&'r Family>) -> Vec<&'r Experts> {
    let own = model.experts.as_ref().map(|experts| &experts.value);
    own.into_iter()
        .chain(family.and_then(|family| family.experts.as_ref()).map(|advice| &advice.value))
        .collect()
}

/// The place that lists a number under `avoid`. Advice of the model takes precedence over that of its family.
fn avoided(advice: &[&Experts], used: i64) -> Option<Span> {
    let is_used = |number: u32| i64::from(number) == used;
    for block in advice {
        // A number that is both advised and avoided has a separate finding.
        if block.advise.iter().any(|advised| is_used(advised.experts.value)) {
            return None;
        }
        if let Some(avoid) = block.avoid.iter().find(|avoid| is_used(avoid.value)) {
            return Some(avoid.span);
        }
    }
    None
}

/// The largest avoided number, if it is smaller than every good number and larger than the used one.
fn too_few(advice: &[&Experts], model: &Model, used: i64) -> Option<Spanned<u32>> {
    let advised = advice.iter().flat_map(|advice| &advice.advise).map(|advised| advised.experts.value);
    let default = model.experts.as_ref().and_then(|experts| experts.default).map(|default| default.value);
    let least_good = advised.chain(default).min()?;
    let avoided = advice.iter().flat_map(|advice| &advice.avoid).copied();
    let most_avoided = avoided.filter(|avoid| avoid.value < least_good).max_by_key(|avoid| avoid.value);
    most_avoided.filter(|avoid| (1..i64::from(avoid.value)).contains(&used))
}

/// `1 expert`, `4 experts`.
fn count(used: i64) -> String {
    usize::try_from(used).map_or_else(|_| format!("{used} experts"), |used| words::count(used, "expert"))
}

/// Writes another number of experts: into the field, or into the override that sets it.
fn change(role: &Role, serving: &Serving, used: Spanned<i64>, experts: u64) -> Change {
    match serving.experts {
        Some(_) => Change::set(role.head.span, Line::of("experts", experts)),
        None => Change::Value { span: used.span, to: experts.into() },
    }
}

/// Adds a help for each advised number.
fn advise(finding: Diagnostic, advice: &[&Experts], change: impl Fn(u64) -> Change) -> Diagnostic {
    let mut advised = advice.iter().flat_map(|advice| &advice.advise).peekable();
    if advised.peek().is_none() {
        return finding.help("use another number of experts");
    }
    advised.fold(finding, |finding, one| {
        let purpose =
            one.purpose.as_ref().map(|purpose| format!(", advised for {}", words::printable(purpose)));
        let title = format!("write `{{}}`{}", purpose.unwrap_or_default());
        finding.remedy(title, change(u64::from(one.experts.value)))
    })
}
