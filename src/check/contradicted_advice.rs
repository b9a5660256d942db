//! A number of experts that is advised and to be avoided.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{ExpertAdvice, Registry};

declare_code! {
    /// ## What it finds
    /// A model or a family whose `experts` advise a number and say to avoid the same.
    ///
    /// ## Why
    /// Only one of them holds, and the documents would print both. A model may well advise what its family avoids: then the
    /// model's word holds.
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
    static CONTRADICTED_ADVICE = 354, "contradicted-advice", Error;
}

pub(super) static CHECK: Check = Check { code: &CONTRADICTED_ADVICE, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for family in registry.families.iter() {
        if let Some(advice) = &family.experts {
            report("family", &family.head.name, advice, findings);
        }
    }
    for model in registry.models.iter() {
        if let Some(experts) = &model.experts {
            report("model", &model.head.name, &experts.advice, findings);
        }
    }
}

fn report(kind: &'static str, name: &str, advice: &ExpertAdvice, findings: &mut Diagnostics) {
    for avoided in &advice.avoid {
        let Some(advised) = advice.advise.iter().find(|advised| advised.experts == *avoided) else {
            continue;
        };
        let message = format!(
            "{kind} {} advises {} and says to avoid the same",
            words::quoted(name),
            words::count(avoided.value as usize, "expert")
        );
        let finding = CONTRADICTED_ADVICE
            .at(avoided.span, "to be avoided", message)
            .also(advised.experts.span, "advised here")
            .about(kind, name);
        findings.report(finding.help("remove one of them"));
    }
}
