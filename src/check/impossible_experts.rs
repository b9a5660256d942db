//! Numbers of experts above the total of the model.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, Line};
use crate::source::Spanned;

declare_code! {
    /// ## What it finds
    /// A model whose `experts` contain a number above `total`: under `default`, `advise` or `avoid`.
    ///
    /// ## Why
    /// One of the two numbers is wrong, and roles are checked against both. The advice of a family is not checked: it
    /// applies to models of several sizes.
    ///
    /// ## Example
    /// ```kdl
    /// model "odd" family="qwen3moe" title="Odd-30B" quant="Q4_K_M" size="17.5 GB" file="odd.gguf" { experts total=8 default=128 }
    /// role "list" tier="A" model="odd"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// model "odd" family="qwen3moe" title="Odd-30B" quant="Q4_K_M" size="17.5 GB" file="odd.gguf" { experts total=128 default=8 }
    /// role "list" tier="A" model="odd"
    /// ```
    pub(super) static IMPOSSIBLE_EXPERTS = 353, "impossible-experts", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for model in derived.registry.models.iter() {
        let Some(experts) = &model.experts else { continue };
        let Some(total) = experts.total else { continue };
        let default = experts.default.map(|default| ("uses", default));
        let is_default = |span| experts.default.is_some_and(|default| default.span == span);
        let advised = experts.advise.iter().map(|advice| ("advises", advice.experts));
        let avoided = experts.avoid.iter().map(|avoid| ("avoids", *avoid));
        for (verb, Spanned { value, span }) in default.into_iter().chain(advised).chain(avoided) {
            if value <= total.value {
                continue;
            }
            let message = format!("{model} {verb} {value} experts, but has only {}", total.value);
            let finding = IMPOSSIBLE_EXPERTS
                .at(span, format!("expected at most {}", total.value), message)
                .also(total.span, "the number of experts of the model")
                .about(model);
            let finding = finding.help("`total` is `expert_count` in the header of the file");
            let most = u64::from(total.value);
            findings.report(if is_default(span) {
                finding.remedy("write `{}` or less", Change::rewrite(span, Line::of("default", most)))
            } else {
                finding.remedy("or write `{}` or less", Change::Value { span, to: most.into() })
            });
        }
    }
}
