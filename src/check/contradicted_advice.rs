//! A number of experts under both `advise` and `avoid`.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, words};

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
    let families = registry.families.iter().map(|family| (&family.head, &family.experts));
    let models = registry.models.iter().map(|model| (&model.head, &model.experts));
    let all = families.chain(models).filter_map(|(head, experts)| Some((head, experts.as_ref()?)));
    for (head, advice) in all {
        for avoided in &advice.avoid {
            let same = advice.advise.iter().find(|advised| advised.experts == *avoided);
            let Some(advised) = same else { continue };
            let count = words::count(avoided.value as usize, "expert");
            let message = format!("{head} lists {count} under both `advise` and `avoid`");
            let finding = CONTRADICTED_ADVICE
                .at(avoided.span, "avoided here", message)
                .also(advised.experts.span, "advised here")
                .about(head);
            findings.report(
                finding
                    .remedy("remove the number from `avoid`", Change::remove(avoided.span))
                    .remedy("or remove `{}`", Change::field("advise", advised.experts.span)),
            );
        }
    }
}
