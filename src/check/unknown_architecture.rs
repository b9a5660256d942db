//! An architecture that no known engine build supports.

use crate::derive::Derived;
use crate::diag::{Diagnostics, Safety, Similarity, suggest, words};
use crate::engine::architecture;

declare_code! {
    /// ## What it finds
    /// A family whose `arch` is not an architecture of llama.cpp b11434.
    ///
    /// ## Why
    /// Metadata keys start with the architecture, and the engine silently ignores keys of another one. A newer build
    /// can have an architecture that orchgen does not know, so this is a warning. The override keys of such an
    /// architecture are not checked.
    ///
    /// ## Example
    /// ```kdl
    /// family "odd" arch="qwen3-moe"
    /// ban target="odd" draft="*" failure="it stutters"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "odd" arch="qwen3moe"
    /// ban target="odd" draft="*" failure="it stutters"
    /// ```
    pub(super) static UNKNOWN_ARCHITECTURE = 315, "unknown-architecture", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for family in derived.registry.families.iter() {
        if architecture::architecture(&family.arch).is_some() {
            continue;
        }
        let near = suggest(&family.arch, architecture::names());
        let label = near.map_or_else(
            || "not in llama.cpp b11434".to_owned(),
            |near| format!("did you mean `{}`?", near.name),
        );
        let message = format!("{family} has the unknown architecture {}", words::quoted(&family.arch));
        let finding = UNKNOWN_ARCHITECTURE.at(family.arch.span, label, message).about(family);
        let finding = match near {
            // A newer build can have an architecture whose name differs in one letter.
            Some(near) if near.similarity == Similarity::Typo => {
                finding.suggest_word(near.name, family.arch.span, Safety::Unsafe)
            }
            near => finding.suggest(near, family.arch.span),
        };
        findings.report(finding.help(
            "write the `general.architecture` of the model file; if only a newer build has it, `allow` this warning",
        ));
    }
}
