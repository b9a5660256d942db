//! A number of experts under both `advise` and `avoid`.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::hir::Experts;

declare_code! {
    /// ## What it finds
    /// A model or family whose `experts` list the same number under `advise` and `avoid`.
    ///
    /// ## Why
    /// Only one of them can be right, and the documents would print both. A model may advise a number that its family
    /// avoids: then the advice of the model applies.
    ///
    /// ## Example
    /// ```kdl
    /// family "odd" arch="qwen3moe" { experts { advise 4 for="speed"; avoid 4 } }
    /// ban target="odd" draft="*" failure="vocabulary differs"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "odd" arch="qwen3moe" { experts { advise 4 for="speed"; avoid 2 } }
    /// ban target="odd" draft="*" failure="vocabulary differs"
    /// ```
    pub(super) static CONTRADICTED_ADVICE = 354, "contradicted-advice", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for family in registry.families.iter() {
        if let Some(advice) = &family.experts {
            report("family", &family.head.name, advice, findings);
        }
    }
    for model in registry.models.iter() {
        if let Some(experts) = &model.experts {
            report("model", &model.head.name, experts, findings);
        }
    }
}

fn report(kind: &'static str, name: &str, advice: &Experts, findings: &mut Diagnostics) {
    for avoided in &advice.avoid {
        let Some(advised) = advice.advise.iter().find(|advised| advised.experts == *avoided) else {
            continue;
        };
        let message = format!(
            "{kind} {} lists {} under both `advise` and `avoid`",
            words::quoted(name),
            words::count(avoided.value as usize, "expert")
        );
        let finding = CONTRADICTED_ADVICE
            .at(avoided.span, "avoided here", message)
            .also(advised.experts.span, "advised here")
            .about((kind, name));
        findings.report(finding.help("remove the number from `advise` or from `avoid`"));
    }
}
